"""Orders as they are placed, and what becomes of them as the mark moves on."""

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal
from typing import Any

from local.simulators.hyperliquid import checks
from local.simulators.hyperliquid.figures import plain
from local.simulators.hyperliquid.matching import drop_useless, make, take
from local.simulators.hyperliquid.orders import Order, Status
from local.simulators.hyperliquid.state import State

_AVERAGE = Decimal("0.000001")
Told = dict[str, Any] | str


def fault_of(state: State, orders: Sequence[Order], grouping: str) -> Told | None:
    """What refuses a whole batch before anything of it is admitted."""
    if grouping == "normalTpsl" and orders[0].trigger:
        return {"error": "Main order cannot be trigger order."}
    faults = ((order, checks.malformed(state, order)) for order in orders)
    return next((_error(order, fault) for order, fault in faults if fault), None)


def place_all(state: State, orders: Sequence[Order], grouping: str) -> list[Told]:
    """Place a batch without a fault; each order has a status of its own."""
    if grouping == "normalTpsl":
        return _place_family(state, orders[0], orders[1:])
    waits: Told | None = "waitingForTrigger" if grouping == "positionTpsl" else None
    return [place(state, order, waits) for order in orders]


def place(state: State, order: Order, waits: Told | None = None) -> Told:
    """Place one well-formed order.

    Args:
        waits: what is told of a trigger that now waits; None tells it as one that rests.
    """
    refused = checks.refusal(state, order)
    state.ledger.orders.add(order)
    if refused:
        order.end(refused.status, state.now_ms())
        return _error(order, refused.text)
    if order.trigger:
        return waits or {"resting": _named(order)}
    take(state, order)
    _drop_rest(state, order, Status.IOC_REJECTED)
    if order.filled:
        average = (order.filled_usd / order.filled).quantize(_AVERAGE, rounding=ROUND_DOWN)
        told = {"totalSz": plain(order.filled), "avgPx": plain(average)}
        return {"filled": told | _named(order)}
    return {"resting": _named(order)}


def pass_time(state: State) -> None:
    """Let what the mark has done since take effect: triggers, resting orders, delistings."""
    for order in state.ledger.orders.open():
        if not order.is_open:
            continue
        if state.markets.is_delisted(order.coin):
            order.end(Status.DELISTED_CANCELED, state.now_ms())
        elif order.parent is not None:
            _follow(state, order, state.ledger.orders.by_oid[order.parent])
        elif order.is_waiting:
            _fire_if_reached(state, order)
        else:
            make(state, order)


def _place_family(state: State, main: Order, children: Sequence[Order]) -> list[Told]:
    """The children live once the main order has filled whole, and die where it ends before."""
    told = place(state, main)
    if isinstance(told, dict) and "error" in told:
        return [told]
    for child in children:
        child.parent = main.oid
        state.ledger.orders.add(child)
        _follow(state, child, main)
    alive: Told = "waitingForFill" if main.is_open else "waitingForTrigger"
    return [told, *(alive for _ in children)]


def _follow(state: State, child: Order, parent: Order) -> None:
    if parent.is_open:
        return
    if parent.filled == parent.size:
        child.parent = None
    else:
        child.end(Status.CANCELED, state.now_ms())


def _fire_if_reached(state: State, order: Order) -> None:
    trigger = order.trigger
    assert trigger is not None
    if not trigger.is_reached(state.markets.mark(order.coin), is_buy=order.is_buy):
        return
    order.is_waiting = False
    if order.is_position_tpsl:
        order.remaining = abs(state.ledger.account(order.user).size(order.coin))
    take(state, order)
    _drop_rest(state, order, Status.NO_LIQUIDITY_REJECTED)


def _drop_rest(state: State, order: Order, none_filled: Status) -> None:
    """An immediate order that traded anything is filled, whatever it did not get."""
    if not order.is_open:
        return
    held = state.ledger.account(order.user).size(order.coin)
    if order.is_immediate:
        order.end(Status.FILLED if order.filled else none_filled, state.now_ms())
    elif order.reduce_only and order.sign * held >= 0:
        order.end(Status.FILLED if order.filled else Status.REDUCE_ONLY_CANCELED, state.now_ms())
    elif order.reduce_only:
        order.remaining = min(order.remaining, abs(held))
        drop_useless(state, order)


def _named(order: Order) -> dict[str, Any]:
    """Its ids: the client's only where it gave one."""
    return {"oid": order.oid} | ({"cloid": order.cloid} if order.cloid else {})


def _error(order: Order, text: str) -> Told:
    return {"error": f"{text} asset={order.coin.index}"}
