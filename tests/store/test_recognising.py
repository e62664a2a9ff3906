"""A database found on another server: setup begins a restore that a person has to answer."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_where.errors import DatabaseRefused
from agent_where.recognising import recognise, restore_check
from agent_where.reconciling import reconcile
from agent_where.store.connection import Database
from agent_where.store.database_settings import DatabaseSettings
from agent_where.store.restores import Restores
from tests.doctor.answering import answered
from tests.world import World

FIRST_PLACE, SECOND_PLACE = "first.example:5432/n", "second.example:5432/n"
FIRST = DatabaseSettings(host="first.example", name="n", user="u")
SECOND = DatabaseSettings(host="second.example", name="n", user="u")
TOLD = {"by": "an operator", "reason": "a test"}


@pytest.fixture
def world(database_dsn: str) -> Iterator[World]:
    made = World(database_dsn)
    yield made
    made.dispose()


def told(database: Database, **request: Any) -> dict[str, Any]:
    return answered(Restores(database), **request)


def servers(database: Database) -> list[tuple[str, int | None]]:
    rows = database.run("SELECT host, timeline FROM known_servers ORDER BY seen_at")
    return [(row["host"], row["timeline"]) for row in rows]


def control(database: Database) -> str:
    return str(database.run("SELECT control_for(NULL, NULL, NULL) AS state")[0]["state"])


def test_the_first_run_keeps_the_server_and_the_next_one_there_finds_nothing_new(
    database: Database,
) -> None:
    recognise(database, FIRST)
    recognise(database, FIRST.model_copy(update={"host": "First.Example."}))

    assert servers(database) == [(FIRST_PLACE, 1)]
    assert Restores(database).open() is None
    assert restore_check(database).ok


def test_every_name_of_this_machine_is_one_server(database: Database) -> None:
    for host in ("localhost", "127.0.0.1", "::1"):
        recognise(database, FIRST.model_copy(update={"host": host}))

    assert servers(database) == [("localhost", 1)]


def test_another_host_begins_a_restore_to_a_moment_that_nobody_has_told(
    database: Database,
) -> None:
    recognise(database, FIRST)

    for _ in range(2):
        recognise(database, SECOND)

    (row,) = database.run("SELECT * FROM restores")
    assert (row["restored_to"], row["told_by"], row["matched_at"]) == (None, "setup", None)
    assert "first.example" in row["reason"]
    assert servers(database) == [(FIRST_PLACE, 1), (SECOND_PLACE, 1)]
    assert control(database) == "HALTED"
    (todo,) = restore_check(database).todo
    assert "restored --at TIME" in todo


def test_another_database_of_the_same_server_is_another_one(database: Database) -> None:
    """A dump was put back beside the old one."""
    recognise(database, FIRST)

    recognise(database, FIRST.model_copy(update={"name": "restored"}))

    assert control(database) == "HALTED"


def test_a_deployment_that_goes_back_to_the_old_server_begins_a_restore(database: Database) -> None:
    """It remembers only itself, and has forgotten what the other one did."""
    recognise(database, FIRST)

    recognise(database, FIRST, moved_from="second.example 5432 agent_where")

    (row,) = database.run("SELECT reason FROM restores")
    assert "the deployment at second.example 5432 agent_where" in row["reason"]
    assert control(database) == "HALTED"


def test_a_deployment_with_another_database_takes_a_first_one_as_it_is(database: Database) -> None:
    recognise(database, FIRST, moved_from="second.example 5432 agent_where")

    assert Restores(database).open() is None


def test_a_server_whose_clock_is_behind_the_old_one_s_is_known_all_the_same(world: World) -> None:
    """Otherwise each run of reconcile would halt everything anew."""
    database = world.database
    database.run(
        "INSERT INTO known_servers (seen_at, host, timeline)"
        " VALUES (now() + interval '1 hour', :host, 7)",
        host=FIRST_PLACE,
    )

    for _ in range(3):
        reconcile(world.deps, seconds=30)
        assert told(database, accept=TOLD)["success"] or Restores(database).open() is None
    recognise(database, FIRST)

    assert database.run("SELECT count(*) AS n FROM restores") == [{"n": 1}]
    assert servers(database) == [(FIRST_PLACE, 7), (FIRST_PLACE, 1)]


def test_a_moment_that_is_told_counts_though_the_clock_was_set_back_meanwhile(
    database: Database,
) -> None:
    database.run(
        "INSERT INTO restores (told_by, reason, told_at)"
        " VALUES ('setup', 'it moved', now() + interval '10 minutes')"
    )

    at = datetime.now(UTC) - timedelta(hours=2)
    assert told(database, restored={"at": at.isoformat(), **TOLD})["success"]

    found = Restores(database).open()
    assert found is not None
    assert not found.moment_unknown


def test_a_timeline_that_may_not_be_read_stops_nobody(world: World) -> None:
    """Services that keep storage apart may have no WAL of this form."""
    world.database.script(
        "CREATE SCHEMA elsewhere;"
        " CREATE FUNCTION elsewhere.pg_walfile_name(pg_lsn) RETURNS text"
        " LANGUAGE plpgsql AS $$ BEGIN RAISE feature_not_supported; END $$"
    )
    world.database.run("SET search_path = elsewhere, public, pg_catalog")

    recognise(world.database, FIRST)
    reconcile(world.deps, seconds=30)

    assert servers(world.database) == [(FIRST_PLACE, None)]


def test_another_timeline_at_the_same_host_is_another_server(database: Database) -> None:
    """The new instance was given the old one's name."""
    database.run("INSERT INTO known_servers (host, timeline) VALUES (:host, 7)", host=FIRST_PLACE)

    recognise(database, FIRST)

    assert control(database) == "HALTED"


