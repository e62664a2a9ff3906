"""`agent-where setup`, with a program in the place of the AWS CLI."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run

FIT: dict[str, Any] = {
    "success": True,
    "fit": True,
    "applied": ["0001_venues.sql"],
    "checks": [{"name": "schema", "ok": True, "what": {}, "todo": []}],
}
LACKING = {
    "name": "markets: OSTIUM",
    "ok": False,
    "what": {},
    "todo": ["Run market_sync: OSTIUM has no markets yet"],
}
PROGRAM = """#!/bin/sh
printf '%s\\n' "$@" > {asked}
for place; do :; done
cat {answer} > "$place"
echo '{said}' >&2
exit {code}
"""
Aws = Callable[..., dict[str, str]]


@pytest.fixture
def aws(tmp_path: Path) -> Aws:
    """Puts an `aws` on the path that answers so; gives the environment."""

    def put(answer: object, *, code: int = 0, said: str = "") -> dict[str, str]:
        (tmp_path / "answer").write_text(json.dumps(answer))
        program = tmp_path / "aws"
        program.write_text(
            PROGRAM.format(
                asked=tmp_path / "asked", answer=tmp_path / "answer", said=said, code=code
            )
        )
        program.chmod(0o700)
        return {"PATH": f"{tmp_path}:{os.defpath}"}

    return put


def test_a_report_is_asked_for_and_shown_as_a_table(run: Run, aws: Aws, tmp_path: Path) -> None:
    told = run("setup", "--report", "--function", "agent-where-setup", **aws(FIT))

    assert told.exit_code == 0
    assert "schema" in told.stdout
    asked = (tmp_path / "asked").read_text().splitlines()
    assert asked[:4] == ["lambda", "invoke", "--function-name", "agent-where-setup"]
    assert json.loads(asked[asked.index("--payload") + 1]) == {"report": True}


def test_without_report_it_sets_up(run: Run, aws: Aws, tmp_path: Path) -> None:
    run("setup", AGENT_WHERE_SETUP_FUNCTION="agent-where-setup", **aws(FIT))

    asked = (tmp_path / "asked").read_text().splitlines()
    assert json.loads(asked[asked.index("--payload") + 1]) == {}


def test_what_is_missing_is_told_with_what_to_do_and_exit_code_3(run: Run, aws: Aws) -> None:
    lacking = FIT | {"fit": False, "checks": [LACKING]}
    told = run("setup", "--report", "--function", "f", **aws(lacking))

    assert told.exit_code == 3
    assert "Run market_sync: OSTIUM has no markets yet" in told.stdout


def test_json_is_the_answer_as_it_came(run: Run, aws: Aws) -> None:
    told = run("setup", "--report", "--json", "--function", "f", **aws(FIT))

    assert json.loads(told.stdout) == FIT


def test_a_refusal_of_aws_is_one_sentence(run: Run, aws: Aws) -> None:
    said = "An error occurred (AccessDeniedException)"
    told = run("setup", "--function", "f", **aws({}, code=254, said=said))

    assert told.exit_code == 3
    assert f"AWS did not invoke f: {said}" in told.stderr


def test_a_function_that_failed_is_no_report(run: Run, aws: Aws) -> None:
    told = run("setup", "--function", "f", **aws({"errorMessage": "no"}))

    assert told.exit_code == 3
    assert "f failed; its log says why" in told.stderr


@pytest.mark.parametrize(
    ("words", "path", "sentence"),
    [
        (["setup"], None, "No function is named"),
        (["setup", "--function", "f"], "/nowhere", "The AWS CLI is needed"),
    ],
)
def test_what_is_missing_here_is_wrong_usage(
    run: Run, aws: Aws, words: list[str], path: str | None, sentence: str
) -> None:
    environment = aws(FIT) | ({"PATH": path} if path else {})
    told = run(*words, **environment)

    assert told.exit_code == 2
    assert sentence in told.stderr
