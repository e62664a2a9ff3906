"""Between the venue's units and the core's: a coin of the venue's is one or a thousand tokens.

Sizes are times the multiplier in canonical units, prices divided by it. What only has a coin's or a
market's name finds the multiplier in the table of tokens, as the sync did.
"""

from decimal import Decimal
from typing import Final

from agent_where.domain import Fill, Market
from agent_where.venues.hyperliquid.answers import FillRow, time_of
from agent_where.venues.hyperliquid.tokens import token_of

_SUFFIX: Final = "/USD"


def coin_of(market_name: str) -> str:
    """What the venue calls the market."""
    return market_name.removesuffix(_SUFFIX)


def market_of(coin: str) -> str:
    """What we call the coin's market."""
    return f"{coin}{_SUFFIX}"


def multiplier_of(coin: str) -> Decimal:
    """How many tokens one of the coin is."""
    return Decimal(token_of(coin)[1])


def size_decimals(market: Market) -> int:
    """How many decimals a size has in the venue's units."""
    return -(market.size_step / market.multiplier).adjusted()


def fill_of(row: FillRow) -> Fill:
    """An execution in canonical units. The id is the order's and the trade's: both sides of a
    trade have the trade's.
    """
    multiplier = multiplier_of(row.coin)
    return Fill(
        venue_fill_id=f"{row.order_id}:{row.trade_id}",
        size=row.size * multiplier,
        price=row.price / multiplier,
        fee_usd=row.fee,
        at=time_of(row.time),
    )
