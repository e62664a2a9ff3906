"""Orders meeting what there is: resting orders and nobody's levels, best price first.

At one price resting orders go before nobody's levels. A maker trades at its own price. An order
never meets one of the same account: the resting one is canceled.
"""

from dataclasses import dataclass
from decimal import Decimal

from local.simulators.hyperliquid import positions
from local.simulators.hyperliquid.books import Level
from local.simulators.hyperliquid.figures import ZERO
from local.simulators.hyperliquid.fills import Fill, Liquidation
from local.simulators.hyperliquid.orders import Order, Status
from local.simulators.hyperliquid.state import State
from local.simulators.hyperliquid.universe import Coin


@dataclass(frozen=True)
class Best:
    """The best of one side: a resting order, or a level that is nobody's."""

    price: Decimal
    size: Decimal
    maker: Order | None = None


def best(state: State, coin: Coin, *, is_ask: bool) -> Best | None:
    """What an order on the other side meets first."""
    level: Level | None = next(state.markets.levels(coin, is_ask=is_ask), None)
    makers = state.ledger.orders.resting(coin, is_buy=not is_ask)
    maker = makers[0] if makers else None
    sign = 1 if is_ask else -1
    if maker and (level is None or sign * maker.limit <= sign * level.price):
        return Best(maker.limit, maker.remaining, maker)
    return Best(level.price, level.size) if level else None


def would_match(state: State, order: Order) -> bool:
    """Whether it could trade at once."""
    first = best(state, order.coin, is_ask=order.is_buy)
    return first is not None and order.allows(first.price)


def take(state: State, order: Order) -> None:
    """Trade what can be had within the limit; a reduce-only order never more than the position."""
    while order.is_open and (size := _wanted(state, order)) > 0:
        first = best(state, order.coin, is_ask=order.is_buy)
        if first is None or not order.allows(first.price):
            return
        if first.maker and first.maker.user == order.user:
            first.maker.end(Status.SELF_TRADE_CANCELED, state.now_ms())
            continue
        size = min(size, first.size)
        if not first.maker:
            moment = state.markets.moment(order.coin)
            state.markets.books.take(moment, first.price, size, is_ask=order.is_buy)
        tid = state.ledger.fills.next_tid()
        book(state, order, first.price, size, tid, crossed=True)
        if first.maker:
            book(state, first.maker, first.price, size, tid, crossed=False)


def make(state: State, order: Order) -> None:
    """Let nobody's levels that have come to a resting order's price trade against it."""
    while order.is_open and (size := _wanted(state, order)) > 0:
        level = next(state.markets.levels(order.coin, is_ask=order.is_buy), None)
        if level is None or not order.allows(level.price):
            return
        size = min(size, level.size)
        moment = state.markets.moment(order.coin)
        state.markets.books.take(moment, level.price, size, is_ask=order.is_buy)
        book(state, order, order.limit, size, state.ledger.fills.next_tid(), crossed=False)


def book(
    state: State,
    order: Order,
    price: Decimal,
    size: Decimal,
    tid: int,
    *,
    crossed: bool,
    liquidation: Liquidation | None = None,
) -> None:
    """Write one side of a trade: the order, the position, the fill, and what ends with them."""
    ledger, now = state.ledger, state.now_ms()
    account = ledger.account(order.user)
    ledger.remember(account, now)
    rate = account.taker_rate if crossed else account.maker_rate
    effect = positions.apply(account, order.coin, order.sign * size, price, rate)
    order.remaining -= size
    order.filled += size
    order.filled_usd += size * price
    if not order.remaining:
        order.end(Status.FILLED, now)
    ledger.fills.rows.append(Fill(order, price, size, now, tid, crossed, effect, liquidation))
    drop_useless(state, order)


def drop_useless(state: State, cause: Order) -> None:
    """End reduce-only orders that nothing is left for, the oldest first."""
    user, coin, now = cause.user, cause.coin, state.now_ms()
    held = state.ledger.account(user).size(coin)
    left = abs(held)
    if cause.rests and cause.reduce_only and not cause.is_immediate:
        left -= cause.remaining
    mine = [o for o in state.ledger.orders.open_of(user) if o.coin is coin and o is not cause]
    for order in reversed([each for each in mine if each.reduce_only and each.parent is None]):
        if order.sign * held >= 0:
            order.end(_why(order, cause), now)
        elif order.rests:
            if order.remaining > left:
                order.end(Status.REDUCE_ONLY_CANCELED, now)
            else:
                left -= order.remaining


def _why(order: Order, cause: Order) -> Status:
    siblings = order.is_position_tpsl and cause.is_position_tpsl
    return Status.SIBLING_FILLED_CANCELED if siblings else Status.REDUCE_ONLY_CANCELED


def _wanted(state: State, order: Order) -> Decimal:
    """What it may still trade."""
    if not order.reduce_only:
        return order.remaining
    held = state.ledger.account(order.user).size(order.coin)
    return min(order.remaining, abs(held)) if order.sign * held < 0 else ZERO
