"""The markets of Ostium: the subgraph's pairs, joined with the price service's rows.

The subgraph says what may be traded and how far, the price service what it costs now and whether
it is open at this hour. Neither is enough alone, so either one failing fails the read.
"""

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated

from pydantic import Field, TypeAdapter

from agent_where.domain import Market, Side, VenueId
from agent_where.venues._answers import (
    Figure,
    Part,
    Text,
    can_be_asked_for,
    malformed,
    one_per_token,
    shaped,
)
from agent_where.venues._http import JsonHttp, reading
from agent_where.venues.ostium.tokens import token_of

logger = logging.getLogger(__name__)

VENUE: VenueId = "OSTIUM"
ORDER_FEE_USD = Decimal("0.10")
"""What the oracle takes for each price request, documented."""
NETTING = False
"""Each order opens a trade of its own, also beside one of the same pair the other way round."""
MAX_PRICE_AGE = timedelta(minutes=5)
"""A price that claims to be open and is older than this is not believed."""
_PERCENT_TO_BPS = Decimal(10_000)  # a fee of 1e6 is one percent, one percent is 100 bps
_HUNDREDTHS = Decimal(100)
_USDC = Decimal(10) ** 6
_BASE = Decimal(10) ** 18
_QUERY = """{ pairs(first: 1000) {
    id from to feed maxLeverage overnightMaxLeverage takerFeeP longOI shortOI maxOI lastTradePrice
    group { name maxLeverage } fee { minLevPos }
} }"""
_REQUEST = json.dumps({"query": _QUERY}).encode()

_NotNegative = Annotated[Figure, Field(ge=0)]


class _Group(Part):
    name: Text
    max_leverage: Figure = Field(alias="maxLeverage", gt=0)


class _Fee(Part):
    min_notional: _NotNegative = Field(alias="minLevPos")


class _Pair(Part):
    """Leverages in hundredths, open interest in base units of 1e-18, its limit in USDC of 1e-6."""

    id: int = Field(ge=0, lt=2**16)
    base: str = Field(alias="from")
    quote: str = Field(alias="to")
    feed: str
    max_leverage: _NotNegative = Field(alias="maxLeverage")
    overnight_max_leverage: _NotNegative = Field(alias="overnightMaxLeverage")
    taker_fee: _NotNegative = Field(alias="takerFeeP")
    long_interest: Figure = Field(alias="longOI")
    short_interest: Figure = Field(alias="shortOI")
    max_interest: _NotNegative = Field(alias="maxOI")
    last_price: _NotNegative = Field(alias="lastTradePrice")
    group: _Group
    fee: _Fee


class _Price(Part):
    feed: str = Field(alias="feed_id")
    base: str = Field(alias="from")
    quote: str = Field(alias="to")
    mid: Figure
    is_open: bool = Field(alias="isMarketOpen")
    seconds: int = Field(alias="timestampSeconds", ge=0, lt=2**40)

    def is_fresh(self, now: datetime) -> bool:
        age = now.timestamp() - self.seconds
        return abs(age) <= MAX_PRICE_AGE.total_seconds()


class _Data(Part):
    pairs: list[_Pair]


class _Graph(Part):
    data: _Data


_GRAPH = TypeAdapter(_Graph)
_PRICES = TypeAdapter(list[_Price])


def _utc_now() -> datetime:
    return datetime.now(UTC)


class OstiumMarkets:
    """Reads the market universe; no account and no key are involved.

    Args:
        subgraph_url: takes the GraphQL query.
        price_url: the price service's base, without `/PricePublish`.
        timeout_seconds: for each of the two answers.
        clock: tells how old a price is.
    """

    id = VENUE

    def __init__(
        self,
        subgraph_url: str,
        price_url: str,
        *,
        timeout_seconds: float,
        clock: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._subgraph_url = subgraph_url
        self._prices_url = f"{price_url.rstrip('/')}/PricePublish/latest-prices"
        self._http = JsonHttp.within(timeout_seconds)
        self._clock = clock

    def markets(self) -> tuple[Market, ...]:
        """Every pair. Raises VenueUnavailable, also where only one of the two sources fails."""
        with reading(VENUE):
            graph = self._http.post(self._subgraph_url, _REQUEST)
            prices = self._http.get(self._prices_url)
        return parse(graph, prices, self._clock())


def parse(graph: object, prices: object, now: datetime) -> tuple[Market, ...]:
    """The markets in the subgraph's answer and the price service's, as of `now`.

    Raises:
        VenueUnavailable: one of them is empty, an error, or not of the documented shape.
    """
    if isinstance(graph, Mapping) and graph.get("errors"):
        raise malformed(VENUE, f"the subgraph says {ascii(graph['errors'])[:200]}")
    pairs = shaped(VENUE, _GRAPH, graph).data.pairs
    rows = shaped(VENUE, _PRICES, prices)
    if not pairs or not rows:
        raise malformed(VENUE, f"{len(pairs)} pairs and {len(rows)} prices")
    found = [_market(pair, price, now) for pair, price in _joined(pairs, rows)]
    markets = one_per_token(market for market in found if market is not None)
    if not markets:
        raise malformed(VENUE, "no market in it")
    return markets


def _joined(pairs: Sequence[_Pair], rows: Sequence[_Price]) -> list[tuple[_Pair, _Price | None]]:
    """Each pair with its price, by feed, else by name; in the order of the pairs' ids."""
    by_feed = {row.feed.lower(): row for row in rows}
    by_name = {(row.base, row.quote): row for row in rows}
    return [
        (pair, by_feed.get(pair.feed.lower()) or by_name.get((pair.base, pair.quote)))
        for pair in sorted(pairs, key=lambda pair: pair.id)
    ]


def _market(pair: _Pair, row: _Price | None, now: datetime) -> Market | None:
    token = token_of(pair.base, pair.quote)
    name = f"{pair.base}/{pair.quote}"
    if not name.isascii() or not can_be_asked_for(token):
        logger.warning("%s: no signal could name pair %s; left out", VENUE, ascii(name[:40]))
        return None
    price = row.mid if row is not None and row.mid > 0 else None
    is_open = row is not None and price is not None and row.is_open and row.is_fresh(now)
    return Market(
        venue=VENUE,
        token_symbol=token,
        name=name,
        index=pair.id,
        is_open=is_open,
        min_notional_usd=pair.fee.min_notional / _USDC,
        max_leverage=_max_leverage(pair),
        group=pair.group.name,
        price_usd=price,
        taker_fee_bps=pair.taker_fee / _PERCENT_TO_BPS,
        sides=_sides(pair, price if price is not None else pair.last_price / _BASE),
        order_fee_usd=ORDER_FEE_USD,
        netting=NETTING,
    )


def _max_leverage(pair: _Pair) -> Decimal:
    """The cap of a position that may stay overnight: no day trade is ever opened here."""
    cap = pair.overnight_max_leverage or pair.max_leverage or pair.group.max_leverage
    return cap / _HUNDREDTHS


def _sides(pair: _Pair, price: Decimal) -> tuple[Side, ...]:
    """The sides whose open interest, in USD, is under the pair's limit for a side."""
    limit = pair.max_interest / _USDC
    interest = ((Side.LONG, pair.long_interest), (Side.SHORT, pair.short_interest))
    return tuple(side for side, units in interest if units / _BASE * price < limit)
