"""Writing into the ledger what others did at a venue, and telling it: what comparing has in common.

What it means was decided before, in closures.py.
"""

import logging
from collections.abc import Sequence
from uuid import UUID

from agent_where.domain import Order
from agent_where.errors import DatabaseRefused
from agent_where.store.books import AccountAt, Closure, HeldPosition, LateFill
from agent_where.store.comparisons import Booked, Comparisons
from agent_where.store.records import OrderTicket

_logger = logging.getLogger(__name__)


def keep_late(ledger: Comparisons, late: Sequence[LateFill], token: UUID) -> int:
    """Store executions of orders that had ended without any. How many positions they opened."""
    for order in {each.order.id: each.order for each in late}.values():
        _logger.error(
            "order %s (%s) ended as %s, and was executed all the same",
            order.id,
            order.purpose,
            order.status,
        )
    try:
        opened = ledger.keep_late(late, token)
    except DatabaseRefused as error:
        _logger.error("the ledger refuses these executions: %s", error)  # noqa: TRY400 the ledger's sentence says it all
        return 0
    for position in opened:
        _logger.error("position %s was not expected: it has to be closed", position)
    return len(opened)


def to_ask_about(orders: Sequence[Order]) -> list[OrderTicket]:
    """Orders that were executed and have not ended yet: they are to be asked about now."""
    return [
        OrderTicket(id=each.id, account=each.account, venue=each.venue, again=True)
        for each in orders
    ]


def book(
    ledger: Comparisons,
    of: AccountAt,
    token: UUID,
    closures: Sequence[Closure],
    seen: Sequence[HeldPosition],
) -> Booked | None:
    """Book what was closed, as `Comparisons.book`, and say so."""
    if not closures:
        return Booked({}, [])
    booked = ledger.book(of, token, closures, seen)
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
