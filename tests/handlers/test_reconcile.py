"""reconcile: what was lost is sent again, what is open is settled, the figures are written."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any
from uuid import UUID

import pytest

from agent_where.errors import QueueUnavailable
from agent_where.messages import SignalRef
from agent_where.store.connection import Database
from agent_where.store.records import OrderTicket, SignalTicket
from tests.failing_venues import Deadly, Died
from tests.handlers.workers import Worker, working
from tests.world import MemoryQueues, World, signal


class Away(MemoryQueues):
    """Queues that are away until told otherwise."""

    def __init__(self) -> None:
        super().__init__()
        self.away = False

    def send_signals(self, signals: Sequence[SignalTicket]) -> None:
        if signals:
            self._here()
        super().send_signals(signals)

    def send_orders(self, orders: Sequence[OrderTicket], *, again: bool = False) -> None:
        if orders:
            self._here()
        super().send_orders(orders, again=again)

    def depths(self) -> dict[str, int]:
        self._here()
        return super().depths()

    def _here(self) -> None:
        if self.away:
            raise QueueUnavailable("the queue is away")


@pytest.fixture
def queues() -> Away:
    return Away()


@pytest.fixture
def world(database_dsn: str, connections: list[Database], queues: Away) -> Iterator[World]:
    made = World(database_dsn, queues)
    made.both_markets()
    yield made
    made.dispose()


@pytest.fixture
def worker(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    with working("reconcile", world.dsn, monkeypatch, world.queues) as made:
        yield made


def followed(world: World) -> UUID:
    agent = world.agent()
    world.follow(agent)
    return agent


def lost_signal(world: World) -> UUID:
    """A signal that stands in the database, and whose message nobody has."""
    message = signal(followed(world))
    world.store.insert_signal(message)
    return message.signal_id


def age(world: World, what: str, seconds: int) -> None:
    """Let its last message be that old."""
    world.rows(
        f"UPDATE {what} SET enqueued_at = now() - make_interval(secs => :s) RETURNING id", s=seconds
    )


def unsettled(world: World) -> UUID:
    """An order that was sent a while ago by a worker that died."""
    world.open(followed(world))
    ticket = world.queues.orders.popleft()
    world.venues["HYPERLIQUID"] = Deadly(world.paper("HYPERLIQUID"))
    with suppress(Died):
        world.executor().execute(ticket.id)
    world.venues.clear()
    world.database.run_together(
        ("SET LOCAL session_replication_role = replica", {}),  # time passes
        ("UPDATE venue_orders SET sent_at = now() - interval '16 seconds'", {}),
    )
    return ticket.id


def figures(world: World) -> dict[str, Any]:
    (row,) = world.rows(
        "SELECT figures, now() - at < interval '5 seconds' AS new FROM system_figures"
    )
    assert row["new"]
    return dict(row["figures"])


def test_with_nothing_to_do_the_figures_are_written_all_the_same(
    worker: Worker, world: World
) -> None:
    answer = worker.run("schedule")

    assert answer == {
        "success": True,
        "signals_sent_again": 0,
        "orders_sent_again": 0,
        "settled": 0,
        "still_open": 0,
        "cannot_end": 0,
        "compared": 0,
        "booked": 0,
        "queue_fault": None,
        "restore_waits_for": (),
    }
    assert figures(world) == {
        "signalQueueDepth": 0,
        "orderQueueDepth": 0,
        "deadLetters": 0,
        "undecidedSignals": 0,
        "plannedOrdersDue": 0,
        "unsettledOrders": 0,
        "oldestUnsettledSeconds": None,
        "openPositions": 0,
        "positionsUnexpected": 0,
        "positionsUnexplained": 0,
        "signersLowOnGas": 0,
        "positionsUnprotected": 0,
        "stopLossesGivenUp": 0,
        "boundsNotTakenBack": 0,
        "ordersHeldUp": 0,
        "closesOverdue": 0,
        "ordersCannotEnd": 0,
        "accountsUsedUp": 0,
    }


def test_a_lost_signal_is_sent_again_with_growing_gaps(worker: Worker, world: World) -> None:
    lost = lost_signal(world)

    for gap in (90, 180, 360):
        age(world, "signals", gap - 5)
        assert worker.run("schedule")["signals_sent_again"] == 0
        age(world, "signals", gap + 5)
        assert worker.run("schedule")["signals_sent_again"] == 1
        assert worker.run("schedule")["signals_sent_again"] == 0

    assert list(world.queues.signals) == [lost] * 3


def test_a_lost_signal_that_is_sent_again_trades(worker: Worker, world: World) -> None:
    lost = lost_signal(world)
    age(world, "signals", 100)
    worker.run("schedule")

    world.take(SignalRef(signal_id=world.queues.signals.popleft()))
    world.work()

    assert [row["signal_id"] for row in world.positions()] == [lost]


def test_a_due_order_that_no_message_carries_is_sent_again_once(
    worker: Worker, world: World
) -> None:
    world.open(followed(world))
    ticket = world.queues.orders.popleft()
    assert worker.run("schedule")["orders_sent_again"] == 0
    age(world, "venue_orders", 91)

    assert worker.run("schedule")["orders_sent_again"] == 1
    assert worker.run("schedule")["orders_sent_again"] == 0

    assert list(world.queues.orders) == [ticket]


def test_an_order_sent_by_a_worker_that_died_is_settled(worker: Worker, world: World) -> None:
    entry = unsettled(world)

    answer = worker.run("schedule")

    assert (answer["settled"], answer["still_open"]) == (1, 0)
    assert [(row["id"], row["status"]) for row in world.orders()] == [(entry, "FILLED")]
    assert figures(world)["openPositions"] == 1


def test_an_order_whose_account_is_busy_is_left_for_the_next_run(
    worker: Worker, world: World
) -> None:
    unsettled(world)
    world.rows(
        "UPDATE venue_accounts SET lease_token = :token,"
        " lease_until = clock_timestamp() + interval '1 minute' RETURNING account",
        token=UUID(int=1),
    )

    answer = worker.run("schedule")

    assert (answer["settled"], answer["still_open"]) == (0, 1)
    assert figures(world)["unsettledOrders"] == 1
    assert figures(world)["oldestUnsettledSeconds"] >= 16


def test_queues_that_are_away_are_told_in_the_figures(
    worker: Worker, world: World, queues: Away
) -> None:
    queues.away = True

    worker.run("schedule")

    assert figures(world)["queuesUnavailable"] == "the queue is away"


def test_while_the_queue_is_away_open_orders_are_settled_and_the_figures_written(
    worker: Worker, world: World, queues: Away
) -> None:
    unsettled(world)
    lost_signal(world)
    age(world, "signals", 100)
    queues.away = True

    answer = worker.run("schedule")

    assert (answer["success"], answer["queue_fault"]) == (False, "the queue is away")
    assert [row["status"] for row in world.orders()] == ["FILLED"]
    assert figures(world)["undecidedSignals"] == 1


def test_a_follow_up_that_cannot_be_sent_holds_up_no_other_order(
    worker: Worker, world: World, queues: Away
) -> None:
    unsettled(world)
    unsettled(world)
    for agent in world.rows("SELECT id FROM agents"):
        world.close(agent["id"])
    queues.away = True

    answer = worker.run("schedule")

    assert answer["settled"] == 2
    assert figures(world)["openPositions"] == 2


def test_a_queue_that_is_away_for_several_runs_does_not_put_signals_off(
    worker: Worker, world: World, queues: Away
) -> None:
    id_ = lost_signal(world)
    age(world, "signals", 100)
    queues.away = True
    for _ in range(3):
        assert worker.run("schedule")["queue_fault"] == "the queue is away"

    queues.away = False
    answer = worker.run("schedule")

    assert answer["signals_sent_again"] == 1
    assert list(queues.signals) == [id_]


def test_an_order_that_cannot_be_read_does_not_hold_up_the_others(
    worker: Worker, world: World
) -> None:
    broken = unsettled(world)
    unsettled(world)
    world.rows(
        "SELECT set_config('session_replication_role', 'replica', false)",
    )
    world.rows(
        "UPDATE signals SET size_model = CAST(:bad AS jsonb)"
        " WHERE id = (SELECT signal_id FROM venue_orders WHERE id = :id) RETURNING id",
        bad={"type": "nonsense"},
        id=broken,
    )
    world.rows("SELECT set_config('session_replication_role', 'origin', false)")

    answer = worker.run("schedule")

    assert (answer["settled"], answer["still_open"], answer["cannot_end"]) == (1, 1, 1)
    assert figures(world)["ordersCannotEnd"] == 1
