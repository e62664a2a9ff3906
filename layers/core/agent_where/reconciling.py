"""Finding what was lost on the way, settling what is still open, comparing with the venues.

Nothing that matters hangs on a message: what should be on a queue is found in the database and put
there again, what was sent to a venue is asked about until its end is known, and what others did
there with our positions is booked.
"""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum, auto
from functools import partial
from typing import Any, NamedTuple
from uuid import UUID

from agent_where.comparing import compare
from agent_where.domain import Model
from agent_where.errors import (
    AgentWhereError,
    DatabaseRefused,
    DatabaseUnavailable,
    LeaseHeld,
    Overtaken,
    QueueUnavailable,
    VenueError,
)
from agent_where.pipeline import Deps, take_order
from agent_where.recognising import watch
from agent_where.restoring import rematch

_logger = logging.getLogger(__name__)

_AT_MOST = 200
_UNSETTLED_AFTER_SECONDS = 15
_TO_SETTLE = 0.7
"""The part of a run that settling may take; comparing has the rest, however much is open."""
_LEAST_TO_MATCH_SECONDS = 3.0


class Reconciled(Model):
    """What one run did.

    `still_open`: sent orders whose end is not known yet, but for those that rest at the venue.
    `cannot_end`: those of them whose end the ledger refuses, or that something missing holds up.
    `compared`: accounts; `booked`: positions that others closed there, wholly or in part.
    `queue_fault`: why not everything that was lost is on its queue again; the next run finds it.
    `restore_waits_for`: why nothing trades after a restore of the database.
    """

    signals_sent_again: int
    orders_sent_again: int
    settled: int
    still_open: int
    cannot_end: int
    compared: int
    booked: int
    queue_fault: str | None
    restore_waits_for: tuple[str, ...] = ()


def reconcile(
    deps: Deps, *, seconds: float, clock: Callable[[], float] = time.monotonic
) -> Reconciled:
    """One run over everything unfinished, for at most about `seconds`.

    What is only to be passed on comes first: venues that answer slowly keep nothing from its queue.

    Raises:
        DatabaseUnavailable: the next run does it again.
    """
    started = clock()
    watch(deps.store.restores)
    _free_leases(deps)
    signals, signal_fault = _send(partial(_lost_signals, deps))
    orders, order_fault = _send(partial(_due_orders, deps))
    open_ = _settle_open(deps, lambda: clock() < started + seconds * _TO_SETTLE)
    compared = compare(deps, seconds=started + seconds - clock(), clock=clock)
    left = max(started + seconds - clock(), _LEAST_TO_MATCH_SECONDS)
    restored = rematch(
        deps.store.restores,
        deps.store.comparisons,
        deps.holdings,
        deps.exits,
        seconds=left,
        clock=clock,
    )
    _sum_decisions(deps, lambda: clock() < started + seconds)
    return Reconciled(
        signals_sent_again=signals,
        orders_sent_again=orders,
        settled=open_.settled,
        still_open=open_.left,
        cannot_end=open_.stuck,
        compared=compared.accounts,
        booked=compared.booked,
        queue_fault=signal_fault or order_fault or compared.queue_fault,
        restore_waits_for=restored.waits_for,
    )


def _free_leases(deps: Deps) -> None:
    """Nobody would trade for these accounts until then, or close what they have open."""
    for of in deps.store.upkeep.free_leases():
        _logger.error(
            "account %s at %s: its lease would have ended later than a worker may have it, and was "
            "given back: is the database's clock right?",
            of.account,
            of.venue,
        )


class _Settling(NamedTuple):
    """How many orders ended, are still open, those that rest at the venue aside, or cannot end."""

    settled: int
    left: int
    stuck: int


def _settle_open(deps: Deps, is_time: Callable[[], bool]) -> _Settling:
    unsettled = deps.store.unsettled_orders(_UNSETTLED_AFTER_SECONDS, _AT_MOST)
    still_open = {each.id for each in unsettled if not each.resting}
    found = Counter[_Found]()
    for each in unsettled:
        if not is_time():
            break
        become = _settle(each.id, deps)
        found[become] += 1
        if become is _Found.ENDED:
            still_open.discard(each.id)
    return _Settling(found[_Found.ENDED], len(still_open), found[_Found.STUCK])


def _send(lost: Callable[[], int]) -> tuple[int, str | None]:
    """How many were sent, or why not all: what else the run does must not wait for a queue."""
    try:
        return lost(), None
    except QueueUnavailable as error:
        return 0, str(error)


def _lost_signals(deps: Deps) -> int:
    lost = deps.store.enqueue_lost_signals(_AT_MOST)
    try:
        deps.queues.send_signals(lost)
    except QueueUnavailable:
        deps.store.mark_not_enqueued([signal.id for signal in lost])
        raise
    return len(lost)


def _due_orders(deps: Deps) -> int:
    due = deps.store.enqueue_due_orders(_AT_MOST)
    deps.queues.send_orders(due, again=True)
    return len(due)


def _sum_decisions(deps: Deps, is_time: Callable[[], bool]) -> None:
    """Keep the statistics' sums up; what they lack is read one by one, so nothing waits for it."""
    try:
        while deps.store.sum_decisions() and is_time():
            pass
    except (DatabaseRefused, DatabaseUnavailable) as error:
        _logger.warning("not all decisions are summed: %s", error)


def write_figures(deps: Deps, done: Reconciled | None = None) -> Mapping[str, Any]:
    """Measure the queues, store the row that the read side shows, and return it whole.

    Args:
        done: the run before it.
    """
    try:
        measured: dict[str, object] = {**deps.queues.depths()}
    except QueueUnavailable as error:
        measured = {"queuesUnavailable": str(error)}
    stuck = {"ordersCannotEnd": done.cannot_end if done else 0}
    return deps.store.upkeep.write_figures(measured | stuck)


class _Found(Enum):
    """What asking for an order's end came to."""

    ENDED = auto()
    OPEN = auto()
    STUCK = auto()


def _settle(order_id: UUID, deps: Deps) -> _Found:
    """Ask for the order's end. A venue or account that is busy leaves it for the next run."""
    try:
        return _Found.ENDED if take_order(order_id, deps).status.is_end else _Found.OPEN
    except QueueUnavailable as error:
        _logger.warning("order %s ended; what follows waits for the next run: %s", order_id, error)
        return _Found.ENDED
    except (LeaseHeld, Overtaken, VenueError) as error:
        _logger.warning("order %s is not settled yet: %s", order_id, error)
        return _Found.OPEN
    except DatabaseUnavailable:
        raise
    except DatabaseRefused as error:
        _logger.error("order %s: the ledger refuses its end: %s", order_id, error)  # noqa: TRY400 the ledger's sentence says it all
    except AgentWhereError as error:
        _logger.error("order %s cannot be carried on: %s", order_id, error)  # noqa: TRY400 its sentence says it all
    return _Found.STUCK
