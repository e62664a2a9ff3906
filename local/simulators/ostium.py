"""Ostium's subgraph of pairs and its price service: the universe of January 2026.

Facts (names, feeds, groups, leverages, fees, open interest) are in ostium.tsv, in whole units;
what only accumulates there (funding, rollover, counts) stands still at zero. Prices wander while
a market is open by the clock and keep the last one while it is closed. The coins that the other
simulator has too start at its prices: the table's dates differ, and a coin has one price.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from local.simulators import graphql, hours
from local.simulators.control import Control
from local.simulators.prices import wander
from local.simulators.server import Reply, Request, json_reply
from local.simulators.table import rows

_MIN_NOTIONAL_USD = "4.5"
GROUPS: dict[str, tuple[int, int]] = {
    "crypto": (0, 100),
    "commodities": (1, 150),
    "forex": (2, 200),
    "indices": (3, 100),
    "stocks": (4, 100),
}
"""Each group's id and its greatest leverage."""
_GROUP_HOURS = {
    "crypto": hours.ALWAYS,
    "commodities": hours.FUTURES,
    "forex": hours.FOREX,
    "indices": hours.FUTURES,
    "stocks": hours.US_SHARES,
}
_OWN_HOURS = {
    "CL": hours.CRUDE,
    "DAX": hours.FRANKFURT,
    "FTSE": hours.LONDON,
    "HSI": hours.HONG_KONG,
}
_DAY_TRADES_END = timedelta(minutes=15)
"""How long before the close of shares no day trade is open any more."""
_STILL = (
    *("curFundingLong", "curFundingShort", "accFundingLong", "accFundingShort"),
    *("lastFundingBlock", "lastFundingRate", "maxFundingFeePerBlock", "hillInflectionPoint"),
    *("curRollover", "accRollover", "lastRolloverBlock", "rolloverFeePerBlock"),
    *("totalOpenTrades", "totalOpenLimitOrders"),
)
_SAME = {
    "hillPosScale": "105",
    "hillNegScale": "105",
    "springFactor": "96000000000000",
    "sFactorUpScaleP": "20000",
    "sFactorDownScaleP": "5000",
}


@dataclass(frozen=True)
class _Moment:
    """A line's market at one instant."""

    price: Decimal
    at: datetime
    is_open: bool


