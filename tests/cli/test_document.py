"""docs/cli.md names every command and every option, and none that is not there."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from agent_where_cli.main import app

DOCUMENT = (Path(__file__).parents[2] / "docs" / "cli.md").read_text(encoding="utf-8")
OF_TYPER = {"--help", "--install-completion", "--show-completion"}


def commands(command: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Each command with its whole name."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name.strip(), command
        return
    for key, each in inner.items():
        yield from commands(each, f"{name} {key}")


ALL = dict(commands(typer.main.get_command(app)))
OPTIONS = {
    name: {
        flag
        for parameter in command.params
        for flag in (*parameter.opts, *parameter.secondary_opts)
        if flag.startswith("--")
    }
    for name, command in ALL.items()
}
COMMON = {"--url", "--token-file", "--timeout", "--json"}
OF_AN_OPERATOR = {"--stack", "--timeout", "--json"}


def rows() -> dict[str, str]:
    """What stands in the first column of the table of commands, by command."""
    told = re.findall(r"^\| `((?:[^`\\]|\\.)+)`", DOCUMENT, re.MULTILINE)
    return {name: row for row in told for name in ALL if f"{row} ".startswith(f"{name} ")}


def test_the_table_names_every_command() -> None:
    assert rows().keys() == ALL.keys()


def test_a_row_names_every_option_of_its_command_and_no_other() -> None:
    section = DOCUMENT.split("## Signals")[1].split("## Output")[0]
    told = {name: flags(row) for name, row in rows().items()}
    told["signal send"] |= flags("\n".join(re.findall(r"^\| (`--.*?) \|", section, re.MULTILINE)))

    assert told == {
        name: options - COMMON - OF_AN_OPERATOR - OF_TYPER for name, options in OPTIONS.items()
    }


def test_every_command_takes_what_the_settings_say() -> None:
    section = DOCUMENT.split("## Settings")[1].split("## Commands")[0]

    assert flags(section) == COMMON
    assert all(options >= COMMON or options >= OF_AN_OPERATOR for options in OPTIONS.values())


def test_what_an_operator_s_commands_all_take_is_said() -> None:
    section = DOCUMENT.split("## For an operator")[1].split("##")[0]
    own = {name for name, options in OPTIONS.items() if not options >= COMMON}

    assert flags(section) >= OF_AN_OPERATOR
    assert all(name.split()[0] in section for name in own)


def flags(text: str) -> set[str]:
    return set(re.findall(r"--[a-z][a-z-]*", text))
