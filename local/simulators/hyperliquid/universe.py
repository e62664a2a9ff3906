"""The markets of the main dex of early 2026: facts from hyperliquid.tsv and rules from them.

No price in here moves and no order is known.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from local.simulators.hyperliquid.figures import ZERO, plain
from local.simulators.table import rows

_MARGIN_TABLES: tuple[tuple[int, str, tuple[tuple[str, int], ...]], ...] = (
    (50, "", (("0.0", 50),)),
    (51, "tiered 10x", (("0.0", 10), ("3000000.0", 5))),
    (52, "tiered 10x (2)", (("0.0", 10), ("20000000.0", 5))),
    (53, "tiered 20x", (("0.0", 20), ("40000000.0", 10))),
    (54, "tiered 20x (2)", (("0.0", 20), ("70000000.0", 10))),
    (55, "tiered 25x", (("0.0", 25), ("100000000.0", 15))),
    (56, "tiered 40x", (("0.0", 40), ("150000000.0", 20))),
)
_TIERS = {table: tiers for table, _, tiers in _MARGIN_TABLES}
_GREATEST_MARKET_ORDERS = ((25, 30_000_000), (20, 5_000_000), (10, 2_000_000), (0, 500_000))
_LIMIT_ORDERS_MAY_BE = 10
_DEFAULT_LEVERAGE = 20


@dataclass(frozen=True)
class Coin:
    """One line of the table, with the rules that follow from it; prices in USD, sizes in coins."""

    index: int
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
    def of(cls, index: int, row: dict[str, str]) -> "Coin":
        """A coin from a line of the table."""
        return cls(
            index=index,
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

    @property
    def lot(self) -> Decimal:
        """The least size."""
        return Decimal(1).scaleb(-self.size_decimals)

    @property
    def default_leverage(self) -> int:
        """What an account has there until it says otherwise."""
        return min(_DEFAULT_LEVERAGE, self.max_leverage)

    def tick(self, price: Decimal) -> Decimal:
        """The grid of prices there: five significant figures, 6 - szDecimals decimals at most."""
        exponent = max(price.adjusted() - 4, self.size_decimals - 6)
        return Decimal(1).scaleb(min(exponent, 0))

    def on_tick(self, price: Decimal) -> bool:
        """Whether an order may name this price."""
        return price > 0 and price % self.tick(price) == 0

    def on_lot(self, size: Decimal) -> bool:
        """Whether an order may name this size."""
        return size % self.lot == 0

    def rounded(self, price: Decimal) -> Decimal:
        """The average of an entry as positions show it: decimals of a price, all figures."""
        return price.quantize(Decimal(1).scaleb(self.size_decimals - 6))

    def greatest_order_usd(self, *, is_market: bool) -> Decimal:
        """The most an order may be worth."""
        most = next(usd for least, usd in _GREATEST_MARKET_ORDERS if self.max_leverage >= least)
        return Decimal(most if is_market else most * _LIMIT_ORDERS_MAY_BE)

    def tiers(self) -> tuple[tuple[Decimal, int], ...]:
        """From which notional in USD on which leverage is the greatest."""
        named = _TIERS.get(self.margin_table, (("0.0", self.max_leverage),))
        return tuple((Decimal(bound), leverage) for bound, leverage in named)

    def greatest_leverage(self, notional_usd: Decimal) -> int:
        """For a position of this worth."""
        return [leverage for bound, leverage in self.tiers() if notional_usd >= bound][-1]

    def maintenance_usd(self, notional_usd: Decimal) -> Decimal:
        """Half the initial margin at the greatest leverage, tier by tier."""
        bounds = [*(bound for bound, _ in self.tiers()), notional_usd]
        parts = zip(self.tiers(), bounds[1:], strict=True)
        return sum(
            (
                max(min(end, notional_usd) - start, ZERO) / (2 * leverage)
                for (start, leverage), end in parts
            ),
            ZERO,
        )


def coins() -> tuple[Coin, ...]:
    """All of them; the place is the asset's id, and delisted ones keep theirs."""
    return tuple(Coin.of(index, row) for index, row in enumerate(rows("hyperliquid")))


def margin_tables() -> list[list[Any]]:
    """As `meta` lists them."""
    return [
        [table, {"description": description, "marginTiers": _told(tiers)}]
        for table, description, tiers in _MARGIN_TABLES
    ]


def asset(coin: Coin, *, is_delisted: bool) -> dict[str, Any]:
    """An entry of `meta`'s universe: what does not apply is left out."""
    told: dict[str, Any] = {
        "szDecimals": coin.size_decimals,
        "name": coin.name,
        "maxLeverage": coin.max_leverage,
        "marginTableId": coin.margin_table,
    }
    if coin.is_isolated:
        told |= {"onlyIsolated": True, "marginMode": "strictIsolated"}
    if is_delisted:
        told |= {"isDelisted": True}
    return told


def context(coin: Coin, mark: Decimal, *, day_before: Decimal, is_delisted: bool) -> dict[str, Any]:
    """An entry of the contexts beside the universe."""
    tick = coin.tick(mark)
    return {
        "funding": plain(coin.funding),
        "openInterest": plain(coin.open_interest),
        "prevDayPx": plain(day_before),
        "dayNtlVlm": plain(coin.day_volume_usd),
        "premium": None if is_delisted else "0.0",
        "oraclePx": plain(mark),
        "markPx": plain(mark),
        "midPx": None if is_delisted else plain(mark),
        "impactPxs": None if is_delisted else [plain(mark - tick), plain(mark + tick)],
        "dayBaseVlm": plain((coin.day_volume_usd / mark).quantize(Decimal("0.01"))),
    }


def spot_meta() -> dict[str, Any]:
    """No spot pair, and the one token that the main dex is margined in."""
    usdc = {"name": "USDC", "szDecimals": 8, "weiDecimals": 8, "index": 0, "isCanonical": True}
    return {"universe": [], "tokens": [usdc]}


def _told(tiers: tuple[tuple[str, int], ...]) -> list[dict[str, Any]]:
    return [{"lowerBound": bound, "maxLeverage": leverage} for bound, leverage in tiers]
