"""Hyperliquid's info endpoint: its main dex of early 2026, with prices that move.

Facts (names, decimals, leverage, listing, a day's open interest and volume) are in
hyperliquid.tsv; prices wander around the table's. Answers have the venue's keys and types.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from local.simulators.control import Control
from local.simulators.prices import wander
from local.simulators.server import Reply, Request, json_reply
from local.simulators.table import rows

_DEPTH = 20
_MARGIN_TABLES: tuple[tuple[int, str, tuple[tuple[str, int], ...]], ...] = (
    (50, "", (("0.0", 50),)),
    (51, "tiered 10x", (("0.0", 10), ("3000000.0", 5))),
    (52, "tiered 10x (2)", (("0.0", 10), ("20000000.0", 5))),
    (53, "tiered 20x", (("0.0", 20), ("40000000.0", 10))),
    (54, "tiered 20x (2)", (("0.0", 20), ("70000000.0", 10))),
    (55, "tiered 25x", (("0.0", 25), ("100000000.0", 15))),
    (56, "tiered 40x", (("0.0", 40), ("150000000.0", 20))),
)


@dataclass(frozen=True)
class Coin:
    """One line of the table, with the rules that follow from it."""

    name: str
    size_decimals: int
    max_leverage: int
    margin_table: int
    is_delisted: bool
    is_isolated: bool
    price: Decimal
    funding: Decimal
    open_interest: Decimal
    day_volume_usd: Decimal

    @classmethod
    def of(cls, row: dict[str, str]) -> "Coin":
        """A coin from a line of the table."""
        return cls(
            name=row["coin"],
            size_decimals=int(row["szDecimals"]),
            max_leverage=int(row["maxLeverage"]),
            margin_table=int(row["marginTable"]),
            is_delisted="delisted" in row["listing"],
            is_isolated="isolated" in row["listing"],
            price=Decimal(row["price"]),
            funding=Decimal(row["funding"]),
            open_interest=Decimal(row["openInterest"]),
            day_volume_usd=Decimal(row["dayVolumeUsd"]),
        )

    def tick(self, price: Decimal) -> Decimal:
        """The grid of prices there: five significant figures, 6 - szDecimals decimals at most."""
        exponent = max(price.adjusted() - 4, self.size_decimals - 6)
        return Decimal(1).scaleb(min(exponent, 0))


class HyperliquidSimulator:
    """Answers `POST /info`.

    Args:
        clock: moves the prices.
        seed: another seed, another path of prices.
    """

    def __init__(self, clock: Callable[[], datetime], seed: int = 1) -> None:
        self._clock = clock
        self._seed = seed
        self._coins = tuple(Coin.of(row) for row in rows("hyperliquid"))
        self._by_name = {coin.name: coin for coin in self._coins}
        self.control = Control(frozenset(self._by_name))

    def answer(self, request: Request) -> Reply:
        """The answer to a request, errors of the caller's in the venue's own words."""
        if (request.method, request.path) != ("POST", "/info"):
            return Reply(404, b"", "text/plain")
        try:
            asked = json.loads(request.body)
        except ValueError:
            return Reply(400, b"Failed to parse the request body as JSON", "text/plain")
        if not isinstance(asked, dict) or asked.get("dex", "") != "":
            return _not_understood()
        match asked:
            case {"type": "meta"}:
                return json_reply(self._meta())
            case {"type": "metaAndAssetCtxs"}:
                return json_reply([self._meta(), self._contexts()])
            case {"type": "allMids"}:
                return json_reply({coin.name: _text(self._mark(coin)) for coin in self._coins})
            case {"type": "l2Book", "coin": str(name)}:
                return json_reply(self._book(name))
            case {"type": "perpDexs"}:
                return json_reply([None])
            case {"type": "spotMeta"}:
                return json_reply(_spot_meta())
            case _:
                return _not_understood()

    def _meta(self) -> dict[str, Any]:
        return {
            "universe": [self._asset(coin) for coin in self.control.rows(self._coins)],
            "marginTables": [
                [table, {"description": description, "marginTiers": _tiers(tiers)}]
                for table, description, tiers in _MARGIN_TABLES
            ],
            "collateralToken": 0,
        }

    def _asset(self, coin: Coin) -> dict[str, Any]:
        asset: dict[str, Any] = {
            "szDecimals": coin.size_decimals,
            "name": coin.name,
            "maxLeverage": coin.max_leverage,
            "marginTableId": coin.margin_table,
        }
        if coin.is_isolated:
            asset |= {"onlyIsolated": True, "marginMode": "strictIsolated"}
        if self._is_delisted(coin):
            asset |= {"isDelisted": True}
        return asset

    def _contexts(self) -> list[dict[str, Any]]:
        return [self._context(coin) for coin in self.control.rows(self._coins)]

    def _context(self, coin: Coin) -> dict[str, Any]:
        mark = self._mark(coin)
        delisted = self._is_delisted(coin)
        tick = coin.tick(mark)
        return {
            "funding": _text(coin.funding),
            "openInterest": _text(coin.open_interest),
            "prevDayPx": _text(self._mark(coin, timedelta(days=1))),
            "dayNtlVlm": _text(coin.day_volume_usd),
            "premium": None if delisted else "0.0",
            "oraclePx": _text(mark),
            "markPx": _text(mark),
            "midPx": None if delisted else _text(mark),
            "impactPxs": None if delisted else [_text(mark - tick), _text(mark + tick)],
            "dayBaseVlm": _text((coin.day_volume_usd / mark).quantize(Decimal("0.01"))),
        }

    def _book(self, name: str) -> dict[str, Any] | None:
        coin = self._by_name.get(name)
        if coin is None:
            return None
        mark, now_ms = self._mark(coin), int(self._clock().timestamp() * 1000)
        levels: list[list[dict[str, Any]]] = [[], []]
        if not self._is_delisted(coin):
            steps = [coin.tick(mark) * (step + 1) for step in range(_DEPTH)]
            levels = [
                [_level(coin, mark - step) for step in steps if step < mark],
                [_level(coin, mark + step) for step in steps],
            ]
        return {"coin": name, "time": now_ms, "levels": levels}

    def _mark(self, coin: Coin, ago: timedelta = timedelta()) -> Decimal:
        price = self.control.prices.get(coin.name)
        if price is None:
            moved = not self._is_delisted(coin)
            at = self._clock() - ago
            price = coin.price * wander(coin.name, self._seed, at) if moved else coin.price
        return price.quantize(coin.tick(price)) or coin.tick(price)

    def _is_delisted(self, coin: Coin) -> bool:
        return not self.control.is_open.get(coin.name, not coin.is_delisted)


def _level(coin: Coin, price: Decimal) -> dict[str, Any]:
    """A twenty-thousandth of the day's volume, and never less than the least size."""
    least = Decimal(1).scaleb(-coin.size_decimals)
    size = max((coin.day_volume_usd / 20_000 / price).quantize(least), least)
    return {"px": _text(price), "sz": _text(size), "n": 1}


def _tiers(tiers: tuple[tuple[str, int], ...]) -> list[dict[str, Any]]:
    return [{"lowerBound": bound, "maxLeverage": leverage} for bound, leverage in tiers]


def _spot_meta() -> dict[str, Any]:
    """No spot pair, and the one token that the main dex is margined in."""
    usdc = {"name": "USDC", "szDecimals": 8, "weiDecimals": 8, "index": 0, "isCanonical": True}
    return {"universe": [], "tokens": [usdc]}


def _not_understood() -> Reply:
    return Reply(422, b"Failed to deserialize the JSON body into the target type", "text/plain")


def _text(figure: Decimal) -> str:
    """As the venue writes figures: plain digits, with `.0` behind a whole number."""
    plain = format(figure.normalize(), "f")
    return plain if "." in plain else f"{plain}.0"
