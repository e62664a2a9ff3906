"""What every write over HTTP of a config, agent or deployment holds to, and writing configs."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest

from agent_where.contract.bodies import ConfigBody
from agent_where.parsing import validate
from agent_where.store.connection import Database
from tests.handlers.conftest import Writers
from tests.handlers.gateway import (
    CONFIG_KEYS,
    MULTI_AGENT,
    NOBODY,
    OPERATOR,
    Function,
    Still,
    assert_failure,
    cases,
    details,
)

FUNCTION = "config_api"
OUTCOMES = {
    "set_config": (200, None),
    "set_global_config": (200, None),
    "set_config_under_the_stage": (200, None),
    "set_config_no_venues": (400, "BAD_INPUT"),
    "set_config_venue_twice": (400, "BAD_INPUT"),
    "set_config_unknown_venue": (400, "BAD_INPUT"),
    "set_config_multi_in_list": (400, "BAD_INPUT"),
    "set_config_unknown_strategy": (400, "BAD_INPUT"),
    "set_config_unknown_key": (400, "BAD_INPUT"),
    "set_config_of_a_static_agent": (400, "AGENT_NOT_MULTI"),
    "set_config_unknown_agent": (404, "UNKNOWN_AGENT"),
    "delete_config": (200, None),
    "delete_config_unknown_agent": (404, "UNKNOWN_AGENT"),
    "delete_config_of_nobody": (400, "BAD_INPUT"),
    "create_agent": (201, None),
    "create_agent_bad_fields": (400, "BAD_INPUT"),
    "create_agent_without_wallet": (400, "BAD_INPUT"),
    "change_agent": (200, None),
    "change_agent_owner": (400, "BAD_INPUT"),
    "change_agent_to_nothing": (400, "BAD_INPUT"),
    "change_unknown_agent": (404, "UNKNOWN_AGENT"),
    "create_deployment": (201, None),
    "create_deployment_a_second_time": (409, "CONFLICT"),
    "create_deployment_unknown_agent": (404, "UNKNOWN_AGENT"),
    "create_deployment_bad_fields": (400, "BAD_INPUT"),
    "change_deployment": (200, None),
    "change_unknown_deployment": (404, "UNKNOWN_DEPLOYMENT"),
    "id_that_is_none": (400, "BAD_INPUT"),
    "unknown_path": (404, "NOT_FOUND"),
}


@pytest.fixture
def config(api_database: Database) -> Function:
    return Function(FUNCTION)


def test_every_event_file_has_its_outcome_here() -> None:
    assert cases(FUNCTION) == OUTCOMES.keys()


@pytest.mark.parametrize("case", [case for case, (_, code) in OUTCOMES.items() if code])
def test_a_bad_event_is_refused_and_changes_nothing(still: Still, case: str) -> None:
    before = still.traces()

    answer = still.function.send(case)

    status, code = OUTCOMES[case]
    assert_failure(answer, status, code or "")
    assert still.traces() == before


@pytest.mark.parametrize("case", [case for case, (_, code) in OUTCOMES.items() if code is None])
def test_a_good_event_succeeds_in_one_round_trip(
    config: Function, connections: list[Database], case: str
) -> None:
    config.warm()
    (connection,) = connections
    before = connection.round_trips

    answer = config.send(case)

    assert answer.status == OUTCOMES[case][0]
    assert answer.body["success"] is True
    assert answer.headers["Content-Type"] == "application/json"
    assert connection.round_trips == before + 1


def test_the_answer_to_a_config_has_the_documented_keys(config: Function) -> None:
    answer = config.send("set_config")

    assert answer.body.keys() == {"success", "config"}
    told = answer.body["config"]
    assert told.keys() == CONFIG_KEYS
    assert told["agent_id"] == str(MULTI_AGENT)
    assert told["venue_priority"] == ["OSTIUM", "HYPERLIQUID"]
    assert told["routing_strategy"] == "FIRST_AVAILABLE"
    assert told["failover_enabled"] is True
    assert told["isDefault"] is False
    assert told["created_at"].endswith("Z")
    assert str(UUID(told["id"])) == told["id"]


def test_what_a_config_leaves_out_has_the_documented_default(config: Function) -> None:
    told = config.send("set_global_config").body["config"]

    assert (told["routing_strategy"], told["failover_enabled"]) == ("FIRST_AVAILABLE", True)
    assert told["agent_id"] is None


def test_a_config_set_again_replaces_the_row_and_its_time_moves_forward(
    config: Function, api_database: Database
) -> None:
    first = config.send("set_config").body["config"]
    api_database.run("UPDATE venue_routing_config SET updated_at = now() + interval '1 day'")
    second = config.post("set_config", venuePriority=["hyperliquid"], failoverEnabled=False).body[
        "config"
    ]
    third = config.send("set_config").body["config"]

    assert first["id"] == second["id"] == third["id"]
    assert first["created_at"] == second["created_at"]
    assert (second["venue_priority"], second["failover_enabled"]) == (["HYPERLIQUID"], False)
    assert first["updated_at"] < second["updated_at"] < third["updated_at"]


def test_the_global_row_is_one_row_however_often_it_is_set(
    config: Function, api_database: Database
) -> None:
    for _ in range(3):
        config.send("set_global_config")

    rows = api_database.run("SELECT FROM venue_routing_config WHERE agent_id IS NULL")
    assert len(rows) == 1


def test_two_writers_leave_one_whole_row(api_database: Database, writers: Writers) -> None:
    sets: list[dict[str, Any]] = [
        {"venuePriority": ["OSTIUM"], "failoverEnabled": False},
        {"venuePriority": ["HYPERLIQUID", "GMX"], "failoverEnabled": True},
    ]

    def write(which: int) -> None:
        writer = writers()
        for _ in range(20):
            writer.set_config(
                OPERATOR, validate(ConfigBody, {"agentId": str(MULTI_AGENT), **sets[which]})
            )

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, (0, 1)))

    rows = api_database.run(
        "SELECT * FROM venue_routing_config WHERE agent_id = :agent", agent=MULTI_AGENT
    )
    assert len(rows) == 1
    left = {
        "venuePriority": rows[0]["venue_priority"],
        "failoverEnabled": rows[0]["failover_enabled"],
    }
    assert left in sets


def test_a_deleted_config_gives_way_to_the_global_one(config: Function) -> None:
    config.send("set_config")

    for _ in range(2):
        told = config.send("delete_config").body["config"]
        assert told["agent_id"] is None
        assert told["venue_priority"] == ["HYPERLIQUID", "OSTIUM"]


def test_without_a_global_row_the_built_in_default_applies(
    config: Function, api_database: Database
) -> None:
    api_database.run("DELETE FROM venue_routing_config")

    told = config.send("delete_config").body["config"]

    assert told.keys() == CONFIG_KEYS
    assert told["isDefault"] is True
    assert (told["id"], told["created_at"]) == (None, None)
    assert told["venue_priority"] == ["HYPERLIQUID", "OSTIUM"]


@pytest.mark.parametrize("query", [{"agentID": str(MULTI_AGENT)}, {"agentId": ""}, {}])
def test_a_delete_that_does_not_name_its_agent_deletes_nothing(
    still: Still, query: dict[str, str]
) -> None:
    before = still.traces()

    assert_failure(still.function.ask("delete_config", **query), 400, "BAD_INPUT")

    assert still.traces() == before


def test_a_parameter_given_twice_is_refused(still: Still) -> None:
    twice = {"agentId": [str(NOBODY), str(MULTI_AGENT)]}

    answer = still.function.send("delete_config", multiValueQueryStringParameters=twice)

    assert_failure(answer, 400, "BAD_INPUT")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"venuePriority": None}, "venuePriority"),
        ({"venuePriority": "OSTIUM"}, "venuePriority"),
        ({"venuePriority": [["OSTIUM"]]}, "venuePriority.0"),
        ({"venuePriority": ["OSTIUM", "ostium"]}, "venuePriority"),
        ({"failoverEnabled": "yes"}, "failoverEnabled"),
        ({"failoverEnabled": 1}, "failoverEnabled"),
        ({"routingStrategy": None}, "routingStrategy"),
        ({"agentId": "agent-abc"}, "agentId"),
        ({"agent_id": None}, "agent_id"),
    ],
)
def test_a_bad_config_is_refused_by_its_field(
    still: Still, change: dict[str, Any], field: str
) -> None:
    answer = still.function.post("set_config", **change)

    assert_failure(answer, 400, "BAD_INPUT")
    assert details(answer) == {field}
