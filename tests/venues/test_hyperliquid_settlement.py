"""How orders at Hyperliquid end: by their fills, by the venue's words with them, or by a proof."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import pytest

from agent_where.domain import Order, OrderStatus, Purpose, Refusal, Settled, Side
from agent_where.errors import OutcomeUnknown, SignerUnavailable, VenueRejected, VenueUnavailable
from agent_where.venues.base import CANCELED, Action, ActionKind, Standing
from agent_where.venues.hyperliquid.answers import milliseconds_of
from agent_where.venues.hyperliquid.orders import Unsent
from agent_where.venues.hyperliquid.refusals import Meaning
from agent_where.venues.hyperliquid.trading import HyperliquidVenue
from tests.venues.hyperliquid_desk import NOW, USER, Desk, Told, desk, order, signer

SIZE = Decimal("0.01")


@pytest.fixture
def bench() -> Iterator[Desk]:
    with desk() as made:
        yield made


def lose(bench: Desk, *, processed: bool, kind: str = "order", times: int = 1) -> None:
    """Let the venue hang up on an action, before or after it was carried out."""
    bench.tell("fail", mode="drop", processed=processed, path="/exchange", type=kind, times=times)


def lost(bench: Desk, what: Any, *, processed: bool) -> Any:
    """Send an order whose answer is lost; the order."""
    action = bench.prepared(what)
    lose(bench, processed=processed)
    with pytest.raises(OutcomeUnknown):
        bench.venue.send(what, action)
    return what


def status(settled: object) -> OrderStatus:
    assert isinstance(settled, Settled), settled
    return settled.status


def kinds(bench: Desk, what: Any) -> list[ActionKind]:
    return [action.kind for action in bench.stored[what.id]]


@pytest.mark.parametrize(("side", "limit"), [(Side.LONG, "60600"), (Side.SHORT, "59400")])
def test_an_entry_and_its_close_are_filled_with_their_fees(
    bench: Desk, side: Side, limit: str
) -> None:
    opened = bench.trade(order(side=side, limit=limit))
    assert status(opened) is OrderStatus.FILLED
    assert bench.size() == SIZE * side.sign

    back = "59400" if side is Side.LONG else "60600"
    closed = bench.trade(order(Purpose.CLOSE, side.opposite, limit=back))

    assert bench.size() == 0
    for settled in (opened, closed):
        assert isinstance(settled, Settled)
        (fill,) = settled.fills
        assert fill.size == SIZE
        fee = fill.size * fill.price * Decimal("0.00045")
        assert fee - Decimal("0.000001") < fill.fee_usd <= fee
        assert settled.detail == ""


def test_fills_are_per_token_where_the_coin_is_a_thousand(bench: Desk) -> None:
    bench.tell("price", coin="kPEPE", price="0.004")

    settled = bench.trade(order(coin="kPEPE", size="5000000", limit="0.00000404", leverage="10"))

    assert isinstance(settled, Settled)
    assert settled.filled_size == 5_000_000
    assert all(Decimal("0.000004") <= fill.price < Decimal("0.00000404") for fill in settled.fills)
    assert bench.size("kPEPE") == 5000


def test_an_order_that_meets_too_little_ends_with_what_it_got(bench: Desk) -> None:
    bench.tell("depth", coin="BTC", sizes=["0.002", "0.004"])

    settled = bench.trade(order())

    assert isinstance(settled, Settled)
    assert [fill.size for fill in settled.fills] == [Decimal("0.002"), Decimal("0.004")]
    assert settled.detail == "filled 0.006 of 0.01 coins"
    assert len({fill.venue_fill_id for fill in settled.fills}) == 2


def test_an_order_that_meets_nothing_is_refused(bench: Desk) -> None:
    with pytest.raises(VenueRejected, match="could not immediately match") as refused:
        bench.trade(order(limit="60000"))

    assert refused.value.code == Refusal.VENUE_REFUSED


def test_an_order_beyond_the_accounts_margin_is_refused() -> None:
    with desk(usd=20) as bench, pytest.raises(VenueRejected, match="Insufficient margin") as no:
        bench.trade(order())

    assert no.value.code == Refusal.NO_COLLATERAL


def test_a_close_that_comes_too_late_is_refused(bench: Desk) -> None:
    bench.trade(order())
    close = order(Purpose.CLOSE, Side.SHORT, limit="59400")
    action = bench.prepared(close)
    bench.tell("trade", user=USER, coin="BTC", buy=False, size="0.01", reduceOnly=True)

    with pytest.raises(VenueRejected, match="Reduce only order would increase position"):
        bench.venue.send(close, action)
    with pytest.raises(VenueRejected) as refused:
        bench.prepared(order(Purpose.CLOSE, Side.SHORT, limit="59400"))
    assert refused.value.code == Refusal.NOTHING_TO_CLOSE


def test_a_close_takes_no_more_than_the_account_still_has(bench: Desk) -> None:
    bench.trade(order())
    bench.tell("trade", user=USER, coin="BTC", buy=False, size="0.004", reduceOnly=True)

    settled = bench.trade(order(Purpose.CLOSE, Side.SHORT, limit="59400"))

    assert isinstance(settled, Settled)
    assert settled.filled_size == Decimal("0.006")
    assert bench.size() == 0


def test_a_lost_answer_is_found_by_the_client_id(bench: Desk) -> None:
    bench.tell("depth", coin="BTC", sizes=["0.002", "0.004"])
    what = lost(bench, order(), processed=True)

    settled = bench.settle(what)

    assert isinstance(settled, Settled)
    assert settled.filled_size == Decimal("0.006")
    assert kinds(bench, what) == [ActionKind.ORDER]


@pytest.mark.parametrize(
    ("limit", "usd", "word", "code"),
    [
        ("60000", 10_000, "iocCancelRejected", Refusal.VENUE_REFUSED),
        ("60600", 20, "perpMarginRejected", Refusal.NO_COLLATERAL),
    ],
)
def test_a_refusal_whose_answer_was_lost_counts_once_its_fills_are_surely_none(
    limit: str, usd: int, word: str, code: str
) -> None:
    with desk(usd=usd) as bench:
        what = lost(bench, order(limit=limit), processed=True)

        bench.time.pass_seconds(14)
        assert bench.settle(what) is None
        bench.time.pass_seconds(1)
        settled = bench.settle(what)

        assert isinstance(settled, Settled)
        assert (settled.status, settled.code) == (OrderStatus.REJECTED, code)
        assert word in settled.detail


def test_a_look_up_that_is_late_is_waited_for(bench: Desk) -> None:
    bench.tell("lag", orderStatus=4)
    what = lost(bench, order(), processed=True)

    assert bench.settle(what) is None
    bench.time.pass_seconds(4)

    assert status(bench.settle(what)) is OrderStatus.FILLED
    assert kinds(bench, what) == [ActionKind.ORDER]


def test_a_no_op_that_finds_its_nonce_used_proves_nothing_and_the_order_is_found(
    bench: Desk,
) -> None:
    bench.tell("lag", orderStatus=20, fills=20)
    what = lost(bench, order(), processed=True)

    bench.time.pass_seconds(9)
    assert bench.settle(what) is None
    assert [action.outcome for action in bench.stored[what.id]] == [None, Meaning.NONCE_USED]
    bench.time.pass_seconds(11)

    assert status(bench.settle(what)) is OrderStatus.FILLED
    assert bench.size() == SIZE


def test_fills_are_believed_before_a_look_up_that_is_far_too_late(bench: Desk) -> None:
    bench.tell("lag", orderStatus=60)
    what = lost(bench, order(), processed=True)
    bench.time.pass_seconds(9)
    assert bench.settle(what) is None

    bench.time.pass_seconds(15)

    assert status(bench.settle(what)) is OrderStatus.FILLED


def test_a_position_that_no_known_fill_explains_forbids_the_proof_by_time(
    bench: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    bench.tell("lag", orderStatus=60, fills=60)
    what = lost(bench, order(), processed=True)

    for _ in range(5):
        assert bench.settle(what) is None
        bench.time.pass_seconds(11)
    assert "no fill leads to the 0.01 of BTC" in caplog.text
    bench.time.pass_seconds(10)

    assert status(bench.settle(what)) is OrderStatus.FILLED


def test_fills_that_are_late_are_waited_for(bench: Desk) -> None:
    bench.tell("lag", fills=3)
    what = order()

    assert bench.trade(what) is None
    bench.time.pass_seconds(3)

    assert status(bench.settle(what)) is OrderStatus.FILLED


def test_what_never_arrived_is_left_alone_until_it_expires(bench: Desk) -> None:
    what = lost(bench, order(), processed=False)

    bench.time.pass_seconds(7)

    assert bench.settle(what) is None
    assert kinds(bench, what) == [ActionKind.ORDER]


def test_a_no_op_in_its_place_proves_that_an_order_never_executed(bench: Desk) -> None:
    what = lost(bench, order(), processed=False)
    bench.time.pass_seconds(8)

    settled = bench.settle(what)

    assert isinstance(settled, Settled)
    assert settled.status is OrderStatus.EXPIRED
    first, noop = bench.stored[what.id]
    assert (noop.kind, noop.nonce, noop.outcome) == (ActionKind.NOOP, first.nonce, "OK")
    assert f"no-op with its nonce {first.nonce} by its key {bench.key.address}" in settled.detail

    with pytest.raises(OutcomeUnknown, match="duplicate nonce"):
        bench.venue.send(what, first)
    assert bench.size() == 0


def test_a_no_op_goes_before_time_as_a_proof_while_its_key_can_be_expected_to_sign(
    bench: Desk,
) -> None:
    what = lost(bench, order(), processed=False)
    bench.time.pass_seconds(40)

    settled = bench.settle(what)

    assert isinstance(settled, Settled)
    assert "no-op" in settled.detail


def test_an_order_that_came_too_late_is_proven_by_time(bench: Desk) -> None:
    what = order()
    action = bench.prepared(what)
    bench.time.pass_seconds(9)
    lose(bench, processed=True)
    with pytest.raises(OutcomeUnknown):
        bench.venue.send(what, action)

    assert bench.settle(what) is None
    assert bench.stored[what.id][1].outcome == Meaning.NONCE_USED
    bench.time.pass_seconds(15)
    settled = bench.settle(what)

    assert isinstance(settled, Settled)
    assert settled.status is OrderStatus.EXPIRED
    assert "16 s past its expiry" in settled.detail
    assert "explain the position of 0 BTC" in settled.detail


def test_a_no_op_whose_answer_was_lost_is_no_proof_but_time_is(bench: Desk) -> None:
    what = lost(bench, order(), processed=False)
    bench.time.pass_seconds(9)
    lose(bench, processed=True, kind="noop")

    assert bench.settle(what) is None
    assert bench.stored[what.id][1].outcome == "OUTCOME_UNKNOWN"
    bench.time.pass_seconds(15)

    assert status(bench.settle(what)) is OrderStatus.EXPIRED
    assert len(bench.stored[what.id]) == 2


def test_trades_of_others_do_not_stand_in_the_way_of_a_proof(bench: Desk) -> None:
    bench.tell("trade", user=USER, coin="BTC", buy=True, size="0.05")
    what = lost(bench, order(), processed=False)
    bench.time.pass_seconds(9)
    bench.tell("trade", user=USER, coin="BTC", buy=False, size="0.02", reduceOnly=True)
    lose(bench, processed=False, kind="noop")
    bench.settle(what)
    bench.time.pass_seconds(15)

    settled = bench.settle(what)

    assert isinstance(settled, Settled)
    assert "explain the position of 0.03 BTC" in settled.detail


def test_another_key_does_not_close_the_door_on_an_order_of_the_old_one(bench: Desk) -> None:
    what = lost(bench, order(), processed=False)
    bench.tell("agent", user=USER, agent=signer("SECOND").address, name="another")
    bench.key = signer("SECOND")
    bench.time.pass_seconds(9)

    with pytest.raises(SignerUnavailable):
        bench.settle(what)
    forged = Unsent(
        ActionKind.NOOP, {"type": "noop"}, "testnet", nonce=bench.stored[what.id][0].nonce
    )
    noop = bench.store(what, forged)
    assert bench.outcome(what, noop) == "OK"
    bench.stored[what.id][1] = noop.model_copy(update={"outcome": "OK"})
    with pytest.raises(SignerUnavailable):
        bench.settle(what)

    bench.time.pass_seconds(60)
    settled = bench.settle(what)

    assert isinstance(settled, Settled)
    assert settled.status is OrderStatus.EXPIRED
    assert "61 s past its expiry" in settled.detail


def test_an_exit_rests_until_its_trigger_and_is_then_filled(bench: Desk) -> None:
    bench.trade(order())
    stop = order(Purpose.STOP_LOSS, Side.SHORT, trigger="58000")
    gain = order(Purpose.TAKE_PROFIT, Side.SHORT, trigger="63000")

    resting = [bench.trade(stop), bench.trade(gain)]
    assert [type(each) for each in resting] == [Standing, Standing]
    assert all(isinstance(each, Standing) and each.venue_ref for each in resting)

    bench.time.pass_seconds(100_000)
    bench.tell("price", coin="BTC", price="63100")
    fired = bench.settle(gain)

    assert isinstance(fired, Settled)
    assert fired.filled_size == SIZE
    assert fired.fills[0].price > 62_000
    dropped = bench.settled(stop)
    assert (dropped.status, dropped.code) == (OrderStatus.REJECTED, CANCELED)
    assert "reduceOnlyCanceled" in dropped.detail


def test_an_exit_is_taken_back(bench: Desk) -> None:
    bench.trade(order())
    stop = order(Purpose.STOP_LOSS, Side.SHORT, trigger="58000")
    bench.trade(stop)
    unsent = bench.venue.cancel(stop, bench.stored[stop.id])
    assert unsent is not None

    assert bench.outcome(stop, bench.store(stop, unsent)) == "OK"

    assert bench.settle(stop) is None
    bench.time.pass_seconds(15)
    settled = bench.settle(stop)
    assert isinstance(settled, Settled)
    assert (settled.status, settled.code) == (OrderStatus.REJECTED, CANCELED)
    again = bench.venue.cancel(stop, bench.stored[stop.id])
    assert again is not None
    assert bench.outcome(stop, bench.store(stop, again)) == Meaning.NOTHING_TO_CANCEL


def test_an_exit_that_would_trigger_at_once_is_refused(bench: Desk) -> None:
    bench.trade(order())

    with pytest.raises(VenueRejected, match="Invalid TP/SL price"):
        bench.trade(order(Purpose.STOP_LOSS, Side.SHORT, trigger="61000"))


def test_an_order_that_the_venue_had_is_never_taken_for_one_that_never_was(bench: Desk) -> None:
    what = order()
    bench.venue.send(what, bench.prepared(what))
    bench.tell("forget")
    had = what.model_copy(update={"status": OrderStatus.ACCEPTED})
    bench.time.pass_seconds(3600)

    assert bench.another_worker().settle(had, bench.stored[what.id]) is None


def test_without_stored_bytes_there_is_nothing_to_ask_about(bench: Desk) -> None:
    with pytest.raises(OutcomeUnknown):
        bench.venue.settle(order(), [Action(kind=ActionKind.LEVERAGE, payload=b"{}")])


def test_a_venue_that_cannot_be_asked_is_unavailable(bench: Desk) -> None:
    what = lost(bench, order(), processed=True)
    bench.tell("fail", mode="503")

    with pytest.raises(VenueUnavailable):
        bench.settle(what)


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
