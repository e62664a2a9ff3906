"""The ledger for tests of its rules, one database a module; a desk for those of onboarding."""

from collections.abc import Iterator

import pytest

from agent_where.store.connection import Database, DatabaseSettings
from local.postgres import Postgres
from tests.conftest import fresh_database
from tests.store.ledger import Ledger
from tests.store.onboarding_desk import Desk


@pytest.fixture(scope="module")
def ledger_database(postgres: Postgres, migrated_template: str) -> Iterator[Database]:
    """One database for all tests of a module."""
    with fresh_database(postgres, template=migrated_template) as dsn:
        opened = Database(DatabaseSettings.from_url(dsn))
        yield opened
        opened.close()


@pytest.fixture
def ledger(ledger_database: Database) -> Ledger:
    """An agent, a deployment, a signal and an account of this test's own."""
    return Ledger(ledger_database)


@pytest.fixture
def desk(database_dsn: str) -> Iterator[Desk]:
    """With a database of this test's own."""
    made = Desk(database_dsn)
    yield made
    made.database.close()
