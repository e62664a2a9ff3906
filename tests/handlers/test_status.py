"""GET /status and GET /status/details: what anybody is told, and what an operator is."""

from collections.abc import Iterator
from datetime import datetime

import pytest

from agent_where.contract import routes
from agent_where.reconciling import write_figures
from agent_where.store.connection import Database
from tests.handlers.calling import ask
from tests.handlers.gateway import CREATOR, Answer, Function, assert_failure, token
from tests.world import World


@pytest.fixture
def world(api_database: Database, database_dsn: str) -> Iterator[World]:
    """Fit to trade."""
    made = World(database_dsn)
    made.both_markets()
    write_figures(made.deps)
    yield made
    made.dispose()


def status(function: Function) -> Answer:
    return ask(function.called_by(None), routes.GET_STATUS)


def details(function: Function) -> Answer:
    return ask(function, routes.GET_DETAILS)


def test_anybody_is_told_that_it_is_fit_and_nothing_else(world: World) -> None:
    answer = status(Function("stats_api"))

    assert (answer.status, set(answer.body)) == (200, {"success", "fit", "checkedAt"})
    assert (answer.body["success"], answer.body["fit"]) == (True, True)
    assert datetime.fromisoformat(answer.body["checkedAt"]).tzinfo is not None


def test_not_fit_is_503_and_does_not_tell_why(world: World) -> None:
    world.control("global", None, "HALTED")

    answer = status(Function("stats_api"))

    assert answer.status == 503
    checked_at = answer.body.pop("checkedAt")
    assert answer.body == {
        "success": False,
        "error": "The system is not fit to trade.",
        "code": "NOT_FIT",
        "fit": False,
    }
    assert datetime.fromisoformat(checked_at).tzinfo is not None
    assert (answer.headers["Cache-Control"], answer.headers["Retry-After"]) == ("no-store", "5")


def test_a_database_of_another_network_is_not_fit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NETWORK", "testnet")
    function = Function("stats_api")

    assert status(function).body["code"] == "NOT_FIT"
    assert details(function).body["reasons"] == [
        "NETWORK is testnet, but the database serves mainnet"
    ]


def test_a_database_that_is_not_set_up_is_not_fit(
    empty_database: str, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database)
    function = Function("stats_api")

    assert status(function).body["code"] == "NOT_FIT"
    assert_failure(details(function), 503, "UNAVAILABLE")


def test_the_limit_of_a_market_s_age_is_the_setting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.rows("UPDATE venue_markets SET last_synced = now() - interval '10 minutes'")
    monkeypatch.setenv("MARKET_MAX_AGE_MINUTES", "9")

    assert status(Function("stats_api")).status == 503


def test_the_details_have_the_documented_keys(world: World) -> None:
    world.control("venue", "OSTIUM", "CLOSE_ONLY")

    answer = details(Function("stats_api"))

    assert answer.status == 200
    told = answer.body
    assert told.keys() == {
        "success",
        "fit",
        "reasons",
        "checkedAt",
        "database",
        "venues",
        "orders",
        "queues",
        "figuresAt",
        "controls",
    }
    assert told["database"].keys() == {"version", "migrations", "network", "clockSkewMs"}
    assert [each.keys() for each in told["venues"]] == [
        {"venue", "markets", "lastSynced", "ageSeconds", "fresh"}
    ] * 2
    assert told["queues"]["deadLetters"] == 0
    assert told["orders"]["unsettledOrders"] == 0
    assert [each["id"] for each in told["controls"]] == ["OSTIUM"]


@pytest.mark.parametrize(
    "caller", [token("routing:read", "routing:write", "signals:write", wallet=CREATOR), None]
)
def test_the_details_are_an_operator_s_alone(world: World, caller: dict[str, str] | None) -> None:
    answer = details(Function("stats_api").called_by(caller))

    assert_failure(answer, 403 if caller else 401, "FORBIDDEN" if caller else "UNAUTHORIZED")
