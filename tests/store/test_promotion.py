"""A standby that was promoted is noticed at once, by the roles that look, before any checkpoint."""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from agent_where.readiness import prepare
from agent_where.recognising import recognise, watch
from agent_where.store.connection import Database
from agent_where.store.database_settings import DatabaseSettings
from agent_where.store.restores import Restores
from agent_where.venues.registry import SUPPORTED
from local.postgres import Postgres, replicate
from tests.fixtures_database import MIGRATIONS
from tests.store.roles import TwoRoles, two_roles

WITHIN_SECONDS = 30


@contextmanager
def without_checkpoints(superuser: Database) -> Iterator[None]:
    """As on a large database, where one takes minutes."""
    told = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'checkpointer'"
    (row,) = superuser.run(told)
    os.kill(row["pid"], signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(row["pid"], signal.SIGCONT)


def is_standby(database: Database) -> bool:
    return bool(database.run("SELECT pg_is_in_recovery() AS so")[0]["so"])


def promote(superuser: Database) -> None:
    superuser.run("SELECT pg_promote(wait => false)")
    until = time.monotonic() + WITHIN_SECONDS
    while is_standby(superuser):
        assert time.monotonic() < until, "it was not promoted"
        time.sleep(0.01)


@pytest.fixture
def known(postgres: Postgres) -> Iterator[TwoRoles]:
    """A database that setup has been through as the admin, at a place that it knows."""
    with two_roles(postgres) as roles:
        with roles.as_role(roles.admin) as admin:
            prepare(admin, MIGRATIONS, roles.settings(), SUPPORTED, only_report=False)
        yield roles


@pytest.fixture
def standby(postgres: Postgres, known: TwoRoles, tmp_path: Path) -> Iterator[Postgres]:
    """Its copy, cut off: what is committed from here on is lost."""
    started = replicate(postgres, tmp_path / "standby")
    try:
        yield started
    finally:
        started.stop()


@pytest.fixture
def superuser(standby: Postgres) -> Iterator[Database]:
    opened = Database(DatabaseSettings.from_url(standby.dsn()))
    yield opened
    opened.close()


@pytest.fixture
def there(standby: Postgres, known: TwoRoles) -> TwoRoles:
    """The same roles at the standby."""
    return replace(known, port=standby.port)


def test_reconcile_notices_a_promotion_before_its_first_checkpoint(
    there: TwoRoles, superuser: Database
) -> None:
    """An order that was sent since would be signed anew."""
    with without_checkpoints(superuser):
        promote(superuser)
        with there.as_role(there.app) as app:
            for _ in range(2):
                watch(Restores(app))
            rows = app.run("SELECT told_by, reason FROM restores")
            (control,) = app.run("SELECT control_for(NULL, NULL, NULL) AS state")
        assert superuser.run("SELECT timeline_id FROM pg_control_checkpoint()") == [
            {"timeline_id": 1}
        ]

    (row,) = rows
    assert row["told_by"] == "reconcile"
    assert "its timeline was 1, and it is at localhost, timeline 2" in row["reason"]
    assert control["state"] == "HALTED"


@pytest.mark.parametrize("state", ["ACTIVE", "HALTED"], ids=["before", "after"])
def test_nothing_trades_between_a_promotion_and_the_next_run_of_reconcile(
    there: TwoRoles, superuser: Database, state: str
) -> None:
    """The worker that takes a message meanwhile asks the same function as it stores SENT."""
    with without_checkpoints(superuser), there.as_role(there.app) as app:
        if state == "HALTED":
            promote(superuser)

        assert app.run("SELECT control_for(NULL, NULL, NULL) AS state") == [{"state": state}]


@pytest.mark.parametrize("what", ["pg_current_wal_lsn()", "pg_walfile_name(pg_lsn)"])
def test_a_server_that_no_longer_tells_its_timeline_stops_nobody(
    postgres: Postgres, known: TwoRoles, what: str
) -> None:
    """Its timeline is known from when it did."""
    opened = Database(DatabaseSettings.from_url(postgres.dsn(known.name)))
    opened.run(f"REVOKE EXECUTE ON FUNCTION {what} FROM PUBLIC")
    opened.close()

    with known.as_role(known.app) as app:
        assert app.run("SELECT control_for(NULL, NULL, NULL) AS state") == [{"state": "ACTIVE"}]


def test_the_checkpoint_that_follows_is_no_second_alarm(
    there: TwoRoles, superuser: Database
) -> None:
    with there.as_role(there.app) as app:
        with without_checkpoints(superuser):
            promote(superuser)
            watch(Restores(app))
        superuser.run("CHECKPOINT")

        watch(Restores(app))

        assert app.run("SELECT count(*) AS n FROM restores") == [{"n": 1}]


def test_setup_notices_a_promotion_before_its_first_checkpoint(
    there: TwoRoles, superuser: Database
) -> None:
    here = DatabaseSettings.from_url(there.dsn(there.admin))
    with without_checkpoints(superuser):
        promote(superuser)
        with there.as_role(there.admin) as admin:
            recognise(admin, here)
            (row,) = admin.run("SELECT told_by, reason FROM restores")

    assert row["told_by"] == "setup"
    assert "timeline 2" in row["reason"]


def test_a_standby_that_was_not_promoted_has_no_timeline_and_alarms_nobody(
    there: TwoRoles, superuser: Database
) -> None:
    """Whoever connects anew may meet it while a failover is under way: nothing can be written."""
    here = DatabaseSettings.from_url(there.dsn(there.admin))

    with there.as_role(there.admin) as admin, there.as_role(there.app) as app:
        recognise(admin, here)
        watch(Restores(app))

    assert is_standby(superuser)


def test_both_roles_may_read_the_timeline(known: TwoRoles) -> None:
    for role in (known.admin, known.app):
        with known.as_role(role) as opened:
            assert Restores(opened).timeline() == 1
