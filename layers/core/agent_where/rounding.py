"""Rounding that never goes up by itself: exact at any number of digits the database can hold."""

from decimal import ROUND_DOWN, Decimal, localcontext

_EXACT_DIGITS = 80


def on_grid(size: Decimal, step: Decimal) -> Decimal:
    """The largest multiple of `step` that is not over `size`."""
    with localcontext(prec=_EXACT_DIGITS):
        return (size / step).to_integral_value(ROUND_DOWN) * step
