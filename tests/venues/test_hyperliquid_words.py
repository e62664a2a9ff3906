"""What Hyperliquid's words and fills make of an order, answer by answer."""

import json
from collections.abc import Mapping
from decimal import Decimal

import pytest

from agent_where.domain import Order, OrderStatus, Refusal, Settled
from agent_where.venues.base import CANCELED, Action, ActionKind, Standing
from agent_where.venues.hyperliquid.answers import milliseconds_of
from agent_where.venues.hyperliquid.refusals import Meaning
from agent_where.venues.hyperliquid.trading import HyperliquidVenue
from tests.venues.hyperliquid_desk import NOW, Told, order, signer, status

AT = milliseconds_of(NOW)
STORED = Action(
    kind=ActionKind.ORDER,
    payload=b'{"action":{"orders":[{"a":0,"s":"1"}]}}',
    nonce=AT,
    signer_address=signer().address,
    expires_at=NOW,
)


def told(word: str, *fills: dict[str, object], left: str = "0", seconds: int = 60) -> object:
    """What becomes of an order of 1 BTC that ended in a word, so many seconds later."""
    placed = {"coin": "BTC", "oid": 7, "timestamp": AT, "origSz": "1", "sz": left}
    known = {"order": placed, "status": word, "statusTimestamp": AT}
    answers = {"orderStatus": {"status": "order", "order": known}, "userFillsByTime": [*fills]}
    return settled_by(answers, seconds)


def settled_by(
    answers: Mapping[str, object],
    seconds: int,
    held: str = "0",
    *noops: Action,
    what: Order | None = None,
) -> object:
    """What our adapter makes of answers so many seconds after the expiry."""
    position = {"coin": "BTC", "szi": held, "leverage": {"type": "cross", "value": 20}}
    state = {
        "withdrawable": "0",
        "time": AT + seconds * 1000,
        "assetPositions": [{"type": "oneWay", "position": position}],
    }
    all_answers: dict[str, object] = {"clearinghouseState": state, **answers}
    venue = HyperliquidVenue(
        "testnet", "", timeout_seconds=1, clock=lambda: NOW, http=Told(all_answers)
    )
    return venue.settle(what or order(), [STORED, *noops])


def fill(size: str, tid: int = 1, oid: int = 7) -> dict[str, object]:
    row = {"coin": "BTC", "px": "60000", "side": "B", "time": AT, "startPosition": "0", "fee": "1"}
    return {**row, "sz": size, "oid": oid, "tid": tid}


@pytest.mark.parametrize("word", ["filled", "canceled", "marginCanceled", "scheduledCancel"])
@pytest.mark.parametrize(
    ("left", "seconds", "ends"),
    [("0.4", 0, True), ("0", 14, False), ("0", 15, True), ("1", 15, True)],
)
def test_fills_count_when_they_are_what_was_executed_or_when_they_can_be_no_more(
    word: str, left: str, seconds: int, ends: bool
) -> None:
    settled = told(word, fill("0.2"), fill("0.4", 2), fill("9", oid=8), left=left, seconds=seconds)

    if not ends:
        assert settled is None
        return
    assert isinstance(settled, Settled)
    assert settled.status is OrderStatus.FILLED
    assert settled.filled_size == Decimal("0.6")


def test_filled_without_fills_is_waited_for_and_told(caplog: pytest.LogCaptureFixture) -> None:
    assert told("filled") is None
    assert "filled, without any fill" in caplog.text


def test_a_word_that_nobody_knows_ends_nothing_and_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert told("teleported", fill("1")) is None
    assert "teleported: unknown word" in caplog.text


