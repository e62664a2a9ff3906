"""Failures as OpenAPI responses: each status with the codes it may come with, shared by name."""

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from itertools import groupby
from typing import Any

from agent_where.contract.operations import FAILURES, OF_EVERY_ROUTE, Operation
from agent_where.spec.schemas import REF, Schema

JSON = "application/json"
_NOT_FIT = "NOT_FIT"
_AT = "2026-01-31T12:00:00Z"
_HEADERS: dict[HTTPStatus, Schema] = {
    HTTPStatus.UNAUTHORIZED: {
        "WWW-Authenticate": {
            "description": "How to authenticate.",
            "schema": {"type": "string", "const": "Bearer"},
        }
    },
    HTTPStatus.SERVICE_UNAVAILABLE: {
        "Retry-After": {
            "description": "Seconds to wait; absent where API Gateway itself answers.",
            "schema": {"type": "integer", "minimum": 0},
        }
    },
}
Codes = tuple[str, ...]


def failures_of(route: Operation[Any, Any, Any]) -> Schema:
    """The failures of a route by status, as references."""
    return {
        str(_status(codes).value): {"$ref": f"#/components/responses/{_name(codes)}"}
        for codes in _by_status(route)
    }


def shared_failures(routes: Iterable[Operation[Any, Any, Any]]) -> Schema:
    """What `failures_of` refers to, by name."""
    found = {codes for route in routes for codes in _by_status(route)}
    return {_name(codes): _response(codes) for codes in sorted(found, key=_name)}


def _by_status(route: Operation[Any, Any, Any]) -> Iterator[Codes]:
    codes = sorted(set(route.codes), key=lambda code: (FAILURES[code].status, code))
    for _, group in groupby(codes, key=lambda code: FAILURES[code].status):
        yield tuple(group)


def _status(codes: Codes) -> HTTPStatus:
    return FAILURES[codes[0]].status


def _name(codes: Codes) -> str:
    """After what not every route answers, else after the first that every route does."""
    own = [code for code in codes if code not in OF_EVERY_ROUTE] or codes[:1]
    return "".join(word.capitalize() for code in own for word in code.split("_"))


def _response(codes: Codes) -> Schema:
    told: Schema = {"description": "\n".join(_line(code) for code in codes)}
    if headers := _HEADERS.get(_status(codes)):
        told["headers"] = headers
    examples = {
        code: {"summary": FAILURES[code].meaning, "value": _example(code)} for code in codes
    }
    told["content"] = {JSON: {"schema": _schema(codes), "examples": examples}}
    return told


def _line(code: str) -> str:
    return f"- `{code}`: {FAILURES[code].meaning}"


def _schema(codes: Codes) -> Schema:
    shaped = [code for code in codes if code != _NOT_FIT]
    allowed = {"properties": {"code": {"enum": shaped}}}
    failure: Schema = {"allOf": [{"$ref": f"{REF}Failure"}, allowed]}
    if _NOT_FIT not in codes:
        return failure
    return {"oneOf": [failure, {"$ref": f"{REF}NotFit"}]}


def _example(code: str) -> Schema:
    told: Schema = {"success": False, "error": FAILURES[code].meaning, "code": code}
    if code == _NOT_FIT:
        return {**told, "fit": False, "checkedAt": _AT}
    if code == "BAD_INPUT":
        fault = "agentId: a UUID is needed, 32 hex digits with its hyphens"
        return {**told, "error": f"bad input: {fault}", "details": [fault]}
    return told
