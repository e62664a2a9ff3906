"""The venue's words, read: what was refused for good, what may pass, what says nothing.

Words the venue documents, or that were seen from it, each from its beginning; everything else is
unknown, and what is unknown is never a refusal. What is read here was the answer to one
sending: on a repeat of the same bytes even a refusal is no evidence of what became of the first.
"""

import re
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from agent_where.domain import Refusal
from agent_where.venues.base import TOO_LATE, TRIGGER_PASSED


class Meaning(StrEnum):
    """What the venue's words say of the sending that they answer."""

    REFUSED = "REFUSED"
    """It did not execute and never will."""
    REFUSED_FOR_NOW = "REFUSED_FOR_NOW"
    """It did not execute and never will; another like it may, in some minutes."""
    NONCE_USED = "NONCE_USED"
    """Something under its nonce was admitted before: ask what became of that."""
    NOTHING_TO_CANCEL = "NOTHING_TO_CANCEL"
    """The order that was to be cancelled rests no more, or never did. It may have filled."""


class Reading(NamedTuple):
    """What words mean. `alarms`: an operator should know, since it is no market's doing."""

    meaning: Meaning
    code: str
    alarms: bool


def _read(code: str, *words: str, alarms: bool = False) -> list[tuple[str, Reading]]:
    return [(each, Reading(Meaning.REFUSED, code, alarms)) for each in words]


def _read_as(meaning: Meaning, *words: str, alarms: bool = False) -> list[tuple[str, Reading]]:
    return [(each, Reading(meaning, Refusal.VENUE_REFUSED, alarms)) for each in words]


_ADDRESS = r"0x[0-9a-fA-F]+"

WORDS: Final = MappingProxyType(
    dict(
        [
            # the market's or the account's doing
            *_read(Refusal.BELOW_MIN_POSITION, r"Order must have minimum value of \$?[\d.,]+"),
            *_read(
                Refusal.NO_COLLATERAL,
                r"Insufficient margin to place order",
                r"(\(Spot-only\) )?Order has insufficient spot balance to trade",
            ),
            *_read(
                Refusal.ABOVE_MAX_LEVERAGE,
                r"Order would cause position to exceed margin tier limit at current leverage",
            ),
            *_read(
                Refusal.VENUE_REFUSED,
                # said also of a size over what is open, so the next attempt has to look again
                r"Reduce only order would increase position",
                r"Order could not immediately match against any resting orders",
                r"No liquidity available for market order",
                r"Post only order would have immediately matched",
                r"Order would increase open interest while open interest is capped",
                r"Order rejected due to price more aggressive than oracle while at open interest "
                r"cap",
                r"Order would increase open interest too quickly",
                r"Order price too far from oracle",
                r"Order value too large",
                r"Cannot switch leverage type with open position",
                r"Cross margin is not allowed for this asset",
                r"(Cross|Isolated) position does not have sufficient margin available to decrease "
                r"leverage",
                r"Cannot set scheduled cancel time until enough volume traded",
            ),
            *_read(TOO_LATE, r"Action already expired", alarms=True),
            *_read(TRIGGER_PASSED, r"Invalid TP/SL price"),
            # our doing, or the setup's
            *_read(
                Refusal.VENUE_REFUSED,
                r"Price must be divisible by tick size",
                r"Order price cannot be more than 80% away from the reference price",
                r"Order has invalid (price|size)",
                r"Order has zero size",
                r"Unknown coin",
                rf"(L1 error: )?User or API Wallet {_ADDRESS} does not exist",
                r"Must deposit before performing actions",
                rf"Vault not registered: {_ADDRESS}",
                r"Unable to recover signer",
                r"Builder fee has not been approved",
                r"Too many cumulative requests sent",
                r"Too many extra agents",
                r"Extra agent already used",
                r"Invalid nonce: nonce too (low|high)",
                alarms=True,
            ),
            *_read_as(
                Meaning.REFUSED_FOR_NOW,
                r"Only post-only orders allowed immediately after (a )?network upgrade",
            ),
            *_read_as(Meaning.NONCE_USED, r"Invalid nonce: duplicate nonce"),
            *_read_as(
                Meaning.NOTHING_TO_CANCEL,
                r"Order was never placed, already canceled, or filled",
            ),
        ]
    )
)
"""Patterns of how documented words begin, and what they mean."""

_END = r"(?![\w-])"
_PATTERNS: Final = tuple((re.compile(words + _END), reading) for words, reading in WORDS.items())

_NOT_READ_STATUS: Final = frozenset({400, 415, 422})
_NOT_READ: Final = (
    b"Failed to parse the request body as JSON",
    b"Failed to deserialize the JSON body into the target type",
)


def reading_of(words: str) -> Reading | None:
    """What the venue's words mean. None: nobody knows, so the outcome is unknown."""
    return next((reading for pattern, reading in _PATTERNS if pattern.match(words)), None)


def is_not_read(status: int, body: bytes) -> bool:
    """Whether an HTTP answer says that the body was never understood, so that nothing executed."""
    return status in _NOT_READ_STATUS and body.startswith(_NOT_READ)