@pytest.mark.parametrize("word", ["open", "triggered"])
def test_what_is_open_or_triggered_stands(word: str) -> None:
    assert told(word, left="1") == Standing(venue_ref="7", detail=word)


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("tickRejected", Refusal.VENUE_REFUSED),
        ("minTradeNtlRejected", Refusal.BELOW_MIN_POSITION),
        ("perpMaxPositionRejected", Refusal.ABOVE_MAX_LEVERAGE),
        ("somethingNewRejected", Refusal.VENUE_REFUSED),
        ("rejected", Refusal.VENUE_REFUSED),
        ("liquidatedCanceled", CANCELED),
        ("canceled", CANCELED),
    ],
)
def test_a_word_with_no_fills_is_a_refusal_with_its_code(word: str, code: str) -> None:
    settled = told(word, left="1")

    assert isinstance(settled, Settled)
    assert (settled.status, settled.code) == (OrderStatus.REJECTED, code)


NOOP = STORED.model_copy(update={"kind": ActionKind.NOOP, "outcome": Meaning.NONCE_USED})


def unknown(held: str, *fills: dict[str, object], seconds: int = 60) -> object:
    """What becomes of an order whose no-op found its nonce used, and that nobody knows."""
    answers = {"orderStatus": {"status": "unknownOid"}, "userFills": list(fills)}
    return settled_by(answers, seconds, held, NOOP)


@pytest.mark.parametrize(
    ("held", "fills", "explained"),
    [
        ("0", [], True),
        ("1", [], False),
        ("1", [("0", "1")], True),
        ("0", [("0", "1")], False),
        ("3", [("0", "1"), ("1", "2")], True),
        ("3", [("1", "2"), ("0", "1")], True),
        ("1", [("0", "1"), ("1", "2")], False),
    ],
)
def test_a_position_is_explained_by_the_last_of_the_fills_in_its_coin(
    held: str, fills: list[tuple[str, str]], explained: bool
) -> None:
    rows = [
        {**fill(size, tid, oid=8), "startPosition": start}
        for tid, (start, size) in enumerate(fills)
    ]
    old = {**fill("5", 99, oid=9), "time": AT - 1}
    elsewhere = {**fill("7", 98, oid=10), "coin": "ETH", "time": AT + 1}

    settled = unknown(held, *rows, elsewhere, *([old] if rows else []))

    assert (settled is not None) is explained
    assert settled is None or status(settled) is OrderStatus.EXPIRED


@pytest.mark.parametrize(("seconds", "ends"), [(19, False), (20, True)])
def test_fills_that_only_the_client_id_finds_count_when_there_can_be_no_more(
    seconds: int, ends: bool
) -> None:
    what = order(number=5)
    own = {**fill("0.4"), "cloid": f"0x{what.id.hex}", "time": AT + 5000}
    answers = {"orderStatus": {"status": "unknownOid"}, "userFills": [own]}

    settled = settled_by(answers, seconds, "0.4", NOOP, what=what)

    assert (settled is not None) is ends
    assert settled is None or status(settled) is OrderStatus.FILLED


def test_a_word_that_came_long_after_its_fills_does_not_hide_them() -> None:
    """An exit that was executed in part, and dropped much later: its fills are read anew."""
    late = AT + 3_600_000
    placed = {"coin": "BTC", "oid": 7, "timestamp": AT, "origSz": "1", "sz": "0.4"}
    known = {"order": placed, "status": "canceled", "statusTimestamp": late}

    class Dated(Told):
        def post(self, url: str, body: bytes) -> object:
            asked = json.loads(body)
            rows = super().post(url, body)
            if asked["type"] != "userFillsByTime":
                return rows
            assert isinstance(rows, list)
            return [row for row in rows if row["time"] >= asked["startTime"]]

    answers: dict[str, object] = {
        "orderStatus": {"status": "order", "order": known},
        "userFillsByTime": [fill("0.6")],
        "clearinghouseState": {"withdrawable": "0", "time": late + 60_000, "assetPositions": []},
    }
    venue = HyperliquidVenue(
        "testnet", "", timeout_seconds=1, clock=lambda: NOW, http=Dated(answers)
    )

    assert status(venue.settle(order(), [STORED])) is OrderStatus.FILLED
