"""A database restored to an earlier moment trades nothing again, nor what it has forgotten.

The restore is one: a copy of the database as it stood then, on a real server.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from agent_where.doctor import diagnose
from agent_where.domain import Side
from agent_where.ids import order_id
from agent_where.messages import OrderRef, SignalRef
from local.postgres import Postgres
from tests.doctor.examining import found, instruments
from tests.doctor.restored_world import MARKET, TOLD, Restored, executed, restored_world
from tests.world import close_signal, signal


@pytest.fixture
def restored(postgres: Postgres, database_dsn: str) -> Iterator[Restored]:
    with restored_world(postgres, database_dsn) as made:
        yield made


def two_minutes_ago() -> str:
    return f"{datetime.now(UTC) - timedelta(minutes=2):%Y-%m-%dT%H:%M:%SZ}"


def test_nothing_trades_while_a_restore_is_open_even_where_an_operator_lifts_the_halt(
    restored: Restored,
) -> None:
    world = restored.world
    answer = restored.begin()
    controls = world.rows("SELECT state, by_operator FROM trading_controls WHERE scope = 'global'")
    assert answer["success"]
    assert controls == [{"state": "HALTED", "by_operator": True}]
    restored.lift()
    trades = executed(world.place)

    outcome = world.open(restored.agent)
    world.close(restored.agent)
    world.work()

    assert "HALTED" in outcome.detail
    assert executed(world.place) == trades
    assert {row["status"] for row in world.orders()} <= {"FILLED", "REJECTED", "PLANNED"}


def test_nobody_opens_after_a_restore_until_an_operator_has_looked_at_them(
    restored: Restored,
) -> None:
    """Who left, or was stopped over a stolen key, is traded again by what has forgotten it."""
    world = restored.world
    control = "SELECT control_for(NULL, NULL, d.id) AS state FROM agent_deployments d WHERE id = :d"
    answer = restored.begin()
    held = restored.operate(held={})["deployments"]
    restored.operate(accept=TOLD)
    world.control("global", None, "ACTIVE")

    opening = world.open(restored.agent).signal_id
    world.work()

    assert answer["restore"]["held"] == len(held) == 2
    assert [each["openPositions"] for each in held] == [1, 0]
    orders = world.rows("SELECT status, refusal FROM venue_orders WHERE signal_id = :s", s=opening)
    assert orders == [{"status": "REJECTED", "refusal": "CLOSE_ONLY"}]

    (left,) = (each["id"] for each in held if each["id"] != str(restored.follower))
    answer = restored.operate(release={"leave": [left], **TOLD})
    assert (answer["released"], answer["stillHeld"]) == (1, 0)
    assert restored.operate(held={})["deployments"] == []
    assert restored.operate(release={**TOLD})["released"] == 0
    assert world.rows(control, d=restored.follower) == [{"state": "ACTIVE"}]
    assert world.rows(control, d=UUID(left)) == [{"state": "CLOSE_ONLY"}]


def test_what_is_to_be_left_and_is_not_held_lets_nobody_go(restored: Restored) -> None:
    restored.begin()

    answer = restored.operate(release={"leave": [str(restored.agent)], **TOLD})

    assert not answer["success"]
    assert str(restored.agent) in answer["error"]
    assert len(restored.operate(held={})["deployments"]) == 2


def test_what_was_stopped_already_stays_as_it_is_and_is_not_released(restored: Restored) -> None:
    restored.world.control("deployment", str(restored.follower), "HALTED")

    restored.begin()
    restored.operate(release={**TOLD})

    rows = restored.world.rows(
        "SELECT state FROM trading_controls WHERE id = :id", id=str(restored.follower)
    )
    assert rows == [{"state": "HALTED"}]


def test_what_came_in_before_is_refused_whatever_carries_it_and_the_next_signal_trades(
    restored: Restored,
) -> None:
    world = restored.world
    restored.begin()
    assert restored.operate(accept=TOLD)["accepted"]
    restored.lift()
    trades = executed(world.place)
    sent_twice = signal(restored.agent, createdAt=two_minutes_ago())
    fresh = signal(restored.agent)

    world.take(SignalRef(signal_id=restored.undecided.signal_id))
    world.take(sent_twice)
    world.deps.executor().execute(OrderRef(order_id=restored.planned).order_id)
    world.work()

    assert executed(world.place) == trades
    (planned,) = world.rows("SELECT * FROM venue_orders WHERE id = :id", id=restored.planned)
    assert (planned["status"], planned["refusal"]) == ("REJECTED", "SUPERSEDED")
    for message in (restored.undecided, sent_twice):
        row = world.signal_row(message.signal_id)
        assert row["decided_at"] is not None
        assert "a restore, came after the signal" in row["skipped_reason"]

    world.take(fresh)
    world.work()
    assert executed(world.place) == trades + 1


@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.parametrize("decision", ["adopt", "ignore"])
def test_an_entry_that_was_forgotten_is_known_by_its_id_when_its_signal_comes_again(
    restored: Restored, attempt: int, decision: str
) -> None:
    """A signal that says no time of its own is new to a database that has forgotten it."""
    world = restored.world
    again = signal(restored.agent)
    (row,) = world.rows(
        "SELECT id FROM agent_deployments WHERE agent_id = :agent", agent=restored.agent
    )
    forgotten = order_id(again.signal_id, row["id"], "ENTRY", attempt)
    trade = world.place.by_hand(restored.wallet, MARKET, Side.LONG, "1")
    trade.client_id = f"0x{forgotten.hex}"
    restored.begin()
    restored.reconcile()
    while fills := restored.undecided_fills():
        for fill in fills:
            ours = decision == "adopt" and fill["clientOrderId"] == trade.client_id
            owner = {"deploymentId": str(row["id"])} if ours else {}
            restored.operate(
                **{decision if ours else "ignore": {"id": fill["id"], **owner, **TOLD}}
            )
        restored.reconcile()
    restored.lift()
    trades = executed(world.place)

    world.take(again)
    world.work()

    assert executed(world.place) == trades
    entries = world.rows("SELECT * FROM venue_orders WHERE signal_id = :s", s=again.signal_id)
    is_adopted_itself = (decision, attempt) == ("adopt", 1)
    ends = [] if is_adopted_itself else [("REJECTED", "SUPERSEDED")]
    assert [(entry["status"], entry["refusal"]) for entry in entries] == ends
    assert not world.rows(
        "SELECT FROM venue_orders WHERE signal_id = :s AND attempt > 1", s=again.signal_id
    )


def test_a_close_from_before_takes_nothing_and_the_doctor_says_to_send_it_again(
    restored: Restored,
) -> None:
    world = restored.world
    late = close_signal(restored.agent)
    world.store.insert_signal(late)
    world.rows(
        "UPDATE signals SET created_at = now() - interval '2 minutes' WHERE id = :id RETURNING id",
        id=late.signal_id,
    )
    restored.begin()
    restored.operate(accept=TOLD)
    restored.lift()
    trades = executed(world.place)

    world.take(SignalRef(signal_id=late.signal_id))
    world.work()

    assert executed(world.place) == trades
    assert world.position(restored.closed_since)["status"] == "OPEN"
    assert "closes_refused" in found(diagnose(instruments(world)))
