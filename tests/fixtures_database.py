"""A migrated database for each test: copied from a template that is migrated once per session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_where.migrations import set_up
from agent_where.store.connection import Database, DatabaseSettings
from local.postgres import Postgres
from tests.conftest import fresh_database

MIGRATIONS = Path(__file__).parents[1] / "functions" / "setup" / "migrations"


@pytest.fixture(scope="session")
def migrated_template(postgres: Postgres) -> Iterator[str]:
    """The name of a database that setup has been through, on mainnet; nobody is connected to it."""
    with fresh_database(postgres) as dsn:
        database = Database(DatabaseSettings.from_url(dsn))
        set_up(database, MIGRATIONS, network="mainnet")
        database.close()
        yield dsn.rsplit("/", 1)[1]


@pytest.fixture
def database_dsn(postgres: Postgres, migrated_template: str) -> Iterator[str]:
    """The DSN of a database of this test's own, as setup leaves it."""
    with fresh_database(postgres, template=migrated_template) as dsn:
        yield dsn


@pytest.fixture
def database(database_dsn: str) -> Iterator[Database]:
    """A connection to a database of this test's own, as setup leaves it."""
    opened = Database(DatabaseSettings.from_url(database_dsn))
    yield opened
    opened.close()
