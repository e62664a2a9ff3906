"""One canonical symbol per thing, and the names that people and agents use for it instead.

Upper case on the way in, then this table; never a guess on the string. What a venue calls a token
is the venue adapter's own table; this one is for what callers write.
"""

import re
import string
from collections.abc import Mapping
from types import MappingProxyType

from agent_where.errors import BadInput

SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9._-]{0,31}")
"""A canonical token symbol."""

ALIASES: Mapping[str, str] = MappingProxyType(
    {
        "KPEPE": "PEPE",
        "1000PEPE": "PEPE",
        "KSHIB": "SHIB",
        "1000SHIB": "SHIB",
        "KBONK": "BONK",
        "1000BONK": "BONK",
        "KFLOKI": "FLOKI",
        "1000FLOKI": "FLOKI",
        "KLUNC": "LUNC",
        "1000LUNC": "LUNC",
        "KDOGS": "DOGS",
        "KNEIRO": "NEIRO",
        "GOLD": "XAU",
        "SILVER": "XAG",
        "PLATINUM": "XPT",
        "PALLADIUM": "XPD",
        "COPPER": "XCU",
        "EURUSD": "EUR",
        "GBPUSD": "GBP",
        "AUDUSD": "AUD",
        "NZDUSD": "NZD",
    }
)


def canonical(symbol: str) -> str:
    """The one symbol that stands for what the caller calls `symbol`, with ASCII's blanks around it.

    Raises:
        BadInput: it is no symbol at all: empty, over 32 characters, or with other characters than
            letters, digits, dot, hyphen and underscore.
    """
    stripped = symbol.strip(string.whitespace)
    upper = stripped.upper()
    if not stripped.isascii() or not SYMBOL.fullmatch(upper):
        raise BadInput(
            f"{symbol[:40]!a} is not a token symbol: 1 to 32 letters, digits, '.', '_' or '-'",
            code="BAD_TOKEN_SYMBOL",
        )
    return ALIASES.get(upper, upper)
