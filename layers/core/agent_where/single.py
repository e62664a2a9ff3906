"""Booking what others closed at a venue where each position stands for itself.

There a keeper carries out the bounds that went with an entry, the venue liquidates, and users close
by their own hand: the venue tells what became of each position, from where it was asked last.
"""

import logging
from uuid import UUID, uuid4

from agent_where.booking import book, keep_late
from agent_where.errors import DatabaseRefused, LeaseHeld
from agent_where.exits import Verdict, judge
from agent_where.store.books import AccountAt, SingleBooks
from agent_where.store.comparisons import Booked, Comparisons, Found
from agent_where.store.records import OrderTicket
from agent_where.venues.base import Exits

_logger = logging.getLogger(__name__)


def watched(of: AccountAt, exits: Exits, ledger: Comparisons) -> Found:
    """Book what became of one account's positions, under its lease.

    One that an order of ours may be closing at this moment waits for that order's end; what was
    told is then read again the next time, and booked once.

    Raises LeaseHeld, VenueUnavailable.
    """
    token = uuid4()
    books = ledger.begin_single(of, token)
    if books is None:
        raise LeaseHeld(f"account {of.account} at {of.venue} is leased")
    found = Found(as_of=None, unexplained=books.unexplained)
    try:
        found = _found(of, exits, ledger, token, books)
    finally:
        ledger.end(of, token, found)
    return found


def _found(
    of: AccountAt, exits: Exits, ledger: Comparisons, token: UUID, books: SingleBooks
) -> Found:
    quiet = [position for position in books.positions if not position.busy]
    if not quiet:
        return Found(as_of=None if books.positions else books.now, unexplained=())
    told, cursor = exits.exits(of.account, [each.held for each in quiet], books.cursor)
    verdict = judge([each.held for each in quiet], told, ledger.claims(of, told))
    faults = _faults(of, verdict)
    if verdict.late:
        keep_late(ledger, verdict.late, token)
    booked: Booked | None = None
    try:
        seen = [position.seen for position in quiet]
        booked = book(ledger, of, token, verdict.closures, seen)
    except DatabaseRefused as error:
        _logger.error("%s: the ledger refuses an exit of %s: %s", of.venue, of.account, error)  # noqa: TRY400 the ledger's sentence says it all
        faults = sorted({each.held.market_name for each in quiet})
    is_whole = len(quiet) == len(books.positions) and booked is not None and not verdict.under_way
    return Found(
        as_of=books.now if is_whole and not faults else None,
        unexplained=tuple(faults),
        booked=len(booked.open_qty) if booked else 0,
        due=(*(booked.due if booked else ()), *_under_way(verdict)),
        cursor=cursor if is_whole and not faults else None,
    )


def _faults(of: AccountAt, verdict: Verdict) -> list[str]:
    for name, fault in verdict.faults.items():
        _logger.error("%s: account %s in %s: %s", of.venue, of.account, name, fault)
    return sorted(verdict.faults)


def _under_way(verdict: Verdict) -> list[OrderTicket]:
    """Orders that were executed and have not ended yet: they are to be asked about now."""
    return [
        OrderTicket(id=order.id, account=order.account, venue=order.venue, again=True)
        for order in verdict.under_way
    ]
