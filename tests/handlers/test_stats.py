"""Statistics over HTTP: every decision counted once, and the newest told."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from agent_where.store.connection import Database, Json
from tests.handlers.gateway import DEPLOYMENT, MULTI_AGENT, Function
from tests.world import World


class History:
    """Writes decisions as the router would have."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def decided(
        self,
        token: str,
        venue: str | None,
        *,
        took_us: int | None = 1000,
        ago: str = "1 minute",
        attempt: int = 1,
        requested: str = "MULTI",
        deployment: UUID | None = None,
    ) -> None:
        signal_id = uuid4()
        self._database.run(
            "INSERT INTO signals (id, agent_id, token_symbol, venue) VALUES (:id, :a, :t, 'MULTI')",
            id=signal_id,
            a=MULTI_AGENT,
            t=token,
        )
        self._database.run(
            "INSERT INTO venue_routing_history (signal_id, token_symbol, requested_venue,"
            " selected_venue, routing_reason, checked_venues, venue_availability,"
            " routing_duration_ms, routing_duration_us, attempt, deployment_id, created_at)"
            " VALUES (:signal, :token, :requested, :venue, 'a test', :checked, :available, 7,"
            " :took_us, :attempt, :deployment, now() - CAST(:ago AS interval))",
            signal=signal_id,
            token=token,
            requested=requested,
            venue=venue,
            checked=["HYPERLIQUID", "OSTIUM", "GMX"],
            available=Json({"HYPERLIQUID": venue == "HYPERLIQUID", "OSTIUM": venue == "OSTIUM"}),
            took_us=took_us,
            attempt=attempt,
            deployment=deployment,
            ago=ago,
        )


@pytest.fixture
def history(api_database: Database) -> History:
    return History(api_database)


def stats(reader: Function, **query: str) -> dict[str, Any]:
    answer = reader.ask("get_stats", **query)
    assert answer.status == 200, answer
    told: dict[str, Any] = answer.body["stats"]
    return told


def test_stats_of_nothing_are_zeros_and_full_success(reader: Function) -> None:
    answer = reader.send("get_stats")

    assert answer.body == {
        "success": True,
        "timeWindow": "day",
        "stats": {
            "total": 0,
            "byVenue": {},
            "byToken": {},
            "avgRoutingTimeMs": 0,
            "successRate": 100,
            "failovers": 0,
            "p50RoutingTimeMs": 0,
            "p99RoutingTimeMs": 0,
        },
        "recentRouting": [],
    }


def test_stats_have_the_documented_keys_and_count_every_decision(
    reader: Function, history: History
) -> None:
    for _ in range(30):
        history.decided("BTC", "HYPERLIQUID", took_us=2_000)
    for _ in range(9):
        history.decided("HYPE", "OSTIUM", took_us=4_500)
    history.decided("NONE", None, took_us=100_000)

    answer = reader.send("get_stats")

    assert answer.body.keys() == {"success", "timeWindow", "stats", "recentRouting"}
    assert answer.body["stats"] == {
        "total": 40,
        "byVenue": {"HYPERLIQUID": 30, "OSTIUM": 9},
        "byToken": {
            "BTC": {"total": 30, "venues": {"HYPERLIQUID": 30, "OSTIUM": 0}},
            "HYPE": {"total": 9, "venues": {"HYPERLIQUID": 0, "OSTIUM": 9}},
            "NONE": {"total": 1, "venues": {"HYPERLIQUID": 0, "OSTIUM": 0}},
        },
        "avgRoutingTimeMs": 5.013,
        "successRate": 97.5,
        "failovers": 0,
        "p50RoutingTimeMs": 2,
        "p99RoutingTimeMs": 100,
    }


