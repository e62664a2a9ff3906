"""What Hyperliquid's main dex calls things: explicit tables, never a guess on a string."""

from collections.abc import Mapping
from types import MappingProxyType


def _words(*lines: str) -> frozenset[str]:
    return frozenset(word for line in lines for word in line.split())


THOUSANDS: Mapping[str, str] = MappingProxyType(
    {
        "kPEPE": "PEPE",
        "kSHIB": "SHIB",
        "kBONK": "BONK",
        "kLUNC": "LUNC",
        "kFLOKI": "FLOKI",
        "kDOGS": "DOGS",
        "kNEIRO": "NEIRO",
    }
)
"""Coins whose unit is a thousand tokens."""

NOT_COINS: frozenset[str] = _words(
    "EUR GBP AUD NZD JPY CAD MXN CHF CNY USDJPY USDCAD USDMXN USDCHF",
    "XAU XAG XPT XPD XCU WTI BRENT NATGAS",
    "US500 US100 US30 GER40 UK100 HK50 JP225",
    "NVDA GOOG AMZN META TSLA AAPL MSFT COIN HOOD MSTR CRCL BMNR SBET GLXY PLTR AMD NFLX ORCL RIVN",
    "COST XOM CVX URA BABA BYD",
)
"""Tokens that mean a currency, a commodity, an index or a share. The main dex lists coins alone,
so a coin of the same name (CVX is Chevron, and Convex) is another thing and gets another token.
"""


def token_of(coin: str) -> tuple[str, int]:
    """The canonical token of the venue's coin, and how many tokens one unit of the coin holds."""
    if coin in THOUSANDS:
        return THOUSANDS[coin], 1000
    token = coin.upper()
    return (f"{token}-COIN" if token in NOT_COINS else token), 1
