"""Between the venue's integers and the core's figures, exactly: what does not fit is cut off.

USDC in 1e-6, prices and sizes in 1e-18, leverage in hundredths, slippage in hundredths of a percent
and so in bps. A reference of a position is `pair:index:tradeId`.
"""

from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal, localcontext
from typing import Final, NamedTuple

from agent_where.domain import BPS, Side

_EXACT_DIGITS: Final = 120
_USDC_DIGITS: Final = 6
_PRICE_DIGITS: Final = 18
_LEVERAGE_DIGITS: Final = 2
_MOST_DIGITS: Final = 78
FULL_CLOSE: Final = 10_000
"""All of a trade, in hundredths of a percent."""


class PositionRef(NamedTuple):
    """Where a trade is, and which: another may come to stand in its place."""

    pair: int
    slot: int
    trade_id: int

    def __str__(self) -> str:
        return f"{self.pair}:{self.slot}:{self.trade_id}"

    @classmethod
    def parsed(cls, text: str) -> "PositionRef":
        """The reference in text. Raises ValueError."""
        pair, slot, trade_id = text.split(":")
        return cls(int(pair), int(slot), int(trade_id))


def usdc(figure: Decimal) -> int:
    """USD as units of USDC, rounded down."""
    return _units(figure, _USDC_DIGITS, ROUND_DOWN)


def price(figure: Decimal) -> int:
    """USD per base unit as a price, rounded down."""
    return _units(figure, _PRICE_DIGITS, ROUND_DOWN)


def leverage(figure: Decimal) -> int:
    """A multiple as hundredths, rounded down."""
    return _units(figure, _LEVERAGE_DIGITS, ROUND_DOWN)


def usd_of(units: int) -> Decimal:
    """Units of USDC as USD."""
    return _exactly(lambda: Decimal(units).scaleb(-_USDC_DIGITS))


def price_of(units: int) -> Decimal:
    """A price as USD per base unit; a size as base units."""
    return _exactly(lambda: Decimal(units).scaleb(-_PRICE_DIGITS))


size_of = price_of


def bound_of(units: int) -> Decimal | None:
    """A bound as USD per base unit. None: there is none."""
    return price_of(units) if units else None


def slippage(limit: Decimal, reference: Decimal, side: Side) -> int:
    """How far a price may go from a reference before it is worse than a limit, in whole bps.

    Rounded down, so that nobody trades at a worse price; below zero where it is worse already.
    """
    away = _exactly(lambda: (limit - reference) * side.sign * BPS / reference)
    return int(away.to_integral_value(ROUND_FLOOR))


def opened_with(collateral: Decimal, leverage: Decimal, taker_fee_bps: Decimal, fee: int) -> int:
    """What to stake, in units of USDC, so that about the collateral is left after opening.

    The venue takes its fees out of the stake. It never is more than collateral, the taker's fee on
    its notional and the flat fee together.
    """
    fees = _exactly(lambda: collateral * leverage * taker_fee_bps / BPS)
    return _exactly_int(lambda: usdc(collateral + fees)) + fee


def share(size: Decimal, of: Decimal) -> int:
    """How much of an open size another is, in hundredths of a percent, rounded down."""
    part = _exactly(lambda: size * FULL_CLOSE / of)
    return min(int(part.to_integral_value(ROUND_FLOOR)), FULL_CLOSE)


def portion(of: Decimal, share: int) -> Decimal:
    """So many hundredths of a percent of a size, in whole units, rounded down."""
    return _exactly(
        lambda: (of * share / FULL_CLOSE).quantize(Decimal(1).scaleb(-_PRICE_DIGITS), ROUND_FLOOR)
    )


def cents_up(figure: Decimal) -> Decimal:
    """USD in whole units of USDC, rounded up."""
    return _exactly(lambda: figure.quantize(Decimal(1).scaleb(-_USDC_DIGITS), ROUND_CEILING))


def withheld(
    collateral: Decimal, entry: Decimal, price: Decimal, size: Decimal, side: Side, paid: Decimal
) -> Decimal:
    """What a close cost: the collateral and what the price gained, less what was paid out, in USD.

    Funding, rollover and a liquidation's rest are in it; below zero where funding was earned.
    """
    gained = _exactly(lambda: (price - entry) * size * side.sign)
    return _exactly(
        lambda: (collateral + gained - paid).quantize(
            Decimal(1).scaleb(-_USDC_DIGITS), ROUND_HALF_EVEN
        )
    )


def _units(figure: Decimal, digits: int, rounding: str) -> int:
    if not figure.is_finite() or figure < 0 or abs(figure.adjusted()) > _MOST_DIGITS:
        raise ValueError(f"{figure} has no form on the chain")
    with localcontext(prec=_EXACT_DIGITS):
        return int(figure.scaleb(digits).to_integral_value(rounding))


def _exactly(reckon: Callable[[], Decimal]) -> Decimal:
    with localcontext(prec=_EXACT_DIGITS):
        return reckon()


def _exactly_int(reckon: Callable[[], int]) -> int:
    with localcontext(prec=_EXACT_DIGITS):
        return reckon()
