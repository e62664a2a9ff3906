"""`doctor`, `restored`, `unowned`, `held` and `redrive`: what an operator asks and decides.

They invoke functions with AWS's own rights, and work when the API does not.
"""

import getpass
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from agent_where_cli import values
from agent_where_cli.answers import Json, at, fields, items
from agent_where_cli.faults import Refused, Usage
from agent_where_cli.operating import Operator, command
from agent_where_cli.session import View, tell
from agent_where_cli.tables import Part, facts, grid, number, prose, text

app = typer.Typer()
unowned = typer.Typer(help="Executions that a restored database does not know: decide about them.")
held = typer.Typer(help="Deployments that a restore holds back: look at them, and let them go on.")

_UNSOUND = 1
_CHANGED = "CHANGED"
"""The code of a refusal that shows what there is now."""

Reason = Annotated[str, typer.Option("--reason", help="Kept with the decision.")]
By = Annotated[
    str | None, typer.Option("--by", help="Who decides; the user of this machine unless told.")
]
FillId = Annotated[UUID, typer.Argument(metavar="ID", help="The execution's, as `list` shows it.")]
Moment = Annotated[
    datetime | None, typer.Option("--at", parser=values.moment, metavar="TIME", help="The moment.")
]
Since = Annotated[
    datetime | None,
    typer.Option(
        "--since",
        parser=values.moment,
        metavar="TIME",
        help="With --venues; a day ago unless told.",
    ),
]

_SUMMARY = (
    text("sound", "sound"),
    text("checked", "checkedAt"),
    text("venues since", "venuesSince"),
)
_CHECKS = (
    text("check", "name"),
    text("weight", "weight"),
    number("count", "count"),
    prose("what", "title"),
    prose("what to do", "todo"),
)
_ROWS = (text("id", "id"), text("since", "since"), prose("what", "detail"))
_RESTORE = (
    text("restore", "restore.id"),
    text("the database stands at", "restore.restoredTo"),
    text("signals from before are refused", "restore.toldAt"),
    number("deployments held back", "restore.held"),
)
_OPEN = (
    text("the database stands at", "open.restoredTo"),
    text("reconcile ran last, before, at", "open.lastRunAt"),
    text("signals from before are refused", "open.toldAt"),
    number("executions without an owner", "open.undecided"),
    text("token", "token"),
)
_FILLS = (
    text("id", "id"),
    text("at", "at"),
    text("venue", "venue"),
    text("account", "account"),
    text("market", "marketName"),
    text("side", "side"),
    number("size", "size"),
    number("price, USD", "price"),
    number("held before", "heldBefore"),
    text("order", "venueRef"),
    text("decision", "decision"),
    text("deployments", "deployments"),
)
_HELD = (
    text("deployment", "id"),
    text("agent", "agentId"),
    text("user", "userWallet"),
    text("status", "status"),
    text("subscribed", "subActive"),
    number("open positions", "openPositions"),
    text("since", "since"),
    prose("reason", "reason"),
)
_LETTERS = (
    text("message", "id"),
    text("about", "names"),
    text("group", "group"),
    text("left", "left"),
    prose("reason", "reason"),
)
_REDRIVEN = (
    number("dead letters", "redrive.depth"),
    number("put back", "redrive.moved"),
)


@command(app, "doctor")
def doctor(
    to: Operator,
    *,
    venues: Annotated[
        bool, typer.Option("--venues", help="Ask the venues what was executed as well.")
    ] = False,
    since: Since = None,
) -> None:
    """Tell everything that does not add up, with what to do; exit code 1 if anything does not."""
    told = {"since": values.iso(since)} if since else {}
    answer = to.functions.ask("doctor", {"venues": venues or bool(since), **told})
    to.show(answer, diagnosis_view)
    if answer.body.get("sound") is not True:
        raise typer.Exit(_UNSOUND)


@command(app, "restored")
def restored(
    to: Operator,
    reason: Annotated[str | None, typer.Option("--reason", help="Kept with what is told.")] = None,
    moment: Moment = None,
    accept: Annotated[
        str | None,
        typer.Option(
            "--accept", metavar="TOKEN", help="End it: you answer for all that is shown with it."
        ),
    ] = None,
    by: By = None,
) -> None:
    """Say that the database was restored to a moment, or end that; without options only look."""
    if (moment, accept, reason, by) == (None, None, None, None):
        to.show(to.functions.ask("operate", {"open": {}}), open_view)
        return
    if (moment is None) == (accept is None) or reason is None:
        raise Usage("It is `restored`, or it with --reason and one of --at and --accept.")
    who = {"by": by or getpass.getuser(), "reason": reason}
    if moment is None:
        _decided(to, {"accept": {"token": accept, **who}}, accepted_view, open_view)
        return
    told = {"at": values.iso(moment), **who}
    to.show(to.functions.ask("operate", {"restored": told}), restored_view)
    tell("All trading is HALTED. Next: agent-where doctor --venues, then agent-where unowned list.")


@command(unowned, "list")
def list_unowned(to: Operator) -> None:
    """List executions without an owner, those that wait for a decision first."""
    to.show(to.functions.ask("operate", {"unowned": {}}), unowned_view)


