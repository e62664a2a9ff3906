"""How the system itself is, as answered: whether it is fit to trade, and with which figures."""

from datetime import datetime
from typing import Any

from pydantic import RootModel

from agent_where.contract.owned import ControlView
from agent_where.contract.shapes import Answer, Count, TradableVenue, View


class StatusAnswer(Answer):
    """Told to anybody, so nothing but whether it trades. Not fit is a failure, NOT_FIT."""

    fit: bool
    checked_at: datetime


class DatabaseStatus(View):
    """`clock_skew_ms`: how far this function's clock is ahead of the database's."""

    version: str
    migrations: Count
    network: str
    clock_skew_ms: int


class VenueStatus(View):
    """A venue's markets. `fresh`: some were synced recently enough to be traded."""

    venue: TradableVenue
    markets: Count
    last_synced: datetime | None
    age_seconds: int | None
    fresh: bool


class OrderFigures(View):
    """What is not at its end, and what an operator has to look after. None: not told."""

    undecided_signals: Count | None = None
    planned_orders_due: Count | None = None
    unsettled_orders: Count | None = None
    oldest_unsettled_seconds: Count | None = None
    open_positions: Count | None = None
    positions_unexpected: Count | None = None
    positions_unexplained: Count | None = None
    positions_unprotected: Count | None = None
    stop_losses_given_up: Count | None = None
    bounds_not_taken_back: Count | None = None
    orders_held_up: Count | None = None
    closes_overdue: Count | None = None
    orders_cannot_end: Count | None = None
    accounts_used_up: Count | None = None
    signers_low_on_gas: Count | None = None


class QueueFigures(View):
    """Messages on each queue, those in flight too. `queues_unavailable`: why none are told."""

    signal_queue_depth: Count | None = None
    order_queue_depth: Count | None = None
    dead_letters: Count | None = None
    queues_unavailable: str | None = None


class DetailsAnswer(Answer):
    """What an operator looks at first. `reasons`: why it is not fit, if it is not.

    `orders` and `queues` are as reconcile wrote them at `figures_at`.
    """

    fit: bool
    reasons: tuple[str, ...]
    checked_at: datetime
    database: DatabaseStatus
    venues: tuple[VenueStatus, ...]
    orders: OrderFigures
    queues: QueueFigures
    figures_at: datetime | None
    controls: tuple[ControlView, ...]


class OpenApiAnswer(RootModel[dict[str, Any]]):
    """The OpenAPI document itself: the one answer without `success`."""
