"""Comparing the ledger's positions with what the venues hold, and booking what others closed there.

Account by account, under its lease, so that nothing of ours is sent meanwhile. How one is compared
is in netted.py and single.py, what the venue's answers mean in closures.py.
"""

import logging
import time
from collections.abc import Callable, Sequence
from functools import partial

from agent_where import netted, single
from agent_where.domain import TRADABLE_VENUES, Model, VenueId
from agent_where.errors import LeaseHeld, NotAllTold, QueueUnavailable, VenueError
from agent_where.pipeline import Deps
from agent_where.store.books import AccountAt
from agent_where.store.comparisons import Found
from agent_where.store.records import OrderTicket

_logger = logging.getLogger(__name__)

_AT_MOST = 100

Way = Callable[[AccountAt], Found]
"""How an account is compared. Raises LeaseHeld, VenueUnavailable."""


class Compared(Model):
    """What one run did.

    `booked`: positions that were closed at their venue, wholly or in part, or opened there
    unexpectedly. `unexplained`: markets where ledger and venue differ and nobody knows why.
    `queue_fault`: why bounds to take back are not on their queue; reconcile finds them.
    """

    accounts: int = 0
    booked: int = 0
    unexplained: int = 0
    queue_fault: str | None = None


def compare(deps: Deps, *, seconds: float, clock: Callable[[], float] = time.monotonic) -> Compared:
    """Compare the accounts that were compared longest ago, for at most about `seconds`.

    A venue that gives no answer is left for the next run, and so is an account that is busy.

    Raises:
        DatabaseUnavailable: the next run does it again.
    """
    until = clock() + seconds
    ways = _ways(deps)
    if not ways:
        return Compared()
    found = list[Found]()
    for of in deps.store.comparisons.due(list(ways), _AT_MOST):
        if clock() >= until:
            break
        if of.venue not in ways:
            continue
        try:
            found.append(ways[of.venue](of))
        except LeaseHeld:
            continue
        except NotAllTold as error:
            _logger.warning("an account is not compared in this run: %s", error)
        except VenueError as error:
            _logger.warning("no more of %s is compared in this run: %s", of.venue, error)
            del ways[of.venue]
    return Compared(
        accounts=len(found),
        booked=sum(each.booked for each in found),
        unexplained=sum(len(each.unexplained) for each in found),
        queue_fault=_send(deps, [ticket for each in found for ticket in each.due]),
    )


def _ways(deps: Deps) -> dict[VenueId, Way]:
    """Of every venue that can be asked, also where nothing new is opened any more."""
    ways = dict[VenueId, Way]()
    for venue in TRADABLE_VENUES:
        holdings, exits = deps.holdings(venue), deps.exits(venue)
        if holdings is not None:
            ways[venue] = partial(netted.compared, holdings=holdings, ledger=deps.store.comparisons)
        elif exits is not None:
            ways[venue] = partial(single.watched, exits=exits, ledger=deps.store.comparisons)
    return ways


def _send(deps: Deps, due: Sequence[OrderTicket]) -> str | None:
    try:
        deps.queues.send_orders(due, again=True)
    except QueueUnavailable as error:
        return str(error)
    return None
