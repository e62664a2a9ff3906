"""What an account is worth, what its positions and orders bind, and what it may still open.

Equity is cash plus unrealised pnl. An isolated position's margin is its own; all cross positions
share the rest. Funding is left out.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

from local.simulators.hyperliquid.accounts import Account, Position
from local.simulators.hyperliquid.figures import ZERO
from local.simulators.hyperliquid.universe import Coin

Mark = Callable[[Coin], Decimal]
_TRANSFERS_LEAVE = Decimal("0.1")
"""The share of all cross notional that cannot be withdrawn."""


@dataclass(frozen=True)
class Summary:
    """Sums over positions, all in USD."""

    equity: Decimal
    notional: Decimal
    raw: Decimal
    margin_used: Decimal


def margin_used(held: Position, mark: Decimal) -> Decimal:
    """Initial margin of a cross position; an isolated one binds all it has."""
    if held.leverage.is_cross:
        return held.notional_usd(mark) / held.leverage.value
    return held.margin_usd + held.unrealised_usd(mark)


def maintenance(held: Position, mark: Decimal) -> Decimal:
    """Below which it is liquidated."""
    return held.coin.maintenance_usd(held.notional_usd(mark))


def whole(account: Account, mark: Mark) -> Summary:
    """Over all positions."""
    positions = list(account.open_positions())
    unrealised = sum((held.unrealised_usd(mark(held.coin)) for held in positions), ZERO)
    return _summary(positions, account.cash_usd + unrealised, mark)


def cross(account: Account, mark: Mark) -> Summary:
    """Over cross positions, without what isolated ones have to themselves."""
    positions = [held for held in account.open_positions() if held.leverage.is_cross]
    isolated = sum((held.margin_usd for held in account.open_positions()), ZERO)
    unrealised = sum((held.unrealised_usd(mark(held.coin)) for held in positions), ZERO)
    return _summary(positions, account.cash_usd - isolated + unrealised, mark)


def cross_maintenance(account: Account, mark: Mark) -> Decimal:
    """Of all cross positions together."""
    positions = [held for held in account.open_positions() if held.leverage.is_cross]
    return sum((maintenance(held, mark(held.coin)) for held in positions), ZERO)


def spare(account: Account, mark: Mark, held_by_orders: Decimal) -> Decimal:
    """What may back something new; below zero where too much is bound already."""
    shared = cross(account, mark)
    return shared.equity - shared.margin_used - held_by_orders


def withdrawable(account: Account, mark: Mark, held_by_orders: Decimal) -> Decimal:
    """What may leave: a tenth of the cross notional stays, whatever the leverage."""
    shared = cross(account, mark)
    stays = max(shared.margin_used, shared.notional * _TRANSFERS_LEAVE)
    return max(shared.equity - stays - held_by_orders, ZERO)


def released(account: Account, coin: Coin, mark: Decimal, signed_size: Decimal) -> Decimal:
    """The margin that an order would set free by closing before it opens anything."""
    held = account.positions.get(coin.name)
    if held is None or held.size * signed_size >= 0:
        return ZERO
    share = min(abs(signed_size) / abs(held.size), Decimal(1))
    return margin_used(held, mark) * share


def liquidation_price(account: Account, held: Position, mark: Mark) -> Decimal | None:
    """Where maintenance margin is gone, all other marks standing still; None where never."""
    price, side = mark(held.coin), 1 if held.size > 0 else -1
    if held.leverage.is_cross:
        left = cross(account, mark).equity - cross_maintenance(account, mark)
    else:
        left = margin_used(held, price) - maintenance(held, price)
    leverage = held.coin.greatest_leverage(held.notional_usd(price))
    rate = Decimal(1) / (2 * leverage)
    reached = price - side * left / abs(held.size) / (1 - rate * side)
    return reached if reached > 0 else None


def _summary(positions: Iterable[Position], equity: Decimal, mark: Mark) -> Summary:
    positions = list(positions)
    net = sum((held.size * mark(held.coin) for held in positions), ZERO)
    return Summary(
        equity=equity,
        notional=sum((held.notional_usd(mark(held.coin)) for held in positions), ZERO),
        raw=equity - net,
        margin_used=sum((margin_used(held, mark(held.coin)) for held in positions), ZERO),
    )
