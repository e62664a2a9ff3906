"""The statistics' sums: whatever was decided, whenever it came in, they say what counting says."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from agent_where.callers import EVERYTHING, Reach
from agent_where.contract.queries import TimeWindow
from agent_where.store.connection import Database, DatabaseSettings, Json, Statement
from agent_where.store.statements import statement
from agent_where.store.store import Store
from tests.store.counting import BACK, COUNTED, comparable

CREATORS = ("0xCA", "0xcB", "")
"""Written in any case; nobody's is nobody's, and counts for everybody."""

MADE = """
INSERT INTO signals (id, agent_id, token_symbol, venue)
SELECT d.signal_id, d.agent_id, d.token, 'MULTI'
FROM jsonb_to_recordset(CAST(:decided AS jsonb)) AS d (signal_id uuid, agent_id uuid, token text)
"""
TOLD = """
INSERT INTO venue_routing_history (signal_id, token_symbol, requested_venue, selected_venue,
    routing_reason, checked_venues, venue_availability, routing_duration_ms, routing_duration_us,
    attempt, created_at)
SELECT d.signal_id, d.token, d.requested, d.venue, '', ARRAY[d.venue], '{}', d.ms, d.us, d.attempt,
       now() - d.seconds * interval '1 second'
FROM jsonb_to_recordset(CAST(:decided AS jsonb)) AS d (
    signal_id uuid, token text, venue venue_t, requested venue_t, us int, ms int, attempt int,
    seconds numeric)
"""
AS_BEFORE = "SET LOCAL session_replication_role = replica"
"""No trigger fills in whose agent it was: so the rows are that were there before it."""

HOUR, DAY = 3600, 24 * 3600
EDGES = [HOUR, DAY, 7 * DAY]
AGO = (
    some.integers(0, 600)
    | some.integers(0, 9 * DAY)
    | some.tuples(some.sampled_from(EDGES), some.integers(-900, 900)).map(sum)
)
DECISIONS = some.lists(
    some.fixed_dictionaries(
        {
            "creator": some.sampled_from(CREATORS),
            "token": some.sampled_from(["BTC", "ETH", "PEPE"]),
            "venue": some.sampled_from(["HYPERLIQUID", "OSTIUM", None]),
            "requested": some.sampled_from(["MULTI", "MULTI", "MULTI", "OSTIUM"]),
            "us": some.none() | some.integers(0, 30_000),
            "ms": some.integers(0, 30),
            "attempt": some.sampled_from([1, 1, 1, 2]),
            "seconds": AGO,
        }
    ),
    max_size=25,
)
"""What the router may have written, and the original's code before it."""


