"""What Ostium calls things: its pairs by name, never a guess on a string.

A price is told in the quote currency, but profit and loss are always USDC on the notional
(quanto): USD/JPY trades the rate, so it is a token of its own and not the yen.
"""

from collections.abc import Mapping
from types import MappingProxyType


def _against_usd(names: str) -> dict[tuple[str, str], str]:
    return {(name, "USD"): name for name in names.split()}


TOKENS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        **_against_usd("BTC ETH SOL BNB XRP TRX HYPE LINK ADA"),
        **_against_usd("EUR GBP AUD NZD"),
        **_against_usd("XAU XAG XPD XPT"),
        **_against_usd("NVDA GOOG AMZN META TSLA AAPL MSFT COIN HOOD MSTR CRCL BMNR SBET GLXY"),
        **_against_usd("PLTR AMD NFLX ORCL RIVN COST XOM CVX URA"),
        ("USD", "JPY"): "USDJPY",
        ("USD", "CAD"): "USDCAD",
        ("USD", "MXN"): "USDMXN",
        ("USD", "CHF"): "USDCHF",
        ("HG", "USD"): "XCU",
        ("CL", "USD"): "WTI",
        ("SPX", "USD"): "US500",
        ("NDX", "USD"): "US100",
        ("DJI", "USD"): "US30",
        ("DAX", "EUR"): "GER40",
        ("FTSE", "GBP"): "UK100",
        ("HSI", "HKD"): "HK50",
        ("NIK", "JPY"): "JP225",
    }
)


def token_of(base: str, quote: str) -> str:
    """The canonical token of a pair; one that no table names is called by both its halves."""
    return TOKENS.get((base, quote), f"{base}{quote}".upper())
