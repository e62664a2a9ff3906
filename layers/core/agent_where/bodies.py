"""What comes in over HTTP besides signals: bodies and query strings, parsed once, strictly.

Keys are the contract's own and no others; a PATCH carries only what is to change. The signal itself
is in messages.py, which also has the way in: `parse_object` and `validate`.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from agent_where.domain import MULTI, TRADABLE_VENUES, VenueId
from agent_where.messages import Body, Number, TokenSymbol, VenueName
from agent_where.paging import CursorText
from agent_where.routing.strategies import STRATEGIES

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("an address is 0x and 40 hex digits")
    return text


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("a name is not blank")
    return text


def _each_once(venues: tuple[VenueId, ...]) -> tuple[VenueId, ...]:
    if not venues:
        raise ValueError("at least one venue is needed")
    if MULTI in venues:
        raise ValueError(f"MULTI is no venue to trade at; these are {', '.join(TRADABLE_VENUES)}")
    if len(set(venues)) != len(venues):
        raise ValueError("a venue stands in it twice")
    return venues


def _tradable(venue: VenueId) -> VenueId:
    return _each_once((venue,))[0]


def _known_strategy(name: str) -> str:
    if name not in STRATEGIES:
        raise ValueError(f"unknown strategy; known are {', '.join(STRATEGIES)}")
    return name


Address = Annotated[str, AfterValidator(_address)]
AgentName = Annotated[str, Field(max_length=100), AfterValidator(_not_blank)]
Venues = Annotated[tuple[VenueName, ...], Field(max_length=20), AfterValidator(_each_once)]
MarketVenue = Annotated[VenueName, AfterValidator(_tradable)]
Strategy = Annotated[str, AfterValidator(_known_strategy)]
Switch = Annotated[bool, Field(strict=True)]
Weight = Annotated[int, Field(strict=True, ge=-32_768, le=32_767)]
Weights = Annotated[tuple[Weight, ...], Field(max_length=100)]
MaxNotionalUsd = Annotated[Number, Field(gt=0)]
MaxLeverage = Annotated[Number, Field(ge=1, le=1000)]


class AgentStatus(StrEnum):
    """Only an ACTIVE agent's signals open anything."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


class DeploymentStatus(StrEnum):
    """Only an ACTIVE deployment takes part in what its agent opens."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


class PositionStatus(StrEnum):
    """Whether something is still held."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"


class TimeWindow(StrEnum):
    """How far back the stats look."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


class Strict(Body):
    """camelCase keys, in that spelling alone."""

    model_config = ConfigDict(populate_by_name=False)


class RowBody(Body):
    """Keys as the columns are called."""

    model_config = ConfigDict(alias_generator=None)


class Change(RowBody):
    """A PATCH. A field's default only stands for "not told": `changes` never holds it."""

    @model_validator(mode="after")
    def something_is_told(self) -> Self:
        if not self.model_fields_set:
            known = ", ".join(
                field.alias or name for name, field in self.__class__.model_fields.items()
            )
            raise ValueError(f"nothing is to change; it may hold {known}")
        return self

    def changes(self) -> Mapping[str, object]:
        """What is to change, by column; None takes a limit away."""
        return self.model_dump(include=self.model_fields_set)


class ConfigBody(Strict):
    """POST /venue-routing/config. No `agentId`: the global row."""

    agent_id: UUID | None = None
    venue_priority: Venues
    routing_strategy: Strategy = "FIRST_AVAILABLE"
    failover_enabled: Switch = True


class AgentBody(RowBody):
    """POST /agents."""

    name: AgentName
    venue: VenueName
    creator_wallet: Address
    profit_receiver_address: Address
    weights: Weights = ()
    status: AgentStatus = AgentStatus.DRAFT


class AgentChange(Change):
    """PATCH /agents/{id}. Whose agent it is never changes."""

    name: AgentName = ""
    venue: VenueName = ""
    profit_receiver_address: Address = ""
    weights: Weights = ()
    status: AgentStatus = AgentStatus.DRAFT


class DeploymentBody(RowBody):
    """POST /agents/{id}/deployments: `user_wallet` follows the agent, at these venues."""

    venues: Venues
    user_wallet: Address
    max_notional_usd: MaxNotionalUsd | None = Field(default=None, alias="maxNotionalUsd")
    max_leverage: MaxLeverage | None = Field(default=None, alias="maxLeverage")


class DeploymentChange(Change):
    """PATCH /deployments/{id}. Null takes a limit away."""

    venues: Venues = ()
    status: DeploymentStatus = DeploymentStatus.ACTIVE
    max_notional_usd: MaxNotionalUsd | None = Field(default=None, alias="maxNotionalUsd")
    max_leverage: MaxLeverage | None = Field(default=None, alias="maxLeverage")


class ConfigQuery(Strict):
    """GET /venue-routing/config. No `agentId`: the global config."""

    agent_id: UUID | None = None


class AgentQuery(Strict):
    """DELETE /venue-routing/config: there is no going back from the global row."""

    agent_id: UUID


class StatsQuery(Strict):
    """GET /venue-routing/stats."""

    time_window: TimeWindow = TimeWindow.DAY
    token_symbol: TokenSymbol | None = None


class PageQuery(Strict):
    """The first page, or the one that a `nextCursor` leads to."""

    cursor: CursorText | None = None


class PositionsQuery(PageQuery):
    """GET /positions."""

    agent_id: UUID | None = None
    deployment_id: UUID | None = None
    status: PositionStatus | None = None


class MarketsQuery(Strict):
    """GET /venue-markets."""

    venue: MarketVenue | None = None
    token_symbol: TokenSymbol | None = None
