"""An operator decides by what was shown: where that has changed it is shown anew."""

import json
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.cli.fake_api import FakeFunctions

WHY = ("--by", "me", "--reason", "a test")
CHANGED = {"success": False, "error": "what was shown is no longer so", "code": "CHANGED"}
OPEN = {
    "open": {"toldAt": "2026-01-31T12:00:00Z", "lastRunAt": "2026-01-31T11:00:00Z"},
    "answeredFor": ["0xabc at a venue: not matched"],
    "token": "new-token",
}
HELD = {"deployments": [{"id": "a-deployment", "total": 501}], "token": "new-token"}


@pytest.fixture
def run(run_on_aws: Run) -> Run:
    return run_on_aws


@pytest.mark.parametrize(
    ("words", "now", "shown"),
    [
        (("restored", "--accept", "f00d", *WHY), OPEN, "0xabc at a venue: not matched"),
        (("held", "release", "f00d", *WHY), HELD, "a-deployment"),
    ],
)
def test_what_changed_meanwhile_is_shown_with_its_token_and_refused(
    functions: FakeFunctions, run: Run, words: tuple[str, ...], now: dict[str, Any], shown: str
) -> None:
    functions.says("POST", "prod-operate", CHANGED | now)

    told, as_json = run(*words), run(*words, "--json")

    assert (told.exit_code, as_json.exit_code) == (1, 1)
    assert "no longer so" in told.stderr
    assert shown in told.stdout
    assert "new-token" in told.stdout
    assert json.loads(as_json.stdout) == CHANGED | now
    assert len(functions.asked) == 2, "nothing is asked twice"


def test_any_other_refusal_shows_nothing(functions: FakeFunctions, run: Run) -> None:
    functions.says("POST", "prod-operate", CHANGED | {"code": "CONFLICT"})

    told = run("restored", "--accept", "f00d", *WHY)

    assert (told.exit_code, told.stdout) == (1, "")


def test_where_no_restore_is_open_that_is_said(functions: FakeFunctions, run: Run) -> None:
    functions.says("POST", "prod-operate", {"success": True, "open": None})

    told = run("restored")

    assert told.exit_code == 0, told.stderr
    assert "no restore" in told.stdout


def test_what_is_shown_of_an_open_restore_is_what_a_moment_is_found_by(
    functions: FakeFunctions, run: Run
) -> None:
    functions.says("POST", "prod-operate", {"success": True, **OPEN})

    told = run("restored")

    assert "2026-01-31T11:00:00Z" in told.stdout
    assert "0xabc at a venue: not matched" in told.stdout


def test_a_list_that_was_cut_says_of_how_many_the_token_is(
    functions: FakeFunctions, run: Run
) -> None:
    functions.says("POST", "prod-operate", {"success": True, **HELD})

    told = run("held", "list")

    assert "1 of 501" in told.stderr
