"""What a fill does to an account: one netted position a coin, entry, realised pnl, fee."""

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from local.simulators.hyperliquid.accounts import Account, Position
from local.simulators.hyperliquid.figures import ZERO, nearest_usd, usd
from local.simulators.hyperliquid.universe import Coin


@dataclass(frozen=True)
class Effect:
    """What a fill has done, as the fill tells it.

    Args:
        start: the position before, in coins.
        closed_pnl: in USD, before the fee.
        fee: in USD; below zero is a rebate.
    """

    start: Decimal
    direction: str
    closed_pnl: Decimal
    fee: Decimal


def apply(
    account: Account, coin: Coin, signed_size: Decimal, price: Decimal, rate: Decimal
) -> Effect:
    """Book a fill.

    Args:
        signed_size: in coins, above zero where bought.
        rate: the fee's share of the notional.
    """
    leverage = account.leverage(coin)
    held = account.positions.get(coin.name) or Position(coin, leverage)
    start = held.size
    closing = _closing(start, signed_size)
    pnl = _close(held, closing, price) if closing else ZERO
    opening = signed_size - closing
    if opening:
        held.leverage = leverage
        _open(held, opening, price)
    fee = usd(abs(signed_size) * price * rate)
    account.cash_usd += pnl - fee
    account.volume_usd += abs(signed_size) * price
    account.positions[coin.name] = held
    if not held.size:
        del account.positions[coin.name]
    return Effect(start, _direction(start, held.size), pnl, fee)


def _closing(start: Decimal, signed_size: Decimal) -> Decimal:
    """How much of a fill only undoes the position, of the fill's sign."""
    if start * signed_size >= 0:
        return ZERO
    return signed_size if abs(signed_size) <= abs(start) else -start


def _close(held: Position, closing: Decimal, price: Decimal) -> Decimal:
    """Take out a part at cost; returns what it earned in USD."""
    is_all = closing == -held.size
    cost = held.cost_usd if is_all else nearest_usd(held.cost_usd * -closing / held.size)
    margin = held.margin_usd if is_all else nearest_usd(held.margin_usd * -closing / held.size)
    held.size += closing
    held.cost_usd -= cost
    held.margin_usd -= margin
    return -closing * price - cost


def _open(held: Position, opening: Decimal, price: Decimal) -> None:
    held.size += opening
    held.cost_usd += opening * price
    if not held.leverage.is_cross:
        margin = abs(opening) * price / held.leverage.value
        held.margin_usd += margin.quantize(Decimal("0.000001"), rounding=ROUND_DOWN)


def _direction(start: Decimal, end: Decimal) -> str:
    if start > 0 > end:
        return "Long > Short"
    if start < 0 < end:
        return "Short > Long"
    side = "Long" if (start or end) > 0 else "Short"
    return f"{'Open' if abs(end) > abs(start) else 'Close'} {side}"
