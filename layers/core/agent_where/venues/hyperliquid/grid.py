"""Prices and sizes the venue takes, and how large an order may be.

All in the venue's units: size in units of the coin, prices in USD for one of them. Rounding is
always to the side on which nobody trades at a worse price, or for more, than was asked.
"""

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, localcontext
from typing import Final

from agent_where.domain import Side

MIN_NOTIONAL_USD: Final = Decimal(10)
"""The least order, by limit price; documented, not part of any answer."""

_SIGNIFICANT: Final = 5
_PRICE_DECIMALS: Final = 6
_EXACT_DIGITS: Final = 80
_LARGEST_USD: Final = (
    (25, Decimal(30_000_000)),
    (20, Decimal(5_000_000)),
    (10, Decimal(2_000_000)),
    (0, Decimal(500_000)),
)
"""The largest market order, by the least of the market's maximum leverage."""


def price_bound(price: Decimal, side: Side, size_decimals: int) -> Decimal:
    """The worst price an order of this side may take, on the grid and never worse than asked.

    Returns:
        At most `price` for a LONG, at least `price` for a SHORT; zero where a LONG's is under the
        grid's first step.
    """
    return _on_grid(price, size_decimals, ROUND_FLOOR if side is Side.LONG else ROUND_CEILING)


def trigger_bound(price: Decimal, position: Side, size_decimals: int, *, gains: bool) -> Decimal:
    """Where an exit of a position is triggered, on the grid and never further away than asked.

    Args:
        position: the side of what is held; its exit is an order of the other side.
        gains: a take-profit, and otherwise a stop-loss.
    """
    is_above = gains is (position is Side.LONG)
    return _on_grid(price, size_decimals, ROUND_FLOOR if is_above else ROUND_CEILING)


def size_within(size: Decimal, size_decimals: int) -> Decimal:
    """The largest size on the grid that is not over `size`; zero under its first step."""
    with localcontext(prec=_EXACT_DIGITS):
        return size.quantize(Decimal(1).scaleb(-size_decimals), ROUND_FLOOR)


def is_under_minimum(size: Decimal, limit_price: Decimal) -> bool:
    """Whether the venue would refuse an order as too small; it reckons by the limit price."""
    return size * limit_price < MIN_NOTIONAL_USD


def largest_order_usd(max_leverage: Decimal) -> Decimal:
    """The most that one order may take from the book, in USD, in a market of this leverage."""
    return next(most for least, most in _LARGEST_USD if max_leverage >= least)


def _on_grid(price: Decimal, size_decimals: int, rounding: str) -> Decimal:
    """Whole numbers, or five significant digits within the decimals that sizes leave over."""
    decimals = min(_PRICE_DECIMALS - size_decimals, _SIGNIFICANT - 1 - price.adjusted())
    with localcontext(prec=_EXACT_DIGITS):
        return price.quantize(Decimal(1).scaleb(-max(decimals, 0)), rounding)
