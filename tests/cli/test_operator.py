"""An operator's commands, against functions on loopback that answer as Lambda does."""

import json
import sys
from typing import Any

import pytest

from agent_where.doctor import Diagnosis
from agent_where.operating import Request
from agent_where.parsing import validate
from tests.cli.conftest import Run
from tests.cli.fake_api import FakeFunctions, Reply

ID = "e0000000-0000-4000-8000-000000000001"
DEPLOYMENT = "d0000000-0000-4000-8000-000000000001"
WHY = ("--by", "me", "--reason", "a test")

CHECK = {
    "name": "orders_stuck",
    "title": "An order was sent and its end is not known",
    "weight": "FAULT",
    "ok": False,
    "count": 1,
    "todo": "Read reconcile's log",
    "rows": [{"id": ID, "since": "2026-01-31T12:00:00Z", "detail": "SENT ENTRY"}],
}
SOUND = {
    "success": True,
    "sound": True,
    "checkedAt": "2026-01-31T12:00:00Z",
    "venuesSince": None,
    "checks": [{**CHECK, "ok": True, "count": 0, "todo": "", "rows": []}],
}
REDRIVE = {
    "success": True,
    "redrive": {
        "sent": False,
        "depth": 12,
        "moved": 0,
        "letters": [
            {"id": "m-1", "group": "g", "body": "{}", "names": ID, "reason": "UNKNOWN_SIGNAL",
             "sent_at_ms": 1, "to": None, "left": True}
        ],
    },
}  # fmt: skip


@pytest.fixture
def run(run_on_aws: Run) -> Run:
    return run_on_aws


def sent(functions: FakeFunctions) -> Any:
    (asked,) = functions.asked
    return asked.body


def test_the_doctor_ends_well_where_all_is_well(functions: FakeFunctions, run: Run) -> None:
    functions.says("POST", "prod-doctor", SOUND)

    result = run("doctor")

    assert result.exit_code == 0, result.stderr
    assert sent(functions) == {"venues": False}
    assert "orders_stuck" not in result.stdout


def test_the_doctor_ends_with_1_and_says_what_to_do_where_something_is_wrong(
    functions: FakeFunctions, run: Run
) -> None:
    unsound = SOUND | {"sound": False, "checks": [CHECK]}
    Diagnosis.model_validate(unsound)
    functions.says("POST", "prod-doctor", unsound)

    table, as_json = run("doctor", "--venues"), run("doctor", "--venues", "--json")

    assert (table.exit_code, as_json.exit_code) == (1, 1)
    assert functions.asked[0].body == {"venues": True}
    for told in ("orders_stuck", "FAULT", "Read reconcile's log", ID, "SENT ENTRY"):
        assert told in table.stdout
    assert json.loads(as_json.stdout) == unsound


def test_a_time_to_look_back_to_asks_the_venues(functions: FakeFunctions, run: Run) -> None:
    functions.says("POST", "prod-doctor", SOUND)

    run("doctor", "--since", "2026-01-31T12:00:00Z")

    assert sent(functions) == {"venues": True, "since": "2026-01-31T12:00:00.000Z"}


