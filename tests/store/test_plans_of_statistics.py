"""What the statistics cost: they read indexes made for them, however long the history is."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from agent_where.callers import EVERYTHING, Reach
from agent_where.store.connection import Database
from agent_where.store.statements import statement

BY_TIME = "venue_routing_history_by_time"
BY_TOKEN = "venue_routing_history_by_token"
BY_VENUE = "venue_routing_history_by_venue"
BY_AGENT = "venue_routing_history_by_agent"
BY_ID = "venue_routing_history_pkey"
ONE = Reach(everything=False, wallet="0xc")
HISTORY = """
SET LOCAL session_replication_role = replica;
INSERT INTO venue_routing_history (signal_id, token_symbol, requested_venue, selected_venue,
                                   routing_reason, checked_venues, venue_availability,
                                   routing_duration_ms, attempt, deployment_id, candidates,
                                   created_at)
SELECT gen_random_uuid(), CASE WHEN n % 1000 = 0 THEN 'RARE' ELSE 'BTC' END,
       CAST(CASE WHEN n % 5 = 0 THEN 'OSTIUM' ELSE 'MULTI' END AS venue_t),
       CAST(CASE WHEN n % 1000 = 1 THEN 'GMX' ELSE 'OSTIUM' END AS venue_t),
       'because', '{GMX,OSTIUM}', '{}', 1, CASE WHEN n % 50 = 0 THEN 2 ELSE 1 END,
       CASE WHEN n % 50 = 0 THEN gen_random_uuid() END,
       jsonb_build_object('as long as candidates are', repeat('x', 300)),
       now() - n * interval '20 seconds'
FROM generate_series(1, 30000) AS n
"""


@pytest.fixture(scope="module")
def history(ledger_database: Database) -> Database:
    ledger_database.script(HISTORY)
    ledger_database.run("VACUUM ANALYZE venue_routing_history")
    return ledger_database


def read_by(plan: dict[str, Any]) -> set[str]:
    """The indexes of the history that a plan reads; or, for shame, the whole table."""
    found = {plan["Index Name"]} if "Index Name" in plan else set()
    if plan.get("Relation Name") == "venue_routing_history" and plan["Node Type"] == "Seq Scan":
        found = {"the whole table"}
    for part in plan.get("Plans", []):
        found |= read_by(part)
    return {name for name in found if name.startswith(("venue_routing_history", "the whole"))}


def indexes_of(history: Database, name: str, **params: object) -> set[str]:
    """The indexes of the history that a statement reads with these parameters."""
    sql, told = statement(name, **params)
    (row,) = history.run(f"EXPLAIN (FORMAT JSON) {sql}", **told)
    return read_by(row["QUERY PLAN"][0]["Plan"])


@pytest.mark.parametrize(("token", "index"), [(None, BY_TIME), ("RARE", BY_TOKEN)])
def test_statistics_read_what_is_not_summed_by_indexes_alone(
    history: Database, token: str | None, index: str
) -> None:
    asked = {"back": "7 days", "token_symbol": token, **EVERYTHING.params()}

    assert indexes_of(history, "read_stats", **asked) == {index, BY_ID}
    assert indexes_of(history, "read_recent", at_most=20, **asked) <= {index, BY_ID, BY_AGENT}


@pytest.mark.parametrize(
    ("reach", "filters", "index"),
    [
        (EVERYTHING, {}, BY_TIME),
        (EVERYTHING, {"token_symbol": "RARE"}, BY_TOKEN),
        (EVERYTHING, {"venue": "GMX"}, BY_VENUE),
        (ONE, {}, BY_AGENT),
    ],
)
def test_a_page_of_the_history_is_read_in_the_order_of_an_index(
    history: Database, reach: Reach, filters: dict[str, str], index: str
) -> None:
    page = {"signal_id": None, "token_symbol": None, "venue": None, **filters}
    place = {"after_at": datetime.now(UTC), "after_id": UUID(int=7), "at_most": 51}

    found = indexes_of(history, "read_history", **page, **place, **reach.params())

    assert index in found
    assert found <= {index, BY_ID, BY_AGENT}


def test_the_history_of_a_signal_is_read_by_its_index(history: Database) -> None:
    signal = "00000000-0000-0000-0000-000000000001"
    sql, params = statement("read_trade", id=signal, at_most=100, **EVERYTHING.params())

    (row,) = history.run(f"EXPLAIN (FORMAT JSON) {sql}", **params)

    assert read_by(row["QUERY PLAN"][0]["Plan"]) == {"venue_routing_history_one_each"}
