"""What belongs to somebody, as answered: routing config, agents, deployments and controls."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from agent_where.contract.bodies import AgentStatus
from agent_where.contract.shapes import (
    Amount,
    Answer,
    Count,
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
    is_default: bool = Field(default=False, alias="isDefault")


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


class TypedField(RowView):
    """A field of what a wallet signs, by EIP-712."""

    name: str
    type: str


class TypedData(View):
    """The argument of a wallet's `eth_signTypedData_v4`."""

    domain: dict[str, str | int]
    types: dict[str, tuple[TypedField, ...]]
    primary_type: str
    message: dict[str, str | int]


class TransactionView(View):
    """What a wallet is asked to send, the argument of `eth_sendTransaction`, and what it does."""

    what: str
    to: str
    data: str
    value: str
    chain_id: int


class ApprovalView(View):
    """What a user signs in their own wallet, so that the account's signer may trade for it.

    `action` and `nonce` are posted to `postTo` with the signature; the approval ends at
    `validUntil`. Where there are `transactions`, the wallet sends these instead, in their order,
    and `postTo` is a contract. With it the signer can trade, and cannot withdraw.
    """

    typed_data: TypedData
    action: dict[str, str | int]
    nonce: Count
    post_to: str
    valid_until: datetime
    transactions: tuple[TransactionView, ...] = ()


class AccountView(RowView):
    """A user's account at a venue.

    `signer_address` None: it has no key, and trades on paper alone; a key that could not be made at
    once is made within minutes. `approval` None: there is nothing to sign.
    """

    venue: TradableVenue
    account: str
    signer_address: str | None
    approved_until: datetime | None
    approval: ApprovalView | None = None


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
    max_notional_usd: Amount | None = Field(alias="maxNotionalUsd")
    max_leverage: Amount | None = Field(alias="maxLeverage")
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
