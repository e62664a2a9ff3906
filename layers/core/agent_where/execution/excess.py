"""How much more was executed than was ordered: an order that was executed twice under its own id.

Pure. It says so and refuses nothing: what a venue executed is booked whatever was ordered. The
doctor's `filled_beyond_order` is the same rule over what is stored.
"""

from decimal import Decimal

from agent_where.domain import ZERO, Market, Order

_HALF = Decimal("0.5")


def beyond(order: Order, filled: Decimal, market: Market | None) -> Decimal:
    """What was executed of a sized order beyond it, in base units; zero where it may be rounding.

    Where a venue nets, sizes are on the market's grid: a step of it is no rounding. Elsewhere the
    stake is what is fixed, and the size follows from the price and the fees that it meets; there an
    order is one trade, so that twice is twice: less than half as much again is none.

    Args:
        filled: base units, as the venue executed them.
        market: None: not listed any more; then any difference counts.
    """
    if order.size is None:
        return ZERO
    more = max(filled - order.size, ZERO)
    return more if more >= _least(order.size, market) else ZERO


def _least(size: Decimal, market: Market | None) -> Decimal:
    if market is None:
        return ZERO
    return market.size_step if market.netting else size * _HALF