@pytest.mark.parametrize(
    ("words", "event", "answer", "seen"),
    [
        (
            ("restored", "--at", "2026-01-31T12:00:00Z", *WHY),
            {"restored": {"at": "2026-01-31T12:00:00.000Z", "by": "me", "reason": "a test"}},
            {"restore": {"id": ID, "restoredTo": "2026-01-31T12:00:00Z", "toldAt": "2026-02-01"}},
            ID,
        ),
        (
            ("restored",),
            {"open": {}},
            {"open": {"undecided": 0}, "answeredFor": ["0xabc: not matched"], "token": "f00d"},
            "f00d",
        ),
        (
            ("restored", "--accept", "f00d", *WHY),
            {"accept": {"token": "f00d", "by": "me", "reason": "a test"}},
            {"accepted": True, "answeredFor": ["0xabc at a venue: not matched"]},
            "0xabc at a venue: not matched",
        ),
        (
            ("unowned", "list"),
            {"unowned": {}},
            {"fills": [{"id": ID, "size": "0.5", "deployments": [{"id": DEPLOYMENT}]}]},
            DEPLOYMENT,
        ),
        (
            ("unowned", "adopt", ID, "--deployment", DEPLOYMENT, *WHY),
            {"adopt": {"id": ID, "deploymentId": DEPLOYMENT, "by": "me", "reason": "a test"}},
            {"positionId": ID},
            ID,
        ),
        (
            ("unowned", "ignore", ID, *WHY),
            {"ignore": {"id": ID, "by": "me", "reason": "a test"}},
            {"ignored": ID},
            ID,
        ),
        (
            ("held", "list"),
            {"held": {}},
            {"deployments": [{"id": DEPLOYMENT, "openPositions": 2, "total": 1}], "token": "f00d"},
            "f00d",
        ),
        (
            ("held", "release", "f00d", "--leave", ID, *WHY),
            {"release": {"token": "f00d", "leave": [ID], "by": "me", "reason": "a test"}},
            {"released": 7, "stillHeld": 0},
            "7",
        ),
        (("redrive",), {"redrive": {"send": False, "leave": []}}, REDRIVE, "UNKNOWN_SIGNAL"),
        (
            ("redrive", "--send", "--leave", "m-1", "--leave", ID),
            {"redrive": {"send": True, "leave": ["m-1", ID]}},
            REDRIVE,
            "12",
        ),
    ],
    ids=lambda value: value[0] + value[1] if isinstance(value, tuple) and len(value) > 1 else "",
)
def test_a_command_sends_what_the_function_takes_and_shows_what_it_answers(
    functions: FakeFunctions,
    run: Run,
    words: tuple[str, ...],
    event: dict[str, Any],
    answer: dict[str, Any],
    seen: str,
) -> None:
    functions.says("POST", "prod-operate", {"success": True, **answer})

    shown, as_json = run(*words), run(*words, "--json")

    assert shown.exit_code == 0, shown.stderr
    assert functions.asked[0].body == event
    validate(Request, event)
    assert seen in shown.stdout
    assert json.loads(as_json.stdout) == {"success": True, **answer}


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply({"success": False, "error": "no", "code": "CONFLICT"}), 1),
        (Reply({"success": False, "error": "away", "code": "UNAVAILABLE"}), 3),
        (Reply({"errorMessage": "boom"}, headers={"X-Amz-Function-Error": "Unhandled"}), 3),
        (Reply(b"not json"), 3),
        (Reply({"Message": "none of that name"}, status=404), 1),
        (Reply(b"", hangs_up=True), 3),
    ],
)
def test_a_failure_is_one_sentence_and_an_exit_code_and_nothing_is_asked_twice(
    functions: FakeFunctions, run: Run, reply: Reply, code: int
) -> None:
    functions.on("POST", "prod-operate", lambda _: reply)

    result = run("unowned", "list")

    assert result.exit_code == code
    assert result.stderr.startswith("agent-where: ")
    assert len(functions.asked) == 1


@pytest.mark.parametrize(
    "words",
    [
        ("restored", *WHY),
        ("restored", "--at", "2026-01-31T12:00:00Z"),
        ("restored", "--at", "2026-01-31T12:00:00Z", "--accept", "f00d", *WHY),
        ("restored", "--accept", "f00d"),
        ("held", "release", *WHY),
        ("restored", "--at", "yesterday", *WHY),
        ("unowned", "adopt", ID, *WHY),
        ("unowned", "ignore", "no-id", *WHY),
    ],
)
def test_wrong_usage_sends_nothing(
    functions: FakeFunctions, run: Run, words: tuple[str, ...]
) -> None:
    assert run(*words).exit_code == 2
    assert functions.asked == []


def test_without_a_deployment_or_without_boto3_it_says_what_is_missing(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    nameless = run("doctor", AGENT_WHERE_STACK=None)
    monkeypatch.setitem(sys.modules, "boto3", None)
    bare = run("doctor")

    assert (nameless.exit_code, bare.exit_code) == (2, 2)
    assert "AGENT_WHERE_STACK" in nameless.stderr
    assert "extra `operator`" in bare.stderr
