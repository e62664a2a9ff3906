"""An environment for the HTTP functions: databases with the agents of the event files."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import pytest

from agent_where import wiring
from agent_where.settings import ApiSettings
from agent_where.store.administration import Administration
from agent_where.store.connection import Database, DatabaseSettings
from local.postgres import Postgres
from tests.conftest import fresh_database
from tests.handlers.gateway import Function, Still, seed
from tests.world import World

Writers = Callable[[], Administration]


@contextmanager
def counted_connections(patch: pytest.MonkeyPatch) -> Iterator[list[Database]]:
    """Every connection that a function makes; closed at the end, as a process's end would."""
    made: list[Database] = []

    class Counted(Database):
        def __init__(self, *told: Any, **more: Any) -> None:
            super().__init__(*told, **more)
            made.append(self)

    patch.setattr(wiring, "Database", Counted)
    try:
        yield made
    finally:
        for each in made:
            each.close()


def set_environment(patch: pytest.MonkeyPatch, dsn: str) -> None:
    for name in ("NETWORK", "SIGNAL_QUEUE_URL", "AWS_ENDPOINT_URL", "POWERTOOLS_DEV"):
        patch.delenv(name, raising=False)
    patch.setenv("DATABASE_URL", dsn)
    patch.setenv("POWERTOOLS_TRACE_DISABLED", "true")


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Database]]:
    """Every connection that a function of this test makes."""
    with counted_connections(monkeypatch) as made:
        yield made


@pytest.fixture
def api_database(
    database: Database,
    database_dsn: str,
    connections: list[Database],
    monkeypatch: pytest.MonkeyPatch,
) -> Database:
    """A set up database that the functions' settings name, with what `seed` puts there."""
    set_environment(monkeypatch, database_dsn)
    seed(database)
    return database


@pytest.fixture
def reader(api_database: Database) -> Function:
    """The function that reads."""
    return Function("stats_api")


@pytest.fixture
def writers(api_database: Database, connections: list[Database]) -> Writers:
    """Each call is another process's own connection."""

    def connect() -> Administration:
        wiring.forget()
        return wiring.administration(ApiSettings.from_environment())

    return connect


@pytest.fixture
def world(api_database: Database, database_dsn: str) -> Iterator[World]:
    """Both venues list BTC, and the event files' agent has its deployment."""
    made = World(database_dsn)
    made.both_markets("BTC")
    yield made
    made.dispose()


@contextmanager
def still_functions(postgres: Postgres, template: str) -> Iterator[Callable[[str], Still]]:
    """Functions by their names, warm, over one database: for requests that leave no trace."""
    with (
        pytest.MonkeyPatch.context() as patch,
        fresh_database(postgres, template=template) as dsn,
        counted_connections(patch) as made,
    ):
        set_environment(patch, dsn)
        database = Database(DatabaseSettings.from_url(dsn))
        seed(database)

        @cache
        def load(name: str) -> Still:
            function = Function(name)
            known = len(made)
            function.warm()
            return Still(function, database, made[known])

        yield load
        database.close()


@pytest.fixture(scope="module")
def still(
    request: pytest.FixtureRequest, postgres: Postgres, migrated_template: str
) -> Iterator[Still]:
    """The module's FUNCTION, warm, over one database."""
    with still_functions(postgres, migrated_template) as load:
        yield load(request.module.FUNCTION)
