"""What goes wrong around a position must not take its stop, nor keep it from being closed."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from agent_where.consuming import Delivery, consume
from agent_where.domain import OrderStatus
from agent_where.errors import AgentWhereError, Overtaken, VenueUnavailable
from agent_where.store.accounts import Accounts, Signing
from tests.live_world import USER, LiveWorld, live_world

STOP: dict[str, Any] = {"riskModel": {"stopLoss": "0.05"}}
BOUNDS: dict[str, Any] = {"riskModel": {"stopLoss": "0.05", "takeProfit": "0.1"}}
COPIES = """
INSERT INTO venue_orders (id, signal_id, deployment_id, position_id, purpose, leg, attempt, venue,
                          account, mode, token_symbol, market_name, side, reduce_only, leverage,
                          collateral_usd, size, limit_price, trigger_price, status, sent_under,
                          sent_at)
SELECT gen_random_uuid(), signal_id, deployment_id, position_id, purpose, leg || g, attempt, venue,
       account, mode, token_symbol, market_name, side, reduce_only, leverage,
       collateral_usd, size, limit_price, trigger_price, status, sent_under,
       now() - interval '1 hour'
FROM venue_orders, generate_series(1, 300) g WHERE id = :id
"""


@pytest.fixture
def live(database_dsn: str) -> Iterator[LiveWorld]:
    with live_world(database_dsn) as made:
        yield made


def opened(live: LiveWorld, **changes: Any) -> UUID:
    agent = live.live()
    live.open(agent, **(STOP | changes))
    live.come_to_rest()
    return agent


def second_position(live: LiveWorld, **changes: Any) -> UUID:
    """Of the same user, in the same market."""
    agent = live.agent()
    live.follow(agent, USER)
    live.open(agent, **changes)
    return agent


def later(live: LiveWorld, times: int = 1) -> None:
    """What waits for a later try is tried; what still cannot be done comes again."""
    for _ in range(times):
        live.clock.pass_seconds(60)
        as_far_as_it_goes(live, live.try_again)


def rest(live: LiveWorld) -> None:
    as_far_as_it_goes(live, live.come_to_rest)


def as_far_as_it_goes(live: LiveWorld, work: Callable[[], object]) -> None:
    try:
        work()
    except (AssertionError, Overtaken, VenueUnavailable):
        live.queues.orders.clear()


def test_a_close_that_is_halted_leaves_the_stop_where_it_is(live: LiveWorld) -> None:
    agent = opened(live)
    live.control("global", None, "HALTED")

    live.close(agent)
    rest(live)
    later(live, 3)

    assert live.resting() == 1
    live.tell("price", coin="BTC", price="56000")
    assert live.held() == 0


def test_a_close_that_cannot_be_priced_leaves_the_stop_where_it_is(live: LiveWorld) -> None:
    agent = opened(live)
    live.tell("fail", mode="503", type="l2Book", times=100)

    live.close(agent)
    rest(live)

    assert live.resting() == 1


def test_a_cancel_that_was_refused_is_told_again(live: LiveWorld) -> None:
    agent = opened(live)
    live.approve("SECOND", at_venue=False)
    live.close(agent)
    rest(live)
    live.approve("SECOND", at_venue=True)

    later(live, 2)

    assert live.held() == 0
    outcomes = live.rows("SELECT outcome FROM venue_actions WHERE kind = 'CANCEL'")
    assert [row["outcome"] for row in outcomes][-1] == "OK"


def test_requests_that_are_used_up_bar_a_close_only_for_as_long(live: LiveWorld) -> None:
    agent = opened(live)
    live.tell("account", user=USER, requestsUsed=10**9)
    live.close(agent)
    rest(live)
    live.tell("account", user=USER, requestsUsed=0)

    later(live, 3)

    assert live.held() == 0


def test_a_key_that_ended_is_replaced_though_a_stop_rests(live: LiveWorld) -> None:
    opened(live)
    (row,) = live.rows(
        "UPDATE venue_accounts SET key_ref = 'kms:k', approved_until = now() - interval '2 hours'"
        " RETURNING *"
    )
    of = Signing(account=row["account"], venue="HYPERLIQUID", signer_address=row["signer_address"])
    live.rows("UPDATE venue_accounts SET approval_lost_at = now() - interval '2 hours'")

    assert Accounts(live.database).retire_key(of) == "kms:k"


def test_an_approval_lets_waiting_exits_go_at_once(live: LiveWorld) -> None:
    agent = opened(live)
    accounts = Accounts(live.database)
    (row,) = live.rows("UPDATE venue_accounts SET approved_until = NULL RETURNING *")
    of = Signing(account=row["account"], venue="HYPERLIQUID", signer_address=row["signer_address"])
    live.close(agent)
    rest(live)
    live.rows("UPDATE venue_orders SET due_at = now() + interval '1 hour' WHERE status = 'PLANNED'")

    accounts.store_approval(of, live.clock() + timedelta(days=9))

    due = live.rows("SELECT due_at <= now() AS due FROM venue_orders WHERE status = 'PLANNED'")
    assert [each["due"] for each in due] == [True]


def test_a_stop_that_is_too_large_for_the_venue_becomes_a_close(live: LiveWorld) -> None:
    agent = live.live(usd=20_000_000)
    live.tell("depth", coin="BTC", sizes=["2000"])
    live.open(
        agent,
        side="SHORT",
        sizeModel={"type": "fixed-usdc", "value": "9000000", "leverage": "3"},
        riskModel={"stopLoss": "0.1"},
    )
    live.come_to_rest()

    later(live, 6)

    refusals = [row["refusal"] for row in live.orders() if row["purpose"] == "STOP_LOSS"]
    assert refusals == ["ORDER_TOO_LARGE"] * 3
    assert live.held() == 0


def test_a_stop_rests_for_all_of_its_position_though_positions_are_told_late(
    live: LiveWorld,
) -> None:
    live.open(live.live())
    live.come_to_rest()
    live.clock.pass_seconds(60)
    live.tell("lag", positions=8)

    second_position(live, sizeModel={"type": "fixed-usdc", "value": "500", "leverage": "3"}, **STOP)
    live.come_to_rest()
    later(live, 2)

    (order,) = [each for each in live.books()["orders"] if each["status"] == "open"]
    assert Decimal(order["origSz"]) == live.order("STOP_LOSS")["size"] > Decimal("0.02")


def test_a_take_profit_in_doubt_does_not_bar_the_stop(live: LiveWorld) -> None:
    agent = live.live()
    live.tell("lag", positions=8)
    live.open(agent, **BOUNDS)
    live.work_one()
    live.work_one()  # the stop is refused, since positions are late
    live.clock.pass_seconds(10)
    live.tell("fail", mode="drop", type="order", processed=True, times=1)
    live.tell("fail", mode="503", type="orderStatus", times=50)
    live.work_one()
    assert live.order("TAKE_PROFIT")["status"] == OrderStatus.SENT

    live.rows("UPDATE venue_orders SET due_at = now() WHERE status = 'PLANNED'")
    live.queues.send_orders(live.store.enqueue_due_orders(10), again=True)
    live.work_one()

    assert live.order("STOP_LOSS")["status"] in (OrderStatus.SENT, OrderStatus.ACCEPTED)


def test_a_stop_whose_cancel_was_refused_takes_no_other_position(live: LiveWorld) -> None:
    opened(live)
    second_position(live)
    live.come_to_rest()
    live.rows(
        "UPDATE positions SET status = 'CLOSED', closed_at = now(), open_qty = 0"
        " WHERE stop_loss IS NOT NULL"
    )
    live.tell("trade", user=USER, coin="BTC", buy=False, size=str(live.held() / 2))
    live.tell("account", user=USER, requestsUsed=10**9)
    rest(live)
    live.tell("account", user=USER, requestsUsed=0)
    later(live, 2)

    live.tell("price", coin="BTC", price="56000")

    assert live.resting() == 0
    assert live.held() > 0


def test_many_orders_that_cannot_end_keep_no_new_one_from_being_asked_about(
    live: LiveWorld,
) -> None:
    opened(live)
    stop = live.order("STOP_LOSS")
    live.database.run_together(
        ("SET LOCAL session_replication_role = replica", {}),
        ("UPDATE positions SET status = 'CLOSED', open_qty = 0, closed_at = now()", {}),
        (COPIES, {"id": stop["id"]}),
    )
    live.tell("fail", mode="drop", type="order", processed=True, times=1)
    live.tell("fail", mode="503", type="orderStatus", times=4)
    second_position(live)
    live.work()
    entry = live.order("ENTRY")
    assert entry["status"] == OrderStatus.SENT

    asked = [each.id for each in live.store.unsettled_orders(0, 200)]

    assert entry["id"] in asked[:2]


def test_an_order_that_cannot_be_priced_keeps_no_other_of_its_account_waiting(
    live: LiveWorld,
) -> None:
    """As SQS delivers: while a message is hidden, none behind it in its group is seen."""
    agent = live.live()
    live.tell("price", coin="ETH", price="3000")
    live.open(agent, "ETH")
    live.work()
    live.tell("depth", coin="ETH", sizes=[])
    live.close(agent, "ETH")
    live.open(agent, "BTC", **STOP)
    waiting: dict[str, float] = {}
    now = 0.0
    while now < 120 and live.resting() == 0:
        now += deliver_one(live, waiting, now)

    assert live.resting() == 1
    assert now < 30


def deliver_one(live: LiveWorld, hidden: dict[str, float], now: float) -> float:
    """The first message whose group nothing hides; returns the seconds until there was one."""
    queue = live.queues.orders
    ticket = next((each for each in queue if hidden.get(str(each.id), 0) <= now), None)
    if ticket is None:
        return 1
    queue.remove(ticket)
    body = json.dumps({"orderId": str(ticket.id)})
    delivery = Delivery(
        body=body, group=str(ticket.id), receipt_handle="r", receive_count=1, queue_url="q"
    )
    try:
        consume(delivery, live.queues, lambda: live.deps)
    except AgentWhereError:
        hidden[str(ticket.id)] = now + live.queues.delays[-1]
        queue.append(ticket)
    return 0
