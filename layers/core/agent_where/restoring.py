"""After a restore of the database: nothing trades until what the venues did since is known here.

reconcile asks each minute: it keeps executions without an owner for a person to decide, and ends
the restore when nothing is left. An operator's halt stands until an operator lifts it.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal

from agent_where.closures import Trade
from agent_where.domain import Model, VenueId
from agent_where.errors import VenueError
from agent_where.matching import Matched, match
from agent_where.store.books import AccountAt
from agent_where.store.comparisons import SETTLING_SECONDS, Comparisons
from agent_where.store.restores import OpenRestore, Restores
from agent_where.venues.base import Exits, Holdings

_logger = logging.getLogger(__name__)

LAG = timedelta(seconds=SETTLING_SECONDS)
_CLOCKS_DIFFER = timedelta(minutes=2)
_ON_ITS_WAY = timedelta(minutes=1)
"""After the epoch: what was sent right before it has expired or is told by then."""


class Rematch(Model):
    """What one run did about open restores.

    `open`: whether one still is. `kept`: executions without an owner that are new. `waits_for`: why
    it is still open, one sentence each. `not_asked`: accounts where each position stands for itself
    and the venue does not tell what was executed: nothing waits for them, people compare them.
    """

    open: bool
    kept: int = 0
    waits_for: tuple[str, ...] = ()
    not_asked: tuple[str, ...] = ()


def looked_at(
    of: AccountAt, holdings: Holdings, restores: Restores, books: Comparisons, since: datetime
) -> Matched:
    """Hold an account's executions since then against the ledger's. Raises VenueError."""
    trades = holdings.fills(of.account, since)
    held = _held(holdings, of.account)
    claims = books.claims(of, trades)
    known = [Trade(told=each, claim=claims.get(each.fill.venue_fill_id)) for each in trades]
    return match(restores.ledger(of, since), held, known, since, LAG)


def rematch(
    restores: Restores,
    books: Comparisons,
    holdings: Callable[[VenueId], Holdings | None],
    exits: Callable[[VenueId], Exits | None],
    *,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
) -> Rematch:
    """Match what was done since the open restores, and end them when nothing is left.

    Args:
        holdings: of a venue; None: it cannot be asked, or what it is asked for are `exits`.
        seconds: for about so long; the next run goes on with the accounts that are left.

    Raises:
        DatabaseUnavailable: the next run does it again.
    """
    found, until = restores.open(), clock() + seconds
    if found is None:
        return Rematch(open=False)
    kept, not_asked, waits_for = 0, list[str](), list[str]()
    if _is_early(found):
        waits_for.append("what was sent right before it may not be told yet")
    for of in restores.unmatched():
        if clock() >= until:
            waits_for.append("not every account was asked yet")
            break
        place = holdings(of.venue)
        if place is None and exits(of.venue) is not None:
            not_asked.append(f"{of.account} at {of.venue}")
            continue
        new, left = _matched(of, place, restores, books, found)
        kept += new
        waits_for += left
    waits_for += _undone(restores, found)
    ended = not waits_for and restores.end(found) and restores.open() is None
    if not ended:
        _logger.warning("a restore is open, nothing trades: %s", "; ".join(waits_for))
    elif not_asked:
        _logger.warning("a restore ended; not asked, compare by hand: %s", "; ".join(not_asked))
    return Rematch(
        open=not ended, kept=kept, waits_for=tuple(waits_for), not_asked=tuple(not_asked)
    )


def _matched(
    of: AccountAt,
    holdings: Holdings | None,
    restores: Restores,
    books: Comparisons,
    found: OpenRestore,
) -> tuple[int, list[str]]:
    """How many executions without an owner are new, and what has to be booked first."""
    if holdings is None:
        return 0, [f"{of.venue} cannot be asked about {of.account}"]
    try:
        seen = looked_at(of, holdings, restores, books, found.restored_to - _CLOCKS_DIFFER)
    except VenueError as error:
        return 0, [str(error)]
    kept, left = restores.keep(of, seen.unowned, seen.explained), _left(of, seen)
    if not (left or _is_early(found)):
        restores.matched(of, found)
    return kept, left


def _is_early(found: OpenRestore) -> bool:
    """Whether something that was sent before the epoch may still come."""
    return found.now - found.told_at < _ON_ITS_WAY


def _undone(restores: Restores, before: OpenRestore) -> list[str]:
    """What the ledger itself still waits for, now that the venues were asked."""
    found = restores.open()
    waits_for = []
    if found and found.unsettled:
        waits_for.append(f"{found.unsettled} orders that were sent have no known end")
    if found and found.undecided:
        waits_for.append(f"{found.undecided} executions have no owner")
    if found and found.told_at != before.told_at:
        waits_for.append("another restore was told meanwhile")
    return waits_for


def _left(of: AccountAt, seen: Matched) -> list[str]:
    """What has to be booked by others first."""
    counts = {
        "of orders that have not ended": len(seen.under_way),
        "of orders that had ended": len(seen.late),
        "that the ledger has otherwise": len(seen.altered),
        "that the venue does not tell": len(seen.missing),
    }
    return [f"{of.account}: {count} executions {what}" for what, count in counts.items() if count]


def _held(holdings: Holdings, account: str) -> dict[str, Decimal]:
    held = defaultdict[str, Decimal](Decimal)
    for each in holdings.positions(account):
        held[each.market_name] += each.size * each.side.sign
    return held
