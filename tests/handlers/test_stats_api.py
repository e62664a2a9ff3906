"""Reading config, stats, agents, deployments, trades, positions and markets over HTTP."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from agent_where.contract import routes
from agent_where.migrations import set_up
from agent_where.store.connection import Database, DatabaseSettings, Json
from local.postgres import start, stop
from tests.conftest import fresh_database
from tests.fixtures_database import MIGRATIONS
from tests.handlers.calling import ask
from tests.handlers.gateway import (
    DEPLOYMENT,
    MULTI_AGENT,
    ROOT,
    SIGNAL,
    WALLET,
    Function,
    Still,
    assert_failure,
    cases,
    keys_of,
)
from tests.world import World, close_signal, signal

FUNCTION = "stats_api"
OUTCOMES = {
    "get_config": (200, None),
    "get_config_of_agent": (200, None),
    "get_config_under_the_stage": (200, None),
    "get_config_unknown_agent": (404, "UNKNOWN_AGENT"),
    "get_config_bad_agent": (400, "BAD_INPUT"),
    "get_config_misspelt": (400, "BAD_INPUT"),
    "get_stats": (200, None),
    "get_stats_of_token": (200, None),
    "get_stats_bad_window": (400, "BAD_INPUT"),
    "get_agents": (200, None),
    "get_agents_bad_cursor": (400, "BAD_INPUT"),
    "get_agent": (200, None),
    "get_unknown_agent": (404, "UNKNOWN_AGENT"),
    "get_agent_bad_id": (400, "BAD_INPUT"),
    "get_deployments": (200, None),
    "get_deployments_unknown_agent": (404, "UNKNOWN_AGENT"),
    "get_deployment": (200, None),
    "get_unknown_deployment": (404, "UNKNOWN_DEPLOYMENT"),
    "get_signal": (200, None),
    "get_unknown_signal": (404, "UNKNOWN_SIGNAL"),
    "get_positions": (200, None),
    "get_positions_filtered": (200, None),
    "get_positions_unknown_agent": (404, "UNKNOWN_AGENT"),
    "get_positions_unknown_deployment": (404, "UNKNOWN_DEPLOYMENT"),
    "get_positions_bad_status": (400, "BAD_INPUT"),
    "get_markets": (200, None),
    "get_markets_filtered": (200, None),
    "get_markets_of_multi": (400, "BAD_INPUT"),
    "unknown_path": (404, "NOT_FOUND"),
}
SECRETS = {"key_ref", "payload", "sent_under", "lease_token", "body_hash", "sentUnder", "bodyHash"}


@pytest.fixture
def reader(api_database: Database) -> Function:
    return Function(FUNCTION)


@pytest.fixture
def world(api_database: Database, database_dsn: str) -> Iterator[World]:
    """Both venues list BTC, and the event files' agent has its deployment."""
    made = World(database_dsn)
    made.both_markets("BTC")
    yield made
    made.dispose()


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


def test_every_event_file_has_its_outcome_here() -> None:
    assert cases(FUNCTION) == OUTCOMES.keys()


@pytest.fixture(scope="module")
def still_signal(still: Still) -> Still:
    """With the signal that the event files name."""
    still.database.run(
        "INSERT INTO signals (id, agent_id, token_symbol, venue) VALUES (:id, :a, 'BTC', 'MULTI')",
        id=SIGNAL,
        a=MULTI_AGENT,
    )
    return still


@pytest.mark.parametrize("case", OUTCOMES)
def test_each_event_ends_as_the_contract_says(still_signal: Still, case: str) -> None:
    answer = still_signal.function.send(case)

    status, code = OUTCOMES[case]
    assert answer.status == status, answer
    if code is None:
        assert answer.body["success"] is True
        assert answer.headers["Content-Type"] == "application/json"
        assert answer.headers["Cache-Control"] == "no-store"
    else:
        assert_failure(answer, status, code)


@pytest.mark.parametrize("case", [case for case, (_, code) in OUTCOMES.items() if code is None])
def test_each_read_is_one_round_trip(still_signal: Still, case: str) -> None:
    before = still_signal.connection.round_trips

    still_signal.function.send(case)

    assert still_signal.connection.round_trips == before + 1


# Config


def test_a_config_has_the_documented_keys_whichever_row_applies(
    reader: Function, api_database: Database, world: World
) -> None:
    keys = {
        "id",
        "agent_id",
        "venue_priority",
        "routing_strategy",
        "failover_enabled",
        "created_at",
        "updated_at",
        "isDefault",
    }
    inherited = reader.send("get_config_of_agent").body["config"]
    world.config(MULTI_AGENT, ["OSTIUM"])
    own = reader.send("get_config_of_agent").body["config"]
    api_database.run("DELETE FROM venue_routing_config")
    built_in = reader.send("get_config_of_agent").body["config"]

    assert inherited.keys() == own.keys() == built_in.keys() == keys
    assert (inherited["agent_id"], inherited["isDefault"]) == (None, False)
    assert (own["agent_id"], own["venue_priority"]) == (str(MULTI_AGENT), ["OSTIUM"])
    assert (own["isDefault"], built_in["isDefault"]) == (False, True)
    assert built_in["venue_priority"] == ["HYPERLIQUID", "OSTIUM"]
    assert built_in["id"] is None


