"""POST /info: what it is asked, and the answers about markets. Answers about accounts: reads."""

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from itertools import groupby, islice
from typing import Any

from local.simulators.hyperliquid import order_reads, reads, universe
from local.simulators.hyperliquid.books import DEPTH, Level
from local.simulators.hyperliquid.exchange import NOT_JSON, NOT_UNDERSTOOD
from local.simulators.hyperliquid.figures import plain
from local.simulators.hyperliquid.state import State
from local.simulators.hyperliquid.universe import Coin
from local.simulators.hyperliquid.wire import address
from local.simulators.server import Reply, json_reply

_BY_USER = {
    "clearinghouseState": reads.clearinghouse_state,
    "spotClearinghouseState": reads.spot_clearinghouse_state,
    "openOrders": order_reads.open_orders,
    "frontendOpenOrders": order_reads.frontend_open_orders,
    "userFills": reads.fills,
    "userFees": reads.user_fees,
    "userRateLimit": reads.user_rate_limit,
    "userRole": reads.user_role,
    "extraAgents": reads.extra_agents,
    "userAbstraction": reads.user_abstraction,
}
_A_DAY = timedelta(days=1)


def info(state: State, body: bytes) -> Reply:
    """Answer a request."""
    try:
        asked = json.loads(body)
    except ValueError:
        return NOT_JSON
    if not isinstance(asked, dict) or asked.get("dex") not in ("", None):
        return NOT_UNDERSTOOD
    return _of_user(state, asked) if "user" in asked else _of_market(state, asked)


def _of_market(state: State, asked: dict[str, Any]) -> Reply:
    match asked:
        case {"type": "meta"}:
            return json_reply(_meta(state))
        case {"type": "metaAndAssetCtxs"}:
            return json_reply([_meta(state), _contexts(state)])
        case {"type": "allMids"}:
            mids = {coin.name: plain(state.markets.mark(coin)) for coin in state.markets.coins}
            return json_reply(mids)
        case {"type": "l2Book", "coin": str(name)}:
            return _book(state, name, asked.get("nSigFigs"))
        case {"type": "perpDexs"}:
            return json_reply([None])
        case {"type": "spotMeta"}:
            return json_reply(universe.spot_meta())
        case {"type": "exchangeStatus"}:
            return json_reply({"time": state.now_ms(), "specialStatuses": None})
        case _:
            return NOT_UNDERSTOOD


def _of_user(state: State, asked: dict[str, Any]) -> Reply:
    try:
        user = address(str(asked["user"]))
    except ValueError:
        return NOT_UNDERSTOOD
    match asked:
        case {"type": str(kind)} if kind in _BY_USER:
            return json_reply(_BY_USER[kind](state, user))
        case {"type": "userFillsByTime", "startTime": int(start)}:
            end = asked.get("endTime")
            if end is None or isinstance(end, int):
                return json_reply(reads.fills(state, user, start, end))
        case {"type": "orderStatus", "oid": int() | str() as which}:
            try:
                return json_reply(order_reads.order_status(state, user, which))
            except ValueError:
                return NOT_UNDERSTOOD
        case {"type": "activeAssetData", "coin": str(name)}:
            coin = state.markets.named(name)
            if coin is not None:
                return json_reply(reads.active_asset_data(state, user, coin))
        case {"type": "maxBuilderFee"}:
            return json_reply(0)
    return NOT_UNDERSTOOD


def _meta(state: State) -> dict[str, Any]:
    markets = state.markets
    listed = markets.control.rows(markets.coins)
    return {
        "universe": [
            universe.asset(coin, is_delisted=markets.is_delisted(coin)) for coin in listed
        ],
        "marginTables": universe.margin_tables(),
        "collateralToken": 0,
    }


def _contexts(state: State) -> list[dict[str, Any]]:
    markets = state.markets
    return [
        universe.context(
            coin,
            markets.mark(coin),
            day_before=markets.mark(coin, _A_DAY),
            is_delisted=markets.is_delisted(coin),
        )
        for coin in markets.control.rows(markets.coins)
    ]


def _book(state: State, name: str, figures: object) -> Reply:
    coin = state.markets.named(name)
    if coin is None:
        return json_reply(None)
    if figures is not None and figures not in (2, 3, 4, 5):
        return json_reply(None, status=500)
    sides = [_side(state, coin, figures, is_ask=is_ask) for is_ask in (False, True)]
    levels = [[_told(level) for level in islice(side, DEPTH)] for side in sides]
    told: dict[str, Any] = {"coin": name, "time": state.now_ms(), "levels": levels}
    if figures is not None and all(levels):
        spread = Decimal(levels[1][0]["px"]) - Decimal(levels[0][0]["px"])
        told["spread"] = plain(spread)
    return json_reply(told)


def _side(state: State, coin: Coin, figures: object, *, is_ask: bool) -> Iterator[Level]:
    """One side with everybody's orders in it, as coarse as asked for."""
    nobodys = state.markets.levels(coin, is_ask=is_ask)
    orders = state.ledger.orders.resting(coin, is_buy=not is_ask)
    placed = (Level(order.limit, order.remaining, 1) for order in orders)
    sign = 1 if is_ask else -1
    every = sorted([*nobodys, *placed], key=lambda level: sign * level.price)

    def shown(level: Level) -> Decimal:
        if not isinstance(figures, int):
            return level.price
        step = Decimal(1).scaleb(level.price.adjusted() + 1 - figures)
        rounding = ROUND_CEILING if is_ask else ROUND_FLOOR
        return (level.price / step).to_integral_value(rounding) * step

    for price, group in groupby(every, key=shown):
        same = list(group)
        size = sum((level.size for level in same), Decimal(0))
        yield Level(price, size, sum(level.orders for level in same))


def _told(level: Level) -> dict[str, Any]:
    return {"px": plain(level.price), "sz": plain(level.size), "n": level.orders}
