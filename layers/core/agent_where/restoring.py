"""After a restore of the database: nothing trades until what the venues did since is known here.

reconcile asks each minute: it keeps executions without an owner for a person to decide, and ends
the restore when nothing is left. What cannot be matched holds it open until a person answers for
it. An operator's halt stands until an operator lifts it.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from agent_where.closures import Trade
from agent_where.domain import Model, VenueId
from agent_where.errors import NotAllTold, VenueError
from agent_where.matching import Matched, match
from agent_where.shown import token_of
from agent_where.store.books import AccountAt
from agent_where.store.comparisons import SETTLING_SECONDS, Comparisons
from agent_where.store.restores import OpenRestore, Restores, ToMatch
from agent_where.venues.base import Exits, Holdings

_logger = logging.getLogger(__name__)

LAG = timedelta(seconds=SETTLING_SECONDS)
_CLOCKS_DIFFER = timedelta(minutes=2)
_ON_ITS_WAY = timedelta(minutes=1)
"""After the epoch: what was sent right before it has expired or is told by then."""
_A_RUN = timedelta(minutes=5)
"""reconcile runs each minute: a database hardly stands so much later than its last run."""
_NOT_MATCHED = "not matched"
_NEVER_ASKED = "not matched, and not asked yet since the restore was told"

MOMENT_UNKNOWN = (
    "nobody has said to which moment the database was restored: agent-where restored --at TIME, "
    "or, where it has forgotten nothing, agent-where restored and what it shows to --accept"
)

_BY_HAND = (
    "Compare it by hand, and answer for it: agent-where restored shows what, and agent-where "
    "restored --accept TOKEN ends it"
)


class Rematch(Model):
    """What one run did about open restores.

    `open`: whether one still is. `kept`: executions without an owner that are new. `waits_for`: why
    it is still open, one sentence each.
    """

    open: bool
    kept: int = 0
    waits_for: tuple[str, ...] = ()


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
        holdings: of a venue; None: it does not tell what was executed, or cannot be asked.
        exits: of a venue where each position stands for itself.
        seconds: for about so long; the next run goes on with the accounts that are left.

    Raises:
        DatabaseUnavailable: the next run does it again.
    """
    found, until = restores.open(), clock() + seconds
    if found is None:
        return Rematch(open=False)
    since = _asked_from(found)
    if since is None:
        return _still_open(0, [MOMENT_UNKNOWN])
    run = _Run(restores, books, found, since)
    for each in restores.to_match():
        if clock() >= until:
            run.waits_for.append("not every account was asked yet")
            break
        venue = each.of.venue
        run.come_to(each, holdings(venue), is_single=exits(venue) is not None)
    restores.mark_asked(run.answered, found)
    waits_for = [*run.waits_for, *_undone(restores, found)]
    ended = not waits_for and restores.end(found) and restores.open() is None
    return Rematch(open=False, kept=run.kept) if ended else _still_open(run.kept, waits_for)


class _Run:
    """What one run has found out.

    `kept`: executions without an owner that are new. `answered`: accounts whose venue has told what
    it ever will.
    """

    def __init__(
        self, restores: Restores, books: Comparisons, found: OpenRestore, since: datetime
    ) -> None:
        self._restores = restores
        self._books = books
        self._found = found
        self._since = since
        self._is_early = found.now - found.told_at < _ON_ITS_WAY
        self.kept = 0
        self.answered = list[AccountAt]()
        early = "what was sent right before it may not be told yet"
        self.waits_for = [early] if self._is_early else list[str]()

    def come_to(self, each: ToMatch, holdings: Holdings | None, *, is_single: bool) -> None:
        """Ask about an account, and keep what comes of it."""
        of = each.of
        if holdings is None and is_single:
            self._left_to_a_person(
                of, f"{of.account} at {of.venue}: the venue does not tell what was executed there"
            )
            return
        if holdings is None:
            self.waits_for.append(f"{of.venue} cannot be asked about {of.account}")
            return
        try:
            seen = looked_at(of, holdings, self._restores, self._books, self._since)
        except VenueError as error:
            if isinstance(error, NotAllTold) and error.for_good:
                self._left_to_a_person(of, str(error))
            else:
                self.waits_for.append(str(error))
        else:
            self.answered.append(of)
            self._saw(each, seen)

    def _left_to_a_person(self, of: AccountAt, why: str) -> None:
        """The venue has told what it ever will, and that is not all."""
        self.answered.append(of)
        self.waits_for.append(f"{why}. {_BY_HAND}")

    def _saw(self, each: ToMatch, seen: Matched) -> None:
        """What is executed after an account was matched is not forgotten, and none to decide on."""
        if each.is_matched:
            self._restores.keep(each.of, (), seen.explained)
            return
        self.kept += self._restores.keep(each.of, seen.unowned, seen.explained)
        left = _left(each.of, seen)
        self.waits_for += left
        if not (left or self._is_early):
            self._restores.matched(each.of, self._found)


class Answerable(Model):
    """What a person takes upon themselves who ends open restores now, one sentence each.

    `token`: of exactly these sentences and this epoch.
    """

    what: tuple[str, ...]
    token: str


def answerable(restores: Restores, found: OpenRestore) -> Answerable:
    """What a person would answer for who ended what was open when `found` was read."""
    what = answered_for(found, restores.unmatched(), frozenset(restores.asked()))
    return Answerable(what=tuple(what), token=token_of(found.told_at.isoformat(), *what))


def answered_for(
    found: OpenRestore, unmatched: Sequence[AccountAt], asked: Collection[AccountAt]
) -> list[str]:
    """The same of what is not matched, those among it that were asked told apart; in one order."""
    what = [MOMENT_UNKNOWN] if found.moment_unknown else []
    what += [
        f"{of.account} at {of.venue}: {_NOT_MATCHED if of in asked else _NEVER_ASKED}"
        for of in sorted(unmatched)
    ]
    if found.unsettled:
        what.append(_unsettled(found))
    return what


def too_late(at: datetime, last_run: datetime | None) -> str | None:
    """Why a restored database cannot stand at that moment; None: it can."""
    if last_run is None or at <= last_run + _A_RUN:
        return None
    return (
        f"reconcile last ran at {_utc(last_run)} in what was restored, as far as the database "
        f"knows: it does not stand at {_utc(at)}. Tell the moment that it was restored to, "
        f"{_utc(last_run)} at the latest; an earlier one is always safe"
    )


def _asked_from(found: OpenRestore) -> datetime | None:
    """From when on venues are asked; None: nobody has said to which moment it was restored.

    Whatever was told, from no later than the last run that the database knows of.
    """
    if found.moment_unknown or found.restored_to is None:
        return None
    return min(found.restored_to, found.last_run_at or found.restored_to) - _CLOCKS_DIFFER


def _still_open(kept: int, waits_for: Sequence[str]) -> Rematch:
    _logger.warning("a restore is open, nothing trades: %s", "; ".join(waits_for))
    return Rematch(open=True, kept=kept, waits_for=tuple(waits_for))


def _undone(restores: Restores, before: OpenRestore) -> list[str]:
    """What the ledger itself still waits for, now that the venues were asked."""
    found = restores.open()
    waits_for = []
    if found and found.unsettled:
        waits_for.append(_unsettled(found))
    if found and found.undecided:
        waits_for.append(f"{found.undecided} executions have no owner")
    if found and found.told_at != before.told_at:
        waits_for.append("another restore was told meanwhile")
    return waits_for


def _utc(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _unsettled(found: OpenRestore) -> str:
    return f"{found.unsettled} orders that were sent have no known end"


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
