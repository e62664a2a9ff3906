"""What the documents name is there: files, headings, parameters, commands, settings, functions."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from agent_where import settings, venue_settings
from agent_where_cli.main import app
from local.environment import ROOT
from local.template import load

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
FOR_OPERATORS = ("deploy", "operations", "runbook", "live", "migration", "costs", "alarms", "cli")
FENCED = re.compile(r"^ *```[a-z]*\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")

# Of AWS, psql and libraries, or an example's own, which the documents name beside ours.
NOT_OURS = {
    "AGENT_KEY", "ON_ERROR_STOP",
    "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_REGION", "AWS_ROLE_ARN",
    "AWS_SECRET_ACCESS_KEY", "POWERTOOLS_LOG_LEVEL", "POWERTOOLS_SERVICE_NAME",
    "POWERTOOLS_TRACE_DISABLED", "ROLLBACK_FAILED", "UPDATE_ROLLBACK_COMPLETE",
    "UPDATE_ROLLBACK_FAILED",
}  # fmt: skip


def named(*names: str) -> str:
    """The text of documents for operators."""
    return "\n".join((ROOT / "docs" / f"{name}.md").read_text("utf-8") for name in names)


def code(text: str) -> Iterator[str]:
    """Each line of its code blocks, continued ones put together, and each span of code."""
    for block in FENCED.findall(text):
        yield from block.replace("\\\n", " ").splitlines()
    yield from SPAN.findall(FENCED.sub("", text))


def headings(path: Path) -> set[str]:
    """As GitHub turns them into anchors."""
    text = FENCED.sub("", path.read_text("utf-8"))
    return {
        re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    }


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_leads_to_a_file_and_to_a_heading_in_it(path: Path) -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", FENCED.sub("", path.read_text("utf-8"))):
        if link.startswith(("https://", "http://")):
            continue
        place, _, heading = link.partition("#")
        target = (path.parent / place).resolve() if place else path
        assert target.exists(), link
        assert not heading or heading in headings(target), link


def test_every_file_that_a_document_names_is_there() -> None:
    folders = r"docs|functions|layers|local|stacks|tests|\.ci|\.github"
    pattern = re.compile(rf"(?:^|[ `(])((?:{folders})/[\w./-]*\w)")
    told = {
        place
        for path in DOCUMENTS
        for each in code(path.read_text("utf-8"))
        for place in pattern.findall(each)
        if not re.search(r"NNNN|\[", each)  # a pattern, not a name
    }

    assert len(told) > 10
    assert [place for place in sorted(told) if not (ROOT / place).exists()] == []


def test_every_parameter_that_an_operator_is_told_to_give_is_the_template_s() -> None:
    known = load()["Parameters"].keys()
    told = {
        name
        for each in code(named(*FOR_OPERATORS))
        for name in re.findall(r"\b([A-Z][a-z]+(?:[A-Z][a-z]+)*)=", each)
    }
    listed = {
        name
        for row in re.findall(r"^\| (`[A-Z].*?) \|", named("deploy"), re.MULTILINE)
        for name in SPAN.findall(row)
    }

    assert {"Vpc", "Nat", "ExecutionMode"} <= told
    assert "JwtIssuer" in listed
    assert told | listed <= known


def commands() -> dict[str, tuple[set[str], set[str]]]:
    """The options of each command of the client, and those it needs, by its whole name."""
    found: dict[str, tuple[set[str], set[str]]] = {}

    def walk(command: Any, name: str) -> None:
        for key, each in getattr(command, "commands", {}).items():
            walk(each, f"{name} {key}".strip())
        options = [each for each in command.params if each.param_type_name == "option"]
        found[name] = (
            {flag for each in options for flag in (*each.opts, *each.secondary_opts)} | {"--help"},
            {each.opts[0] for each in options if each.required},
        )

    walk(typer.main.get_command(app), "")
    return found


def test_every_command_that_a_document_tells_to_type_exists_with_its_options() -> None:
    known, told = commands(), 0
    for path in DOCUMENTS:
        for line in code(path.read_text("utf-8")):
            for typed in re.findall(r"\bagent-where ((?:[a-z-]+|<)[^#;|$]*)", line):
                words = typed.split()
                name = next(
                    (" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in known), None
                )
                assert name, f"{path.name}: {line}"
                given = {word for word in words if word.startswith("--")}
                takes, needs = known[name]
                assert given <= takes, f"{path.name}: {line}"
                is_whole = words != name.split()  # else it only names the command
                assert not is_whole or needs <= given, f"{path.name}: {line}"
                told += 1

    assert told > 30


def test_every_setting_and_variable_that_a_document_for_operators_names_is_read() -> None:
    sources = [*ROOT.glob("layers/**/*.py"), *ROOT.glob("cli/**/*.py"), *ROOT.glob("local/*.py")]
    sources += [ROOT / "Makefile", ROOT / "layers/core/Makefile", ROOT / ".ci" / "deploy"]
    written = "\n".join(path.read_text("utf-8") for path in sources)
    fields = {
        name.upper()
        for module in (settings, venue_settings)
        for model in vars(module).values()
        for name in getattr(model, "model_fields", {})
    }
    told = {
        name
        for each in code(named(*FOR_OPERATORS))
        for name in re.findall(r"\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b", each)
    }

    unknown = told - fields - NOT_OURS
    assert [name for name in sorted(unknown) if not re.search(rf"\b{name}\b", written)] == []


def test_every_name_with_the_stack_s_before_it_is_one_that_the_template_gives() -> None:
    templates = [ROOT / "template.yaml", *(ROOT / "stacks").glob("*.yaml")]
    written = "\n".join(path.read_text("utf-8") for path in templates)
    given = set(re.findall(r"\$\{(?:AWS::StackName|Name)\}-([a-z-]+)", written))
    told = {
        name
        for each in code(named(*FOR_OPERATORS))
        for name in re.findall(r"<stack>-([a-z]+(?:-[a-z]+)*)", each)
    }

    assert {"setup", "doctor", "route-execute"} <= told
    assert told <= given


def test_every_migration_is_told_to_whoever_has_a_database_of_the_original() -> None:
    steps = re.findall(r"^\| (\d{4})(?: to (\d{4}))? \|", named("migration"), re.MULTILINE)
    told = {n for first, last in steps for n in range(int(first), int(last or first) + 1)}
    files = (ROOT / "functions" / "setup" / "migrations").glob("*.sql")

    assert told == {int(path.name[:4]) for path in files}
