"""How large an order is and at which worst price: pure, and rounded against ourselves.

Whatever is sized here fits the account even when it fills at its limit: margin, taker fee and the
venue's flat fee together never exceed the free collateral.
"""

from decimal import ROUND_DOWN, ROUND_UP, Decimal

from agent_where.domain import (
    BPS,
    ZERO,
    Market,
    Model,
    Quote,
    Refusal,
    RiskModel,
    Side,
    SizeModel,
    SizeType,
)
from agent_where.rounding import on_grid
from agent_where.routing.checks import Refused

_CENT = Decimal("0.01")
_ONE = Decimal(1)
_PRICE_DIGITS = 12


class Sized(Model):
    """An order's figures: collateral in USD, size in base units, limit in USD per base unit."""

    collateral_usd: Decimal
    size: Decimal
    limit_price: Decimal
    note: str = ""


class Limits(Model):
    """The most that a deployment, and the operator, let an order be, in USD of notional.

    None: no ceiling.
    """

    max_notional_usd: Decimal | None = None
    of_any_order_usd: Decimal | None = None

    def refusal_of(self, notional_usd: Decimal) -> Refused | None:
        """Why an order may not be as large as that."""
        for ceiling, whose in (
            (self.max_notional_usd, "deployment's"),
            (self.of_any_order_usd, "operator's"),
        ):
            if ceiling is not None and notional_usd > ceiling:
                detail = f"Notional {_usd(notional_usd)} is over the {whose} {_usd(ceiling)}"
                return Refused(code=Refusal.ABOVE_LIMIT, detail=detail)
        return None


def size_entry(
    size: SizeModel,
    side: Side,
    max_slippage: Decimal,
    market: Market,
    quote: Quote,
    free_collateral_usd: Decimal,
    limits: Limits,
    lowest_bound: Decimal = _ONE,
) -> Sized | Refused:
    """Stake what the signal asks for, or what the account can carry if that is less.

    Args:
        max_slippage: fraction of the mid price; beyond it the order does not fill.
        free_collateral_usd: what the account has free at the venue.
        lowest_bound: what share of the entry's worth an exit may be worth when it is placed; where
            positions of an account are one, that has to reach the market's minimum too.
    """
    price = quote.price_for(side)
    limit = limit_price(quote, side, max_slippage)
    wanted = _wanted_usd(size, free_collateral_usd)
    affordable = _affordable_usd(size.leverage, price, limit, market, free_collateral_usd)
    collateral = min(wanted, affordable).quantize(_CENT, ROUND_DOWN)
    if collateral <= 0:
        return Refused(
            code=Refusal.NO_COLLATERAL,
            detail=f"{_usd(free_collateral_usd)} free carries no order of {_usd(wanted)} "
            f"at leverage {size.leverage:f}",
        )
    base = on_grid(collateral * size.leverage / price, market.size_step)
    refused = _too_small(base, price, market, lowest_bound) or limits.refusal_of(
        collateral * size.leverage
    )
    if refused:
        return refused
    capped = f"capped from {_usd(wanted)} to {_usd(collateral)} of collateral"
    return Sized(
        collateral_usd=collateral,
        size=base,
        limit_price=limit,
        note=capped if affordable < wanted else "",
    )


def size_exit(
    open_qty: Decimal, side: Side, max_slippage: Decimal, market: Market, quote: Quote
) -> Sized | Refused:
    """Close what is open, never more. `side` is the order's own: the position's opposite."""
    base = on_grid(open_qty, market.size_step)
    if base <= 0:
        return Refused(
            code=Refusal.DUST,
            detail=f"{open_qty:f} left is under the size step {market.size_step:f} "
            f"of market {market.name}",
        )
    return Sized(collateral_usd=ZERO, size=base, limit_price=limit_price(quote, side, max_slippage))


def limit_price(quote: Quote, side: Side, max_slippage: Decimal) -> Decimal:
    """The worst price the order may take, in USD per base unit, rounded towards the mid price."""
    bound = quote.mid * (1 + side.sign * max_slippage)
    digits = Decimal(1).scaleb(bound.adjusted() - _PRICE_DIGITS + 1)
    return bound.quantize(digits, ROUND_DOWN if side is Side.LONG else ROUND_UP)


def trigger_price(entry_price: Decimal, side: Side, fraction: Decimal, *, gains: bool) -> Decimal:
    """Where a take-profit (`gains`) or stop-loss of a position is triggered."""
    towards = side.sign if gains else -side.sign
    price = entry_price * (1 + towards * fraction)
    return price.quantize(Decimal(1).scaleb(price.adjusted() - _PRICE_DIGITS + 1))


def bounds_at(
    entry_price: Decimal, side: Side, risk: RiskModel
) -> tuple[Decimal | None, Decimal | None]:
    """Where a position's stop-loss and take-profit are triggered; None: it is to have none."""
    loss, profit = risk.stop_loss, risk.take_profit
    return (
        None if loss is None else trigger_price(entry_price, side, loss, gains=False),
        None if profit is None else trigger_price(entry_price, side, profit, gains=True),
    )


def lowest_bound(side: Side, risk: RiskModel, may_slip: Decimal) -> Decimal:
    """The least that a bound of a position may be worth, as a share of what the entry was.

    Args:
        may_slip: how far beyond its price a bound may trade, as a fraction.
    """
    falls = risk.stop_loss if side is Side.LONG else risk.take_profit
    if falls is None:
        return _ONE
    return (1 - falls) * (1 - may_slip if side is Side.LONG else _ONE)


def _too_small(
    base: Decimal, price: Decimal, market: Market, lowest_bound: Decimal
) -> Refused | None:
    notional, least = base * price, market.min_notional_usd
    if base <= 0 or notional < least:
        which = f"Notional {_usd(notional)}"
    elif market.netting and notional * lowest_bound < least:
        which = f"A bound of {_usd(notional * lowest_bound)}"
    else:
        return None
    detail = f"{which} is under the {_usd(least)} of market {market.name}"
    return Refused(code=Refusal.BELOW_MIN_POSITION, detail=detail)


def _wanted_usd(size: SizeModel, free_collateral_usd: Decimal) -> Decimal:
    if size.type is SizeType.FIXED_USDC:
        return size.value
    return max(free_collateral_usd, ZERO) * size.value / 100


def _affordable_usd(
    leverage: Decimal, price: Decimal, limit: Decimal, market: Market, free_usd: Decimal
) -> Decimal:
    """The most collateral that still fits with all fees if the order fills at its limit."""
    worst = max(price, limit) / price
    taker_fee = market.taker_fee_bps / BPS
    return (free_usd - market.order_fee_usd) / (worst * (1 + leverage * taker_fee))


def _usd(amount: Decimal) -> str:
    return f"{amount:.2f} USD"
