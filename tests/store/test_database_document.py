"""docs/database.md names every table and everything that enforces a rule."""

from pathlib import Path

import pytest

from agent_where.store.connection import Database

DOCUMENT = (Path(__file__).parents[2] / "docs" / "database.md").read_text()
NAMED = {
    "table": "SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'",
    "trigger": "SELECT tgname AS name FROM pg_trigger WHERE NOT tgisinternal",
    "unique index": (
        "SELECT indexrelid::regclass::text AS name FROM pg_index "
        "WHERE indisunique AND indexrelid::regclass::text LIKE '%\\_one\\_%'"
    ),
    "check": (
        "SELECT conname AS name FROM pg_constraint WHERE contype = 'c' AND cardinality(conkey) > 1 "
        "AND conrelid IN ('venue_orders'::regclass, 'positions'::regclass)"
    ),
}


@pytest.mark.parametrize("kind", NAMED)
def test_the_document_names_all_of_a_kind(database: Database, kind: str) -> None:
    names = {str(row["name"]) for row in database.run(NAMED[kind])}

    assert names
    assert {name for name in names if f"`{name}`" not in DOCUMENT} == set()
