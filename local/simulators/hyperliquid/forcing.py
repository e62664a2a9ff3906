"""Trades that no signed request asked for: by the user's own hand, and by liquidation."""

from decimal import Decimal

from local.simulators.hyperliquid import placing
from local.simulators.hyperliquid.accounts import Account
from local.simulators.hyperliquid.fills import Liquidation
from local.simulators.hyperliquid.matching import book
from local.simulators.hyperliquid.orders import Order, Status
from local.simulators.hyperliquid.state import State
from local.simulators.hyperliquid.universe import Coin

_BOUND = Decimal("0.05")


def trade(
    state: State, account: Account, coin: Coin, size: Decimal, *, is_buy: bool, reduce_only: bool
) -> placing.Told:
    """A market order within five percent of the mark; returns its status."""
    mark = state.markets.mark(coin)
    limit = mark * (1 + _BOUND if is_buy else 1 - _BOUND)
    order = _market(
        state,
        account,
        coin,
        size,
        limit.quantize(coin.tick(limit)),
        is_buy=is_buy,
        reduce_only=reduce_only,
    )
    if fault := placing.fault_of(state, [order], "na"):
        return fault
    return placing.place(state, order)


def liquidate(state: State, account: Account, coin: Coin) -> None:
    """End the account's orders in the coin, and its position at the mark."""
    for order in state.ledger.orders.open_of(account.address):
        if order.coin is coin:
            order.end(Status.LIQUIDATED_CANCELED, state.now_ms())
    held, mark = account.positions[coin.name], state.markets.mark(coin)
    kind = "Cross" if held.leverage.is_cross else "Isolated"
    side = "Long" if held.size > 0 else "Short"
    why = Liquidation(account.address, mark, f"Liquidated {kind} {side}")
    order = _market(
        state, account, coin, abs(held.size), mark, is_buy=held.size < 0, reduce_only=True
    )
    state.ledger.orders.add(order)
    tid = state.ledger.fills.next_tid()
    book(state, order, mark, order.size, tid, crossed=True, liquidation=why)


def _market(
    state: State,
    account: Account,
    coin: Coin,
    size: Decimal,
    limit: Decimal,
    *,
    is_buy: bool,
    reduce_only: bool,
) -> Order:
    return Order(
        oid=state.ledger.orders.next_oid(),
        user=account.address,
        coin=coin,
        is_buy=is_buy,
        limit=limit,
        size=size,
        reduce_only=reduce_only,
        placed_ms=state.now_ms(),
        tif="FrontendMarket",
    )
