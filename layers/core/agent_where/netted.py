"""Comparing one account with a venue that nets, which knows one position per account and market.

What the venue's trades mean is decided in closures.py; what has no explanation is left as it is,
and told.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property
from uuid import UUID, uuid4

from agent_where.booking import book, keep_late, to_ask_about
from agent_where.closures import Trade, Verdict, agrees, judge
from agent_where.domain import ZERO
from agent_where.errors import DatabaseRefused, LeaseHeld, NotAllTold
from agent_where.store.books import AccountAt, Books, HeldMarket
from agent_where.store.comparisons import (
    SETTLING_SECONDS,
    Booked,
    Comparisons,
    Found,
)
from agent_where.venues.base import AccountFill, Holdings

_logger = logging.getLogger(__name__)

_LAG = timedelta(seconds=SETTLING_SECONDS)
_NOT_KEPT = Verdict(fault="an order was executed that had ended, and that cannot be stored")


def compared(of: AccountAt, holdings: Holdings, ledger: Comparisons) -> Found:
    """Compare one account, under its lease. Raises LeaseHeld, VenueUnavailable."""
    token = uuid4()
    books = ledger.begin(of, token)
    if books is None:
        raise LeaseHeld(f"account {of.account} at {of.venue} is leased")
    found = Found(as_of=None, unexplained=books.unexplained)
    try:
        found = _Comparison(of, _Seen(of, holdings), ledger, token).of_books(books)
    finally:
        ledger.end(of, token, found)
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
        opened = keep_late(self._ledger, late, self._token)
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
        try:
            told = self._seen.trades(books.since)
        except NotAllTold as fault:
            if not fault.for_good:
                raise
            return self._untold(asked, fault.detail)
        trades = [trade for market in asked for trade in told.get(market.name, ())]
        claims = self._ledger.claims(self._of, trades)
        known = [Trade(told=each, claim=claims.get(each.fill.venue_fill_id)) for each in trades]
        return {market.name: self._verdict(market, known, books.now) for market in asked}

    def _untold(self, asked: Sequence[HeldMarket], why: str) -> dict[str, Verdict]:
        """Where the trades are never told: faults where ledger and venue differ.

        Where they agree, what an order of ours did late was undone by other trades, or there was
        nothing: the net position is right. It could not be found later either, so the doubt ends.
        """
        verdicts = dict[str, Verdict]()
        for market in asked:
            if agrees(market, self._seen.held.get(market.name, ZERO)):
                verdicts[market.name] = Verdict()
                _logger.info(
                    "%s: account %s and the ledger agree in %s; a late trade there cannot be "
                    "looked for: %s",
                    self._of.venue,
                    self._of.account,
                    market.name,
                    why,
                )
            else:
                verdicts[market.name] = Verdict(fault=why)
        return verdicts

    def _verdict(self, market: HeldMarket, trades: Sequence[Trade], now: datetime) -> Verdict:
        held = self._seen.held.get(market.name, ZERO)
        if held != self._seen.held_after.get(market.name, ZERO):
            return Verdict(waits=True)
        own = [trade for trade in trades if trade.told.market_name == market.name]
        return judge(market, held, own, now, _LAG)

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
        under_way = [order for verdict in verdicts.values() for order in verdict.under_way]
        return Found(
            as_of=None if faults or waiting else books.now,
            unexplained=tuple(sorted({*faults, *(waiting & {*books.unexplained})})),
            booked=len(booked.open_qty),
            due=(*booked.due, *to_ask_about(under_way)),
        )

    def _book(self, books: Books, closing: Mapping[str, Verdict]) -> Booked | None:
        closures = [closure for verdict in closing.values() for closure in verdict.closures]
        seen = [
            each for market in books.markets if market.name in closing for each in market.positions
        ]
        return book(self._ledger, self._of, self._token, closures, seen)

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
