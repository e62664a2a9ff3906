"""What an operator does after an accident, by request: each is carried out whole or not at all.

A restored database gets its epoch, executions without an owner get their decision, deployments
that it holds back go on, dead letters go back to their queues. Who the operator is, is what AWS
lets them do: they invoke the function.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from agent_where.domain import ZERO
from agent_where.errors import AgentWhereError, BadInput, DatabaseRefused, Unavailable
from agent_where.messages import Body
from agent_where.parsing import validate
from agent_where.redriving import DeadLetters
from agent_where.restoring import Answerable, answerable, too_late
from agent_where.shown import token_of
from agent_where.store.restores import OpenRestore, Restores

Words = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
_ALL = 500


class RestoredBody(Body):
    """The database stands at an earlier moment, `at`: an epoch begins and nothing trades."""

    at: AwareDatetime
    by: Words
    reason: Words


class OpenBody(Body):
    """Which restore is open, and what would be answered for by who ends it now."""


class AcceptBody(Body):
    """All restores are ended by a person's word, who answers for what was shown with `token`."""

    token: Words
    by: Words
    reason: Words


class AdoptBody(Body):
    """An execution was ours: it becomes an unexpected position of the deployment."""

    id: UUID
    deployment_id: UUID
    by: Words
    reason: Words


class IgnoreBody(Body):
    """An execution is none of ours."""

    id: UUID
    by: Words
    reason: Words


class UnownedBody(Body):
    """Which executions have no owner, those to be decided first."""


class HeldBody(Body):
    """Which deployments restores hold back."""


class ReleaseBody(Body):
    """Those that a list showed with `token` may open again, but for those that are left."""

    token: Words
    by: Words
    reason: Words
    leave: Annotated[tuple[UUID, ...], Field(max_length=500)] = ()


class RedriveBody(Body):
    """Dead letters go back to their queues; without `send` they are only looked at."""

    send: bool = False
    leave: Annotated[tuple[str, ...], Field(max_length=500)] = ()


class Request(Body):
    """One of them."""

    restored: RestoredBody | None = None
    open: OpenBody | None = None
    accept: AcceptBody | None = None
    unowned: UnownedBody | None = None
    adopt: AdoptBody | None = None
    ignore: IgnoreBody | None = None
    held: HeldBody | None = None
    release: ReleaseBody | None = None
    redrive: RedriveBody | None = None

    @model_validator(mode="after")
    def one_is_told(self) -> Self:
        if len(self.model_fields_set) != 1:
            raise ValueError(f"one of {', '.join(type(self).model_fields)} is needed")
        return self


def operate(
    event: Mapping[str, Any], restores: Restores, dead_letters: DeadLetters
) -> dict[str, Any]:
    """Carry out one request. Failures are answered in the API's shape, none is raised.

    What was decided by what is no longer so fails with CHANGED, and shows what is.
    """
    try:
        return {"success": True, **_carried_out(validate(Request, event), restores, dead_letters)}
    except BadInput as error:
        return _failure(error, error.code)
    except DatabaseRefused as error:
        return _failure(error, "REFUSED")
    except Unavailable as error:
        return _failure(error, "UNAVAILABLE")


def _carried_out(request: Request, restores: Restores, dead_letters: DeadLetters) -> dict[str, Any]:
    match request:
        case Request(restored=RestoredBody() as told):
            return _begun(told, restores)
        case Request(open=OpenBody()):
            return _open(restores)
        case Request(accept=AcceptBody() as told):
            return _accepted(told, restores)
        case Request(adopt=AdoptBody() as told):
            adopted = restores.adopt(told.id, told.deployment_id, told.by, told.reason)
            return {"positionId": str(adopted)}
        case Request(ignore=IgnoreBody() as told):
            if not restores.ignore(told.id, told.by, told.reason):
                raise BadInput(f"no execution {told.id} waits for a decision", code="UNKNOWN_FILL")
            return {"ignored": str(told.id)}
        case Request(held=HeldBody()):
            return _held(restores.held(_ALL))
        case Request(release=ReleaseBody() as told):
            return _released(told, restores)
        case Request(redrive=RedriveBody() as told):
            done = dead_letters.redrive(send=told.send, leave=told.leave)
            return {"redrive": done.model_dump(mode="json")}
        case _:
            return {"fills": [_row(row) for row in restores.unowned(_ALL)]}


def _begun(told: RestoredBody, restores: Restores) -> dict[str, Any]:
    if why := too_late(told.at, restores.last_run()):
        raise BadInput(why, code="TOO_LATE")
    return {"restore": _row(restores.begin(told.at, told.by, told.reason))}


def _open(restores: Restores) -> dict[str, Any]:
    found = restores.open()
    return _shown(found, answerable(restores, found)) if found else {"open": None}


def _shown(found: OpenRestore, shown: Answerable) -> dict[str, Any]:
    row = found.model_dump(exclude={"now"})
    return {"open": _row(row), "answeredFor": list(shown.what), "token": shown.token}


def _accepted(told: AcceptBody, restores: Restores) -> dict[str, Any]:
    found = restores.open()
    if found is None:
        raise BadInput("no restore is open", code="CONFLICT")
    now = answerable(restores, found)
    if told.token != now.token:
        return _changed("what was shown is no longer so: nothing is ended", _shown(found, now))
    if not restores.accept(found, f"{told.by}: {told.reason}", now.what):
        raise BadInput(
            "executions without an owner wait for a decision, or it was ended meanwhile",
            code="CONFLICT",
        )
    return {"accepted": True, "answeredFor": list(now.what)}


def _held(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {"deployments": [_row(row) for row in rows], "token": _token_of(rows)}


def _token_of(rows: Sequence[Mapping[str, Any]]) -> str:
    """Of these deployments as they are held, and of the restore that was told last."""
    held = sorted(f"{row['id']} {row['since'].isoformat()}" for row in rows)
    return token_of(*(rows[0]["epoch"].isoformat() for _ in rows[:1]), *held)


def _released(told: ReleaseBody, restores: Restores) -> dict[str, Any]:
    """Of those that a list showed, and no others: nobody has looked at what is behind them."""
    rows = restores.held(_ALL)
    if told.token != _token_of(rows):
        return _not_released(rows)
    seen = [row["id"] for row in rows]
    if unknown := [str(each) for each in told.leave if each not in seen]:
        raise BadInput(f"no restore holds back {', '.join(unknown)}", code="UNKNOWN_DEPLOYMENT")
    if not rows:
        return {"released": 0, "stillHeld": 0}
    epoch = rows[0]["epoch"]
    released = restores.release(seen, told.leave, told.by, told.reason, epoch=epoch)
    if released is None:
        return _not_released(restores.held(_ALL))
    return {"released": released, "stillHeld": rows[0]["total"] - len(rows)}


def _not_released(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return _changed("what was shown is no longer so: nothing is released", _held(rows))


def _changed(what: str, now: Mapping[str, Any]) -> dict[str, Any]:
    """A refusal that shows what there is now, to be looked at."""
    return {"success": False, "error": what, "code": "CHANGED", **now}


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {_camel(name): _plain(value) for name, value in row.items()}


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case UUID():
            return str(value)
        case None | bool() | int() | str() | list():
            return value
        case _:
            return f"{value:f}" if isinstance(value, type(ZERO)) else str(value)


def _camel(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _failure(error: AgentWhereError, code: str) -> dict[str, Any]:
    return {"success": False, "error": str(error), "code": code}
