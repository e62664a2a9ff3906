"""What belongs to somebody, as answered: routing config, agents, deployments and controls."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from agent_where.contract.bodies import AgentStatus
from agent_where.contract.shapes import (
    Amount,
    Answer,
    RowView,
    TradableVenue,
    Venue,
    View,
    words,
)
from agent_where.domain import ControlScope, ControlState
from agent_where.routing.strategies import STRATEGIES


class ConfigView(RowView):
    """The routing config that applies. No `id`: the built-in default."""

    id: UUID | None = None
    agent_id: UUID | None = None
    venue_priority: tuple[TradableVenue, ...]
    routing_strategy: Annotated[str, words(*STRATEGIES)]
    failover_enabled: bool
    created_at: datetime | None = None
    updated_at: datetime | None = None
    is_default: bool = Field(default=False, serialization_alias="isDefault")


class ConfigAnswer(Answer):
    config: ConfigView


class AgentView(RowView):
    id: UUID
    name: str
    venue: Venue
    status: Annotated[str, words(*AgentStatus)]
    creator_wallet: str
    profit_receiver_address: str
    weights: tuple[int, ...] | None
    created_at: datetime


class PublicAgentView(RowView):
    """What everybody may know of an ACTIVE agent."""

    id: UUID
    name: str
    venue: Venue
    status: Annotated[str, words(*AgentStatus)]


class AgentAnswer(Answer):
    agent: AgentView | PublicAgentView


class AgentsAnswer(Answer):
    agents: tuple[AgentView | PublicAgentView, ...]
    next_cursor: str | None


class AccountView(RowView):
    """A user's account at a venue. No signer: it trades on paper alone."""

    venue: TradableVenue
    account: str
    signer_address: str | None
    approved_until: datetime | None


class DeploymentView(RowView):
    """One user following one agent. `venues` None: every venue.

    The agent's creator is not told whose it is: `user_wallet` None and no accounts.
    """

    id: UUID
    agent_id: UUID
    user_wallet: str | None
    status: str
    sub_active: bool
    venues: tuple[TradableVenue, ...] | None
    max_notional_usd: Amount | None = Field(serialization_alias="maxNotionalUsd")
    max_leverage: Amount | None = Field(serialization_alias="maxLeverage")
    created_at: datetime
    accounts: tuple[AccountView, ...]


class DeploymentAnswer(Answer):
    deployment: DeploymentView


class DeploymentsAnswer(Answer):
    deployments: tuple[DeploymentView, ...]
    next_cursor: str | None


class ControlView(View):
    """What trading is allowed in a scope. `set_by`: the subject of the token that set it.

    `by_operator`: with `admin`; what stops trading then only `admin` changes.
    """

    scope: ControlScope
    id: str | None
    state: ControlState
    reason: str
    set_by: str
    set_at: datetime
    by_operator: bool


class ControlAnswer(Answer):
    control: ControlView


class ControlsAnswer(Answer):
    """What stands, and the newest hundred changes of it."""

    controls: tuple[ControlView, ...]
    audit: tuple[ControlView, ...]
    next_cursor: str | None
