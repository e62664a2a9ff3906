"""What many tests need: a real PostgreSQL, and databases that are cheap to make."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest

from agent_where.store.connection import Database, DatabaseSettings
from local.postgres import Postgres, start

pytest_plugins = ["tests.fixtures_database"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for the whole run."""
    with tempfile.TemporaryDirectory(prefix="agent-where-tests-") as place:
        server = start(Path(place) / "postgres", durable=False)
        try:
            yield server
        finally:
            server.stop()


@contextmanager
def fresh_database(server: Postgres, *, template: str = "template1") -> Iterator[str]:
    """The DSN of a copy of the template, dropped at the end whoever still uses it."""
    name = f"test_{uuid4().hex}"
    patient = DatabaseSettings.from_url(server.dsn(), statement_timeout_ms=60_000)
    administrator = Database(patient)
    administrator.run(f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy")
    try:
        yield server.dsn(name)
    finally:
        administrator.run(f"DROP DATABASE {name} WITH (FORCE)")
        administrator.close()


@pytest.fixture
def empty_database(postgres: Postgres) -> Iterator[str]:
    """The DSN of a database with nothing in it."""
    with fresh_database(postgres) as dsn:
        yield dsn