def test_recent_routing_is_the_newest_twenty_with_the_documented_keys(
    reader: Function, history: History
) -> None:
    for minutes in range(25):
        history.decided(f"T{minutes}", "OSTIUM", ago=f"{minutes} minutes")

    recent = reader.send("get_stats").body["recentRouting"]

    assert [each["tokenSymbol"] for each in recent] == [f"T{number}" for number in range(20)]
    assert recent[0].keys() == {
        "id",
        "tokenSymbol",
        "selectedVenue",
        "routingReason",
        "checkedVenues",
        "venueAvailability",
        "routingDurationMs",
        "createdAt",
    }
    assert recent[0]["createdAt"].endswith("Z")
    assert recent[0]["routingDurationMs"] == 7
    assert recent[0]["venueAvailability"] == {"HYPERLIQUID": False, "OSTIUM": True}


def test_failovers_are_counted_apart_and_others_rows_not_at_all(
    reader: Function, history: History
) -> None:
    history.decided("BTC", "HYPERLIQUID")
    history.decided("BTC", "OSTIUM", attempt=2, deployment=DEPLOYMENT)
    history.decided("BTC", "OSTIUM", deployment=DEPLOYMENT)
    history.decided("BTC", "GMX", requested="GMX")

    told = stats(reader)

    assert (told["total"], told["failovers"]) == (1, 1)
    assert told["byVenue"] == {"HYPERLIQUID": 1}


@pytest.mark.parametrize(("window", "total"), [("hour", 1), ("day", 2), ("week", 3)])
def test_a_window_looks_back_no_further(
    reader: Function, history: History, window: str, total: int
) -> None:
    for ago in ("59 minutes", "23 hours", "6 days 23 hours", "8 days"):
        history.decided("BTC", "OSTIUM", ago=ago)

    assert stats(reader, timeWindow=window)["total"] == total


def test_a_token_filters_under_every_name_it_has(reader: Function, history: History) -> None:
    history.decided("PEPE", "OSTIUM")
    history.decided("BTC", "HYPERLIQUID")

    told = stats(reader, tokenSymbol="kPEPE")

    assert told["byToken"].keys() == {"PEPE"}
    assert told["byToken"]["PEPE"]["venues"] == {"HYPERLIQUID": 0, "OSTIUM": 1}


def test_a_venue_that_was_seen_is_listed_though_no_priority_has_it(
    reader: Function, history: History, world: World
) -> None:
    world.config(None, ["OSTIUM"])
    history.decided("BTC", "GMX")
    history.decided("ETH", "OSTIUM")

    told = stats(reader)["byToken"]

    assert told["BTC"]["venues"] == {"OSTIUM": 0, "GMX": 1}
    assert told["ETH"]["venues"] == {"OSTIUM": 1, "GMX": 0}


def test_a_decision_from_before_microseconds_counts_with_its_milliseconds(
    reader: Function, history: History
) -> None:
    history.decided("BTC", "OSTIUM", took_us=None)

    assert stats(reader)["avgRoutingTimeMs"] == 7


def test_of_very_many_tokens_the_most_decided_are_told_and_all_are_counted(
    reader: Function, history: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_where.stats.MOST_TOKENS", 2)
    for token in ("AAA", "BTC", "BTC", "CCC", "CCC"):
        history.decided(token, "OSTIUM")

    told = stats(reader)

    assert (told["total"], set(told["byToken"])) == (5, {"BTC", "CCC"})


def test_one_failure_in_very_many_is_not_rounded_to_full_success(
    reader: Function, api_database: Database, history: History
) -> None:
    history.decided("BTC", None)
    for _ in range(3):  # a statement has five seconds
        api_database.run(
            "WITH made AS (INSERT INTO signals (id, agent_id, token_symbol, venue)"
            " SELECT gen_random_uuid(), :agent, 'BTC', 'MULTI' FROM generate_series(1, 7000)"
            " RETURNING id) INSERT INTO venue_routing_history (signal_id, agent_id, token_symbol,"
            " requested_venue, selected_venue, routing_reason, checked_venues, venue_availability,"
            " routing_duration_ms) SELECT id, :agent, 'BTC', 'MULTI', 'OSTIUM', '', '{OSTIUM}',"
            " '{}', 1 FROM made",
            agent=MULTI_AGENT,
        )

    assert stats(reader)["successRate"] == 99.99
