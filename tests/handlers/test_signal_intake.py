"""POST /signals: what is stored, what is enqueued, and what is refused with which words."""

import base64
import json
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from agent_where.store.connection import Database, Row
from agent_where.store.records import SignalTicket
from agent_where.store.store import Store
from tests.handlers.gateway import (
    MULTI_AGENT,
    SIGNAL,
    SPOT_AGENT,
    STATIC_AGENT,
    Answer,
    Function,
    Still,
    assert_failure,
    cases,
)

FUNCTION = "signal_intake"
QUEUE = "https://sqs.eu-west-1.amazonaws.com/000000000000/signals.fifo"
OUTCOMES = {
    "open": (202, None),
    "open_with_the_agents_venue": (202, None),
    "close": (202, None),
    "unknown_agent": (404, "UNKNOWN_AGENT"),
    "venue_without_adapter": (400, "VENUE_NOT_SUPPORTED"),
    "agent_of_a_venue_without_adapter": (400, "VENUE_NOT_SUPPORTED"),
    "several_bad_fields": (400, "BAD_INPUT"),
    "unknown_key": (400, "BAD_INPUT"),
    "not_json": (400, "BAD_JSON"),
    "no_body": (400, "BAD_JSON"),
    "another_media_type": (415, "UNSUPPORTED_MEDIA_TYPE"),
    "lone_surrogate": (400, "BAD_TEXT"),
}


class FakeSqs:
    """A FIFO queue's front: deduplicates by id, and can be away."""

    def __init__(self) -> None:
        self.away = False
        self.messages: list[dict[str, str]] = []

    def send_message_batch(self, **batch: Any) -> dict[str, Any]:
        if self.away:
            raise EndpointConnectionError(endpoint_url=batch["QueueUrl"])
        seen = {message["MessageDeduplicationId"] for message in self.messages}
        entries: Sequence[dict[str, str]] = batch["Entries"]
        self.messages += [e for e in entries if e["MessageDeduplicationId"] not in seen]
        return {"Successful": [{"Id": entry["Id"]} for entry in entries]}


@pytest.fixture
def sqs(monkeypatch: pytest.MonkeyPatch) -> FakeSqs:
    fake = FakeSqs()
    monkeypatch.setenv("SIGNAL_QUEUE_URL", QUEUE)
    monkeypatch.setattr(boto3, "client", lambda *_, **__: fake)
    return fake


@pytest.fixture
def intake(api_database: Database, sqs: FakeSqs) -> Function:
    return Function(FUNCTION)


def stored(database: Database) -> list[Row]:
    return database.run("SELECT * FROM signals ORDER BY received_at")


def test_every_event_file_has_its_outcome_here() -> None:
    assert cases(FUNCTION) == OUTCOMES.keys()


@pytest.mark.parametrize("case", [case for case, (_, code) in OUTCOMES.items() if code is None])
def test_a_good_event_is_stored_and_enqueued(
    intake: Function, api_database: Database, sqs: FakeSqs, case: str
) -> None:
    answer = intake.send(case)

    assert answer.status == 202
    assert answer.body == {"success": True, "signalId": str(SIGNAL)}
    assert answer.headers["Content-Type"] == "application/json"
    assert [row["id"] for row in stored(api_database)] == [SIGNAL]
    assert len(sqs.messages) == 1


@pytest.mark.parametrize("case", [case for case, (_, code) in OUTCOMES.items() if code])
def test_a_bad_event_is_refused_and_leaves_no_trace(still: Still, sqs: FakeSqs, case: str) -> None:
    answer = still.function.send(case)

    status, code = OUTCOMES[case]
    assert_failure(answer, status, code or "")
    assert stored(still.database) == []
    assert sqs.messages == []


def test_the_message_carries_the_id_alone_in_the_group_of_the_agent(
    intake: Function, sqs: FakeSqs
) -> None:
    intake.send("open")

    (message,) = sqs.messages
    assert json.loads(message["MessageBody"]) == {"signalId": str(SIGNAL)}
    assert message["MessageGroupId"] == str(MULTI_AGENT)
    assert message["MessageDeduplicationId"] == str(SIGNAL)


def test_the_agent_s_venue_is_used_where_the_signal_names_none(
    intake: Function, api_database: Database
) -> None:
    intake.post("open_with_the_agents_venue", agentId=str(STATIC_AGENT))

    assert stored(api_database)[0]["requested_venue"] == "HYPERLIQUID"


def test_a_venue_in_the_signal_wins_over_the_agent_s(
    intake: Function, api_database: Database
) -> None:
    answer = intake.post("open", agentId=str(SPOT_AGENT), venue="ostium")

    assert answer.status == 202
    assert stored(api_database)[0]["requested_venue"] == "OSTIUM"


def test_the_same_signal_again_is_taken_in_again_and_stands_once(
    intake: Function, api_database: Database, sqs: FakeSqs
) -> None:
    answers = [intake.send("open") for _ in range(3)]

    assert {answer.status for answer in answers} == {202}
    assert len(stored(api_database)) == 1
    assert len(sqs.messages) == 1


def test_a_decided_signal_is_not_enqueued_again(
    intake: Function, api_database: Database, sqs: FakeSqs
) -> None:
    intake.send("open")
    api_database.run("UPDATE signals SET decided_at = now()")
    sqs.messages.clear()

    assert intake.send("open").status == 202
    assert sqs.messages == []


def test_another_body_under_the_same_id_is_a_conflict(intake: Function) -> None:
    intake.send("open")

    assert_failure(intake.post("open", side="SHORT"), 409, "CONFLICT")
    assert_failure(intake.post("open", agentId=str(STATIC_AGENT)), 409, "CONFLICT")


