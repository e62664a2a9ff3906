"""What comes in over HTTP in query strings, parsed once, strictly. Bodies: bodies.py."""

import re
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from agent_where.contract.bodies import ControlId, Strict
from agent_where.domain import MULTI, TRADABLE_VENUES, ControlScope, VenueId
from agent_where.paging import (
    AGENTS,
    CONTROLS,
    DEPLOYMENTS,
    HISTORY,
    PAGE_ROWS,
    POSITIONS,
    AgentsCursor,
    ControlsCursor,
    DeploymentsCursor,
    HistoryCursor,
    PositionsCursor,
)
from agent_where.values import Id, TokenSymbol, VenueName

_WHOLE = re.compile(r"\d{1,9}", re.ASCII)


class PositionStatus(StrEnum):
    """Whether something is still held."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"


class TimeWindow(StrEnum):
    """How far back the stats look."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


class Listed(StrEnum):
    """Which agents are listed: one's own, whole, or everybody's ACTIVE ones by name."""

    OWN = "own"
    ACTIVE = "active"


def _tradable(venue: VenueId) -> VenueId:
    if venue == MULTI:
        raise ValueError(f"no market is at {MULTI}; known are {', '.join(TRADABLE_VENUES)}")
    return venue


def _whole(text: object) -> object:
    if isinstance(text, str) and not _WHOLE.fullmatch(text):
        raise ValueError("a whole number is needed")
    return text


MarketVenue = Annotated[
    VenueName,
    AfterValidator(_tradable),
    WithJsonSchema({"type": "string", "enum": [*TRADABLE_VENUES]}),
]
Limit = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=PAGE_ROWS)]


def _page_of(name: str) -> WithJsonSchema:
    shape = {"type": "string", "format": f"{name}-cursor", "minLength": 40, "maxLength": 40}
    return WithJsonSchema(shape)


class NoQuery(Strict):
    """What takes no parameters."""


class ConfigQuery(Strict):
    """GET /venue-routing/config. No `agentId`: the global config."""

    agent_id: Id | None = None


class AgentQuery(Strict):
    """DELETE /venue-routing/config: there is no going back from the global row."""

    agent_id: Id


class StatsQuery(Strict):
    """GET /venue-routing/stats."""

    time_window: TimeWindow = TimeWindow.DAY
    token_symbol: TokenSymbol | None = None


class PageQuery(Strict):
    """At most how many rows. Each list has its own `cursor`: none is the first page."""

    limit: Limit = PAGE_ROWS


class PositionsQuery(PageQuery):
    """GET /positions."""

    cursor: Annotated[PositionsCursor, _page_of(POSITIONS)] | None = None
    agent_id: Id | None = None
    deployment_id: Id | None = None
    status: PositionStatus | None = None


class MarketsQuery(Strict):
    """GET /venue-markets."""

    venue: MarketVenue | None = None
    token_symbol: TokenSymbol | None = None


class DeploymentsQuery(PageQuery):
    """GET /agents/{id}/deployments."""

    cursor: Annotated[DeploymentsCursor, _page_of(DEPLOYMENTS)] | None = None


class AgentsQuery(PageQuery):
    """GET /agents."""

    cursor: Annotated[AgentsCursor, _page_of(AGENTS)] | None = None
    listed: Listed = Listed.OWN


class HistoryQuery(PageQuery):
    """GET /venue-routing/history."""

    cursor: Annotated[HistoryCursor, _page_of(HISTORY)] | None = None
    signal_id: Id | None = None
    token_symbol: TokenSymbol | None = None
    venue: MarketVenue | None = None


class ControlsQuery(PageQuery):
    """GET /controls."""

    cursor: Annotated[ControlsCursor, _page_of(CONTROLS)] | None = None
    scope: ControlScope | None = None
    id: ControlId | None = None