# Stats


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


# Agents and deployments


def test_agents_come_in_pages_without_gap_or_repeat(
    reader: Function, api_database: Database
) -> None:
    api_database.run(
        "INSERT INTO agents (creator_wallet, name, venue, profit_receiver_address)"
        " SELECT '0xc', 'a ' || n, 'MULTI', '0xp' FROM generate_series(1, 230) n"
    )

    seen: list[str] = []
    answer = reader.send("get_agents")
    while answer.body["nextCursor"]:
        seen += [agent["id"] for agent in answer.body["agents"]]
        answer = reader.ask("get_agents", cursor=answer.body["nextCursor"])
    seen += [agent["id"] for agent in answer.body["agents"]]

    rows = api_database.run("SELECT id FROM agents ORDER BY created_at DESC, id DESC")
    assert seen == [str(row["id"]) for row in rows]


@pytest.mark.parametrize(
    "cursor",
    ["", "%", "é", "AAAA", "MjAyNi0wMS0wMVQwMDowMDowMCswMDowMH4x", "\x00", "x" * 5000],
)
def test_a_cursor_that_no_page_told_is_refused(still: Still, cursor: str) -> None:
    assert_failure(still.function.ask("get_agents", cursor=cursor), 400, "BAD_INPUT")


def test_a_deployment_is_shown_with_its_accounts_and_no_key(
    reader: Function, api_database: Database
) -> None:
    api_database.run(
        "INSERT INTO venue_accounts (account, venue, signer_address, key_ref)"
        " VALUES (:account, 'OSTIUM', '0xs', 'kms:a')",
        account=f"0x{'cd' * 20}",
    )

    answer = reader.send("get_deployment")

    told = answer.body["deployment"]
    assert told["user_wallet"] == WALLET
    assert told["maxNotionalUsd"] == "5000"
    assert [each["signer_address"] for each in told["accounts"]] == ["0xs"]
    assert not SECRETS & set(keys_of(answer.body))
    assert reader.send("get_deployments").body["deployments"] == [told]


# Where is my trade


def test_a_trade_is_shown_whole_from_its_decision_to_its_close(
    reader: Function, world: World
) -> None:
    opened = signal(MULTI_AGENT, riskModel={"stopLoss": "0.05"})
    world.take(opened)
    world.work()
    closing = close_signal(MULTI_AGENT)
    world.take(closing)
    world.work()

    answer = reader.at("get_signal", opened.signal_id)

    told = answer.body
    assert told["signal"]["signalId"] == str(opened.signal_id)
    assert (told["signal"]["requestedVenue"], told["signal"]["venue"]) == ("MULTI", "HYPERLIQUID")
    assert told["signal"]["sizeModel"] == {
        "type": "fixed-usdc",
        "value": "100",
        "leverage": "3",
    }
    (decision,) = told["decisions"]
    assert decision["selectedVenue"] == "HYPERLIQUID"
    assert [each["venue"] for each in decision["candidates"]] == ["HYPERLIQUID", "OSTIUM"]
    statuses = {(each["purpose"], each["status"]) for each in told["orders"]}
    assert {("ENTRY", "FILLED"), ("CLOSE", "FILLED")} <= statuses
    assert len(told["fills"]) == 2
    (position,) = told["positions"]
    assert (position["status"], position["openQty"]) == ("CLOSED", "0")
    assert isinstance(position["pnl"], str)
    assert isinstance(told["fills"][0]["price"], str)
    assert told["truncated"] is False
    assert not SECRETS & set(keys_of(told))

    closed = reader.at("get_signal", closing.signal_id).body
    assert [each["purpose"] for each in closed["orders"]] == ["CLOSE"]
    assert closed["positions"] == told["positions"]


