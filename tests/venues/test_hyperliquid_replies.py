"""What Hyperliquid's answer to one sending means: it stands, it was refused, or nobody knows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_where.errors import (
    OutcomeUnknown,
    VenueError,
    VenueRejected,
)
from agent_where.venues.base import Action, ActionKind, Standing
from agent_where.venues.hyperliquid.refusals import Meaning, reading_of
from agent_where.venues.hyperliquid.trading import HyperliquidVenue
from tests.venues.hyperliquid_desk import NOW, USER, Told, order
from tests.venues.recorded import recorded
from tests.venues.test_any_answer import JSON


def venue_that_says(answer: object) -> HyperliquidVenue:
    class Exchange(Told):
        def post(self, url: str, body: bytes) -> object:
            return answer

    return HyperliquidVenue("testnet", "", timeout_seconds=1, clock=lambda: NOW, http=Exchange({}))


def sent(kind: ActionKind, answer: object) -> Standing:
    """What comes of an action by the venue's answer."""
    payload = b'{"action":{"type":"updateLeverage","asset":0,"isCross":true,"leverage":5}}'
    return venue_that_says(answer).send(order(), Action(kind=kind, payload=payload))


def of_order(status: object) -> dict[str, object]:
    return {"status": "ok", "response": {"type": "order", "data": {"statuses": [status]}}}


def of_cancel(status: object) -> dict[str, object]:
    return {"status": "ok", "response": {"type": "cancel", "data": {"statuses": [status]}}}


DONE = {"status": "ok", "response": {"type": "default"}}
DOCUMENTED = {
    "Order must have minimum value of $10. asset=173": "BELOW_MIN_POSITION",
    "Insufficient margin to place order. asset=0": "NO_COLLATERAL",
    "Reduce only order would increase position. asset=3": "VENUE_REFUSED",
    "Order could not immediately match against any resting orders. asset=0": "VENUE_REFUSED",
    "Price must be divisible by tick size. asset=0": "VENUE_REFUSED",
    "Post only order would have immediately matched, bbo was 1@2. asset=0": "VENUE_REFUSED",
    "Invalid TP/SL price. asset=0": "TRIGGER_PASSED",
    "No liquidity available for market order. asset=0": "VENUE_REFUSED",
    "Order would increase open interest while open interest is capped": "VENUE_REFUSED",
    "Order would increase open interest too quickly": "VENUE_REFUSED",
    "Order price too far from oracle": "VENUE_REFUSED",
    "Order would cause position to exceed margin tier limit at current leverage": (
        "ABOVE_MAX_LEVERAGE"
    ),
    "Order price cannot be more than 80% away from the reference price": "VENUE_REFUSED",
    "Order has invalid price.": "VENUE_REFUSED",
    "Order has invalid size.": "VENUE_REFUSED",
    "Order has zero size.": "VENUE_REFUSED",
    "Order value too large. Max is $500000.": "VENUE_REFUSED",
    "Only post-only orders allowed immediately after a network upgrade": "VENUE_REFUSED",
    "Must deposit before performing actions. User: 0xab": "VENUE_REFUSED",
    f"Vault not registered: {USER}": "VENUE_REFUSED",
    "Too many cumulative requests sent (11 > 10) for cumulative volume traded $1.": (
        "REQUESTS_USED_UP"
    ),
    "Action already expired": "TOO_LATE",
    "Unable to recover signer.": "VENUE_REFUSED",
    "Invalid nonce: nonce too low 1 < 2": "VENUE_REFUSED",
    "Invalid nonce: nonce too high 3 > 2": "VENUE_REFUSED",
    "Unknown coin test:BTC": "VENUE_REFUSED",
    "Cannot switch leverage type with open position.": "VENUE_REFUSED",
}
"""The words of reference/hyperliquid.md that are a refusal for good, and the code they get."""


@pytest.mark.parametrize(("words", "code"), DOCUMENTED.items())
def test_documented_words_refuse_an_order_and_are_kept(words: str, code: str) -> None:
    for answer in ({"status": "err", "response": words}, of_order({"error": words})):
        with pytest.raises(VenueRejected) as refused:
            sent(ActionKind.ORDER, answer)

        assert (refused.value.code, refused.value.detail) == (code, words)


def test_an_unknown_key_is_refused_in_the_venues_words() -> None:
    words = f"User or API Wallet {USER} does not exist."

    with pytest.raises(VenueRejected) as refused:
        sent(ActionKind.ORDER, {"status": "err", "response": words})

    assert refused.value.detail == words


@pytest.mark.parametrize(
    "words",
    [
        "Invalid nonce: duplicate nonce 5",
        "Order was never placed, already canceled, or filled. asset=0",
        "Trading is halted.",
        "",
        "币\ud800\x00",
        "The order was refused. Order has zero size.",
    ],
)
def test_other_words_are_no_refusal_of_an_order(words: str) -> None:
    for answer in ({"status": "err", "response": words}, of_order({"error": words})):
        with pytest.raises(OutcomeUnknown) as unknown:
            sent(ActionKind.ORDER, answer)
        assert unknown.value.detail.isascii()
        assert unknown.value.detail.isprintable()


def test_a_nonce_that_was_used_has_a_code_of_its_own() -> None:
    with pytest.raises(OutcomeUnknown) as unknown:
        sent(ActionKind.NOOP, {"status": "err", "response": "Invalid nonce: duplicate nonce 5"})

    assert unknown.value.code == Meaning.NONCE_USED


