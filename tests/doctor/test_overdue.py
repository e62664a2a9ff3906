"""A position that cannot be closed is told, though each close that is refused plans the next."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from agent_where.domain import Market, Order, Purpose, Quote
from agent_where.errors import VenueRejected
from agent_where.measuring import WATCHED
from agent_where.reconciling import write_figures
from tests.doctor.examining import BOUNDS, break_in, examine, found
from tests.netting import NettingVenue, NettingWorld, Wanted, netting_world

ENDED_KEY = "User or API Wallet does not exist"


class Closed(NettingVenue):
    """The venue, except that while it is `shut` it refuses to close anything, in its own words."""

    shut = True

    def next_action(self, order: Order, market: Market, quote: Quote) -> Wanted:
        if self.shut and order.purpose is Purpose.CLOSE:
            raise VenueRejected(self.id, ENDED_KEY)
        return super().next_action(order, market, quote)


@pytest.fixture
def world(database_dsn: str) -> Iterator[NettingWorld]:
    with netting_world(database_dsn, Closed()) as made:
        yield made


def time_passes(world: NettingWorld, by: timedelta) -> None:
    ages = {
        "venue_orders": ("created_at", "due_at", "enqueued_at", "sent_at", "settled_at"),
        "positions": ("opened_at", "closed_at"),
        "venue_actions": ("created_at",),
    }
    world.place.pass_time(int(by.total_seconds()))
    break_in(
        world,
        *(
            f"UPDATE {table} SET "
            + ", ".join(f"{name} = {name} - interval '{by.total_seconds()} s'" for name in columns)
            for table, columns in ages.items()
        ),
    )


def try_for(world: NettingWorld, whole: timedelta) -> None:
    """What is due is tried the moment it is, until so much time has passed."""
    left = whole
    while left > timedelta():
        (row,) = world.rows(
            "SELECT min(due_at) - now() AS waits FROM venue_orders WHERE status = 'PLANNED'"
        )
        step = min(left, max(row["waits"] or left, timedelta(seconds=1)))
        time_passes(world, step)
        left -= step
        world.queues.send_orders(world.store.enqueue_due_orders(100), again=True)
        world.work()


def rung(world: NettingWorld) -> dict[str, Any]:
    """The figures with an alarm that are not at none."""
    figures = write_figures(world.deps)
    return {name: figures[name] for name in WATCHED if figures[name]}


def to_be_closed(world: NettingWorld, **changes: Any) -> UUID:
    """A position whose close was refused for the first time."""
    agent = world.follower(world.user())
    world.buy(agent, "1", **changes)
    world.close(agent)
    world.work()
    return agent


def test_six_hours_of_refused_closes_ring_and_are_told_with_why(world: NettingWorld) -> None:
    to_be_closed(world)

    try_for(world, timedelta(hours=6))

    closes = [row for row in world.orders() if row["purpose"] == "CLOSE"]
    assert len(closes) > 25
    assert {row["status"] for row in closes} == {"REJECTED", "PLANNED"}
    assert rung(world) == {"closesOverdue": 1}
    diagnosis = examine(world, venues=True)
    assert found(diagnosis) == {"closes_overdue": 1}
    assert not diagnosis.sound
    (check,) = (each for each in diagnosis.checks if not each.ok)
    assert ENDED_KEY in check.rows[0].detail
    assert check.rows[0].since is not None
    assert diagnosis.checked_at - check.rows[0].since > timedelta(hours=5, minutes=59)


def test_it_has_a_quarter_of_an_hour_and_ends_with_the_position(world: NettingWorld) -> None:
    to_be_closed(world)

    try_for(world, timedelta(minutes=14))
    assert (rung(world), found(examine(world))) == ({}, {})
    try_for(world, timedelta(minutes=2))
    assert rung(world) == {"closesOverdue": 1}
    assert found(examine(world)) == {"closes_overdue": 1}

    world.place.shut = False  # type: ignore[attr-defined]
    try_for(world, timedelta(minutes=16))
    assert [row["status"] for row in world.positions()] == ["CLOSED"]
    assert (rung(world), found(examine(world))) == ({}, {})


def test_a_close_that_nothing_follows_is_told(world: NettingWorld) -> None:
    to_be_closed(world)
    break_in(world, "DELETE FROM venue_orders WHERE purpose = 'CLOSE' AND status = 'PLANNED'")

    time_passes(world, timedelta(minutes=16))

    assert rung(world) == {"closesOverdue": 1}
    assert found(examine(world)) == {"closes_overdue": 1}


def test_a_close_in_a_stop_s_stead_counts_from_when_it_was_planned(world: NettingWorld) -> None:
    """Its price was passed, and the venue refuses the close that took its place."""
    agent = world.follower(world.user())
    world.buy(agent, "1", **BOUNDS)
    time_passes(world, timedelta(hours=2))
    (stop,) = (row for row in world.orders() if row["purpose"] == "STOP_LOSS")
    world.place.orders[stop["id"]].status = "canceled"
    break_in(
        world,
        "UPDATE venue_orders SET status = 'REJECTED', refusal = 'TRIGGER_PASSED', detail = 'x',"
        " settled_at = now() WHERE purpose = 'STOP_LOSS'",
        "INSERT INTO venue_orders (id, signal_id, deployment_id, position_id, purpose, leg,"
        " attempt, venue, account, mode, token_symbol, market_name, side, reduce_only, leverage,"
        " due_at)"
        " SELECT gen_random_uuid(), signal_id, deployment_id, position_id, 'CLOSE',"
        " 'CLOSE:' || position_id, 1, venue, account, mode, token_symbol, market_name, side, true,"
        " leverage, now() FROM venue_orders WHERE purpose = 'STOP_LOSS'",
    )

    try_for(world, timedelta(minutes=14))
    assert "closesOverdue" not in rung(world)
    assert found(examine(world)) == {"positions_unprotected": 1}
    try_for(world, timedelta(minutes=2))

    assert rung(world) == {"positionsUnprotected": 1, "closesOverdue": 1}
    assert found(examine(world)) == {"positions_unprotected": 1, "closes_overdue": 1}


def test_a_position_that_opened_after_its_close_was_decided_counts_from_its_opening(
    world: NettingWorld,
) -> None:
    to_be_closed(world)
    try_for(world, timedelta(minutes=20))

    break_in(world, "UPDATE positions SET opened_at = now() - interval '14 minutes'")

    assert (rung(world), found(examine(world))) == ({}, {})