class OstiumSimulator:
    """Answers the subgraph's `POST /subgraph` and the price service's two GETs.

    Args:
        clock: moves prices, opens and closes markets.
        seed: another seed, another path of prices.

    Attributes:
        interest: the open interest by pair in the subgraph's units, long, short and the most, from
            where it changes; None leaves it as the table has it.
    """

    def __init__(self, clock: Callable[[], datetime], seed: int = 1) -> None:
        self._clock = clock
        self._seed = seed
        self.interest: Callable[[], Sequence[Sequence[int]]] | None = None
        self._assets = {f"{row['from']}{row['to']}": row for row in rows("ostium")}
        self.control = Control(frozenset(self._assets))

    def answer(self, request: Request) -> Reply:
        """The answer to a request; GraphQL errors come with status 200, as the subgraph's do."""
        match (request.method, request.path):
            case ("POST", "/subgraph"):
                return self._graph(request.body)
            case ("GET", "/PricePublish/latest-prices"):
                listed = self.control.rows(list(self._assets))
                return json_reply([self._price_row(asset) for asset in listed])
            case ("GET", "/PricePublish/latest-price") if (
                request.query.get("asset") in self._assets
            ):
                return json_reply(self._price_row(request.query["asset"]))
            case _:
                return json_reply({"error": "not found"}, status=404)

    def _graph(self, body: bytes) -> Reply:
        try:
            query = str(json.loads(body)["query"])
            return json_reply({"data": graphql.answer(query, {"pairs": self._pairs()})})
        except (ValueError, KeyError, TypeError):
            return json_reply({"errors": [{"message": "no query in the body"}]})
        except graphql.BadQuery as fault:
            return json_reply({"errors": [{"message": str(fault)}]})

    def _pairs(self) -> list[dict[str, Any]]:
        """By id as text, which is the subgraph's own order."""
        listed = sorted(
            (asset for asset, row in self._assets.items() if row["id"] != "-"),
            key=lambda asset: self._assets[asset]["id"],
        )
        held = self.interest() if self.interest else None
        shown = [self._pair(asset) for asset in self.control.rows(listed)]
        return shown if held is None else [row | _interest(held[int(row["id"])]) for row in shown]

    def _pair(self, asset: str) -> dict[str, Any]:
        row = self._assets[asset]
        return {
            "id": row["id"],
            "from": row["from"],
            "to": row["to"],
            "feed": f"0x{row['feed']}",
            "maxLeverage": _units(row["maxLeverage"], 2),
            "overnightMaxLeverage": _units(row["overnight"], 2),
            "makerMaxLeverage": _units(row["maker"], 2),
            "takerFeeP": _units(row["takerFee"], 6),
            "makerFeeP": _units(row["makerFee"], 6),
            "longOI": _units(row["longOI"], 18),
            "shortOI": _units(row["shortOI"], 18),
            "maxOI": _units(row["maxOI"], 6),
            "lastTradePrice": _units(self._moment(asset).price, 18),
            "group": _group(row["group"]),
            "fee": {"minLevPos": _units(_MIN_NOTIONAL_USD, 6)},
            **dict.fromkeys(_STILL, "0"),
            **_SAME,
        }

    def _price_row(self, asset: str) -> dict[str, Any]:
        """Prices are JSON numbers there, so they leave here as floats."""
        row, moment = self._assets[asset], self._moment(asset)
        half = moment.price * Decimal(row["spreadBps"]) / 20_000
        day_trades = self._day_trades_end(row, moment)
        return {
            "feed_id": f"0x{row['feed']}",
            "bid": float(moment.price - half),
            "mid": float(moment.price),
            "ask": float(moment.price + half),
            "isMarketOpen": moment.is_open,
            "isDayTradingClosed": day_trades is not None and day_trades <= 1,
            "secondsToToggleIsDayTradingClosed": -1 if day_trades is None else max(day_trades, 1),
            "from": row["from"],
            "to": row["to"],
            "timestampSeconds": int(moment.at.timestamp()),
        }

    def _moment(self, asset: str) -> _Moment:
        row, now = self._assets[asset], self._clock()
        session = _OWN_HOURS.get(row["from"], _GROUP_HOURS[row["group"]])
        by_the_clock = session.is_open(now)
        is_open = self.control.is_open.get(asset, by_the_clock)
        last = session.last_close(now) - timedelta(seconds=1) if not by_the_clock else now
        at = now if is_open else last
        own = self.control.prices.get(asset)
        moved = Decimal(row["price"]) * wander(row["from"], self._seed, at)
        return _Moment(own or moved.quantize(Decimal("1e-8")), at, is_open)

    def _day_trades_end(self, row: dict[str, str], moment: _Moment) -> int | None:
        """Seconds until day trades of a share close, 1 once they are, None for anything else."""
        if row["group"] != "stocks":
            return None
        if not moment.is_open:
            return 1
        local = moment.at.astimezone(ZoneInfo(hours.US_SHARES.zone))
        end = hours.US_SHARES.spans[0].end_on(local) - _DAY_TRADES_END
        return max(int((end - local).total_seconds()), 1)


def _interest(held: Sequence[int]) -> dict[str, str]:
    return {
        name: str(figure) for name, figure in zip(("longOI", "shortOI", "maxOI"), held, strict=True)
    }


def _group(name: str) -> dict[str, str]:
    number, max_leverage = GROUPS[name]
    return {
        "id": str(number),
        "name": name,
        "minLeverage": _units("1", 2),
        "maxLeverage": _units(max_leverage, 2),
        "maxCollateralP": _units("50", 2),
        "longCollateral": "0",
        "shortCollateral": "0",
    }


def _units(value: str | int | Decimal, decimals: int) -> str:
    """A whole figure in the subgraph's smallest unit."""
    scaled = Decimal(value).scaleb(decimals)
    return str(scaled.quantize(Decimal(1), rounding=ROUND_HALF_UP))
