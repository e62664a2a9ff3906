"""Comparing the ledger's positions with what the venues hold, and booking what others closed there.

Account by account, under its lease, so that nothing of ours is sent meanwhile. What it means is
decided in closures.py; what has no explanation is left as it is, and told.
"""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from uuid import UUID, uuid4

from agent_where.closures import Trade, Verdict, agrees, judge
from agent_where.domain import ZERO, Model
from agent_where.errors import DatabaseRefused, LeaseHeld, QueueUnavailable, VenueError
from agent_where.pipeline import Deps
from agent_where.store.books import AccountAt, Books, HeldMarket, LateFill
from agent_where.store.comparisons import SETTLING_SECONDS, Booked, Comparisons
from agent_where.store.records import OrderTicket
from agent_where.venues.base import AccountFill, Holdings

_logger = logging.getLogger(__name__)

_AT_MOST = 100
_LEASE_SECONDS = 60
_LAG = timedelta(seconds=SETTLING_SECONDS)
_NOT_KEPT = Verdict(fault="an order was executed that had ended, and that cannot be stored")


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


class Found(Model):
    """What comparing one account came to. `as_of`: when all of it agreed; None: not this time."""

    as_of: datetime | None
    unexplained: tuple[str, ...]
    booked: int = 0
    due: tuple[OrderTicket, ...] = ()


def compare(deps: Deps, *, seconds: float, clock: Callable[[], float] = time.monotonic) -> Compared:
    """Compare the accounts that were compared longest ago, for at most about `seconds`.

    A venue that gives no answer is left for the next run, and so is an account that is busy.

    Raises:
        DatabaseUnavailable: the next run does it again.
    """
    until = clock() + seconds
    asked = {venue: deps.holdings(venue) for venue in sorted(deps.supported)}
    there = {venue: holdings for venue, holdings in asked.items() if holdings is not None}
    if not there:
        return Compared()
    ledger, found = deps.store.comparisons, list[Found]()
    for of in ledger.due(list(there), _AT_MOST):
        if clock() >= until:
            break
        if of.venue not in there:
            continue
        try:
            found.append(_compared(of, there[of.venue], ledger))
        except LeaseHeld:
            continue
        except VenueError as error:
            _logger.warning("no more of %s is compared in this run: %s", of.venue, error)
            del there[of.venue]
    return Compared(
        accounts=len(found),
        booked=sum(each.booked for each in found),
        unexplained=sum(len(each.unexplained) for each in found),
        queue_fault=_send(deps, [ticket for each in found for ticket in each.due]),
    )


def _send(deps: Deps, due: Sequence[OrderTicket]) -> str | None:
    try:
        deps.queues.send_orders(due, again=True)
    except QueueUnavailable as error:
        return str(error)
    return None


def _compared(of: AccountAt, holdings: Holdings, ledger: Comparisons) -> Found:
    """One account. Raises LeaseHeld, VenueUnavailable."""
    token = uuid4()
    books = ledger.begin(of, token, _LEASE_SECONDS)
    if books is None:
        raise LeaseHeld(f"account {of.account} at {of.venue} is leased")
    found = Found(as_of=None, unexplained=books.unexplained)
    try:
        found = _Comparison(of, _Seen(of, holdings), ledger, token).of_books(books)
    finally:
        ledger.end(of, token, found.as_of, found.unexplained)
    return found


class _Seen:
    """What the venue tells of one account, read when first asked for and once."""

    def __init__(self, of: AccountAt, holdings: Holdings) -> None:
        self._account = of.account
        self._holdings = holdings
        self._trades: Mapping[str, list[AccountFill]] | None = None

    @cached_property
    def held(self) -> Mapping[str, Decimal]:
        """The net position in each market, in base units, below zero where short."""
        return self._read_held()

    @cached_property
    def held_after(self) -> Mapping[str, Decimal]:
        """The same after the trades were read: what has changed meanwhile is left alone."""
        return self._read_held()

    def trades(self, since: datetime) -> Mapping[str, list[AccountFill]]:
        """All trades by market, oldest first. `since`: as first asked for."""
        if self._trades is None:
            trades = defaultdict[str, list[AccountFill]](list)
            for each in self._holdings.fills(self._account, since):
                trades[each.market_name].append(each)
            self._trades = trades
        return self._trades

    def _read_held(self) -> Mapping[str, Decimal]:
        told = self._holdings.positions(self._account)
        return {each.market_name: each.size * each.side.sign for each in told}


