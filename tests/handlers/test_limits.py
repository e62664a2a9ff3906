"""What no caller can do with any route: crash it, confuse it, or leave something behind."""

import json
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from agent_where.contract.operations import Operation
from agent_where.contract.routes import ROUTES
from local.postgres import Postgres
from tests.handlers.calling import function_of
from tests.handlers.conftest import still_functions
from tests.handlers.gateway import Answer, Function, Still, assert_failure

WITH_BODY = [route for route in ROUTES if route.has_body]
WITH_CURSOR = [route for route in ROUTES if "cursor" in route.query.model_fields]


@pytest.fixture(scope="module")
def functions(postgres: Postgres, migrated_template: str) -> Iterator[Callable[[str], Still]]:
    """Each function over one database, for requests that leave no trace."""
    with still_functions(postgres, migrated_template) as load:
        yield load


def named(route: Operation[Any, Any, Any]) -> str:
    return route.name


def sent(function: Function, route: Operation[Any, Any, Any], **event: Any) -> Answer:
    """A request to a route, right but for `event`."""
    query = event.pop("query", {})
    id_ = "00000000-0000-4000-8000-000000000000"
    return function.invoke(
        {
            "resource": route.path,
            "path": route.path.replace("{id}", id_),
            "httpMethod": route.method,
            "headers": {"Content-Type": "application/json"},
            "multiValueHeaders": {"Content-Type": ["application/json"]},
            "queryStringParameters": query or None,
            "multiValueQueryStringParameters": {name: [told] for name, told in query.items()},
            "pathParameters": {"id": id_} if route.has_id else None,
            "requestContext": {"stage": "api", "requestId": "1"},
            "body": None,
            "isBase64Encoded": False,
            **event,
        }
    )


BODIES = {
    "ten kilobytes of nesting": ("[" * 5_000 + "]" * 5_000, 400, "BAD_JSON", "nested"),
    "nesting in an object": ('{"a":' * 2_000 + "1" + "}" * 2_000, 400, "BAD_JSON", "nested"),
    "a number out of all range": ('{"notionalUsd": 1e400}', 400, None, None),
    "a huge exponent": ('{"weights": [1e999999999]}', 400, None, None),
    "NaN": ('{"notionalUsd": NaN}', 400, "BAD_JSON", "NaN"),
    "a key twice": ('{"name": "a", "name": "b"}', 400, "BAD_JSON", "twice"),
    "300 kilobytes": (json.dumps({"name": "x" * 300_000}), 413, "BODY_TOO_LARGE", "16384"),
    "a lone surrogate": ('{"name": "\\ud800"}', 400, "BAD_TEXT", "name"),
    "NUL": ('{"reason": "\\u0000"}', 400, "BAD_TEXT", "reason"),
    "an array": ("[]", 400, "BAD_JSON", "object"),
    "nothing": ("", 400, "BAD_JSON", None),
    "half of it": ('{"name": ', 400, "BAD_JSON", None),
    "an unknown key": ('{"key_ref": "kms:x"}', 400, "BAD_INPUT", "key_ref: unknown key"),
}


@pytest.mark.parametrize("route", WITH_BODY, ids=named)
@pytest.mark.parametrize("kind", BODIES)
def test_a_bad_body_is_refused_by_name_and_leaves_no_trace(
    functions: Callable[[str], Still], route: Operation[Any, Any, Any], kind: str
) -> None:
    still = functions(function_of(route))
    raw, status, code, names = BODIES[kind]
    before = still.traces()

    answer = sent(still.function, route, body=raw)

    assert_failure(answer, status, code or "BAD_INPUT")
    assert names is None or names in answer.body["error"]
    assert still.traces() == before


@pytest.mark.parametrize("route", WITH_BODY, ids=named)
@pytest.mark.parametrize(
    "media", ["text/plain", "application/xml", "application/json; charset=latin1"]
)
def test_what_is_not_json_by_its_media_type_is_415(
    functions: Callable[[str], Still], route: Operation[Any, Any, Any], media: str
) -> None:
    function = functions(function_of(route)).function
    headers = {"headers": {"Content-Type": media}, "multiValueHeaders": {"Content-Type": [media]}}

    assert_failure(sent(function, route, body="{}", **headers), 415, "UNSUPPORTED_MEDIA_TYPE")


@pytest.mark.parametrize("route", WITH_CURSOR, ids=named)
def test_a_cursor_with_one_flipped_byte_is_refused_by_name(
    functions: Callable[[str], Still], route: Operation[Any, Any, Any]
) -> None:
    function = functions(function_of(route)).function
    cursor = "AAYv9S7KgACgAAAAAABAAIAAAAAAAAABAAAAAAAA"

    for asked in (cursor, cursor[:-1] + "B", "'; DROP TABLE agents; --", "x" * 4_000, ""):
        answer = sent(function, route, query={"cursor": asked})
        assert_failure(answer, 400, "BAD_INPUT")
        assert "cursor" in answer.body["error"]


@pytest.mark.parametrize("route", [route for route in ROUTES if route.scope], ids=named)
def test_a_parameter_that_is_not_known_or_told_twice_is_refused_by_name(
    functions: Callable[[str], Still], route: Operation[Any, Any, Any]
) -> None:
    function = functions(function_of(route)).function
    body = {"body": "{}"} if route.has_body else {}

    unknown = sent(function, route, query={"agentID": "1"}, **body)
    twice = sent(function, route, multiValueQueryStringParameters={"limit": ["1", "2"]}, **body)

    assert_failure(unknown, 400, "BAD_INPUT")
    assert "agentID: unknown key" in unknown.body["error"]
    assert_failure(twice, 400, "BAD_INPUT")
    assert "limit" in twice.body["error"]


@pytest.mark.parametrize("route", [route for route in ROUTES if route.has_id], ids=named)
@pytest.mark.parametrize("id_", ["1", "'", "a0000000000040008000000000000001", "null", "\x00"])
def test_an_id_in_a_path_that_is_no_uuid_is_refused_by_name(
    functions: Callable[[str], Still], route: Operation[Any, Any, Any], id_: str
) -> None:
    function = functions(function_of(route)).function
    path = route.path.replace("{id}", id_)

    answer = sent(function, route, path=path, pathParameters={"id": id_}, body="{}")

    assert answer.status in (400, 404)
    assert_failure(answer, answer.status, "BAD_INPUT" if answer.status == 400 else "NOT_FOUND")


@pytest.mark.parametrize("symbol", ["🚀", "BTC🚀", "", " ", "B" * 33, "ß", "BTC;--", "\u202eBTC"])
@pytest.mark.parametrize(
    "route", [route for route in ROUTES if "token_symbol" in route.query.model_fields], ids=named
)
def test_a_symbol_that_is_none_is_refused_by_name(
    functions: Callable[[str], Still], route: Operation[Any, Any, Any], symbol: str
) -> None:
    answer = sent(functions(function_of(route)).function, route, query={"tokenSymbol": symbol})

    assert_failure(answer, 400, "BAD_INPUT")
    assert "tokenSymbol" in answer.body["error"]


def test_the_largest_body_that_is_taken_is_read_quickly(functions: Callable[[str], Still]) -> None:
    route = next(route for route in ROUTES if route.name == "createAgent")
    body = json.dumps({"weights": [1] * 5_000, "name": "x" * 1_000})
    began = time.perf_counter()

    answer = sent(functions("config_api").function, route, body=body)

    assert_failure(answer, 400, "BAD_INPUT")
    assert time.perf_counter() - began < 2