def test_with_the_queue_away_the_signal_is_taken_in_and_reconcile_finds_it_at_once(
    intake: Function, api_database: Database, sqs: FakeSqs
) -> None:
    sqs.away = True

    answer = intake.send("open")

    assert answer.status == 202
    assert Store(api_database).enqueue_lost_signals(10) == [
        SignalTicket(id=SIGNAL, agent_id=MULTI_AGENT, again=1)
    ]


def test_a_signal_that_was_enqueued_is_not_found_by_reconcile_at_once(
    intake: Function, api_database: Database
) -> None:
    intake.send("open")

    assert Store(api_database).enqueue_lost_signals(10) == []


def test_with_the_queue_back_the_same_request_enqueues_what_was_lost(
    intake: Function, sqs: FakeSqs
) -> None:
    sqs.away = True
    intake.send("open")
    sqs.away = False

    intake.send("open")

    assert len(sqs.messages) == 1


def test_every_bad_field_is_named(still: Still) -> None:
    answer = still.function.send("several_bad_fields")

    named = {detail.split(":")[0] for detail in answer.body["details"]}
    assert named == {"side", "tokenSymbol", "sizeModel.value"}


def test_an_unknown_key_is_named(still: Still) -> None:
    assert still.function.send("unknown_key").body["details"] == ["leverag: unknown key"]


def test_a_body_over_the_bound_is_413(still: Still) -> None:
    assert_failure(
        still.function.send("open", body=json.dumps(["x" * 20_000])), 413, "BODY_TOO_LARGE"
    )


@pytest.mark.parametrize(
    ("body", "encoded", "code"),
    [
        ("[]", False, "BAD_JSON"),
        ("null", False, "BAD_JSON"),
        ("[" * 8_000, False, "BAD_JSON"),
        ('{"a": 1, "a": 2}', False, "BAD_JSON"),
        ('{"a": NaN}', False, "BAD_JSON"),
        ('{"a": ' + "9" * 5_000 + "}", False, "BAD_JSON"),
        ('{"a": "\\u0000"}', False, "BAD_TEXT"),
        ("\ud800", False, "BAD_JSON"),
        ("not base64", True, "BAD_JSON"),
        (base64.b64encode(b"\xff\xfe").decode(), True, "BAD_JSON"),
    ],
)
def test_what_is_no_json_object_is_refused(
    still: Still, body: str, encoded: bool, code: str
) -> None:
    assert_failure(still.function.send("open", body=body, isBase64Encoded=encoded), 400, code)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"createdAt": "9999-12-31T23:59:59Z"}, "createdAt"),
        ({"createdAt": "0001-01-01T00:00:00+14:00"}, "createdAt"),
        ({"expiresAt": "9999-12-31T23:59:59-10:00"}, "expiresAt"),
        ({"createdAt": "yesterday"}, "createdAt"),
        ({"createdAt": "2026-01-31T12:00:00"}, "createdAt"),
        ({"signalId": "sig-123"}, "signalId"),
        ({"agentId": 5}, "agentId"),
        ({"side": {"a": []}}, "side"),
        ({"venue": ["MULTI"]}, "venue"),
        ({"riskModel": None}, "riskModel"),
        ({"sizeModel": {"type": "fixed-usdc", "value": "1e99999"}}, "sizeModel.value"),
        ({"sizeModel": {"type": "fixed-usdc", "value": True}}, "sizeModel.value"),
        ({"sizeModel": {"type": "balance-percentage", "value": "101"}}, "sizeModel"),
    ],
)
def test_what_cannot_be_stored_is_refused_by_its_field(
    still: Still, change: dict[str, Any], field: str
) -> None:
    answer = still.function.post("open", **change)

    assert_failure(answer, 400, "BAD_INPUT")
    assert field in answer.body["error"]
    assert stored(still.database) == []


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("application/json; charset=utf-8", 202),
        ('APPLICATION/JSON;charset="UTF-8"', 202),
        ("application/json; charset=latin-1", 415),
        ("text/plain", 415),
    ],
)
def test_only_json_in_utf_8_is_read(intake: Function, content_type: str, status: int) -> None:
    assert intake.send("open", headers={"content-type": content_type}).status == status


def test_without_a_media_type_a_body_counts_as_json(intake: Function) -> None:
    assert intake.send("open", headers=None, multiValueHeaders=None).status == 202


def test_a_body_in_base64_is_read(intake: Function) -> None:
    body = {"signalId": str(uuid4()), "agentId": str(MULTI_AGENT), "tokenSymbol": "BTC"}
    close = json.dumps(body | {"action": "CLOSE"}).encode()

    answer = intake.send("open", body=base64.b64encode(close).decode(), isBase64Encoded=True)

    assert answer.status == 202


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/signals"), ("POST", "/signal"), ("POST", "/"), ("HEAD", "/x")]
)
def test_an_unknown_path_or_method_is_404(still: Still, method: str, path: str) -> None:
    assert_failure(still.function.send("open", httpMethod=method, path=path), 404, "NOT_FOUND")


def test_under_the_stage_s_name_the_route_is_the_same(intake: Function) -> None:
    assert intake.send("open", path="/api/signals").status == 202


def test_without_its_queue_s_url_a_signal_is_stored_for_reconcile(
    api_database: Database, sqs: FakeSqs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIGNAL_QUEUE_URL")

    assert Function(FUNCTION).send("open").status == 202
    assert len(stored(api_database)) == 1


def test_a_missing_setting_is_503_and_tells_the_caller_nothing_of_it(
    intake: Function, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL")

    answer: Answer = intake.send("open")

    assert_failure(answer, 503, "UNAVAILABLE")
    assert "DATABASE_URL" not in json.dumps(answer.body)
