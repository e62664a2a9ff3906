"""Signals that trade for real, at a simulated Hyperliquid: its books against the ledger."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from agent_where.domain import OrderStatus
from agent_where.reconciling import reconcile
from tests.live_world import USER, LiveWorld, at_once, live_world
from tests.world import World

BOUNDS: dict[str, Any] = {"riskModel": {"stopLoss": "0.05", "takeProfit": "0.1"}}


@pytest.fixture
def live(database_dsn: str) -> Iterator[LiveWorld]:
    with live_world(database_dsn) as made:
        yield made


def assert_books_agree(live: LiveWorld) -> None:
    """Each fill of the venue's is one of the ledger's, with its size and price, and once."""
    theirs = {
        f"{fill['oid']}:{fill['tid']}": (Decimal(fill["sz"]), Decimal(fill["px"]))
        for fill in live.books()["fills"]
    }
    ours = {
        row["venue_fill_id"]: (row["size"], row["price"])
        for row in live.rows("SELECT venue_fill_id, size, price FROM venue_fills")
    }
    assert ours == theirs
    open_ = sum(
        row["open_qty"] * (1 if row["side"] == "LONG" else -1)
        for row in live.positions()
        if row["status"] == "OPEN"
    )
    assert live.held() == open_


@pytest.mark.parametrize(("side", "sign"), [("LONG", 1), ("SHORT", -1)])
def test_a_signal_trades_and_closes(live: LiveWorld, side: str, sign: int) -> None:
    agent = live.live()

    live.open(agent, side=side)
    live.come_to_rest()

    entry = live.order()
    assert entry["status"] == OrderStatus.FILLED, entry
    assert live.held() == sign * entry["filled_size"]
    assert_books_agree(live)

    live.close(agent)
    live.come_to_rest()

    (position,) = live.positions()
    assert (position["status"], position["closed_by"]) == ("CLOSED", "SIGNAL")
    assert live.held() == 0
    assert_books_agree(live)


def test_leverage_is_set_before_the_order_and_only_when_it_differs(live: LiveWorld) -> None:
    agent = live.live()

    live.open(agent, sizeModel={"type": "fixed-usdc", "value": "100", "leverage": "7"})
    live.come_to_rest()
    live.open(agent, sizeModel={"type": "fixed-usdc", "value": "100", "leverage": "7"})
    live.come_to_rest()

    kinds = [row["kind"] for row in live.rows("SELECT kind FROM venue_actions ORDER BY created_at")]
    assert kinds == ["LEVERAGE", "ORDER", "ORDER"]
    outcomes = live.rows("SELECT outcome FROM venue_actions WHERE kind = 'LEVERAGE'")
    assert [row["outcome"] for row in outcomes] == ["OK"]


def test_bounds_rest_at_the_venue_and_are_taken_back_with_the_position(live: LiveWorld) -> None:
    agent = live.live()
    live.open(agent, **BOUNDS)
    live.come_to_rest()

    resting = [row for row in live.orders() if row["status"] == OrderStatus.ACCEPTED]
    assert {row["purpose"] for row in resting} == {"TAKE_PROFIT", "STOP_LOSS"}
    assert all(row["venue_ref"] for row in resting)
    assert live.resting() == 2

    live.close(agent)
    live.come_to_rest()
    assert live.resting() == 0
    live.clock.pass_seconds(30)
    live.come_to_rest()

    assert {row["status"] for row in live.orders() if row["purpose"] != "ENTRY"} <= {
        OrderStatus.REJECTED,
        OrderStatus.FILLED,
    }
    assert_books_agree(live)


@pytest.mark.parametrize(("price", "purpose"), [("56000", "STOP_LOSS"), ("67000", "TAKE_PROFIT")])
def test_a_bound_that_fires_closes_the_position_once(
    live: LiveWorld, price: str, purpose: str
) -> None:
    agent = live.live()
    live.open(agent, **BOUNDS)
    live.come_to_rest()

    live.tell("price", coin="BTC", price=price)
    live.clock.pass_seconds(30)
    live.come_to_rest()
    live.come_to_rest()

    (position,) = live.positions()
    assert (position["status"], position["closed_by"]) == ("CLOSED", "TRIGGER")
    assert position["exit_reason"] == purpose
    assert live.held() == 0
    assert_books_agree(live)


def test_a_bound_that_fired_unseen_is_booked_before_a_close_is_sized(live: LiveWorld) -> None:
    """Else the close would sell what the user holds by his own hand."""
    agent = live.live()
    live.open(agent, **BOUNDS)
    live.come_to_rest()
    live.tell("price", coin="BTC", price="56000")
    live.tell("price", coin="BTC", price="60000")
    live.tell("trade", user=USER, coin="BTC", buy=True, size="0.01")
    live.clock.pass_seconds(30)

    live.close(agent)
    live.come_to_rest()

    (position,) = live.positions()
    assert (position["status"], position["exit_reason"]) == ("CLOSED", "STOP_LOSS")
    assert live.held() == Decimal("0.01")
    closes = [row["refusal"] for row in live.orders() if row["purpose"] == "CLOSE"]
    assert closes == ["NOTHING_TO_CLOSE"]


def test_a_key_that_is_gone_stops_nobody_else(live: LiveWorld) -> None:
    agent = live.live()
    live.open(agent, **BOUNDS)
    live.come_to_rest()
    live.rows("UPDATE venue_accounts SET key_ref = 'env:NOBODY_HAS_IT'")

    live.rows("UPDATE positions SET status = 'CLOSED', closed_at = now(), open_qty = 0")

    done = reconcile(at_once(live), seconds=30)

    assert live.resting() == 2
    assert (done.settled, done.still_open) == (0, 2)


def test_without_an_approved_key_nothing_is_sent(live: LiveWorld) -> None:
    agent = live.live()
    live.rows("UPDATE venue_accounts SET approved_until = now() - interval '1 second'")

    live.open(agent)
    live.come_to_rest()

    assert live.order()["refusal"] == "NOT_APPROVED"
    assert live.rows("SELECT FROM venue_actions") == []
    assert live.books()["fills"] == []


@pytest.mark.parametrize(
    "known",
    [
        "approved_until = now() - interval '1 second'",
        "approved_until = NULL, approval_lost_at = now()",
    ],
    ids=["ended by our clock", "not seen the last time"],
)
def test_a_close_goes_through_with_a_key_that_was_approved_once(
    live: LiveWorld, known: str
) -> None:
    agent = live.live()
    live.open(agent)
    live.come_to_rest()
    live.rows(f"UPDATE venue_accounts SET {known}")

    live.close(agent)
    live.come_to_rest()

    assert [row["status"] for row in live.positions()] == ["CLOSED"]


def test_a_close_with_a_key_that_was_never_approved_waits(live: LiveWorld) -> None:
    agent = live.live()
    live.open(agent)
    live.come_to_rest()
    live.rows("UPDATE venue_accounts SET approved_until = NULL")

    live.close(agent)
    live.come_to_rest()

    refused = [row["refusal"] for row in live.orders() if row["status"] == "REJECTED"]
    assert {*refused} == {"NOT_APPROVED"}
    assert [row["status"] for row in live.positions()] == ["OPEN"]


def test_a_key_that_the_venue_does_not_know_is_refused_in_its_own_words(live: LiveWorld) -> None:
    agent = live.live()
    live.approve("SECOND", at_venue=False)

    live.open(agent)
    live.come_to_rest()

    order = live.order()
    assert order["status"] == OrderStatus.REJECTED
    assert "does not exist" in order["detail"]
    assert live.books()["fills"] == []


LOST = [
    (mode, processed)
    for mode in ("drop", "500", "503", "429", "hang", "garbage")
    for processed in (False, True)
] + [("cut", True), ("truncated", True)]


@pytest.mark.parametrize(("mode", "processed"), LOST)
def test_whatever_becomes_of_the_answer_an_entry_trades_at_most_once(
    live: LiveWorld, mode: str, processed: bool
) -> None:
    agent = live.live()
    live.tell("fail", mode=mode, type="order", processed=processed, times=1)

    live.open(agent)
    live.come_to_rest()

    order = live.order()
    assert order["status"] == (OrderStatus.FILLED if processed else OrderStatus.EXPIRED), order
    assert order["detail"] or processed
    assert len({fill["oid"] for fill in live.books()["fills"]}) == int(processed)
    assert_books_agree(live)


@pytest.mark.parametrize(("mode", "processed"), LOST)
def test_whatever_becomes_of_the_answer_a_close_closes_once(
    live: LiveWorld, mode: str, processed: bool
) -> None:
    agent = live.live()
    live.open(agent)
    live.come_to_rest()
    live.tell("fail", mode=mode, type="order", processed=processed, times=1)

    live.close(agent)
    live.come_to_rest()
    live.rows("UPDATE venue_orders SET due_at = now() WHERE status = 'PLANNED' AND due_at > now()")
    live.queues.send_orders(live.store.enqueue_due_orders(10), again=True)
    live.come_to_rest()

    (position,) = live.positions()
    assert position["status"] == "CLOSED"
    assert live.held() == 0
    assert len(live.books()["fills"]) == 2
    assert_books_agree(live)


def test_a_re_send_sends_nothing(live: LiveWorld) -> None:
    agent = live.live()
    live.open(agent)
    live.queues.orders.extend(list(live.queues.orders) * 3)

    live.come_to_rest()

    assert len({fill["oid"] for fill in live.books()["fills"]}) == 1
    assert_books_agree(live)


def test_a_new_key_does_not_settle_the_old_key_s_order(live: LiveWorld) -> None:
    agent = live.live()
    live.tell("fail", mode="drop", type="order", processed=False, times=1)
    live.open(agent)
    live.work()
    assert live.order()["status"] == OrderStatus.SENT
    live.approve("SECOND")

    live.come_to_rest()

    order = live.order()
    assert order["status"] == OrderStatus.EXPIRED
    signers = live.rows("SELECT DISTINCT signer_address FROM venue_actions")
    assert [row["signer_address"] for row in signers] == [live.signers.signer("env:FIRST").address]


def test_paper_positions_of_before_are_closed_on_paper(database_dsn: str) -> None:
    paper = World(database_dsn)
    agent = paper.agent()
    paper.follow(agent, USER)
    paper.both_markets()
    paper.open(agent)
    paper.work()
    paper.dispose()

    with live_world(database_dsn) as live:
        live.close(agent)
        live.come_to_rest()

        assert [row["status"] for row in live.positions()] == ["CLOSED"]
        assert {row["mode"] for row in live.orders()} == {"PAPER"}
