"""An order that lacks its key: it waits in the ledger, later each time, and is never lost."""

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from agent_where.consuming import Delivery, consume
from agent_where.domain import OrderStatus
from agent_where.errors import BadSetting
from agent_where.execution.executor import Outcome
from agent_where.execution.signers import Signers
from agent_where.reconciling import write_figures
from tests.live_world import KEYS, LiveWorld, live_world


@pytest.fixture
def live(database_dsn: str) -> Iterator[LiveWorld]:
    with live_world(database_dsn) as made:
        yield made


def lose_the_key(live: LiveWorld) -> None:
    live.signers = Signers(allow_env=True, environment={})


def find_the_key(live: LiveWorld) -> None:
    live.signers = Signers(allow_env=True, environment=KEYS)


def deliver(live: LiveWorld) -> Outcome:
    """The next message of the order queue, as a worker takes it."""
    ticket = live.queues.orders.popleft()
    body = f'{{"orderId": "{ticket.id}"}}'
    delivery = Delivery(
        body=body, group="g", receipt_handle="r", receive_count=1, queue_url="http://127.0.0.1:1/o"
    )
    outcome = consume(delivery, live.queues, lambda: live.deps)
    assert isinstance(outcome, Outcome)
    return outcome


def waits(live: LiveWorld, order_id: UUID) -> timedelta:
    (row,) = live.rows(
        "SELECT due_at - now() AS waits FROM venue_orders WHERE id = :id", id=order_id
    )
    found: timedelta = row["waits"]
    return found


def time_passes(live: LiveWorld, seconds: int) -> None:
    aged = ", ".join(
        f"{name} = {name} - make_interval(secs => :s)"
        for name in ("created_at", "due_at", "enqueued_at")
    )
    live.database.run_together(
        ("SET LOCAL session_replication_role = replica", {}),
        (f"UPDATE venue_orders SET {aged}", {"s": seconds}),
    )


def held_up(live: LiveWorld) -> int:
    return int(write_figures(live.deps)["ordersHeldUp"])


def test_its_message_is_done_and_the_order_says_why_it_waits(
    live: LiveWorld, caplog: pytest.LogCaptureFixture
) -> None:
    live.open(live.live())
    lose_the_key(live)

    outcome = deliver(live)

    order = live.order()
    assert (outcome.order_id, outcome.status) == (order["id"], OrderStatus.PLANNED)
    assert order["status"] == OrderStatus.PLANNED
    assert "private key" in order["detail"]
    assert held_up(live) == 1
    assert [each.levelno for each in caplog.records if "as things stand" in each.getMessage()] == [
        logging.ERROR
    ]
    assert live.books()["fills"] == []


def test_it_waits_longer_each_time_and_a_quarter_of_an_hour_at_most(live: LiveWorld) -> None:
    live.open(live.live(), expiresAt="2100-01-01T00:00:00Z")
    lose_the_key(live)
    waited = []

    for _ in range(8):
        order_id = deliver(live).order_id
        waited.append(waits(live, order_id))
        time_passes(live, int(waited[-1].total_seconds()) + 91)
        (ticket,) = live.store.enqueue_due_orders(10)
        live.queues.send_orders([ticket], again=True)

    seconds = [round(each.total_seconds()) for each in waited]
    assert seconds[0] == 30
    assert seconds == sorted(seconds)
    assert seconds[-1] == 900


def test_a_second_message_for_it_finds_nothing_to_do_meanwhile(live: LiveWorld) -> None:
    live.open(live.live())
    live.queues.orders.extend(list(live.queues.orders))
    lose_the_key(live)
    order_id = deliver(live).order_id
    before = waits(live, order_id)

    assert deliver(live).status is OrderStatus.PLANNED

    assert waits(live, order_id) <= before


@pytest.mark.parametrize("what", ["entry", "close"])
def test_with_its_key_back_it_goes_out(live: LiveWorld, what: str) -> None:
    agent = live.live()
    live.open(agent, expiresAt="2100-01-01T00:00:00Z")
    if what == "close":
        live.come_to_rest()
        live.close(agent)
    lose_the_key(live)
    deliver(live)
    assert held_up(live) == 1

    find_the_key(live)
    time_passes(live, 120)
    live.queues.send_orders(live.store.enqueue_due_orders(10), again=True)
    live.come_to_rest()

    assert {row["status"] for row in live.orders()} == {OrderStatus.FILLED}
    assert not any("key" in row["detail"] for row in live.orders())
    assert held_up(live) == 0
    assert (live.held() != 0) == (what == "entry")


def test_an_entry_that_waited_too_long_ends_expired(live: LiveWorld) -> None:
    live.open(live.live())
    lose_the_key(live)
    deliver(live)
    live.database.run_together(
        ("SET LOCAL session_replication_role = replica", {}),
        ("UPDATE signals SET expires_at = now() - interval '1 second'", {}),
    )
    time_passes(live, 120)

    live.queues.send_orders(live.store.enqueue_due_orders(10), again=True)
    deliver(live)

    assert live.order()["refusal"] == "SIGNAL_EXPIRED"
    assert held_up(live) == 0


def test_what_is_missing_for_everything_leaves_the_message_on_its_queue(live: LiveWorld) -> None:
    live.open(live.live())
    ticket = live.queues.orders[0]
    told: dict[str, Any] = {"group": "g", "receipt_handle": "r", "receive_count": 1}

    def deps() -> Any:
        raise BadSetting("the database is not set up")

    with pytest.raises(BadSetting):
        consume(
            Delivery(
                body=f'{{"orderId": "{ticket.id}"}}', queue_url="http://127.0.0.1:1/o", **told
            ),
            live.queues,
            deps,
        )

    assert live.order()["detail"] == ""
