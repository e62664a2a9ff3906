"""With the database away every route that needs it says so in time, and recovers by itself."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from agent_where.contract.operations import Operation
from agent_where.contract.routes import ROUTES
from agent_where.store.connection import Database, DatabaseSettings
from local.postgres import Postgres
from tests.conftest import fresh_database
from tests.handlers.calling import function_of, through
from tests.handlers.conftest import counted_connections, set_environment
from tests.handlers.gateway import MULTI_AGENT, Answer, Function, seed, token
from tests.store.proxies import CLIENT, SERVER, Proxy

SECONDS = 6
WITHOUT_DATABASE = {"getOpenApi"}
NEEDS_IT = [route for route in ROUTES if route.name not in WITHOUT_DATABASE]
BODIES: dict[str, dict[str, Any]] = {
    "setConfig": {"venuePriority": ["OSTIUM"]},
    "preview": {"tokenSymbol": "BTC", "side": "LONG"},
    "createAgent": {
        "name": "a",
        "venue": "MULTI",
        "creator_wallet": f"0x{'1' * 40}",
        "profit_receiver_address": f"0x{'1' * 40}",
    },
    "changeAgent": {"name": "a"},
    "follow": {"venues": ["OSTIUM"], "user_wallet": f"0x{'1' * 40}"},
    "changeDeployment": {"status": "PAUSED"},
    "setControl": {"scope": "global", "state": "ACTIVE", "reason": "a test"},
    "sendSignal": {
        "signalId": "50000000-0000-4000-8000-000000000001",
        "agentId": str(MULTI_AGENT),
        "tokenSymbol": "BTC",
        "side": "LONG",
        "sizeModel": {"type": "fixed-usdc", "value": "5"},
    },
}
QUERIES = {"deleteConfig": f"?agentId={MULTI_AGENT}"}


ONE_OF_EACH = [route for route in ROUTES if route.name in {"getConfig", "setConfig", "sendSignal"}]


@pytest.fixture(scope="module")
def proxy(postgres: Postgres, migrated_template: str) -> Iterator[Proxy]:
    """What the functions take for their database."""
    with (
        pytest.MonkeyPatch.context() as patch,
        fresh_database(postgres, template=migrated_template) as dsn,
        counted_connections(patch),
    ):
        database = Database(DatabaseSettings.from_url(dsn))
        seed(database)
        database.close()
        port = DatabaseSettings.from_url(dsn).port
        with Proxy(port) as made:
            set_environment(patch, dsn.replace(f":{port}/", f":{made.port}/"))
            yield made


def load(route: Operation[Any, Any, Any]) -> Function:
    """The route's function after a cold start."""
    return Function(function_of(route)).called_by(token("admin"))


def ask(function: Function, route: Operation[Any, Any, Any]) -> tuple[Answer, float]:
    """The answer, and how many seconds it took."""
    path = route.path.replace("{id}", str(MULTI_AGENT)) + QUERIES.get(route.name, "")
    began = time.perf_counter()
    answer = through(function, route, path, BODIES.get(route.name))
    return answer, time.perf_counter() - began


def assert_unavailable(answer: Answer, took: float) -> None:
    assert answer.status == 503
    assert answer.body["success"] is False
    assert answer.body["code"] in ("UNAVAILABLE", "NOT_FIT")
    assert set(answer.body) >= {"success", "error", "code"}
    assert took < SECONDS


def assert_answered(answer: Answer) -> None:
    """By the database, whatever it says."""
    assert answer.status < 500 or answer.body["code"] == "NOT_FIT"


@pytest.mark.parametrize("route", NEEDS_IT, ids=lambda route: route.name)
def test_with_a_database_that_hangs_up_a_route_is_503_and_then_recovers(
    proxy: Proxy, route: Operation[Any, Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    function = load(route)
    assert_answered(ask(function, route)[0])
    monkeypatch.setattr("agent_where.status.LOOK_EVERY_SECONDS", 0)
    proxy.refuse(True)

    during, took = ask(function, route)
    cold, took_cold = ask(load(route), route)
    proxy.refuse(False)
    after, _ = ask(function, route)

    assert_unavailable(during, took)
    assert_unavailable(cold, took_cold)
    assert_answered(after)


@pytest.mark.parametrize("warm", [True, False], ids=["warm", "cold"])
@pytest.mark.parametrize("route", ONE_OF_EACH, ids=lambda route: route.name)
def test_with_a_database_that_falls_silent_a_route_is_503_in_time_and_then_recovers(
    proxy: Proxy, route: Operation[Any, Any, Any], warm: bool
) -> None:
    function = load(route)
    if warm:
        assert_answered(ask(function, route)[0])
    proxy.lose(CLIENT, SERVER)

    during, took = ask(function, route)
    proxy.lose()
    after, _ = ask(function, route)

    assert_unavailable(during, took)
    assert_answered(after)
