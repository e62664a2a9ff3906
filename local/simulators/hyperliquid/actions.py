"""What an account's actions do, once they are known to be the account's."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from local.simulators.hyperliquid import margin, placing
from local.simulators.hyperliquid.accounts import Account, Leverage
from local.simulators.hyperliquid.answers import (
    MISSING_ORDER,
    accepted,
    refused,
    statuses,
)
from local.simulators.hyperliquid.orders import Order, Status, Trigger
from local.simulators.hyperliquid.state import State
from local.simulators.hyperliquid.universe import Coin
from local.simulators.hyperliquid.wire import (
    BatchModifyAction,
    CancelAction,
    CancelByCloidAction,
    L1Action,
    ModifyAction,
    NoopAction,
    OrderAction,
    OrderWire,
    ScheduleCancelAction,
    UpdateLeverageAction,
)

Answer = dict[str, Any]
_VOLUME_FOR_SCHEDULES = 1_000_000


def cost(action: L1Action) -> int:
    """How many requests of the account's it counts as."""
    match action:
        case OrderAction():
            return len(action.orders)
        case CancelAction() | CancelByCloidAction():
            return len(action.cancels)
        case BatchModifyAction():
            return len(action.modifies)
        case _:
            return 1


def fault(state: State, account: Account, action: L1Action) -> Answer | None:
    """What refuses an action for its own figures; such a one is never admitted."""
    wires, grouping = _wires(action)
    if isinstance(action, OrderAction) and action.builder:
        return refused("Builder fee has not been approved.")
    unknown = next((wire.a for wire in wires if state.markets.at(wire.a) is None), None)
    if unknown is not None:
        return refused(f"Unknown asset {unknown}")
    if not wires:
        return None
    orders = [_order(state, account, wire, grouping, oid=0) for wire in wires]
    found = placing.fault_of(state, orders, grouping)
    return None if found is None else statuses("order", [found])


def perform(state: State, account: Account, action: L1Action) -> Answer:
    """Carry out an admitted action without a fault."""
    match action:
        case OrderAction():
            orders = [_new(state, account, wire, action.grouping) for wire in action.orders]
            return statuses("order", placing.place_all(state, orders, action.grouping))
        case CancelAction():
            found = [
                (each.a, state.ledger.orders.with_oid(account.address, each.o))
                for each in action.cancels
            ]
            return statuses("cancel", [_cancel(state, *each) for each in found])
        case CancelByCloidAction():
            found = [
                (each.asset, state.ledger.orders.with_cloid(account.address, each.cloid))
                for each in action.cancels
            ]
            return statuses("cancel", [_cancel(state, *each) for each in found])
        case ModifyAction():
            told = _modify(state, account, action.oid, action.order)
            failed = isinstance(told, dict) and "error" in told
            return statuses("order", [told]) if failed else accepted()
        case BatchModifyAction():
            each_told = [_modify(state, account, m.oid, m.order) for m in action.modifies]
            return statuses("order", each_told)
        case UpdateLeverageAction():
            return _update_leverage(state, account, action)
        case NoopAction():
            return accepted()
        case ScheduleCancelAction():
            return refused(
                "Cannot set scheduled cancel time until enough volume traded."
                f" Required: ${_VOLUME_FOR_SCHEDULES}."
                f" Traded: ${account.volume_usd.quantize(Decimal(1))}."
            )


def _wires(action: L1Action) -> tuple[Sequence[OrderWire], str]:
    match action:
        case OrderAction():
            return action.orders, action.grouping
        case ModifyAction():
            return [action.order], "na"
        case BatchModifyAction():
            return [each.order for each in action.modifies], "na"
        case _:
            return [], "na"


def _new(state: State, account: Account, wire: OrderWire, grouping: str) -> Order:
    return _order(state, account, wire, grouping, oid=state.ledger.orders.next_oid())


def _order(state: State, account: Account, wire: OrderWire, grouping: str, *, oid: int) -> Order:
    coin = state.markets.at(wire.a)
    assert coin is not None
    trigger = wire.t.trigger
    return Order(
        oid=oid,
        user=account.address,
        coin=coin,
        is_buy=wire.b,
        limit=Decimal(wire.p),
        size=Decimal(wire.s),
        reduce_only=wire.r,
        placed_ms=state.now_ms(),
        tif=wire.t.limit.tif if wire.t.limit else None,
        cloid=wire.c,
        trigger=Trigger(Decimal(trigger.price), trigger.is_market, trigger.tpsl == "tp")
        if trigger
        else None,
        is_position_tpsl=trigger is not None and grouping == "positionTpsl",
    )


def _cancel(state: State, asset: int, order: Order | None) -> placing.Told:
    if order is None or not order.is_open or order.coin.index != asset:
        return {"error": f"{MISSING_ORDER} asset={asset}"}
    order.end(Status.CANCELED, state.now_ms())
    return "success"


def _modify(state: State, account: Account, which: int | str, wire: OrderWire) -> placing.Told:
    """End the order that is named, and place another in its stead."""
    orders = state.ledger.orders
    old = (
        orders.with_cloid(account.address, which)
        if isinstance(which, str)
        else orders.with_oid(account.address, which)
    )
    if old is None or not old.is_open:
        return {"error": f"Cannot modify canceled or filled order asset={wire.a}"}
    old.end(Status.CANCELED, state.now_ms())
    return placing.place(state, _new(state, account, wire, "na"))


def _update_leverage(state: State, account: Account, action: UpdateLeverageAction) -> Answer:
    coin = state.markets.at(action.asset)
    if coin is None:
        return refused(f"Unknown asset {action.asset}")
    if not 1 <= action.leverage <= coin.max_leverage:
        return refused("Invalid leverage value")
    if action.is_cross and coin.is_isolated:
        return refused("Cross margin is not allowed for this asset.")
    if account.size(coin) and account.leverage(coin).is_cross is not action.is_cross:
        return refused("Cannot switch leverage type with open position.")
    wanted = Leverage(action.leverage, action.is_cross)
    if short := _short_of_margin(state, account, coin, wanted):
        return refused(short)
    account.leverages[coin.name] = wanted
    if held := account.positions.get(coin.name):
        held.leverage = wanted
    return accepted()


def _short_of_margin(state: State, account: Account, coin: Coin, wanted: Leverage) -> str | None:
    """Why an open position cannot have less leverage."""
    held = account.positions.get(coin.name)
    if held is None or wanted.value >= held.leverage.value:
        return None
    mark = state.markets.mark(coin)
    needed = held.notional_usd(mark) / wanted.value
    bound = margin.margin_used(held, mark)
    if not wanted.is_cross:
        text = "add margin to the position"
        there = bound
    else:
        text = "deposit more collateral"
        by_orders = state.ledger.held_by_orders(account)
        there = bound + margin.spare(account, state.markets.mark, by_orders)
    if needed <= there:
        return None
    kind = "Cross" if wanted.is_cross else "Isolated"
    return (
        f"{kind} position does not have sufficient margin available to decrease leverage."
        f" To decrease leverage, {text}."
    )
