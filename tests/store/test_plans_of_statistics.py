"""What the statistics cost: they read indexes made for them, however long the history is."""

from typing import Any

import pytest

from agent_where.callers import EVERYTHING
from agent_where.store.connection import Database
from agent_where.store.statements import statement

DECISIONS = "venue_routing_history_decisions"
DECISIONS_OF_TOKEN = "venue_routing_history_decisions_of_token"
FAILOVERS = "venue_routing_history_failovers"
HISTORY = """
SET LOCAL session_replication_role = replica;
INSERT INTO venue_routing_history (signal_id, token_symbol, requested_venue, selected_venue,
                                   routing_reason, checked_venues, venue_availability,
                                   routing_duration_ms, attempt, deployment_id, candidates,
                                   created_at)
SELECT gen_random_uuid(), (ARRAY['BTC', 'ETH', 'SOL', 'EUR'])[1 + n % 4],
       CAST(CASE WHEN n % 5 = 0 THEN 'OSTIUM' ELSE 'MULTI' END AS venue_t), 'OSTIUM',
       'because', '{HYPERLIQUID,OSTIUM}', '{}', 1, CASE WHEN n % 50 = 0 THEN 2 ELSE 1 END,
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


@pytest.mark.parametrize(("token", "index"), [(None, DECISIONS), ("BTC", DECISIONS_OF_TOKEN)])
def test_statistics_of_a_day_read_only_indexes_made_for_them(
    history: Database, token: str | None, index: str
) -> None:
    sql, params = statement(
        "read_stats", back="24 hours", token_symbol=token, **EVERYTHING.params()
    )

    (row,) = history.run(f"EXPLAIN (FORMAT JSON) {sql}", **params)

    assert read_by(row["QUERY PLAN"][0]["Plan"]) == {index, FAILOVERS}


def test_the_history_of_a_signal_is_read_by_its_index(history: Database) -> None:
    signal = "00000000-0000-0000-0000-000000000001"
    sql, params = statement("read_trade", id=signal, at_most=100, **EVERYTHING.params())

    (row,) = history.run(f"EXPLAIN (FORMAT JSON) {sql}", **params)

    assert read_by(row["QUERY PLAN"][0]["Plan"]) == {"venue_routing_history_one_each"}
