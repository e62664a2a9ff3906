"""The program as it is installed: what it needs, and how it looks on a terminal."""

import ast
import os
import pty
import subprocess
import sys
import tomllib
from pathlib import Path

from tests.cli.examples import DECISION, EXAMPLES
from tests.cli.fake_api import TOKEN, FakeApi

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "cli").rglob("*.py"))
PROGRAM = Path(sys.executable).with_name("agent-where")
POSITIONS = next(each for each in EXAMPLES if each.words.startswith("positions"))


def settings(api: FakeApi, **more: str) -> dict[str, str]:
    return {
        "AGENT_WHERE_URL": api.url,
        "AGENT_WHERE_TOKEN": TOKEN,
        "PATH": os.defpath,
        "TERM": "xterm-256color",
        **more,
    }


def test_make_installs_the_program(api: FakeApi) -> None:
    api.says("GET", "/positions", POSITIONS.answer)

    told = subprocess.run(
        [PROGRAM, "positions"],
        env=settings(api),
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )

    assert (told.returncode, told.stderr) == (0, "")
    assert len(told.stdout.splitlines()) == 2
    assert "\x1b" not in told.stdout


def test_a_locale_without_the_signs_gets_others(api: FakeApi) -> None:
    api.says("GET", "/agents", {"success": True, "agents": [{"name": "naïve €"}]})
    ascii_only = settings(api, PYTHONIOENCODING="ascii")

    told = subprocess.run(
        [PROGRAM, "agents", "list"], env=ascii_only, check=False, capture_output=True, timeout=30
    )

    assert told.returncode == 0
    assert rb"na\xefve \u20ac" in told.stdout


def test_a_narrow_terminal_folds_sentences_and_nothing_else(api: FakeApi) -> None:
    decision = {**DECISION, "routingReason": "a reason of very many words"}
    api.says("GET", "/venue-routing/history", {"success": True, "history": [decision]})

    shown = on_a_terminal(["history"], settings(api, COLUMNS="40"))

    assert decision["routingReason"] not in shown
    assert all(decision[key] in shown for key in ("signalId", "selectedVenue", "strategy"))
    assert "…" not in shown
    assert "\x1b[1m" in shown


def test_the_client_knows_nothing_of_the_layer_and_names_what_it_needs() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {each.split(">")[0] for each in project["dependencies"]}

    assert imported() - set(sys.stdlib_module_names) - OF_AN_OPERATOR == needed | {
        "agent_where_cli"
    }


def test_what_only_an_operator_needs_is_an_extra_that_no_import_loads() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    script = (
        "import sys, agent_where_cli.main; print([n for n in sys.argv[1:] if n in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", script, *OF_AN_OPERATOR],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "cli")},
    )

    assert [each.split(">")[0] for each in project["optional-dependencies"]["operator"]] == [
        "boto3"
    ]
    assert told.stdout.strip() == "[]"


def test_every_package_file_is_empty() -> None:
    assert [path for path in SOURCES if path.name == "__init__.py" and path.read_bytes()] == []


def imported() -> set[str]:
    """The top of everything that any module imports."""
    found = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Import(names=names):
                    found |= {name.name.split(".")[0] for name in names}
                case ast.ImportFrom(module=str(module)):
                    found.add(module.split(".")[0])
    return found


OF_AN_OPERATOR = {"boto3", "botocore", "types_boto3_lambda"}


def on_a_terminal(words: list[str], env: dict[str, str]) -> str:
    """What the program writes to a terminal of its own."""
    ours, its = pty.openpty()
    with subprocess.Popen([PROGRAM, *words], stdin=its, stdout=its, stderr=its, env=env) as program:
        os.close(its)
        read = b""
        try:
            while part := os.read(ours, 65536):
                read += part
        except OSError:
            pass  # Linux tells the end of a terminal so
        finally:
            os.close(ours)
        assert program.wait(30) == 0
    return read.decode()
