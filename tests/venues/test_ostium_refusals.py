"""Reverts and cancellations in our words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_where.domain import Refusal
from agent_where.venues._evm.abi import Function
from agent_where.venues._evm.chain import Reverted
from agent_where.venues.ostium import refusals
from agent_where.venues.ostium.contracts import FAULTS

TRADER = "0x" + "c1" * 20


def reverted(name: str, types: tuple[str, ...] = (), *values: object) -> Reverted:
    return Reverted(Function(name, types).call(*values), "execution reverted")


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        (reverted("IsPaused"), "VENUE_PAUSED", "IsPaused()"),
        (reverted("WrongLeverage", ("uint32",), 9), "ABOVE_MAX_LEVERAGE", "WrongLeverage(9)"),
        (reverted("BelowMinLevPos"), "BELOW_MIN_POSITION", "BelowMinLevPos()"),
        (reverted("PairNotListed", ("uint16",), 60), "NOT_LISTED", "PairNotListed(60)"),
        (reverted("ExposureLimits"), "OPEN_INTEREST_CAPPED", "ExposureLimits()"),
        (
            reverted("MaxTradesPerPairReached", ("address", "uint16"), TRADER, 4),
            "VENUE_REFUSED",
            f"MaxTradesPerPairReached({TRADER}, 4)",
        ),
        (
            reverted("NotDelegate", ("address", "address"), TRADER, TRADER),
            "NOT_APPROVED",
            "NotDelegate(",
        ),
        (
            reverted("Error", ("string",), "ERC20: transfer amount exceeds allowance"),
            "NO_COLLATERAL",
            "exceeds allowance",
        ),
        (reverted("Error", ("string",), "odd"), "VENUE_REFUSED", "odd"),
        (reverted("Panic", ("uint256",), 17), "VENUE_REFUSED", "Panic"),
        (reverted("Unheard", ()), "VENUE_REFUSED", "an unknown error"),
        (Reverted(b"", "execution reverted"), "VENUE_REFUSED", "execution reverted"),
    ],
)
def test_an_error_of_the_contracts_has_a_code_and_its_name(
    fault: Reverted, code: str, words: str
) -> None:
    told = refusals.refusal(fault)

    assert told[0] == code
    assert words in told[1]


@given(st.sampled_from([*FAULTS, b"", b"\x08\xc3\x79\xa0"]), st.binary(max_size=200), st.text())
def test_whatever_comes_back_is_a_refusal_in_plain_words(
    selector: bytes, rest: bytes, words: str
) -> None:
    code, detail = refusals.refusal(Reverted(selector + rest, words))

    assert code
    assert detail.isprintable()
    assert len(detail) < 700


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        (1, "VENUE_PAUSED"),
        (2, Refusal.MARKET_CLOSED),
        (3, "SLIPPAGE"),
        (6, "OPEN_INTEREST_CAPPED"),
        (8, Refusal.ABOVE_MAX_LEVERAGE),
        (15, Refusal.NOTHING_TO_CLOSE),
        (99, "REASON_99"),
    ],
)
def test_a_keepers_reason_has_a_code(reason: int, code: str) -> None:
    assert refusals.cancelled(reason)[0] == code
