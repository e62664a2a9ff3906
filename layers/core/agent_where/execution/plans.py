"""What follows from an order's end: exits to plan, what to try again, where to fail over.

Pure, but for the stopwatch that tells how long a failover's decision took.
"""

import logging
import time
from collections.abc import Sequence
from decimal import Decimal

from agent_where.domain import (
    MULTI,
    ZERO,
    Mode,
    Order,
    OrderStatus,
    Purpose,
    Refusal,
    Settled,
    VenueId,
)
from agent_where.execution.gate import stopped
from agent_where.execution.sizing import bounds_at
from agent_where.ids import close_leg, next_leg, order_id
from agent_where.routing.candidates import Verdict
from agent_where.routing.checks import Refused, Terms
from agent_where.routing.decision import told_candidate, venues_of
from agent_where.routing.router import judge
from agent_where.store.plans import Ending, Failover, NextExit, PlannedExit
from agent_where.store.records import OrderFile
from agent_where.venues.base import BOUNDS, CANCELED, TOO_LATE, TRIGGER_PASSED

# Refusals that would be the same at every venue.
_FINAL = frozenset(
    {
        Refusal.SIGNAL_EXPIRED,
        Refusal.SUPERSEDED,
        Refusal.AGENT_NOT_ACTIVE,
        Refusal.DEPLOYMENT_NOT_ACTIVE,
        Refusal.ABOVE_LIMIT,
        Refusal.BAD_SIGNAL,
    }
)
_PASSING = frozenset(
    {
        "",  # EXPIRED
        CANCELED,
        TOO_LATE,
        Refusal.HALTED,
        Refusal.NOT_LISTED,
        Refusal.MARKET_CLOSED,
        Refusal.NO_PRICE,
        Refusal.NOT_APPROVED,
        Refusal.NOTHING_TO_CLOSE,
    }
)
"""Ends that say nothing against the order itself: the next like it may go through."""
_FIRST_RETRY_SECONDS = 5
_LAST_RETRY_SECONDS = 900
_STOP_LOSS_TRIES = 3

_logger = logging.getLogger(__name__)


def after_fills(file: OrderFile, settled: Settled, *, takes_bounds: bool) -> Ending:
    """What a FILLED order entails: exits for an entry, another exit for what stays open.

    Args:
        takes_bounds: whether the venue took the bounds with the entry, and carries them out.
    """
    if file.order.purpose is Purpose.ENTRY and takes_bounds:
        return _confirmed(file, settled)
    if file.order.purpose is Purpose.ENTRY:
        return _exits(file, _average_price(settled))
    left = (file.open_qty or ZERO) - settled.filled_size
    if left <= 0:
        return Ending()
    if file.order.purpose in BOUNDS:
        return Ending(next_exit=_close_at_once(file.order))
    return Ending(next_exit=_next(file.order, next_leg(file.order.leg), 1))


def after_refused_exit(file: OrderFile, code: str) -> NextExit | None:
    """A refused exit is tried again later, unless the ledger itself has nothing to close.

    That a venue sees nothing to close ends no exit: what it shows may be older than the last fill.

    A bound whose price was reached is given up for closing the position at once, and so is a
    stop-loss that a venue keeps refusing: none stands without the stop that it was promised.
    """
    order = file.order
    if code == Refusal.DUST or (code == Refusal.NOTHING_TO_CLOSE and not file.open_qty):
        return None
    if _has_fired(order, code):
        return _close_at_once(order)
    if _is_hopeless(file, code):
        _logger.error("order %s: the stop-loss is refused for good: its position closes", order.id)
        return _close_at_once(order)
    return _next(order, order.leg, order.attempt + 1)


def _has_fired(order: Order, code: str) -> bool:
    """Whether a bound's price was reached and it found nobody to trade with."""
    if order.purpose not in BOUNDS:
        return False
    rested = order.status is OrderStatus.ACCEPTED
    return code == TRIGGER_PASSED or (rested and code not in ("", CANCELED))


def _is_hopeless(file: OrderFile, code: str) -> bool:
    """Whether a stop-loss was refused for what it is as often as it is tried."""
    order = file.order
    if order.purpose is not Purpose.STOP_LOSS or order.mode is not Mode.LIVE:
        return False
    against = [each for each in (*file.refused, code) if each not in _PASSING]
    return code not in _PASSING and len(against) >= _STOP_LOSS_TRIES


