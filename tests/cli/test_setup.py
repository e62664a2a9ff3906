"""`agent-where setup`, against a function on loopback that answers as Lambda does."""

import json
from typing import Any

import pytest

from agent_where.report import Report
from tests.cli.conftest import Run
from tests.cli.fake_api import FakeFunctions, Reply

FIT: dict[str, Any] = {
    "success": True,
    "fit": True,
    "checkedAt": "2026-01-31T12:00:00Z",
    "applied": ["0001_venues.sql"],
    "checks": [{"name": "schema", "ok": True, "what": {}, "todo": []}],
}
LACKING = {
    "name": "markets: OSTIUM",
    "ok": False,
    "what": {},
    "todo": ["Run market_sync: OSTIUM has no markets yet"],
}


def test_what_it_shows_is_what_the_function_tells() -> None:
    assert Report.model_validate(FIT).as_json().keys() == FIT.keys()


@pytest.mark.parametrize(
    ("words", "event"), [(("setup",), {}), (("setup", "--report"), {"report": True})]
)
def test_with_report_it_only_tells_and_without_it_sets_up(
    functions: FakeFunctions, run_on_aws: Run, words: tuple[str, ...], event: dict[str, Any]
) -> None:
    functions.says("POST", "prod-setup", FIT)

    told = run_on_aws(*words)

    assert told.exit_code == 0, told.stderr
    assert "schema" in told.stdout
    assert [asked.body for asked in functions.asked] == [event]


@pytest.mark.parametrize("success", [True, False], ids=["not fit", "failed"])
def test_what_is_missing_is_told_with_what_to_do_and_exit_code_3(
    functions: FakeFunctions, run_on_aws: Run, *, success: bool
) -> None:
    functions.says(
        "POST", "prod-setup", FIT | {"success": success, "fit": False, "checks": [LACKING]}
    )

    told = run_on_aws("setup", "--report")

    assert told.exit_code == 3
    assert "Run market_sync: OSTIUM has no markets yet" in told.stdout


def test_json_is_the_answer_as_it_came(functions: FakeFunctions, run_on_aws: Run) -> None:
    functions.says("POST", "prod-setup", FIT | {"fit": False})

    told = run_on_aws("setup", "--report", "--json")

    assert json.loads(told.stdout) == FIT | {"fit": False}


def test_a_function_that_failed_is_no_report(functions: FakeFunctions, run_on_aws: Run) -> None:
    failed = Reply({"errorMessage": "no"}, headers={"X-Amz-Function-Error": "Unhandled"})
    functions.on("POST", "prod-setup", lambda _: failed)

    told = run_on_aws("setup")

    assert told.exit_code == 3
    assert "prod-setup failed; its log says why" in told.stderr