def test_a_timeline_that_could_not_be_read_before_is_kept_and_says_nothing(
    database: Database,
) -> None:
    database.run("INSERT INTO known_servers (host) VALUES (:host)", host=FIRST_PLACE)

    recognise(database, FIRST)

    assert servers(database) == [(FIRST_PLACE, None), (FIRST_PLACE, 1)]
    assert Restores(database).open() is None


def test_it_stays_open_whatever_reconcile_finds_until_the_moment_is_told(
    world: World,
) -> None:
    database = world.database
    recognise(database, FIRST)
    recognise(database, SECOND)
    aged(database)
    waits = reconcile(world.deps, seconds=30).restore_waits_for
    assert len(waits) == 1
    assert "to which moment" in waits[0]
    with pytest.raises(DatabaseRefused, match="to which moment"):
        database.run("UPDATE restores SET matched_at = now()")

    at = datetime.now(UTC) - timedelta(hours=2)
    assert told(database, restored={"at": at.isoformat(), **TOLD})["success"]
    aged(database)

    assert reconcile(world.deps, seconds=30).restore_waits_for == ()
    assert Restores(database).open() is None


def test_a_moment_that_was_told_before_answers_for_no_later_server(database: Database) -> None:
    recognise(database, FIRST)
    at = datetime.now(UTC) - timedelta(hours=2)
    told(database, restored={"at": at.isoformat(), **TOLD})

    recognise(database, SECOND)

    found = Restores(database).open()
    assert found is not None
    assert found.moment_unknown


def test_a_person_s_word_that_it_has_forgotten_nothing_ends_it_and_is_kept(
    database: Database,
) -> None:
    recognise(database, FIRST)
    recognise(database, SECOND)

    answer = told(database, accept=TOLD)

    assert "to which moment" in answer["answeredFor"][0]
    (row,) = database.run("SELECT accepted_by, accepted FROM restores")
    assert row == {"accepted_by": "an operator: a test", "accepted": answer["answeredFor"]}
    assert restore_check(database).ok


def test_reconcile_notices_an_instance_that_took_the_old_one_s_name_once(world: World) -> None:
    """No setup runs then: nothing was deployed."""
    world.database.run(
        "INSERT INTO known_servers (host, timeline) VALUES (:host, 7)", host=FIRST_PLACE
    )

    waits = [reconcile(world.deps, seconds=30).restore_waits_for for _ in range(2)]

    assert all("to which moment" in told[0] for told in waits)
    (row,) = world.rows("SELECT told_by, reason FROM restores")
    assert row["told_by"] == "reconcile"
    assert servers(world.database) == [(FIRST_PLACE, 7), (FIRST_PLACE, 1)]


def test_what_was_known_of_servers_stays(database: Database) -> None:
    recognise(database, FIRST)

    for forbidden in (
        "UPDATE known_servers SET host = 'x'",
        "DELETE FROM known_servers",
        "TRUNCATE known_servers",
    ):
        with pytest.raises(DatabaseRefused):
            database.run(forbidden)


def aged(database: Database) -> None:
    """A minute ago is now the epoch."""
    by = "interval '2 minutes'"
    database.run_together(
        ("SET LOCAL session_replication_role = replica", {}),
        (f"UPDATE restores SET restored_to = restored_to - {by}, told_at = told_at - {by}", {}),
    )