@pytest.mark.parametrize(
    ("kind", "answer", "ref"),
    [
        (ActionKind.ORDER, of_order({"resting": {"oid": 5, "cloid": "0x1"}}), "5"),
        (ActionKind.ORDER, of_order({"filled": {"oid": 5, "totalSz": "1", "avgPx": "2"}}), "5"),
        (ActionKind.ORDER, of_order("waitingForTrigger"), None),
        (ActionKind.ORDER, of_order("waitingForFill"), None),
        (ActionKind.CANCEL, of_cancel("success"), None),
        (ActionKind.NOOP, DONE, None),
        (ActionKind.LEVERAGE, DONE, None),
    ],
)
def test_what_was_admitted_stands(kind: ActionKind, answer: object, ref: str | None) -> None:
    told = sent(kind, answer)

    assert told.venue_ref == ref
    assert (told.detail == "OK") is (kind is not ActionKind.ORDER)


def test_there_is_nothing_to_cancel_is_a_refusal_of_cancelling_alone() -> None:
    words = "Order was never placed, already canceled, or filled. asset=173"

    with pytest.raises(VenueRejected) as refused:
        sent(ActionKind.CANCEL, of_cancel({"error": words}))

    assert refused.value.code == Meaning.NOTHING_TO_CANCEL


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        (ActionKind.ORDER, DONE),
        (ActionKind.NOOP, of_order({"resting": {"oid": 5}})),
        (ActionKind.CANCEL, of_order("success")),
        (ActionKind.CANCEL, of_cancel("filled")),
        (ActionKind.ORDER, of_order({"resting": {"oid": -1}})),
        (ActionKind.ORDER, of_order({"resting": {}})),
        (ActionKind.ORDER, of_order({"filled": {"oid": 1, "totalSz": "0", "avgPx": "1"}})),
        (ActionKind.ORDER, of_order({"filled": {"oid": 1, "totalSz": "NaN", "avgPx": "1"}})),
        (ActionKind.ORDER, of_order("success")),
        (
            ActionKind.ORDER,
            {"status": "ok", "response": {"type": "order", "data": {"statuses": []}}},
        ),
        (ActionKind.ORDER, {"status": "err", "response": {"words": "Order has zero size."}}),
        (ActionKind.ORDER, {"status": "Order has zero size."}),
        (ActionKind.ORDER, None),
    ],
)
def test_an_answer_of_another_shape_says_nothing(kind: ActionKind, answer: object) -> None:
    with pytest.raises(OutcomeUnknown, match="unforeseen"):
        sent(kind, answer)


@pytest.mark.parametrize(
    ("name", "ends"),
    [
        ("exchange_order_filled_2026-01-18", None),
        ("exchange_order_resting_2025-10-22", None),
        ("exchange_order_resting_cloid_2025-10-22", None),
        ("exchange_order_filled_normalTpsl", OutcomeUnknown),
        ("exchange_order_error_min_notional_2025-10-22", VenueRejected),
        ("exchange_order_error_reduce_only_testnet_2026-09-07", VenueRejected),
        ("exchange_err_action_already_expired_testnet_2026-09-07", VenueRejected),
        ("exchange_err_unknown_signer_2025-10-22", VenueRejected),
        ("exchange_perpDeploy_err_2025-12-18", VenueRejected),
        ("exchange_cancel_success_2025-10-22", None),
        ("exchange_cancel_error_missing_2025-10-22", VenueRejected),
        ("exchange_cancelByCloid_success_2025-10-22", None),
        ("exchange_cancelByCloid_error_missing_2025-10-22", VenueRejected),
    ],
)
def test_every_recorded_answer_has_its_end(name: str, ends: type[VenueError] | None) -> None:
    answer = recorded(f"hyperliquid/{name}.json")
    kind = ActionKind.CANCEL if "cancel" in name else ActionKind.ORDER

    if ends is None:
        sent(kind, answer)
    else:
        with pytest.raises(ends):
            sent(kind, answer)


def test_every_answer_of_the_recorded_sequence_has_its_end() -> None:
    unknown, small, resting = recorded("hyperliquid/exchange_order_cloid_sequence_2025-10-22.json")

    for refused in (unknown, small):
        with pytest.raises(VenueRejected):
            sent(ActionKind.ORDER, refused["response"])
    assert sent(ActionKind.ORDER, resting["response"]).venue_ref == "41547028680"


SEEDS = [
    DONE,
    {"status": "err", "response": "Order has zero size."},
    of_order({"error": "Insufficient margin to place order."}),
    of_order({"filled": {"oid": 1, "totalSz": "1", "avgPx": "2"}}),
    of_order({"resting": {"oid": 1}}),
    of_cancel("success"),
]


@settings(deadline=None, max_examples=300)
@given(
    kind=st.sampled_from([ActionKind.ORDER, ActionKind.NOOP, ActionKind.CANCEL]),
    answer=st.one_of(
        JSON,
        st.sampled_from(SEEDS),
        st.builds(lambda words: {"status": "err", "response": words}, JSON),
        st.builds(of_order, JSON),
        st.builds(lambda words: of_order({"error": words}), JSON),
        st.builds(lambda told: of_order({"filled": told}), JSON),
        st.builds(lambda told: of_order({"resting": told}), JSON),
        st.builds(of_cancel, JSON),
    ),
)
def test_any_answer_stands_or_is_refused_in_documented_words_or_is_unknown(
    kind: ActionKind, answer: object
) -> None:
    try:
        assert isinstance(sent(kind, answer), Standing)
    except VenueRejected as refused:
        assert reading_of(refused.detail) is not None  # noqa: PT017 any end is right
    except OutcomeUnknown as unknown:
        str(unknown).encode()
