"""What an operator has to look after, counted: each figure from what brings it about."""

from collections.abc import Iterator, Mapping
from typing import Any, cast

import pytest

from agent_where.domain import Order, OrderStatus, Purpose
from agent_where.errors import VenueRejected
from agent_where.reconciling import write_figures
from agent_where.venues.base import Action, ActionKind, Venue
from agent_where.venues.tally import Said
from tests.live_world import USER, LiveWorld, live_world

TIMES = {
    "positions": ("opened_at", "closed_at"),
    "venue_orders": ("created_at", "due_at", "settled_at"),
}
BOUNDS: dict[str, Any] = {"riskModel": {"stopLoss": "0.05", "takeProfit": "0.1"}}
WATCHED = (
    "positionsUnprotected",
    "stopLossesGivenUp",
    "boundsNotTakenBack",
    "ordersHeldUp",
    "closesOverdue",
    "accountsUsedUp",
)


@pytest.fixture
def live(database_dsn: str) -> Iterator[LiveWorld]:
    with live_world(database_dsn) as made:
        yield made


def watched(live: LiveWorld) -> Mapping[str, int]:
    """The figures that are not at none."""
    figures = write_figures(live.deps)
    return {name: figures[name] for name in WATCHED if figures[name]}


def minutes_pass(live: LiveWorld, minutes: int, *changes: str) -> None:
    """In the ledger, and whatever else changes without a worker's doing."""
    aged = [
        f"UPDATE {table} SET "
        + ", ".join(f"{name} = {name} - interval '{minutes} minutes'" for name in columns)
        for table, columns in TIMES.items()
    ]
    live.database.run_together(
        ("SET LOCAL session_replication_role = replica", {}),
        *((text, {}) for text in (*changes, *aged)),
    )


def test_a_position_whose_bounds_rest_needs_nobody(live: LiveWorld) -> None:
    live.open(live.live(), **BOUNDS)
    live.come_to_rest()
    minutes_pass(live, 10)

    assert watched(live) == {}


def test_a_position_without_its_stop_loss_at_the_venue_is_not_protected(live: LiveWorld) -> None:
    live.open(live.live(), **BOUNDS)
    live.come_to_rest()
    stopped = (
        "UPDATE venue_orders SET status = 'EXPIRED', settled_at = now(), detail = 'cancelled'"
        " WHERE purpose = 'STOP_LOSS'"
    )

    minutes_pass(live, 1, stopped)
    assert watched(live) == {}
    minutes_pass(live, 2)

    assert watched(live) == {"positionsUnprotected": 1}


def test_a_position_that_was_to_have_no_stop_loss_needs_none(live: LiveWorld) -> None:
    live.open(live.live())
    live.come_to_rest()
    minutes_pass(live, 10)

    assert watched(live) == {}


class NoStops:
    """The venue, except that it takes no stop-loss."""

    def __init__(self, venue: Venue) -> None:
        self._venue = venue

    def __getattr__(self, name: str) -> Any:
        return getattr(self._venue, name)

    def send(self, order: Order, action: Action) -> Any:
        if order.purpose is Purpose.STOP_LOSS and action.kind is ActionKind.ORDER:
            raise VenueRejected("HYPERLIQUID", "Invalid TP/SL price")
        return self._venue.send(order, action)


def test_a_stop_loss_that_gave_way_to_a_close_is_counted_for_an_hour(live: LiveWorld) -> None:
    agent = live.live()
    live.venues["HYPERLIQUID"] = cast("Venue", NoStops(live.hyperliquid))
    live.open(agent, **BOUNDS)
    for _ in range(3):
        assert watched(live) == {}
        live.come_to_rest()
        live.rows("UPDATE venue_orders SET due_at = now() WHERE status = 'PLANNED'")
        live.queues.send_orders(live.store.enqueue_due_orders(10), again=True)
    live.come_to_rest()

    assert [row["status"] for row in live.positions()] == ["CLOSED"]
    assert watched(live) == {"stopLossesGivenUp": 1}
    minutes_pass(live, 61)
    assert watched(live) == {}


@pytest.mark.parametrize("rested", [True, False])
def test_a_stop_loss_that_fired_without_trading_was_not_given_up(
    live: LiveWorld, rested: bool
) -> None:
    agent = live.live()
    live.open(agent, **BOUNDS)
    live.work_one()
    if rested:
        live.come_to_rest()
        live.tell("depth", coin="BTC", sizes=[])
    live.tell("price", coin="BTC", price="56000")
    live.clock.pass_seconds(30)
    live.tell("depth", coin="BTC", sizes=None)
    live.come_to_rest()

    assert [row["status"] for row in live.positions()] == ["CLOSED"]
    assert live.order("STOP_LOSS")["status"] == OrderStatus.REJECTED
    assert watched(live) == {}


def test_a_bound_that_outlives_its_position_is_counted(live: LiveWorld) -> None:
    live.open(live.live(), **BOUNDS)
    live.come_to_rest()
    closed = "UPDATE positions SET status = 'CLOSED', closed_at = now(), open_qty = 0"

    minutes_pass(live, 4, closed)
    assert watched(live) == {}
    minutes_pass(live, 2)

    assert watched(live) == {"boundsNotTakenBack": 2}


def test_an_exit_that_is_late_is_counted_and_an_entry_is_not(live: LiveWorld) -> None:
    agent = live.live()
    live.open(agent)
    minutes_pass(live, 6)
    assert watched(live) == {}
    live.come_to_rest()

    live.close(agent)
    minutes_pass(live, 6)

    assert watched(live) == {"ordersHeldUp": 1}


def test_an_account_whose_requests_are_used_up_is_refused_for_good_and_counted(
    live: LiveWorld,
) -> None:
    agent = live.live()
    live.tell("account", user=USER, requestsUsed=10_000)

    live.open(agent)
    live.open(agent)
    live.come_to_rest()

    ends = {(row["status"], row["refusal"]) for row in live.orders()}
    assert ends == {(OrderStatus.REJECTED, "REQUESTS_USED_UP")}
    assert all("Too many cumulative requests" in row["detail"] for row in live.orders())
    assert watched(live) == {"accountsUsedUp": 1}
    assert live.tally.take() == {("HYPERLIQUID", Said.REQUESTS_USED_UP): 2}
    minutes_pass(live, 61)
    assert watched(live) == {}


def test_an_answer_429_is_counted(live: LiveWorld) -> None:
    live.tell("fail", mode="429", type="order", processed=False, times=1)

    live.open(live.live())
    live.come_to_rest()

    assert live.tally.take() == {("HYPERLIQUID", Said.TOO_MANY_REQUESTS): 1}
