"""What CloudFormation is told when setup is part of a deployment."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from agent_where import custom_resource
from agent_where.errors import Unavailable
from agent_where.report import Report, check, report

LOOPBACK = "127.0.0.1"


class CloudFormation:
    """Where the answers go: what was put there, and what it says to that."""

    def __init__(self) -> None:
        self.answers: list[dict[str, Any]] = []
        self.status = 200
        self.longest = 0

    def event(self, request: str, port: int) -> dict[str, Any]:
        return {
            "RequestType": request,
            "ResponseURL": f"http://{LOOPBACK}:{port}/answer?Signature=secret",
            "StackId": "arn:aws:cloudformation:eu-west-1:000000000000:stack/agent-where/1",
            "RequestId": "a-request",
            "LogicalResourceId": "SetupRun",
            "ResourceProperties": {"Code": "1"},
        }


@pytest.fixture
def cloud() -> Iterator[tuple[CloudFormation, int]]:
    heard = CloudFormation()

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.longest = max(heard.longest, len(body))
            assert self.headers["Content-Type"] == ""
            heard.answers.append(json.loads(body))
            self.send_response(heard.status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Not into the tests' output."""

    server = HTTPServer((LOOPBACK, 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield heard, server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def ended(*, success: bool, todo: str = "") -> Report:
    return report((check("schema", {}, *([todo] if todo else [])),), success=success)


@pytest.mark.parametrize("request_type", ["Create", "Update"])
def test_a_deployment_sets_up_and_goes_on(
    cloud: tuple[CloudFormation, int], request_type: str
) -> None:
    heard, port = cloud
    event = heard.event(request_type, port)

    custom_resource.answer(event, lambda _: ended(success=True, todo="Run market_sync"))

    (told,) = heard.answers
    assert told["Status"] == "SUCCESS"
    assert told["Reason"] == "Run market_sync"
    assert {key: told[key] for key in ("StackId", "RequestId", "LogicalResourceId")} == {
        key: event[key] for key in ("StackId", "RequestId", "LogicalResourceId")
    }


@pytest.mark.parametrize(
    ("before", "told"),
    [
        ({"Database": "db-A", "Port": "5432", "Name": "n"}, "db-A 5432 n"),
        ({"Database": "db-B", "Port": "5432", "Name": "n", "Code": "0"}, None),
        ({"Database": "db-B", "Name": "n"}, "db-B n"),
        ({"Database": "DB-b.", "Port": "5432", "Name": "n"}, None),
        ({"Database": "DB-b.", "Port": "5432", "Name": "N"}, "DB-b. 5432 N"),
        ({"Code": "0"}, None),
    ],
)
def test_setup_is_told_where_the_database_was_if_elsewhere(
    cloud: tuple[CloudFormation, int], before: dict[str, str], told: str | None
) -> None:
    heard, port = cloud
    event = heard.event("Update", port) | {
        "ResourceProperties": {"Database": "db-B", "Port": "5432", "Name": "n", "Code": "1"},
        "OldResourceProperties": before,
    }
    was = list[str | None]()

    def set_up(moved_from: str | None) -> Report:
        was.append(moved_from)
        return ended(success=True)

    custom_resource.answer(event, set_up)

    assert was == [told]


def test_a_setup_that_fails_takes_the_deployment_back_and_says_why(
    cloud: tuple[CloudFormation, int],
) -> None:
    heard, port = cloud

    custom_resource.answer(
        heard.event("Update", port), lambda _: ended(success=False, todo="0007_x.sql: no " * 200)
    )

    (told,) = heard.answers
    assert told["Status"] == "FAILED"
    assert told["Reason"].startswith("0007_x.sql: no")
    assert len(json.dumps(told)) < 4096


def test_a_setup_that_fails_unforeseen_is_told_before_it_is_raised(
    cloud: tuple[CloudFormation, int],
) -> None:
    heard, port = cloud

    def broken(_: str | None) -> Report:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        custom_resource.answer(heard.event("Create", port), broken)

    assert heard.answers[0]["Status"] == "FAILED"


def test_deleting_the_stack_does_nothing_to_the_database(
    cloud: tuple[CloudFormation, int],
) -> None:
    heard, port = cloud

    def never(_: str | None) -> Report:
        raise AssertionError("setup ran")

    custom_resource.answer(heard.event("Delete", port), never)

    assert heard.answers[0]["Status"] == "SUCCESS"


def test_each_answer_names_the_same_resource_or_cloudformation_would_delete_the_old_one(
    cloud: tuple[CloudFormation, int],
) -> None:
    heard, port = cloud

    for request in ("Create", "Update", "Delete"):
        custom_resource.answer(heard.event(request, port), lambda _: ended(success=True))

    assert {told["PhysicalResourceId"] for told in heard.answers} == {"database"}


def test_a_resource_that_cloudformation_named_itself_keeps_that_name(
    cloud: tuple[CloudFormation, int],
) -> None:
    heard, port = cloud
    named = {"PhysicalResourceId": "named-when-setup-gave-no-answer-in-time"}

    for request in ("Update", "Delete"):
        event = heard.event(request, port) | named
        custom_resource.answer(event, lambda _: ended(success=True))

    assert [told["PhysicalResourceId"] for told in heard.answers] == [*named.values()] * 2


def test_a_long_reason_in_any_language_is_an_answer_that_cloudformation_takes(
    cloud: tuple[CloudFormation, int],
) -> None:
    heard, port = cloud

    custom_resource.answer(
        heard.event("Update", port), lambda _: ended(success=False, todo="失" * 2000)
    )

    assert heard.answers[0]["Reason"].startswith("失")
    assert heard.longest <= 4096


def test_an_answer_that_is_not_taken_is_an_error_without_the_signed_address(
    cloud: tuple[CloudFormation, int],
) -> None:
    heard, port = cloud
    heard.status = 403

    with pytest.raises(Unavailable, match="status 403") as raised:
        custom_resource.answer(heard.event("Create", port), lambda _: ended(success=True))

    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("event", "is_one"),
    [({}, False), ({"report": True}, False), ({"RequestType": "Create"}, False)],
)
def test_an_operator_s_invocation_is_no_deployment(event: dict[str, Any], *, is_one: bool) -> None:
    assert custom_resource.is_deployment(event) is is_one