class Counting:
    """Decisions of three creators' agents, and what two ways of counting say of them."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.store = Store(database)
        rows = database.run(
            "INSERT INTO agents (creator_wallet, name, venue, status, profit_receiver_address)"
            " SELECT w, w, 'MULTI', 'ACTIVE', '0xp' FROM unnest(CAST(:wallets AS text[])) w"
            " RETURNING id, name",
            wallets=list(CREATORS),
        )
        self.agents: dict[str, UUID] = {row["name"]: row["id"] for row in rows}

    def begin_anew(self) -> None:
        """As if nothing had been decided, or summed, yet."""
        self.database.script(
            f"{AS_BEFORE}; TRUNCATE venue_routing_history, routing_late;"
            "UPDATE routing_summed SET since = NULL, until = NULL"
        )

    def decide(self, decided: Sequence[dict[str, Any]], *, as_before: bool = False) -> None:
        told = [
            {**each, "signal_id": uuid4(), "agent_id": self.agents[each["creator"]]}
            for each in decided
        ]
        first: Statement = (AS_BEFORE if as_before else "SELECT 1", {})
        self.database.run_together(
            first, (MADE, {"decided": Json(told)}), (TOLD, {"decided": Json(told)})
        )

    def sum_all(self) -> None:
        while self.store.sum_decisions():
            pass

    def waiting(self) -> int:
        """Decisions that are late for sums there are."""
        return len(
            self.database.run(
                "SELECT FROM routing_late l JOIN routing_summed g USING (grain)"
                " WHERE l.created_at < g.until"
            )
        )

    def assert_alike(self, asked: Sequence["Asked"]) -> None:
        """Both ways at the same moment: the window moves on."""
        for reach, window, token in asked:
            params = {"back": BACK[window], "token_symbol": token, **reach.params()}
            (summed,), (counted,) = self.database.run_together(
                statement("read_stats", **params), (COUNTED, params)
            )
            assert comparable(summed) == comparable(counted), (reach, window, token)


Asked = tuple[Reach, TimeWindow, str | None]
ASKED = some.lists(
    some.tuples(
        some.sampled_from([EVERYTHING, Reach(everything=False, wallet="0xca")]),
        some.sampled_from(TimeWindow),
        some.sampled_from([None, "BTC"]),
    ),
    min_size=2,
    max_size=2,
)


AN_HOUR_AGO = {
    "creator": "0xCA",
    "token": "BTC",
    "venue": "OSTIUM",
    "requested": "MULTI",
    "us": 1_234,
    "ms": 1,
    "attempt": 1,
    "seconds": HOUR,
}


@pytest.fixture
def counting(database: Database) -> Counting:
    return Counting(database)


@given(before=DECISIONS, decided=DECISIONS, late=DECISIONS, asked=ASKED)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_whenever_a_decision_comes_in_sums_say_what_counting_says(
    counting: Counting,
    before: list[dict[str, Any]],
    decided: list[dict[str, Any]],
    late: list[dict[str, Any]],
    asked: list[Asked],
) -> None:
    counting.begin_anew()
    counting.decide(before, as_before=True)
    counting.decide(decided)
    counting.sum_all()
    counting.assert_alike(asked)

    counting.decide(late)
    counting.assert_alike(asked)  # read one by one, as they came after the sums were made
    counting.sum_all()
    counting.assert_alike(asked)  # and summed anew
    assert counting.waiting() == 0


def test_an_agent_s_decisions_are_its_creator_s_who_may_become_another(counting: Counting) -> None:
    counting.decide([AN_HOUR_AGO, AN_HOUR_AGO])
    counting.sum_all()
    one, other = (Reach(everything=False, wallet=w) for w in ("0xca", "0xdd"))

    counting.database.run(
        "UPDATE agents SET creator_wallet = '0xDD' WHERE id = :id", id=counting.agents["0xCA"]
    )

    asked: list[Asked] = [(reach, TimeWindow.DAY, None) for reach in (EVERYTHING, one, other)]
    counting.assert_alike(asked)  # nothing is summed any more
    counting.sum_all()
    counting.assert_alike(asked)


NOW = {**AN_HOUR_AGO, "seconds": 0}
ALL: list[Asked] = [(EVERYTHING, window, None) for window in TimeWindow]


def test_a_decision_that_grew_old_before_it_was_committed_is_counted(counting: Counting) -> None:
    one = {**NOW, "seconds": "59.8", "signal_id": uuid4(), "agent_id": counting.agents["0xCA"]}
    written = {"decided": Json([one])}

    counting.database.run_together((MADE, written), (TOLD, written), ("SELECT pg_sleep(0.4)", {}))
    counting.database.run(  # as if all had been summed while it was not to be seen
        "UPDATE routing_summed SET since = stretch_of('1 day', now() - interval '8 days'),"
        " until = stretch_of(stretch, now()) + stretch"
    )

    counting.assert_alike(ALL)


def test_a_clock_that_was_ahead_and_is_set_back_loses_no_decision(counting: Counting) -> None:
    counting.decide([AN_HOUR_AGO])
    counting.sum_all()
    counting.database.run("UPDATE routing_summed SET until = until + interval '4 hours'")

    counting.decide([NOW])
    counting.assert_alike(ALL)
    counting.sum_all()
    counting.decide([NOW])
    counting.assert_alike(ALL)


def test_sums_begin_anew_after_a_clock_that_was_ahead_by_weeks(counting: Counting) -> None:
    counting.decide([AN_HOUR_AGO])
    counting.database.run(
        "UPDATE routing_summed SET since = stretch_of('1 day', now() + interval '30 days'),"
        " until = stretch_of('1 day', now() + interval '30 days')"
    )

    counting.sum_all()

    counting.assert_alike(ALL)
    (row,) = counting.database.run("SELECT count(*) AS sums FROM routing_sums")
    assert row["sums"] > 0


def test_sums_go_on_after_nobody_summed_for_longer_than_they_are_kept(counting: Counting) -> None:
    counting.decide([AN_HOUR_AGO])
    counting.sum_all()
    counting.database.run(
        "UPDATE routing_summed SET since = since - interval '20 days',"
        " until = until - interval '20 days'"
    )

    counting.sum_all()

    counting.assert_alike(ALL)
    (row,) = counting.database.run(
        "SELECT min(until) > now() - interval '5 hours' AS up FROM routing_summed"
    )
    assert row["up"]


def test_an_agent_changes_hands_while_somebody_sums(counting: Counting, database_dsn: str) -> None:
    counting.decide([AN_HOUR_AGO])
    counting.sum_all()
    counting.database.run("UPDATE routing_summed SET until = until WHERE grain = 'm'")  # last now
    other = Database(DatabaseSettings.from_url(database_dsn))
    change = "UPDATE agents SET creator_wallet = '0xDD' WHERE id = :id"
    with ThreadPoolExecutor(1) as pool:
        summing = pool.submit(
            counting.database.run_together,
            ("SELECT FROM routing_summed WHERE grain = 'm' FOR UPDATE", {}),
            ("SELECT pg_sleep(0.5)", {}),
            ("UPDATE routing_summed SET until = until WHERE grain IN ('h', 'q')", {}),
        )
        time.sleep(0.2)
        other.run(change, id=counting.agents["0xCA"])
        summing.result()
    other.close()

    counting.assert_alike(ALL)
    rows = counting.database.run("SELECT FROM routing_summed WHERE since IS NOT NULL")
    assert rows == []


def test_a_decision_tells_its_agent_whoever_writes_it(counting: Counting) -> None:
    counting.decide([AN_HOUR_AGO])

    rows = counting.database.run("SELECT agent_id FROM venue_routing_history")
    assert rows == [{"agent_id": counting.agents["0xCA"]}]