def test_a_signal_with_very_many_orders_says_that_some_are_left_out(
    reader: Function, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_where.store.views.TRADE_ROWS", 2)
    for _ in range(3):
        world.follow(MULTI_AGENT)
    opened = signal(MULTI_AGENT)
    world.take(opened)

    told = reader.at("get_signal", opened.signal_id).body

    assert (len(told["orders"]), told["truncated"]) == (2, True)


# Positions and markets


def test_positions_are_filtered_and_paged_newest_first(reader: Function, world: World) -> None:
    other = world.agent()
    world.follow(other)
    for agent in (MULTI_AGENT, MULTI_AGENT, MULTI_AGENT, other):
        world.open(agent)
    world.work()

    asked = {"agentId": str(MULTI_AGENT), "limit": "2"}
    first = reader.ask("get_positions", **asked).body
    second = reader.ask("get_positions", **asked, cursor=first["nextCursor"]).body

    shown = first["positions"] + second["positions"]
    assert (len(first["positions"]), len(second["positions"])) == (2, 1)
    assert second["nextCursor"] is None
    assert len({each["id"] for each in shown}) == 3
    assert {each["agentId"] for each in shown} == {str(MULTI_AGENT)}
    times = [datetime.fromisoformat(each["openedAt"]) for each in shown]
    assert times == sorted(times, reverse=True)
    assert isinstance(shown[0]["qty"], str)
    assert reader.ask("get_positions", status="CLOSED").body["positions"] == []
    assert len(reader.ask("get_positions", deploymentId=str(DEPLOYMENT)).body["positions"]) == 3


def test_markets_are_filtered_by_venue_and_token(reader: Function, world: World) -> None:
    world.both_markets("PEPE", multiplier="1000")

    everything = reader.send("get_markets").body["markets"]
    of_token = reader.ask("get_markets", tokenSymbol="kpepe").body["markets"]
    of_both = reader.ask("get_markets", tokenSymbol="BTC", venue="ostium").body["markets"]

    assert len(everything) == 4
    assert [each["venue"] for each in of_token] == ["HYPERLIQUID", "OSTIUM"]
    assert of_token[0]["multiplier"] == "1000"
    assert [(each["venue"], each["tokenSymbol"]) for each in of_both] == [("OSTIUM", "BTC")]
    assert of_both[0]["currentPrice"] == "100"


def test_rows_that_an_older_installation_left_half_empty_are_shown_all_the_same(
    reader: Function, api_database: Database
) -> None:
    api_database.script(
        "ALTER TABLE venue_routing_history ALTER COLUMN signal_id DROP NOT NULL,"
        " ALTER COLUMN routing_reason DROP NOT NULL, ALTER COLUMN checked_venues DROP NOT NULL,"
        " ALTER COLUMN venue_availability DROP NOT NULL,"
        " ALTER COLUMN routing_duration_ms DROP NOT NULL;"
        "INSERT INTO venue_routing_history (token_symbol, requested_venue) VALUES ('BTC', 'MULTI');"
        "ALTER TABLE venue_routing_config ALTER COLUMN venue_priority DROP NOT NULL;"
        "ALTER TABLE venue_routing_config ALTER COLUMN routing_strategy DROP NOT NULL;"
        "UPDATE venue_routing_config SET venue_priority = NULL, routing_strategy = NULL;"
    )

    config = reader.send("get_config").body["config"]
    recent = reader.ask("get_stats").body["recentRouting"]
    history = ask(reader, routes.GET_HISTORY).body["history"]

    assert (config["venue_priority"], config["routing_strategy"]) == (
        ["HYPERLIQUID", "OSTIUM"],
        "FIRST_AVAILABLE",
    )
    assert [each["routingReason"] for each in (*recent, *history)] == ["", ""]
    assert history[0]["signalId"] is None


# What every route holds to


def test_another_network_s_database_is_503(
    reader: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETWORK", "testnet")

    assert_failure(reader.send("get_config"), 503, "UNAVAILABLE")


def test_a_database_that_is_away_is_503_and_the_next_request_after_it_is_back_is_answered(
    connections: list[Database],
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    data = tmp_path_factory.mktemp("outage") / "postgres"
    server = start(data, durable=False)
    try:
        with fresh_database(server) as dsn:
            _set_up(dsn)
            monkeypatch.setenv("DATABASE_URL", dsn)
            reader = Function(FUNCTION)
            assert reader.send("get_config").status == 200

            stop(data)
            away = [reader.send("get_config"), Function(FUNCTION).send("get_agents")]
            start(data, port=server.port, durable=False)

            for answer in away:
                assert_failure(answer, 503, "UNAVAILABLE")
                assert answer.headers["Retry-After"] == "5"
                assert str(server.port) not in answer.body["error"]
            assert reader.send("get_config").status == 200
    finally:
        stop(data)


def test_reading_loads_neither_boto3_nor_an_adapter_nor_a_signer() -> None:
    looks = (
        "import sys; sys.path[:0] = ['layers/core', 'functions/stats_api']; import app;"
        "import agent_where.store.views; print(*sorted(sys.modules))"
    )
    lambda_s = {
        "LAMBDA_TASK_ROOT": "/var/task",
        "AWS_REGION": "eu-west-1",
        "PATH": os.environ["PATH"],
    }

    found = subprocess.run(
        [sys.executable, "-c", looks],
        cwd=ROOT,
        env=lambda_s,
        capture_output=True,
        text=True,
        check=True,
    )

    loaded = set(found.stdout.split())
    assert "agent_where.store.views" in loaded
    assert not loaded & {"boto3", "eth_account", "agent_where.trading", "agent_where.pipeline"}
    adapters = {name for name in loaded if name.startswith("agent_where.venues.")}
    assert adapters <= {"agent_where.venues.base"}


def _set_up(dsn: str) -> None:
    database = Database(DatabaseSettings.from_url(dsn))
    set_up(database, MIGRATIONS, network="mainnet")
    database.close()
