"""A restore stays open until every account is matched, or a person answers for it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

from agent_where.reconciling import reconcile
from agent_where.restoring import rematch
from local.postgres import Postgres
from tests.doctor.examining import NoExits
from tests.doctor.restored_world import TOLD, Restored, restored_world
from tests.netting import NettingVenue


@pytest.fixture
def restored(postgres: Postgres, database_dsn: str) -> Iterator[Restored]:
    with restored_world(postgres, database_dsn) as made:
        yield made


def test_a_restore_that_is_told_during_a_run_is_not_ended_by_it(restored: Restored) -> None:
    """An operator corrects the moment while reconcile looks at what came after the wrong one."""
    world, place = restored.world, restored.world.place
    restored.pass_time(600)
    restored.begin(timedelta(seconds=1))
    restored.pass_time()
    corrected: list[dict[str, Any]] = []

    class Corrected(NettingVenue):
        def positions(self, account: str) -> Any:
            corrected.extend(() if corrected else [restored.begin()])
            return place.positions(account)

    done = rematch(
        world.store.restores,
        world.store.comparisons,
        lambda _: Corrected(),
        lambda _: None,
        seconds=30,
    )

    assert corrected[0]["success"]
    assert done.open
    assert world.store.restores.open() is not None
    restored.reconcile()
    assert restored.undecided_fills(), "every account is asked anew, from the earlier moment on"


def test_what_the_venue_tells_late_is_waited_for(restored: Restored) -> None:
    world = restored.world
    told, world.place.trades = world.place.trades, []
    restored.begin()

    reconcile(world.deps, seconds=30)
    world.place.trades = told

    assert world.store.restores.open() is not None
    restored.reconcile()
    assert restored.undecided_fills()


def test_where_a_venue_cannot_be_asked_the_restore_stays_open_until_a_person_answers_for_it(
    restored: Restored,
) -> None:
    restored.begin()
    restored.world.deps = restored.world.deps.__class__(
        **{**vars(restored.world.deps), "holdings": lambda _: None}
    )

    waits = restored.reconcile().restore_waits_for

    assert all("cannot be asked" in reason for reason in waits)
    assert len(waits) == 2
    assert restored.world.store.restores.open() is not None
    assert restored.operate(accept=TOLD)["success"]
    assert restored.reconcile().restore_waits_for == ()


def test_a_venue_that_tells_of_single_positions_holds_it_open_until_a_person_answers_for_it(
    restored: Restored,
) -> None:
    restored.begin()
    restored.world.deps = restored.world.deps.__class__(
        **{**vars(restored.world.deps), "holdings": lambda _: None, "exits": lambda _: NoExits()}
    )

    waits = restored.reconcile().restore_waits_for

    assert len(waits) == 2
    assert all("does not tell what was executed" in each for each in waits)
    assert restored.world.store.restores.open() is not None
    accepted = restored.operate(accept=TOLD)
    assert sorted(accepted["answeredFor"]) == sorted(
        f"{wallet} at HYPERLIQUID: not matched" for wallet in (restored.wallet, restored.other)
    )
    (row,) = restored.world.rows("SELECT accepted_by, accepted FROM restores")
    assert row == {
        "accepted_by": f"{TOLD['by']}: {TOLD['reason']}",
        "accepted": accepted["answeredFor"],
    }
    assert restored.reconcile().restore_waits_for == ()


def test_many_accounts_are_matched_over_several_runs(restored: Restored) -> None:
    world = restored.world
    restored.begin()
    restored.reconcile()
    for fill in restored.undecided_fills():
        restored.operate(ignore={"id": fill["id"], **TOLD})
    asked: list[str] = []
    place = world.place

    class Counting(NettingVenue):
        def fills(self, account: str, since: datetime) -> Any:
            asked.append(account)
            return place.fills(account, since)

    world.deps = world.deps.__class__(**{**vars(world.deps), "holdings": lambda _: Counting()})
    restored.reconcile()

    assert asked == [], "each was matched in the first run, and is not asked again"
