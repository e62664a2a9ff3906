"""What /info tells of orders: one by its id, or those that are open."""

from typing import Any

from local.simulators.hyperliquid.figures import plain, wire
from local.simulators.hyperliquid.orders import Order
from local.simulators.hyperliquid.state import State
from local.simulators.hyperliquid.wire import client_id


def order_status(state: State, user: str, which: int | str) -> dict[str, Any]:
    """One order by the venue's id or the client's; the latest has a client id's look-up.

    Raises:
        ValueError: the client id is none.
    """
    orders = state.ledger.orders
    found = (
        orders.with_cloid(user, client_id(which))
        if isinstance(which, str)
        else orders.with_oid(user, which)
    )
    if found is None or found.placed_ms + state.lag.order_status_ms > state.now_ms():
        return {"status": "unknownOid"}
    told = {"order": full(found), "status": found.status, "statusTimestamp": found.status_ms}
    return {"status": "order", "order": told}


def open_orders(state: State, user: str) -> list[dict[str, Any]]:
    """The short form."""
    return [_short(order) for order in state.ledger.orders.open_of(user) if order.parent is None]


def frontend_open_orders(state: State, user: str) -> list[dict[str, Any]]:
    """The long form, with what makes a trigger fire."""
    return [full(order) for order in state.ledger.orders.open_of(user) if order.parent is None]


def full(order: Order) -> dict[str, Any]:
    """All that is told of an order; `sz` is what remains of it."""
    trigger = order.trigger
    return {
        "coin": order.coin.name,
        "side": "B" if order.is_buy else "A",
        "limitPx": plain(order.limit),
        "sz": plain(order.remaining),
        "oid": order.oid,
        "timestamp": order.placed_ms,
        "triggerCondition": _condition(order),
        "isTrigger": trigger is not None,
        "triggerPx": plain(trigger.price) if trigger else "0.0",
        "children": [],
        "isPositionTpsl": order.is_position_tpsl,
        "reduceOnly": order.reduce_only,
        "orderType": _kind(order),
        "origSz": plain(order.size),
        "tif": order.tif,
        "cloid": order.cloid,
    }


def _short(order: Order) -> dict[str, Any]:
    told = {
        "coin": order.coin.name,
        "side": "B" if order.is_buy else "A",
        "limitPx": plain(order.limit),
        "sz": plain(order.remaining),
        "oid": order.oid,
        "timestamp": order.placed_ms,
        "origSz": plain(order.size),
    }
    if order.reduce_only:
        told["reduceOnly"] = True
    if order.cloid is not None:
        told["cloid"] = order.cloid
    return told


def _condition(order: Order) -> str:
    if order.trigger is None:
        return "N/A"
    where = "above" if order.trigger.is_above(is_buy=order.is_buy) else "below"
    return f"Price {where} {wire(order.trigger.price)}"


def _kind(order: Order) -> str:
    if order.trigger is None:
        return "Market" if order.tif == "FrontendMarket" else "Limit"
    what = "Take Profit" if order.trigger.is_take_profit else "Stop"
    return f"{what} {'Market' if order.trigger.is_market else 'Limit'}"
