"""Keeping the markets fresh: one bulk write a venue, and nothing at all on an unhealthy answer."""

from collections.abc import Callable, Iterable
from enum import StrEnum

from agent_where.domain import Model, VenueId
from agent_where.errors import BadInput, DatabaseRefused, QueueUnavailable, VenueUnavailable
from agent_where.queues import Queues
from agent_where.store.records import OrderTicket
from agent_where.store.store import Store
from agent_where.venues.base import MarketSource


class SyncStatus(StrEnum):
    SYNCED = "SYNCED"
    VENUE_UNAVAILABLE = "VENUE_UNAVAILABLE"
    ANSWER_REFUSED = "ANSWER_REFUSED"


class SyncResult(Model):
    """What one sync of one venue did; counts are of markets."""

    venue: VenueId
    status: SyncStatus
    detail: str = ""
    stored: int = 0
    active: int = 0
    vanished: int = 0
    triggered: int = 0


def sync_all(
    venues: Iterable[VenueId],
    source: Callable[[VenueId], MarketSource],
    store: Store,
    queues: Queues,
) -> list[SyncResult]:
    """Sync each venue on its own: one failing leaves the others.

    Raises:
        DatabaseUnavailable: the next run does it all again.
    """
    return [_sync(source(venue), store, queues) for venue in venues]


def _sync(source: MarketSource, store: Store, queues: Queues) -> SyncResult:
    try:
        markets = source.markets()
    except VenueUnavailable as error:
        return SyncResult(venue=source.id, status=SyncStatus.VENUE_UNAVAILABLE, detail=error.detail)
    if not any(market.is_active for market in markets):
        return SyncResult(
            venue=source.id,
            status=SyncStatus.ANSWER_REFUSED,
            detail=f"the answer holds no active market of {len(markets)}; nothing was changed",
        )
    try:
        counts, triggered = store.upsert_markets(source.id, markets)
    except (BadInput, DatabaseRefused) as error:
        return SyncResult(venue=source.id, status=SyncStatus.ANSWER_REFUSED, detail=str(error))
    not_passed_on = _pass_on(triggered, queues)
    if not counts["ok"]:
        return SyncResult(
            venue=source.id,
            status=SyncStatus.ANSWER_REFUSED,
            detail=f"the answer keeps only {counts['kept']} of {counts['active_before']} active "
            "markets; nothing was changed",
        )
    return SyncResult(
        venue=source.id,
        status=SyncStatus.SYNCED,
        detail=not_passed_on,
        stored=counts["stored"],
        active=counts["active"],
        vanished=counts["vanished"],
        triggered=len(triggered),
    )


def _pass_on(triggered: list[OrderTicket], queues: Queues) -> str:
    """Why the exits that were triggered wait for reconcile, or nothing."""
    try:
        queues.send_orders(triggered)
    except QueueUnavailable as error:
        return f"{len(triggered)} triggered exits are left to reconcile: {error}"
    return ""
