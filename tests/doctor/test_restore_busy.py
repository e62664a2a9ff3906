"""After a restore: an account of which the venue does not tell all executions is not matched."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent_where.doctor import VENUES, diagnose
from local.postgres import Postgres
from tests.doctor.examining import found, instruments
from tests.doctor.restored_world import TOLD, Restored, restored_world
from tests.netting_busy import Busy


@pytest.fixture
def restored(postgres: Postgres, database_dsn: str) -> Iterator[Restored]:
    with restored_world(postgres, database_dsn) as made:
        made.begin()
        yield made


def be_busy(restored: Restored, *, for_good: bool) -> None:
    """The one whose market differs."""
    world = restored.world
    place = Busy(world.place, restored.wallet, for_good=for_good)
    world.place = place
    world.deps = replace(world.deps, holdings=lambda _: place)


def ignore_all(restored: Restored) -> None:
    for fill in restored.undecided_fills():
        assert restored.operate(ignore={"id": fill["id"], **TOLD})["success"]


def test_it_holds_the_restore_open_until_a_person_answers_for_it(restored: Restored) -> None:
    be_busy(restored, for_good=True)

    first = restored.reconcile()
    accounts = {fill["account"] for fill in restored.undecided_fills()}
    ignore_all(restored)
    (reason,) = restored.reconcile().restore_waits_for

    assert any("more fills than it tells" in each for each in first.restore_waits_for)
    assert accounts == {restored.other}, "the other account is matched all the same"
    assert "restored --accept" in reason
    accepted = restored.operate(accept=TOLD)
    assert accepted["answeredFor"] == [f"{restored.wallet} at HYPERLIQUID: not matched"]
    assert restored.world.store.restores.open() is None


def test_one_that_is_not_told_whole_yet_is_asked_again(restored: Restored) -> None:
    place = restored.world.place
    be_busy(restored, for_good=False)
    restored.reconcile()
    ignore_all(restored)
    (reason,) = restored.reconcile().restore_waits_for
    restored.world.place = place
    restored.world.deps = replace(restored.world.deps, holdings=lambda _: place)

    restored.reconcile()

    assert "accept" not in reason
    assert {fill["account"] for fill in restored.undecided_fills()} == {restored.wallet}


def test_the_doctor_says_that_it_was_not_asked(restored: Restored) -> None:
    be_busy(restored, for_good=True)

    told = found(diagnose(instruments(restored.world), venues_since=datetime.fromtimestamp(0, UTC)))

    assert told[VENUES] == 1
