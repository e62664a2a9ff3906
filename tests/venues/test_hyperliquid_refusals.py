"""The venue's words: which refuse, which do not, and that nobody guesses at the rest."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_where.domain import Refusal
from agent_where.venues.base import TOO_LATE, TRIGGER_PASSED
from agent_where.venues.hyperliquid.refusals import (
    WORDS,
    Meaning,
    Reading,
    is_not_read,
    reading_of,
)

FOLDER = Path(__file__).parents[3] / "shared" / "recorded" / "hyperliquid"

# The venue's documented table of errors, and what it was seen to say besides.
REFUSED = {
    "Price must be divisible by tick size. asset=0": Refusal.VENUE_REFUSED,
    "Order must have minimum value of $10.": Refusal.BELOW_MIN_POSITION,
    "Order must have minimum value of 10 USDC.": Refusal.BELOW_MIN_POSITION,
    "Insufficient margin to place order. asset=5": Refusal.NO_COLLATERAL,
    "Reduce only order would increase position. asset=3": Refusal.VENUE_REFUSED,
    "Post only order would have immediately matched, bbo was 1@2.": Refusal.VENUE_REFUSED,
    "Order could not immediately match against any resting orders. asset=0": Refusal.VENUE_REFUSED,
    "Invalid TP/SL price. asset=0": TRIGGER_PASSED,
    "No liquidity available for market order.": Refusal.VENUE_REFUSED,
    "Order would increase open interest while open interest is capped": Refusal.VENUE_REFUSED,
    "Order rejected due to price more aggressive than oracle while at open interest cap": (
        Refusal.VENUE_REFUSED
    ),
    "Order would increase open interest too quickly": Refusal.VENUE_REFUSED,
    "(Spot-only) Order has insufficient spot balance to trade": Refusal.NO_COLLATERAL,
    "Order price too far from oracle": Refusal.VENUE_REFUSED,
    "Order would cause position to exceed margin tier limit at current leverage": (
        Refusal.ABOVE_MAX_LEVERAGE
    ),
    "Order price cannot be more than 80% away from the reference price": Refusal.VENUE_REFUSED,
    "Order has invalid price.": Refusal.VENUE_REFUSED,
    "Order has invalid size.": Refusal.VENUE_REFUSED,
    "Order has zero size.": Refusal.VENUE_REFUSED,
    "Order value too large. Max is $30000000": Refusal.VENUE_REFUSED,
    "User or API Wallet 0xefc07321d3d6a8fa4961306c7bf555f0723f28c1 does not exist.": (
        Refusal.VENUE_REFUSED
    ),
    "L1 error: User or API Wallet 0x0123 does not exist.": Refusal.VENUE_REFUSED,
    "Must deposit before performing actions. User: 0x0123": Refusal.VENUE_REFUSED,
    "Vault not registered: 0x0123": Refusal.VENUE_REFUSED,
    "Too many cumulative requests sent (10100 > 10000) for cumulative volume traded $0.1.": (
        Refusal.VENUE_REFUSED
    ),
    "Action already expired": TOO_LATE,
    "Unable to recover signer.": Refusal.VENUE_REFUSED,
    "Invalid nonce: nonce too low 5 < 6": Refusal.VENUE_REFUSED,
    "Invalid nonce: nonce too high 7 > 6": Refusal.VENUE_REFUSED,
    "Unknown coin test:BTC": Refusal.VENUE_REFUSED,
    "Cannot switch leverage type with open position.": Refusal.VENUE_REFUSED,
    "Cross margin is not allowed for this asset.": Refusal.VENUE_REFUSED,
    "Isolated position does not have sufficient margin available to decrease leverage.": (
        Refusal.VENUE_REFUSED
    ),
    "Builder fee has not been approved": Refusal.VENUE_REFUSED,
    "Too many extra agents": Refusal.VENUE_REFUSED,
    "Extra agent already used.": Refusal.VENUE_REFUSED,
    "Cannot set scheduled cancel time until enough volume traded. Required: $1000000.": (
        Refusal.VENUE_REFUSED
    ),
}
OTHERS = {
    "Only post-only orders allowed immediately after network upgrade": Meaning.REFUSED_FOR_NOW,
    "Only post-only orders allowed immediately after a network upgrade": Meaning.REFUSED_FOR_NOW,
    "Invalid nonce: duplicate nonce 1769860800123": Meaning.NONCE_USED,
    "Order was never placed, already canceled, or filled. asset=173": Meaning.NOTHING_TO_CANCEL,
}
ALARMS = (
    "Too many cumulative requests sent (a > b)",
    "User or API Wallet 0x01 does not exist.",
    "Order price cannot be more than 80% away from the reference price",
    "Price must be divisible by tick size.",
    "Invalid nonce: nonce too low 1 < 2",
)


@pytest.mark.parametrize(("words", "code"), REFUSED.items())
def test_documented_words_refuse_for_good(words: str, code: Refusal) -> None:
    reading = reading_of(words)

    assert reading is not None
    assert (reading.meaning, reading.code) == (Meaning.REFUSED, code)


@pytest.mark.parametrize(("words", "meaning"), OTHERS.items())
def test_documented_words_that_do_not_end_an_order_are_told_apart(
    words: str, meaning: Meaning
) -> None:
    reading = reading_of(words)

    assert reading is not None
    assert reading.meaning is meaning


@pytest.mark.parametrize("words", ALARMS)
def test_what_is_our_own_doing_alarms(words: str) -> None:
    reading = reading_of(words)

    assert reading is not None
    assert reading.alarms


def test_an_order_that_found_nothing_to_match_alarms_nobody() -> None:
    assert reading_of("Order could not immediately match against any resting orders.") == Reading(
        Meaning.REFUSED, Refusal.VENUE_REFUSED, alarms=False
    )


def test_every_line_of_the_table_is_tested() -> None:
    said = [*REFUSED, *OTHERS]

    assert {reading_of(words) for words in said} == set(WORDS.values())
    unused = [
        pattern for pattern in WORDS if not any(_pattern_of(words) == pattern for words in said)
    ]
    assert unused == []


def _pattern_of(words: str) -> str | None:
    return next((pattern for pattern in WORDS if re.match(pattern, words)), None)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "null",
        "Internal error",
        "Duplicate cloid",
        "Order has invalid cloid",
        "Timeout; Insufficient margin to place order",
        "The order may have filled. Action already expired",
        "Unknown coinage",
        "insufficient margin to place order",
        "Invalid nonce",
        "Invalid nonce: something new",
        "Too many requests",
        "rate limited",
        "User or API Wallet does not exist",
    ],
)
def test_unknown_words_are_never_a_refusal(words: str) -> None:
    assert reading_of(words) is None


@given(st.text())
def test_no_text_is_a_refusal_by_chance(text: str) -> None:
    assert reading_of(text) is None


def recorded_errors() -> Iterator[tuple[str, str]]:
    """Every error string in the recorded answers, with the file it stands in."""
    for path in sorted(FOLDER.glob("exchange_*.json")):
        for words in errors_in(json.loads(path.read_bytes())):
            yield path.name, words


def errors_in(answer: Any) -> Iterator[str]:
    match answer:
        case {"status": "err", "response": str(words)} | {"error": str(words)}:
            yield words
        case dict():
            for part in answer.values():
                yield from errors_in(part)
        case list():
            for part in answer:
                yield from errors_in(part)


def test_every_recorded_error_is_read() -> None:
    if not FOLDER.exists():
        pytest.skip("no recorded payloads beside the repository")

    errors = list(recorded_errors())

    assert len(errors) == 9
    assert [each for each in errors if reading_of(each[1]) is None] == []


@pytest.mark.parametrize(
    ("status", "body", "not_read"),
    [
        (422, b"Failed to deserialize the JSON body into the target type: missing field", True),
        (400, b"Failed to parse the request body as JSON: EOF", True),
        (415, b"Failed to parse the request body as JSON", True),
        (422, b"null", False),
        (400, b"", False),
        (400, b"Bad Request", False),
        (429, b"null", False),
        (500, b"Failed to parse the request body as JSON", False),
        (502, b"<html>Failed to parse the request body as JSON", False),
        (200, b"Failed to parse the request body as JSON", False),
    ],
)
def test_only_documented_words_say_that_a_body_was_never_read(
    status: int, body: bytes, not_read: bool
) -> None:
    assert is_not_read(status, body) is not_read