@command(unowned, "adopt")
def adopt(
    to: Operator,
    fill: FillId,
    deployment: Annotated[UUID, typer.Option("--deployment", help="Whose it was.")],
    reason: Reason,
    by: By = None,
) -> None:
    """It was ours: it becomes an unexpected position of a deployment, which a CLOSE closes."""
    told = {"id": str(fill), "deploymentId": str(deployment), "by": by or getpass.getuser()}
    answer = to.functions.ask("operate", {"adopt": {**told, "reason": reason}})
    to.show(answer, lambda body: [facts((text("position", "positionId"),), body)])


@command(unowned, "ignore")
def ignore(to: Operator, fill: FillId, reason: Reason, by: By = None) -> None:
    """It is none of ours: the user's own hand, or settled otherwise."""
    told = {"id": str(fill), "by": by or getpass.getuser(), "reason": reason}
    answer = to.functions.ask("operate", {"ignore": told})
    to.show(answer, lambda body: [facts((text("ignored", "ignored"),), body)])


@command(held, "list")
def list_held(to: Operator) -> None:
    """List the deployments that a restore holds back, those with open positions first."""
    answer = to.functions.ask("operate", {"held": {}})
    to.show(answer, held_view)
    shown = items(answer.body, "deployments")
    if shown and len(shown) != at(shown[0], "total"):
        tell(f"These are {len(shown)} of {at(shown[0], 'total')}; the token is of these alone.")


@command(held, "release")
def release(
    to: Operator,
    token: Annotated[str, typer.Argument(metavar="TOKEN", help="As `list` shows it.")],
    reason: Reason,
    leave: Annotated[
        list[UUID] | None,
        typer.Option("--leave", metavar="ID", help="A deployment that stays as it is."),
    ] = None,
    by: By = None,
) -> None:
    """Let those that were shown with this token open again, but for those that --leave names."""
    told = {"token": token, "leave": [str(each) for each in leave or []]}
    who = {"by": by or getpass.getuser(), "reason": reason}
    _decided(to, {"release": {**told, **who}}, released_view, held_view)


@command(app, "redrive")
def redrive(
    to: Operator,
    leave: Annotated[
        list[str] | None,
        typer.Option("--leave", metavar="ID", help="A message, order or signal that stays."),
    ] = None,
    *,
    send: Annotated[
        bool, typer.Option("--send", help="Put them back; without it they are only shown.")
    ] = False,
) -> None:
    """Put dead letters back on their queues, each group in its order; without --send only look."""
    answer = to.functions.ask("operate", {"redrive": {"send": send, "leave": leave or []}})
    to.show(answer, redriven_view)
    if not send and at(answer.body, "redrive.depth"):
        tell("Nothing was sent; --send does. Of each group only the first ten are shown.")


def _decided(to: Operator, event: Json, done: View, now: View) -> None:
    """Say what was decided; where what was shown is no longer so, show what there is now."""
    try:
        answer = to.functions.ask("operate", event)
    except Refused as refused:
        if refused.answer and refused.answer.body.get("code") == _CHANGED and not to.as_json:
            to.show(refused.answer, now)
        raise
    to.show(answer, done)


def diagnosis_view(body: Json) -> Iterator[Part]:
    """Whether all is well, and each check that found something with its rows."""
    found = [check for check in items(body, "checks") if at(check, "ok") is not True]
    yield facts(_SUMMARY, body)
    yield grid(_CHECKS, found, "What does not add up")
    for check in found:
        yield grid(_ROWS, items(check, "rows"), str(at(check, "name") or ""))


def restored_view(body: Json) -> Iterator[Part]:
    """The epoch that begins."""
    yield facts(_RESTORE, body)


def open_view(body: Json) -> Iterator[Part]:
    """The restore that is open, and what would be answered for; nothing where none is."""
    if at(body, "open") is None:
        yield facts((text("open", "open"),), {"open": "no restore"})
        return
    yield facts(_OPEN, body)
    yield _answers(body, "You would answer for")


def accepted_view(body: Json) -> Iterator[Part]:
    """That it is ended, and what was not matched."""
    yield facts((text("ended", "accepted"),), body)
    yield _answers(body, "Not matched; you answer for it")


def _answers(body: Json, heading: str) -> Part:
    what = [{"what": each} for each in items(body, "answeredFor")]
    return grid((prose("what", "what"),), what, heading)


def unowned_view(body: Json) -> Iterator[Part]:
    """The executions."""
    yield grid(_FILLS, items(body, "fills"))


def held_view(body: Json) -> Iterator[Part]:
    """The deployments, and the token that lets exactly these go."""
    yield grid(_HELD, items(body, "deployments"))
    yield facts((text("token", "token"),), body)


def released_view(body: Json) -> Iterator[Part]:
    """How many go on, and how many are behind them."""
    yield facts((number("released", "released"), number("still held", "stillHeld")), body)


def redriven_view(body: Json) -> Iterator[Part]:
    """What was found and what was done."""
    yield facts(_REDRIVEN, {"redrive": fields(body, "redrive")})
    yield grid(_LETTERS, items(body, "redrive.letters"), "In the order of the queue")
