"""Figures as the venue writes them, and the grids they lie on."""

from datetime import datetime
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal

ZERO = Decimal(0)
_USD = Decimal("0.000001")


def plain(figure: Decimal) -> str:
    """Plain digits, with `.0` behind a whole number: how answers write figures."""
    digits = wire(figure)
    return digits if "." in digits else f"{digits}.0"


def wire(figure: Decimal) -> str:
    """Plain digits without a trailing zero: how signed actions write figures."""
    return format(figure.normalize(), "f") if figure else "0"


def usd(figure: Decimal) -> Decimal:
    """Down to the millionth of a dollar that balances are kept in, towards zero."""
    return figure.quantize(_USD, rounding=ROUND_DOWN)


def nearest_usd(figure: Decimal) -> Decimal:
    """To the nearest millionth of a dollar."""
    return figure.quantize(_USD, rounding=ROUND_HALF_UP)


def milliseconds(at: datetime) -> int:
    """Since 1970."""
    return int(at.timestamp() * 1000)
