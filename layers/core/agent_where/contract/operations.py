"""What one route of the HTTP API is: where it is, who may use it, what it takes and answers.

The routes themselves are in routes.py; api.py serves them and openapi.py describes them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from types import MappingProxyType
from typing import Generic, Literal, TypeVar

from pydantic import BaseModel

from agent_where.callers import Scope
from agent_where.contract.bodies import NoBody
from agent_where.contract.queries import NoQuery
from agent_where.messages import Body

Q = TypeVar("Q", bound=Body)
B = TypeVar("B", bound=Body)
A = TypeVar("A", bound=BaseModel)

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True, slots=True)
class Failure:
    """What a failure's code means, and the status it comes with."""

    status: HTTPStatus
    meaning: str


@dataclass(frozen=True, slots=True)
class Operation(Generic[Q, B, A]):
    """One route.

    Args:
        path: below the stage; `{id}` is a UUID.
        scope: what the token needs; None: no token.
        name: unique, camelCase: what generated clients call it.
        query: its parameters; NoQuery: none.
        body: what it takes; NoBody: nothing.
        answer: the body of its one good answer.
        summary: one line.
        description: what the summary leaves open.
        refusals: the codes it may answer besides those of every route (`codes`).
    """

    method: Method
    path: str
    scope: Scope | None
    name: str
    query: type[Q]
    body: type[B]
    answer: type[A]
    summary: str
    description: str = ""
    status: HTTPStatus = HTTPStatus.OK
    refusals: tuple[str, ...] = ()

    @property
    def has_id(self) -> bool:
        return "{id}" in self.path

    @property
    def has_body(self) -> bool:
        return not issubclass(self.body, NoBody)

    @property
    def has_query(self) -> bool:
        return not issubclass(self.query, NoQuery)

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code that it may answer."""
        read = _OF_A_BODY if self.has_body else ()
        known = _OF_A_TOKEN if self.scope else ()
        written = _OF_A_WRITE if self.scope in (Scope.WRITE, Scope.SIGNALS) else ()
        return (*read, *known, *self.refusals, *written, *OF_EVERY_ROUTE)


_OF_A_BODY = ("BAD_JSON", "UNSUPPORTED_MEDIA_TYPE")
_OF_A_TOKEN = ("UNAUTHORIZED",)
_OF_A_WRITE = ("REFUSED",)
OF_EVERY_ROUTE = (
    "BAD_INPUT",
    "BAD_TEXT",
    "BAD_REQUEST",
    "FORBIDDEN",
    "NOT_FOUND",
    "BODY_TOO_LARGE",
    "TOO_MANY_REQUESTS",
    "UNAVAILABLE",
)

_BAD, _MISSING, _CONFLICT = HTTPStatus.BAD_REQUEST, HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT
_AWAY = HTTPStatus.SERVICE_UNAVAILABLE

FAILURES: Mapping[str, Failure] = MappingProxyType(
    {
        "BAD_INPUT": Failure(
            _BAD, "A field is missing, unknown or out of range; each fault is in `details`."
        ),
        "BAD_JSON": Failure(_BAD, "The body is not a JSON object that can be read."),
        "BAD_TEXT": Failure(_BAD, "A string holds a lone surrogate or NUL."),
        "BAD_REQUEST": Failure(_BAD, "API Gateway cannot make sense of the request."),
        "AGENT_NOT_MULTI": Failure(_BAD, "Only a MULTI agent is routed."),
        "VENUE_NOT_SUPPORTED": Failure(_BAD, "The venue has no adapter yet."),
        "UNAUTHORIZED": Failure(
            HTTPStatus.UNAUTHORIZED, "The token is missing, wrong or has expired."
        ),
        "FORBIDDEN": Failure(
            HTTPStatus.FORBIDDEN,
            "The token lacks the scope, or names another's wallet; or the firewall refused.",
        ),
        "NOT_FOUND": Failure(_MISSING, "No such path or method."),
        "UNKNOWN_AGENT": Failure(_MISSING, "There is no such agent, or it is not the caller's."),
        "UNKNOWN_DEPLOYMENT": Failure(
            _MISSING, "There is no such deployment, or it is not the caller's."
        ),
        "UNKNOWN_SIGNAL": Failure(_MISSING, "There is no such signal, or it is not the caller's."),
        "UNKNOWN_ORDER": Failure(_MISSING, "There is no such order."),
        "CONFLICT": Failure(_CONFLICT, "It contradicts what is stored."),
        "HELD_BY_OPERATOR": Failure(
            _CONFLICT, "An operator set this control; only an operator changes it."
        ),
        "REFUSED": Failure(_CONFLICT, "A rule of the database refuses it."),
        "BODY_TOO_LARGE": Failure(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "The body is over 16 KiB."),
        "UNSUPPORTED_MEDIA_TYPE": Failure(
            HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "The body is not application/json in UTF-8."
        ),
        "TOO_MANY_REQUESTS": Failure(
            HTTPStatus.TOO_MANY_REQUESTS, "Over the rate limit or a quota."
        ),
        "NOT_FIT": Failure(_AWAY, "The system is not fit to trade."),
        "UNAVAILABLE": Failure(
            _AWAY, "Something this needs is away; the same request may come again."
        ),
    }
)
"""Every code of a failure."""
