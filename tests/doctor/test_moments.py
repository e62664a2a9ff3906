"""The moment that a person tells, beside what the restored database itself knows of it."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_where.recognising import recognise
from agent_where.restoring import rematch
from agent_where.store.comparisons import Comparisons
from agent_where.store.database_settings import DatabaseSettings
from agent_where.venues.base import AccountFill
from tests.doctor.answering import TOLD, answered
from tests.netting import NettingVenue, NettingWorld, netting_world

FIRST = DatabaseSettings(host="first.example", name="n", user="u")
SECOND = FIRST.model_copy(update={"host": "second.example"})


@pytest.fixture
def world(database_dsn: str) -> Iterator[NettingWorld]:
    with netting_world(database_dsn) as made:
        yield made


def ago(**span: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(**span)


def ran(world: NettingWorld, at: datetime) -> None:
    """reconcile wrote its figures then."""
    world.database.run(
        "INSERT INTO system_figures (at, figures) VALUES (:at, '{}')"
        " ON CONFLICT (only_row) DO UPDATE SET at = excluded.at",
        at=at,
    )


def noticed(world: NettingWorld) -> None:
    """The database is found at another server."""
    recognise(world.database, FIRST)
    recognise(world.database, SECOND)


def say(world: NettingWorld, at: datetime) -> dict[str, Any]:
    return answered(world.store.restores, restored={"at": at.isoformat(), **TOLD})


def told(world: NettingWorld) -> list[datetime]:
    rows = world.rows("SELECT restored_to FROM restores WHERE restored_to IS NOT NULL")
    return [row["restored_to"] for row in rows]


def asked_from(world: NettingWorld) -> list[datetime]:
    """From when on a run of reconcile asks the venue."""
    asked = list[datetime]()

    class Listening(NettingVenue):
        def fills(self, account: str, since: datetime) -> Sequence[AccountFill]:
            asked.append(since)
            return super().fills(account, since)

    books = Comparisons(world.database)
    rematch(world.store.restores, books, lambda _: Listening(), lambda _: None, seconds=30)
    return asked


def test_a_moment_hours_after_the_last_run_is_refused_and_nothing_begins(
    world: NettingWorld,
) -> None:
    """A local time was typed: nothing before it would be asked for, and all would seem matched."""
    last = ago(hours=3)
    ran(world, last)
    noticed(world)
    ran(world, ago())

    refused = say(world, late := ago(hours=1))

    assert (refused["success"], refused["code"]) == (False, "TOO_LATE")
    for at in (last, late):
        assert f"{at:%Y-%m-%dT%H:%M:%SZ}" in refused["error"]
    assert told(world) == []
    assert say(world, last)["success"]
    assert told(world) == [last]


@pytest.mark.parametrize("minutes", [-600, 0, 5])
def test_a_moment_before_the_last_run_or_right_after_it_is_taken(
    world: NettingWorld, minutes: int
) -> None:
    last = ago(hours=3)
    ran(world, last)
    noticed(world)

    assert say(world, last + timedelta(minutes=minutes))["success"]


def test_the_earliest_of_the_open_restores_counts(world: NettingWorld) -> None:
    """Restored once more, from a backup of what had been noticed already."""
    ran(world, first := ago(hours=5))
    noticed(world)
    ran(world, ago(hours=3))
    recognise(world.database, FIRST)

    assert say(world, ago(hours=3))["code"] == "TOO_LATE"
    assert say(world, first)["success"]


def test_what_has_ended_says_nothing_of_the_next(world: NettingWorld) -> None:
    ran(world, ago(hours=5))
    noticed(world)
    assert answered(world.store.restores, accept=TOLD)["accepted"]
    ran(world, ago())

    assert say(world, ago(minutes=30))["success"]


def test_venues_are_asked_from_the_last_run_on_where_the_moment_is_a_little_later(
    world: NettingWorld,
) -> None:
    world.user()
    ran(world, last := ago(hours=3))
    noticed(world)
    assert say(world, last + timedelta(minutes=5))["success"]
    ran(world, ago())

    asked = asked_from(world)

    assert asked == [last - timedelta(minutes=2)]


def test_what_nothing_noticed_is_compared_with_the_figures_as_they_are(
    world: NettingWorld,
) -> None:
    """They are the restored ones until reconcile runs again; fresh ones refuse nothing."""
    ran(world, last := ago(hours=3))

    assert say(world, ago(hours=1))["code"] == "TOO_LATE"
    ran(world, ago())
    assert say(world, ago(hours=1))["success"]
    assert last not in told(world)


def test_a_database_where_reconcile_never_ran_takes_any_moment(world: NettingWorld) -> None:
    noticed(world)

    assert say(world, ago(hours=1))["success"]
