"""`setup`: what an installation lacks, asked of its function `setup` by way of the AWS CLI.

The one command that does not speak to the API, which knows no such thing: who may invoke the
function is AWS's to decide, and the AWS CLI is where an operator is logged in.
"""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from agent_where_cli.answers import Answer, Json, items, parse
from agent_where_cli.faults import Unavailable, Usage
from agent_where_cli.session import AsJson, Session, ended
from agent_where_cli.tables import Part, facts, grid, prose, text

app = typer.Typer()

FUNCTION_SETTING = "AGENT_WHERE_SETUP_FUNCTION"
_TIMEOUT_SECONDS = 300
_CHECKS = (text("check", "name"), text("ok", "ok"), prose("to do", "todo"))
_RUN = (text("fit to trade", "fit"), text("done", "success"), text("applied", "applied"))

Function = Annotated[
    str,
    typer.Option("--function", envvar=FUNCTION_SETTING, help="The function, like NAME-setup."),
]
Report = Annotated[
    bool, typer.Option("--report", help="Change nothing, only tell what is missing.")
]


@app.command("setup")
def setup(*, function: Function = "", report: Report = False, as_json: AsJson = False) -> None:
    """Set the database up and tell what is missing; exit code 3 when it is not fit to trade."""
    ended(lambda: _set_up(function, only_report=report, as_json=as_json), as_json=as_json)


def _set_up(function: str, *, only_report: bool, as_json: bool) -> None:
    answer = invoke(function, {"report": True} if only_report else {})
    Session.show_answer(answer, _view, as_json=as_json)
    if not (answer.body.get("success") and answer.body.get("fit")):
        raise Unavailable("It is not fit to trade: see what is to do.")


def invoke(function: str, event: Json) -> Answer:
    """What the function answers.

    Raises:
        Usage: there is no function named, or no AWS CLI.
        Unavailable: AWS refused, or the function failed.
    """
    program = shutil.which("aws")
    if program is None:
        raise Usage("The AWS CLI is needed, logged in where the stack is: there is no `aws`.")
    if not function:
        raise Usage(f"No function is named: set {FUNCTION_SETTING}, or give --function.")
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "answer.json"
        command = [program, "lambda", "invoke", "--function-name", function]
        command += ["--cli-binary-format", "raw-in-base64-out", "--payload", json.dumps(event)]
        command += ["--cli-read-timeout", str(_TIMEOUT_SECONDS), str(place)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 its words are ours
        if done.returncode != 0:
            said = (done.stderr.strip().splitlines() or ["it did not say why"])[-1]
            raise Unavailable(f"AWS did not invoke {function}: {said}", sent=False)
        raw = place.read_bytes()
    body = parse(raw)
    if body is None or "checks" not in body:
        raise Unavailable(f"{function} failed; its log says why.")
    return Answer(200, raw, body)


def _view(body: Json) -> list[Part]:
    return [facts(_RUN, body), grid(_CHECKS, items(body, "checks"), "Checks")]
