"""`setup`: makes the database what the deployment needs, and tells what is missing."""

from collections.abc import Iterator
from typing import Annotated

import typer

from agent_where_cli.answers import Json, items
from agent_where_cli.faults import Unavailable
from agent_where_cli.operating import Operator, command
from agent_where_cli.tables import Part, facts, grid, prose, text

app = typer.Typer()

_CHECKS = (text("check", "name"), text("ok", "ok"), prose("to do", "todo"))
_RUN = (text("fit to trade", "fit"), text("done", "success"), text("applied", "applied"))


@command(app, "setup")
def setup(
    to: Operator,
    *,
    report: Annotated[
        bool, typer.Option("--report", help="Change nothing, only tell what is missing.")
    ] = False,
) -> None:
    """Set the database up and tell what is missing; exit code 3 when it is not fit to trade."""
    answer = to.functions.told("setup", {"report": True} if report else {})
    to.show(answer, report_view)
    if not (answer.body.get("success") and answer.body.get("fit")):
        raise Unavailable("It is not fit to trade: see what is to do.")


def report_view(body: Json) -> Iterator[Part]:
    """What was done, and each check with what is to do."""
    yield facts(_RUN, body)
    yield grid(_CHECKS, items(body, "checks"), "Checks")
