"""What an operator does after an accident, by request: each is carried out whole or not at all.

A restored database gets its epoch, executions without an owner get their decision, deployments
that it holds back go on, dead letters go back to their queues. Who the operator is, is what AWS
lets them do: they invoke the function.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from agent_where.domain import ZERO
from agent_where.errors import AgentWhereError, BadInput, DatabaseRefused, Unavailable
from agent_where.messages import Body
from agent_where.parsing import validate
from agent_where.redriving import DeadLetters
from agent_where.restoring import answered_for
from agent_where.store.restores import Restores

Words = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]
_ALL = 500


class RestoredBody(Body):
    """The database stands at an earlier moment, `at`: an epoch begins and nothing trades."""

    at: AwareDatetime
    by: Words
    reason: Words


class AcceptBody(Body):
    """All restores are ended by a person's word, who answers for what was not matched."""

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
    """Those that the list shows may open again, but for those that are left as they are."""

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
    """Carry out one request. Failures are answered in the API's shape, none is raised."""
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
            epoch = restores.begin(told.at, told.by, told.reason)
            return {"restore": _row(epoch)}
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
            return {"deployments": [_row(row) for row in restores.held(_ALL)]}
        case Request(release=ReleaseBody() as told):
            return _released(told, restores)
        case Request(redrive=RedriveBody() as told):
            done = dead_letters.redrive(send=told.send, leave=told.leave)
            return {"redrive": done.model_dump(mode="json")}
        case _:
            return {"fills": [_row(row) for row in restores.unowned(_ALL)]}


def _accepted(told: AcceptBody, restores: Restores) -> dict[str, Any]:
    found = restores.open()
    what = answered_for(found, restores.unmatched()) if found else []
    if found is None or not restores.accept(found, f"{told.by}: {told.reason}", what):
        raise BadInput(
            "no restore is open, or executions without an owner wait for a decision",
            code="CONFLICT",
        )
    return {"accepted": True, "answeredFor": what}


def _released(told: ReleaseBody, restores: Restores) -> dict[str, Any]:
    """Of those that a list shows, and no others: nobody has looked at what is behind them."""
    rows = restores.held(_ALL)
    seen = [row["id"] for row in rows]
    if unknown := [str(each) for each in told.leave if each not in seen]:
        raise BadInput(f"no restore holds back {', '.join(unknown)}", code="UNKNOWN_DEPLOYMENT")
    total = rows[0]["total"] if rows else 0
    return {
        "released": restores.release(seen, told.leave, told.by, told.reason),
        "stillHeld": total - len(rows),
    }


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
