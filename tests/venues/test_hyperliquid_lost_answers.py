"""How orders at Hyperliquid end whose answers are lost or late: found, or proven never executed.

The proof is a no-op that takes the order's nonce, or time and an account whose fills explain it.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from agent_where.domain import OrderStatus, Refusal, Settled
from agent_where.errors import OutcomeUnknown, SignerUnavailable, VenueUnavailable
from agent_where.venues.base import Action, ActionKind
from agent_where.venues.hyperliquid.orders import Unsent
from agent_where.venues.hyperliquid.refusals import Meaning
from tests.venues.hyperliquid_desk import USER, Desk, desk, order, signer, status

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


def kinds(bench: Desk, what: Any) -> list[ActionKind]:
    return [action.kind for action in bench.stored[what.id]]


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
