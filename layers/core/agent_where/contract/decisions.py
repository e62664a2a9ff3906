"""What the router decided, as answered: statistics, the audit trail, a preview."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated
from uuid import UUID

from pydantic import Field, model_validator

from agent_where.contract.queries import TimeWindow
from agent_where.contract.shapes import (
    Amount,
    Answer,
    Count,
    CountByVenue,
    Figure,
    FlagByVenue,
    RefusalWord,
    SideWord,
    TradableVenue,
    Venue,
    View,
    words,
)
from agent_where.domain import MULTI, ControlState


class TokenStats(View):
    total: Count
    venues: CountByVenue


class StatsView(View):
    """Times in milliseconds, `success_rate` in percent."""

    total: Count
    by_venue: CountByVenue
    by_token: dict[str, TokenStats]
    avg_routing_time_ms: Figure
    success_rate: Figure
    failovers: Count
    p50_routing_time_ms: Figure
    p99_routing_time_ms: Figure


_LEFT_EMPTY: Mapping[str, object] = MappingProxyType(
    {
        "token_symbol": "",
        "requested_venue": MULTI,
        "routing_reason": "",
        "checked_venues": (),
        "venue_availability": {},
        "routing_duration_ms": 0,
    }
)
"""What stands for what rows of an older installation may have left empty."""


class RoutingView(View):
    """One decision, without its figures. `selected_venue` None: no venue could trade it."""

    @model_validator(mode="before")
    @classmethod
    def older_rows_are_shown_too(cls, row: object) -> object:
        if not isinstance(row, Mapping):
            return row
        empty = {name: told for name, told in _LEFT_EMPTY.items() if row.get(name, told) is None}
        return {**row, **empty}

    id: UUID
    token_symbol: str
    selected_venue: TradableVenue | None
    routing_reason: str
    checked_venues: tuple[TradableVenue, ...]
    venue_availability: FlagByVenue
    routing_duration_ms: Count
    created_at: datetime


class StatsAnswer(Answer):
    time_window: Annotated[str, words(*TimeWindow)]
    stats: StatsView
    recent_routing: tuple[RoutingView, ...]


class CandidateMarket(View):
    """The market that was judged: sizes per canonical token, notional and prices in USD.

    What the version that wrote it did not know is None.
    """

    venue: TradableVenue | None = None
    token_symbol: str | None = None
    name: str | None = None
    index: int | None = None
    is_active: bool | None = None
    is_open: bool | None = None
    multiplier: Amount | None = None
    min_notional_usd: Amount | None = None
    max_leverage: Amount | None = None
    group: str | None = None
    price_usd: Amount | None = None
    taker_fee_bps: Amount | None = None
    last_synced: datetime | None = None
    size_step: Amount | None = None
    sides: tuple[SideWord, ...] | None = None
    order_fee_usd: Amount | None = None
    netting: bool | None = None


class CandidateView(View):
    """What the router thought of one venue. `refusal` None: it could have traded it.

    The lowest `score` is the best. `market` None: the venue does not list the token.
    """

    venue: TradableVenue
    refusal: RefusalWord | None = None
    detail: str = ""
    score: Amount | None = None
    control: ControlState | None = None
    market: CandidateMarket | None = None


class DecisionFigures(View):
    """What a decision was made on. `config_id` None: the built-in default applied."""

    strategy: str | None
    config_id: UUID | None
    failover_enabled: bool | None
    skipped_reason: str | None
    candidates: tuple[CandidateView, ...] | None


class DecisionView(RoutingView, DecisionFigures):
    """One decision with every candidate. `deployment_id` None: it is the signal's own."""

    signal_id: UUID | None
    attempt: int = Field(ge=1)
    deployment_id: UUID | None
    requested_venue: Venue


class HistoryAnswer(Answer):
    history: tuple[DecisionView, ...]
    next_cursor: str | None


class PreviewView(DecisionFigures):
    """The decision that a signal would get now."""

    token_symbol: str
    requested_venue: Venue
    selected_venue: TradableVenue | None
    routing_reason: str
    checked_venues: tuple[TradableVenue, ...]
    venue_availability: FlagByVenue


class PreviewAnswer(Answer):
    decision: PreviewView
