"""Booking what others closed at a venue where each position stands for itself.

There a keeper carries out the bounds that went with an entry, the venue liquidates, and users close
by their own hand: the venue tells what became of each position, from where it was asked last.
"""

import logging
from collections.abc import Sequence
from uuid import UUID, uuid4

from agent_where.booking import book, keep_late, to_ask_about
from agent_where.errors import DatabaseRefused, LeaseHeld
from agent_where.exits import Verdict, judge
from agent_where.store.books import AccountAt, Closure, SingleBooks, SinglePosition
from agent_where.store.comparisons import Booked, Comparisons, Found
from agent_where.venues.base import Exits

_logger = logging.getLogger(__name__)


def watched(of: AccountAt, exits: Exits, ledger: Comparisons) -> Found:
    """Book what became of one account's positions, under its lease.

    What became of one that an order of ours may be closing at this moment waits for that order's
    end. Whatever waits is read again the next time, and booked once: until then the cursor stays.

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
    if not books.positions:
        return Found(as_of=books.now, unexplained=())
    asked = exits.exits(of.account, [each.held for each in books.positions], books.cursor)
    quiet = [position for position in books.positions if not position.busy]
    refs = {each.held.position_ref for each in quiet}
    told = [each for each in asked.exits if each.position_ref in refs]
    verdict = judge([each.held for each in quiet], told, ledger.claims(of, told))
    faults = _faults(of, verdict)
    if verdict.late:
        keep_late(ledger, verdict.late, token)
    booked, refused, is_all = _booked(of, ledger, token, verdict.closures, quiet)
    waits = len(told) < len(asked.exits) or bool(verdict.under_way) or not is_all
    holds = waits or bool(faults or refused)
    unexplained = _markets(books, asked.unexplained)
    return Found(
        as_of=None if holds or unexplained else books.now,
        unexplained=tuple(sorted(faults | refused | unexplained)),
        booked=len(booked.open_qty),
        due=(*booked.due, *to_ask_about(verdict.under_way)),
        cursor=None if holds else asked.cursor,
    )


def _booked(
    of: AccountAt,
    ledger: Comparisons,
    token: UUID,
    closures: Sequence[Closure],
    quiet: Sequence[SinglePosition],
) -> tuple[Booked, set[str], bool]:
    """What was booked, the markets where the ledger refused, and whether it got to all of them.

    A refused one holds up no other. A position that changed meanwhile does, and a lost lease.
    """
    booked, refused = Booked({}, []), set[str]()
    for position in quiet:
        own = [each for each in closures if each.position_id == position.held.position_id]
        try:
            one = book(ledger, of, token, own, [position.seen])
        except DatabaseRefused as error:
            _logger.error("%s: the ledger refuses an exit of %s: %s", of.venue, of.account, error)  # noqa: TRY400 the ledger's sentence says it all
            refused.add(position.held.market_name)
            continue
        if one is None:
            return booked, refused, False
        booked = Booked({**booked.open_qty, **one.open_qty}, [*booked.due, *one.due])
    return booked, refused, True


def _markets(books: SingleBooks, unexplained: Sequence[str]) -> set[str]:
    """The markets of what the venue cannot explain, by its references."""
    held = [position.held for position in books.positions]
    return {each.market_name for each in held if each.position_ref in unexplained}


def _faults(of: AccountAt, verdict: Verdict) -> set[str]:
    for name, fault in verdict.faults.items():
        _logger.error("%s: account %s in %s: %s", of.venue, of.account, name, fault)
    return set(verdict.faults)
