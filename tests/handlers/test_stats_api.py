"""What every read holds to: its documented end, one round trip, 503 without its database."""

import os
import subprocess
import sys

import pytest

from agent_where.migrations import set_up
from agent_where.store.connection import Database, DatabaseSettings
from local.postgres import start, stop
from tests.conftest import fresh_database
from tests.fixtures_database import MIGRATIONS
from tests.handlers.gateway import MULTI_AGENT, ROOT, SIGNAL, Function, Still, assert_failure, cases

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


@pytest.mark.parametrize(
    "cursor",
    ["", "%", "é", "AAAA", "MjAyNi0wMS0wMVQwMDowMDowMCswMDowMH4x", "\x00", "x" * 5000],
)
def test_a_cursor_that_no_page_told_is_refused(still: Still, cursor: str) -> None:
    assert_failure(still.function.ask("get_agents", cursor=cursor), 400, "BAD_INPUT")


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