class _Comparison:
    """One account under its lease."""

    def __init__(self, of: AccountAt, seen: _Seen, ledger: Comparisons, token: UUID) -> None:
        self._of = of
        self._seen = seen
        self._ledger = ledger
        self._token = token

    def of_books(self, books: Books) -> Found:
        """Compare, book what there is to book, and say what it came to."""
        verdicts = self._verdicts(books)
        late = [each for verdict in verdicts.values() for each in verdict.late]
        if not late:
            return self._concluded(books, verdicts)
        opened = self._keep(late)
        fresh = self._ledger.books(self._of, self._token)
        if fresh is None:
            raise LeaseHeld(f"the lease of account {self._of.account} was lost")
        found = self._concluded(fresh, _kept(self._verdicts(fresh)))
        return found.model_copy(update={"booked": found.booked + opened})

    def _verdicts(self, books: Books) -> dict[str, Verdict]:
        """Of the markets that differ or are in doubt; where we are busy it is too early."""
        held = self._seen.held
        asked = [
            market
            for market in books.markets
            if not market.busy
            and (market.doubtful or not agrees(market, held.get(market.name, ZERO)))
        ]
        if not asked:
            return {}
        told = self._seen.trades(books.since)
        trades = [trade for market in asked for trade in told.get(market.name, ())]
        claims = self._ledger.claims(self._of, trades)
        known = [Trade(told=each, claim=claims.get(each.fill.venue_fill_id)) for each in trades]
        return {market.name: self._verdict(market, known, books.now) for market in asked}

    def _verdict(self, market: HeldMarket, trades: Sequence[Trade], now: datetime) -> Verdict:
        held = self._seen.held.get(market.name, ZERO)
        if held != self._seen.held_after.get(market.name, ZERO):
            return Verdict(waits=True)
        own = [trade for trade in trades if trade.told.market_name == market.name]
        return judge(market, held, own, now, _LAG)

    def _keep(self, late: Sequence[LateFill]) -> int:
        """Store executions of orders that had ended without any. How many positions they opened."""
        for order in {each.order.id: each.order for each in late}.values():
            _logger.error(
                "order %s (%s) ended as %s, and was executed all the same",
                order.id,
                order.purpose,
                order.status,
            )
        try:
            opened = self._ledger.keep_late(late, self._token)
        except DatabaseRefused as error:
            _logger.error("the ledger refuses these executions: %s", error)  # noqa: TRY400 the ledger's sentence says it all
            return 0
        for position in opened:
            _logger.error("position %s was not expected: it has to be closed", position)
        return len(opened)

    def _concluded(self, books: Books, verdicts: Mapping[str, Verdict]) -> Found:
        closing = {name: verdict for name, verdict in verdicts.items() if verdict.closures}
        faults = {name: verdict.fault for name, verdict in verdicts.items() if verdict.fault}
        waiting = {name for name, verdict in verdicts.items() if verdict.waits}
        waiting |= {market.name for market in books.markets if market.busy}
        booked = None
        try:
            booked = self._book(books, closing)
        except DatabaseRefused as error:
            faults |= dict.fromkeys(closing, f"the ledger refuses what explains it: {error}")
        if booked is None:
            waiting |= closing.keys()
            booked = Booked({}, [])
        self._tell(faults)
        return Found(
            as_of=None if faults or waiting else books.now,
            unexplained=tuple(sorted({*faults, *(waiting & {*books.unexplained})})),
            booked=len(booked.open_qty),
            due=(*booked.due, *self._under_way(verdicts)),
        )

    def _book(self, books: Books, closing: Mapping[str, Verdict]) -> Booked | None:
        if not closing:
            return Booked({}, [])
        closures = [closure for verdict in closing.values() for closure in verdict.closures]
        seen = [
            each for market in books.markets if market.name in closing for each in market.positions
        ]
        booked = self._ledger.book(self._of, self._token, closures, seen)
        for closure in closures if booked else ():
            _logger.warning(
                "position %s: %s closed %s at %s, by trade %s",
                closure.position_id,
                closure.closed_by,
                closure.size,
                closure.price,
                closure.venue_fill_id,
            )
        return booked

    def _under_way(self, verdicts: Mapping[str, Verdict]) -> list[OrderTicket]:
        """Orders that were executed and have not ended yet: they are to be asked about now."""
        orders = [order for verdict in verdicts.values() for order in verdict.under_way]
        return [
            OrderTicket(id=order.id, account=order.account, venue=order.venue, again=True)
            for order in orders
        ]

    def _tell(self, faults: Mapping[str, str]) -> None:
        for name, fault in faults.items():
            _logger.error(
                "%s: account %s holds %s in %s, which the ledger does not: %s",
                self._of.venue,
                self._of.account,
                self._seen.held.get(name, ZERO),
                name,
                fault,
            )


def _kept(verdicts: Mapping[str, Verdict]) -> dict[str, Verdict]:
    """What is late even now could not be stored."""
    return {name: _NOT_KEPT if verdict.late else verdict for name, verdict in verdicts.items()}
