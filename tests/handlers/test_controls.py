"""Trading controls over HTTP: the answers' shapes, and who gets which."""

from collections.abc import Mapping
from typing import Any

import pytest

from agent_where.contract import routes
from agent_where.store.connection import Database
from tests.handlers.calling import ask
from tests.handlers.gateway import (
    CREATOR,
    DEPLOYMENT,
    MULTI_AGENT,
    NOBODY,
    STATIC_AGENT,
    WALLET,
    Answer,
    Function,
    assert_failure,
    token,
)

KEYS = {"scope", "id", "state", "reason", "setBy", "setAt", "byOperator"}
HALT: Mapping[str, Any] = {"scope": "global", "state": "HALTED", "reason": "a test"}
CREATOR_TOKEN = token("routing:read", "routing:write", wallet=CREATOR)
USER_TOKEN = token("routing:read", "routing:write", wallet=WALLET)


@pytest.fixture
def writer(api_database: Database) -> Function:
    return Function("config_api")


def put(function: Function, **told: object) -> Answer:
    return ask(function, routes.PUT_CONTROL, body={**HALT, **told})


def get(function: Function, query: str = "") -> Answer:
    return ask(function, routes.GET_CONTROLS, query=query)


def test_a_control_is_answered_as_it_stands_and_listed_with_its_audit(
    writer: Function, reader: Function
) -> None:
    answer = put(writer)

    assert answer.status == 200
    control = answer.body["control"]
    assert control.keys() == KEYS
    assert (control["scope"], control["id"], control["state"]) == ("global", None, "HALTED")
    assert (control["setBy"], control["byOperator"]) == (token("admin")["subject"], True)
    assert get(reader).body == {
        "success": True,
        "controls": [control],
        "audit": [control],
        "nextCursor": None,
    }


def test_each_owner_sets_and_sees_his_own(writer: Function, reader: Function) -> None:
    creator, user = writer.called_by(CREATOR_TOKEN), writer.called_by(USER_TOKEN)
    of_agent = put(creator, scope="agent", id=str(MULTI_AGENT))
    of_deployment = put(user, scope="deployment", id=str(DEPLOYMENT).upper(), state="CLOSE_ONLY")

    assert (of_agent.status, of_deployment.status) == (200, 200)
    assert get(reader.called_by(CREATOR_TOKEN)).body["controls"] == [of_agent.body["control"]]
    assert get(reader.called_by(USER_TOKEN)).body["controls"] == [of_deployment.body["control"]]
    assert len(get(reader).body["controls"]) == 2


@pytest.mark.parametrize(
    ("caller", "told", "status", "code"),
    [
        (CREATOR_TOKEN, {}, 403, "FORBIDDEN"),
        (CREATOR_TOKEN, {"scope": "venue", "id": "OSTIUM"}, 403, "FORBIDDEN"),
        (CREATOR_TOKEN, {"scope": "deployment", "id": str(DEPLOYMENT)}, 404, "UNKNOWN_DEPLOYMENT"),
        (USER_TOKEN, {"scope": "agent", "id": str(MULTI_AGENT)}, 404, "UNKNOWN_AGENT"),
        (USER_TOKEN, {"scope": "agent", "id": str(NOBODY)}, 404, "UNKNOWN_AGENT"),
        (token("routing:read", wallet=CREATOR), {"scope": "agent"}, 403, "FORBIDDEN"),
        (token("admin"), {"scope": "agent", "id": str(NOBODY)}, 404, "UNKNOWN_AGENT"),
        (token("admin"), {"scope": "deployment", "id": str(NOBODY)}, 404, "UNKNOWN_DEPLOYMENT"),
        (token("admin"), {"state": "PAUSED"}, 400, "BAD_INPUT"),
        (token("admin"), {"reason": " "}, 400, "BAD_INPUT"),
        (token("admin"), {"reason": "x" * 501}, 400, "BAD_INPUT"),
        (token("admin"), {"reason": "\ud800"}, 400, "BAD_TEXT"),
        (token("admin"), {"setBy": "another"}, 400, "BAD_INPUT"),
        (token("admin"), {"byOperator": False}, 400, "BAD_INPUT"),
        (None, {}, 401, "UNAUTHORIZED"),
    ],
)
def test_what_is_not_the_caller_s_or_not_right_is_refused(
    writer: Function,
    api_database: Database,
    caller: Mapping[str, str] | None,
    told: dict[str, object],
    status: int,
    code: str,
) -> None:
    assert_failure(put(writer.called_by(caller), **told), status, code)
    assert api_database.run("SELECT scope FROM trading_controls") == []


def test_what_an_operator_holds_is_a_conflict_for_its_owner(writer: Function) -> None:
    put(writer, scope="agent", id=str(STATIC_AGENT))

    answer = put(
        writer.called_by(CREATOR_TOKEN), scope="agent", id=str(STATIC_AGENT), state="ACTIVE"
    )

    assert_failure(answer, 409, "HELD_BY_OPERATOR")


def test_a_list_is_filtered_and_paged(writer: Function, reader: Function) -> None:
    for venue in ("OSTIUM", "HYPERLIQUID", "SPOT"):
        put(writer, scope="venue", id=venue)
    put(writer)

    first = get(reader, "scope=venue&limit=2").body
    second = get(reader, f"scope=venue&limit=2&cursor={first['nextCursor']}").body

    assert [each["id"] for each in (*first["controls"], *second["controls"])] == [
        "SPOT",
        "HYPERLIQUID",
        "OSTIUM",
    ]
    assert second["nextCursor"] is None
    assert len(first["audit"]) == 3
    assert_failure(get(reader, f"cursor=x{first['nextCursor'][1:]}"), 400, "BAD_INPUT")
    assert_failure(get(reader, "scope=everything"), 400, "BAD_INPUT")
    assert_failure(get(reader, "state=HALTED"), 400, "BAD_INPUT")
