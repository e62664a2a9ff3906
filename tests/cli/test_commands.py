"""Every command: what it sends, its table, its --json."""

import json
import re
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from agent_where_cli.main import app
from tests.cli.conftest import Run
from tests.cli.examples import EXAMPLES, Example
from tests.cli.fake_api import FakeApi

OF_AN_OPERATOR = {  # they are not the API's: test_operator.py
    "doctor",
    "held list",
    "held release",
    "redrive",
    "restored",
    "unowned adopt",
    "unowned ignore",
    "unowned list",
}
every_command = pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)


@every_command
def test_a_command_sends_what_the_api_takes_and_shows_what_it_answers(
    example: Example, api: FakeApi, run: Run
) -> None:
    api.says(example.method, example.path, example.answer, example.status)

    result = run(*example.words.split())

    assert result.exit_code == 0, result.stderr
    (asked,) = api.asked
    assert (asked.method, asked.path) == (example.method, example.path)
    assert asked.query == example.query
    assert asked.body == example.body
    shown = squeezed(result.stdout)
    assert [each for each in example.seen if each not in shown] == []


@every_command
def test_json_is_the_answer_to_the_byte(example: Example, api: FakeApi, run: Run) -> None:
    api.says(example.method, example.path, example.answer, example.status)

    result = run(*example.words.split(), "--json")

    assert result.exit_code == 0
    assert result.stdout == json.dumps(example.answer) + "\n"


@every_command
def test_a_table_has_a_dash_where_a_key_is_missing_and_nothing_of_a_key_it_does_not_know(
    example: Example, api: FakeApi, run: Run
) -> None:
    bare = {"success": True, "surprise": "SURPRISE"}
    api.says(example.method, example.path, bare, example.status)

    result = run(*example.words.split())

    assert result.exit_code == 0
    assert "SURPRISE" not in result.stdout
    assert "None" not in result.stdout
    assert re.search(r"(^| )(-|none)$", result.stdout, re.MULTILINE)


def test_no_command_is_without_an_example() -> None:
    told = {words for example in EXAMPLES for words in prefixes(example.words)}

    assert set(command_names()) - {"setup"} <= told | OF_AN_OPERATOR  # test_setup.py


def test_a_table_has_no_colours_and_no_broken_ids_where_nobody_has_a_screen(
    api: FakeApi, run: Run
) -> None:
    rows = [example for example in EXAMPLES if example.words.startswith("positions")]
    api.says("GET", "/positions", rows[0].answer)

    shown = run("positions", COLUMNS="40").stdout

    assert "\x1b" not in shown
    assert len(shown.splitlines()) == 2
    assert all(line == line.rstrip() for line in shown.splitlines())


def test_numbers_stand_to_the_right(api: FakeApi, run: Run) -> None:
    markets = [{"venue": "A", "currentPrice": "1.5"}, {"venue": "B", "currentPrice": "12345.25"}]
    api.says("GET", "/venue-markets", {"success": True, "markets": markets})

    first, second = run("markets").stdout.splitlines()[1:]

    assert first.index("1.5") + len("1.5") == second.index("12345.25") + len("12345.25")


def test_what_a_stranger_wrote_cannot_control_the_terminal(api: FakeApi, run: Run) -> None:
    name = "\x1b[2J[red]evil[/red] :smile:\x9b31m\u202egnp.exe\nnext"
    api.lists("/agents", "agents", [{"id": "1", "name": name}])

    shown = run("agents", "list").stdout

    assert "�[2J[red]evil[/red] :smile:�31m�gnp.exe next" in shown


@pytest.mark.parametrize("options", [(), ("--json",), ("--limit", "5")])
def test_agents_alone_lists_them(api: FakeApi, run: Run, options: tuple[str, ...]) -> None:
    api.lists("/agents", "agents", [{"id": "1", "name": "one"}])

    assert run("agents", *options).stdout == run("agents", "list", *options).stdout


def test_figures_keep_every_digit(api: FakeApi, run: Run) -> None:
    stats = {"avgRoutingTimeMs": 1.10, "total": 12345678901234567890}
    raw = json.dumps({"success": True, "stats": stats}).replace("1.1", "1.10000000000000000001")
    api.says("GET", "/venue-routing/stats", raw.encode())

    assert "1.10000000000000000001" in run("stats").stdout
    assert run("stats", "--json").stdout == raw + "\n"


def squeezed(text: str) -> str:
    """One space between words, whatever the table has."""
    return re.sub(r" +", " ", text)


def prefixes(words: str) -> list[str]:
    parts = words.split()
    return [parts[0], " ".join(parts[:2])]


def command_names() -> list[str]:
    """All of them, as the program itself knows them."""
    return names_of(typer.main.get_command(app))


def names_of(command: Any, before: str = "") -> list[str]:
    found = getattr(command, "commands", None)
    if found is None:
        return [before.strip()]
    return [name for key, each in found.items() for name in names_of(each, f"{before} {key}")]


def test_every_command_has_a_help_that_says_what_it_does() -> None:
    for name in command_names():
        told = CliRunner().invoke(app, [*name.split(), "--help"])

        assert told.exit_code == 0
        assert "--json" in told.stdout
        assert len(told.stdout.splitlines()[2].strip()) > 10