def _close_at_once(order: Order) -> NextExit:
    """A plain close of the position in the bound's stead."""
    leg = close_leg(order.position_id)
    return _next(order, leg, 1, purpose=Purpose.CLOSE, seconds=0)


def failover(
    file: OrderFile, settled: Settled, supported: frozenset[VenueId], terms: Terms
) -> Failover | None:
    """Where a refused entry goes next, checks made again; None where it may not go anywhere."""
    if not _may_fail_over(file, settled.code):
        return None
    started = time.perf_counter_ns()
    assert file.decision is not None
    anywhere = stopped(file)
    later = [] if anywhere else _later_venues(file)
    verdicts = [judge(terms, file.book.candidate(venue, supported)) for venue in later]
    chosen = next((verdict for verdict in verdicts if verdict.refusal is None), None)
    why = f"{file.order.venue} refused ({settled.code}: {settled.detail})"
    where = f"{chosen.venue}: {chosen.detail}" if chosen else _nowhere(anywhere, verdicts)
    market = chosen.candidate.market if chosen else None
    return Failover(
        next_id=order_id(
            file.order.signal_id, file.order.deployment_id, file.order.leg, file.order.attempt + 1
        ),
        selected_venue=chosen.venue if chosen else None,
        market_name=market.name if market else None,
        routing_reason=f"{why}; {where}",
        checked_venues=later,
        venue_availability={verdict.venue: verdict.refusal is None for verdict in verdicts},
        routing_duration_us=(time.perf_counter_ns() - started) // 1000,
        strategy=file.decision.strategy,
        config_id=file.decision.config_id,
        skipped_reason=None if chosen else f"{why}; {where}",
        candidates=[told_candidate(verdict) for verdict in verdicts],
    )


def _may_fail_over(file: OrderFile, code: str) -> bool:
    return (
        file.order.purpose is Purpose.ENTRY
        and file.requested_venue == MULTI
        and file.decision is not None
        and file.decision.failover_enabled
        and code not in _FINAL
    )


def _later_venues(file: OrderFile) -> list[VenueId]:
    assert file.decision is not None
    ranked = venues_of(file.decision.candidates)
    if file.order.venue not in ranked:
        return []
    later = ranked[ranked.index(file.order.venue) + 1 :]
    return [venue for venue in later if file.follower.takes(venue)]


def _nowhere(anywhere: Refused | None, verdicts: Sequence[Verdict]) -> str:
    if anywhere:
        return f"nothing more is tried, {anywhere.code}: {anywhere.detail}"
    told = "; ".join(f"{v.venue} ({v.refusal}: {v.detail})" for v in verdicts)
    return f"no venue left. Checked: {told or 'none'}"


def _confirmed(file: OrderFile, settled: Settled) -> Ending:
    """The bounds that the venue confirmed are those that stand."""
    if file.signal.risk.stop_loss is not None and settled.stop_loss is None:
        _logger.error(
            "order %s: the venue opened its position without the stop-loss", file.order.id
        )
    return Ending(stop_loss=settled.stop_loss, take_profit=settled.take_profit, carries_bounds=True)


def _exits(file: OrderFile, entry_price: Decimal) -> Ending:
    order = file.order
    stop_loss, take_profit = bounds_at(entry_price, order.side, file.signal.risk)
    prices = {Purpose.STOP_LOSS: stop_loss, Purpose.TAKE_PROFIT: take_profit}
    return Ending(
        stop_loss=stop_loss,
        take_profit=take_profit,
        exits=tuple(
            PlannedExit(
                id=order_id(order.signal_id, order.deployment_id, purpose, 1),
                purpose=purpose,
                trigger_price=price,
            )
            for purpose, price in prices.items()
            if price is not None
        ),
    )


def _next(
    order: Order,
    leg: str,
    attempt: int,
    *,
    purpose: Purpose | None = None,
    seconds: int | None = None,
) -> NextExit:
    later = min(_FIRST_RETRY_SECONDS * 2 ** (attempt - 1), _LAST_RETRY_SECONDS)
    return NextExit(
        next_id=order_id(order.signal_id, order.deployment_id, leg, attempt),
        purpose=purpose or order.purpose,
        leg=leg,
        attempt=attempt,
        seconds=later if seconds is None else seconds,
    )


def _average_price(settled: Settled) -> Decimal:
    value = sum((fill.size * fill.price for fill in settled.fills), ZERO)
    return value / settled.filled_size
