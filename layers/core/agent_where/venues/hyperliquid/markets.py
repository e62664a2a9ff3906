"""The markets of Hyperliquid's main dex.

One POST gives the universe and, aligned by position, its prices. Positions are the ids that
orders name and never shift, so a delisted market stays in its place, inactive.
"""

import logging
from decimal import Decimal

from pydantic import Field, TypeAdapter

from agent_where.domain import Market, VenueId
from agent_where.venues._answers import (
    Figure,
    Part,
    can_be_asked_for,
    malformed,
    one_per_token,
    shaped,
)
from agent_where.venues._http import JsonHttp, reading
from agent_where.venues.hyperliquid.grid import MIN_NOTIONAL_USD
from agent_where.venues.hyperliquid.tokens import token_of

logger = logging.getLogger(__name__)

VENUE: VenueId = "HYPERLIQUID"
TAKER_FEE_BPS = Decimal("4.5")
"""The taker fee of an account without volume or stake, documented."""
NETTING = True
"""An account has one position in a market, and every order adds to it or takes from it."""
_REQUEST = b'{"type":"metaAndAssetCtxs"}'


class _Asset(Part):
    name: str
    size_decimals: int = Field(alias="szDecimals", ge=0, le=18)
    max_leverage: int = Field(alias="maxLeverage", ge=1, le=1000)
    is_delisted: bool | None = Field(default=None, alias="isDelisted")


class _Meta(Part):
    universe: list[_Asset]


class _Context(Part):
    """Prices in USD for one unit of the coin; a market without a book has no mid."""

    mid: Figure | None = Field(default=None, alias="midPx")
    mark: Figure | None = Field(default=None, alias="markPx")

    def price(self) -> Decimal | None:
        known = (price for price in (self.mid, self.mark) if price is not None and price > 0)
        return next(known, None)


_ANSWER: TypeAdapter[tuple[_Meta, list[_Context]]] = TypeAdapter(tuple[_Meta, list[_Context]])


class HyperliquidMarkets:
    """Reads the market universe; no account and no key are involved.

    Args:
        url: the API's base, without `/info`.
        timeout_seconds: for each answer.
    """

    id = VENUE

    def __init__(self, url: str, *, timeout_seconds: float) -> None:
        self._url = f"{url.rstrip('/')}/info"
        self._http = JsonHttp.within(timeout_seconds)

    def markets(self) -> tuple[Market, ...]:
        """Every market of the main dex. Raises VenueUnavailable."""
        with reading(VENUE):
            answer = self._http.post(self._url, _REQUEST)
        return parse(answer)


def parse(meta_and_contexts: object) -> tuple[Market, ...]:
    """The markets in an answer to `metaAndAssetCtxs`.

    Raises:
        VenueUnavailable: the answer is empty, or not of the documented shape.
    """
    meta, contexts = shaped(VENUE, _ANSWER, meta_and_contexts)
    if len(meta.universe) != len(contexts):
        raise malformed(VENUE, f"{len(meta.universe)} markets with {len(contexts)} contexts")
    listed = enumerate(zip(meta.universe, contexts, strict=True))
    found = [_market(index, asset, context) for index, (asset, context) in listed]
    markets = one_per_token(market for market in found if market is not None)
    if not markets:
        raise malformed(VENUE, "no market in it")
    return markets


def _market(index: int, asset: _Asset, context: _Context) -> Market | None:
    token, multiplier = token_of(asset.name)
    if not asset.name.isascii() or not can_be_asked_for(token):
        logger.warning("%s: no signal could name %s; left out", VENUE, ascii(asset.name[:40]))
        return None
    active = not asset.is_delisted
    price = context.price()
    return Market(
        venue=VENUE,
        token_symbol=token,
        name=f"{asset.name}/USD",
        index=index,
        is_active=active,
        is_open=active,
        multiplier=Decimal(multiplier),
        min_notional_usd=MIN_NOTIONAL_USD,
        max_leverage=Decimal(asset.max_leverage),
        group="crypto",
        price_usd=None if price is None else price / multiplier,
        taker_fee_bps=TAKER_FEE_BPS,
        size_step=Decimal(1).scaleb(-asset.size_decimals) * multiplier,
        netting=NETTING,
    )
