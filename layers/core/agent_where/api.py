"""The HTTP edge: where a request is read, and the one place where an error becomes an answer.

Not here: what the routes are, take and answer (contract/), and what answers them
(functions/*/app.py).
"""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, TypeVar
from uuid import UUID

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from agent_where.callers import Caller, Reach, caller_of
from agent_where.contract.operations import FAILURES, Operation
from agent_where.errors import (
    AgentWhereError,
    BadInput,
    BadSetting,
    DatabaseRefused,
    NotFit,
    Unavailable,
)
from agent_where.messages import Body
from agent_where.parsing import is_storable, parse_object, validate
from agent_where.values import is_uuid

STAGE = "/api"
RETRY_AFTER_SECONDS = 5

_JSON = "application/json"
_UTF8 = ("charset=utf-8", "charset=utf8")
_HEADERS = {"Cache-Control": "no-store"}
_NOBODY = Caller(subject="", scopes=frozenset(), wallet=None)
_NO_ID = UUID(int=0)

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]

_logger = Logger()
Q = TypeVar("Q", bound=Body)
B = TypeVar("B", bound=Body)
A = TypeVar("A", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Call(Generic[Q, B]):
    """One request, read and let through. `id`: the one in the path, where its route has one."""

    caller: Caller
    id: UUID
    query: Q
    body: B

    @property
    def reach(self) -> Reach:
        return self.caller.reach


def make_api() -> APIGatewayRestResolver:
    """A resolver without routes, whose every failure has the documented shape.

    A route returns an `Answer`, or raises. An error that is not foreseen is raised on: the function
    fails, its alarm says so, and API Gateway answers 503.
    """
    api = APIGatewayRestResolver(strip_prefixes=[STAGE], debug=False, serializer=_written)
    api.use([_never_stored])
    api.exception_handler(NotFoundError)(_not_found)
    api.exception_handler(BadInput)(_bad_input)
    api.exception_handler([Unavailable, BadSetting])(_unavailable)
    api.exception_handler(NotFit)(_not_fit)
    api.exception_handler(DatabaseRefused)(_database_refused)
    return api


def serve(
    api: APIGatewayRestResolver,
    operation: Operation[Q, B, A],
    answer: Callable[[Call[Q, B]], A],
) -> None:
    """Let `answer` answer a route, to those who may use it, when all that came in is right."""

    def served(of_id: str = "") -> A:
        caller = _caller(api, operation)
        return answer(
            Call(
                caller=caller,
                id=_path_id(of_id) if operation.has_id else _NO_ID,
                query=_query(api, operation),
                body=_body(api, operation),
            )
        )

    route = api.route(
        operation.path.replace("{id}", "<of_id>"), operation.method, status_code=operation.status
    )
    route(served)


def as_handler(api: APIGatewayRestResolver) -> Handler:
    """The Lambda handler of an API, logged, counted and traced."""
    metrics = Metrics(namespace="AgentWhere")

    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        metrics.add_metric("Requests", MetricUnit.Count, 1)
        answer = api.resolve(event, context)
        status = answer["statusCode"]
        metrics.add_metric("RequestsRefused", MetricUnit.Count, int(400 <= status < 500))
        metrics.add_metric("RequestsUnavailable", MetricUnit.Count, int(status >= 500))
        return answer

    # Patching would load boto3, which most APIs have no use for.
    counted = metrics.log_metrics(handler, capture_cold_start_metric=True)
    traced = Tracer(auto_patch=False).capture_lambda_handler(counted, capture_response=False)
    logged: Handler = _logger.inject_lambda_context(traced, clear_state=True)
    return logged


def read_body(api: APIGatewayRestResolver) -> str:
    """The body of a request as text; empty if there is none.

    Raises:
        BadInput: it says that it is not JSON in UTF-8, or is not text at all.
    """
    event = api.current_event
    _refuse_other_media(event.headers.get("content-type") or _JSON)
    raw = event.body or ""
    if not event.is_base64_encoded:
        return raw
    try:
        return base64.b64decode(raw, validate=True).decode()
    except ValueError as error:
        raise BadInput("the body is not text in UTF-8", code="BAD_JSON") from error


def _body(api: APIGatewayRestResolver, operation: Operation[Q, B, A]) -> B:
    """The body of a request. Raises BadInput, every fault named by its key."""
    told = parse_object(read_body(api)) if operation.has_body else {}
    return validate(operation.body, told)


def _query(api: APIGatewayRestResolver, operation: Operation[Q, B, A]) -> Q:
    """The query string of a request. Raises BadInput, every fault named by its parameter.

    One that is not known is refused: a filter misspelt must not become no filter.
    """
    told: dict[str, str] = {}
    for name, value in _parameters(api.current_event):
        if name in told:
            raise BadInput(f"{name}: it stands in the query twice")
        if not (is_storable(name) and is_storable(value)):
            raise BadInput("the query holds a lone surrogate or NUL")
        told[name] = value
    return validate(operation.query, told)


def _path_id(text: str) -> UUID:
    if not is_uuid(text):
        raise BadInput("id: the path does not hold a UUID", details=["id: not a UUID"])
    return UUID(text)


def _caller(api: APIGatewayRestResolver, operation: Operation[Q, B, A]) -> Caller:
    if operation.scope is None:
        return _NOBODY
    context = api.current_event.raw_event.get("requestContext") or {}
    caller = caller_of(context.get("authorizer"), time.time())
    caller.check(operation.scope)
    return caller


def _refuse_other_media(content_type: str) -> None:
    media, *parameters = (part.strip().lower() for part in content_type.split(";"))
    charsets = [part for part in parameters if part.startswith("charset=")]
    if media != _JSON or any(part.replace('"', "") not in _UTF8 for part in charsets):
        raise BadInput("the body must be application/json in UTF-8", code="UNSUPPORTED_MEDIA_TYPE")


def _parameters(event: APIGatewayProxyEvent) -> Iterator[tuple[str, str]]:
    several = event.multi_value_query_string_parameters
    if not several:
        yield from event.query_string_parameters.items()
    for name, values in several.items():
        for value in values:
            yield name, value


def _not_found(_: NotFoundError) -> Response[str]:
    return _failure(HTTPStatus.NOT_FOUND, "No such path or method.", "NOT_FOUND")


def _bad_input(error: BadInput) -> Response[str]:
    _logger.info("request refused", code=error.code)
    status = FAILURES[error.code].status
    headers = {"WWW-Authenticate": "Bearer"} if status is HTTPStatus.UNAUTHORIZED else {}
    return _failure(status, str(error), error.code, error.details, headers)


def _unavailable(error: AgentWhereError) -> Response[str]:
    """What is away, or not set up, is the operator's to read: in the log, not in the answer."""
    log = _logger.error if isinstance(error, BadSetting) else _logger.warning
    log("unavailable", error=type(error).__name__, reason=str(error))
    return _failure(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The service is unavailable; try again later.",
        "UNAVAILABLE",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
    )


def _not_fit(error: NotFit) -> Response[str]:
    """The answer of GET /status that is a failure; it keeps the keys of the good one."""
    return _failure(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "The system is not fit to trade.",
        "NOT_FIT",
        headers={"Retry-After": str(RETRY_AFTER_SECONDS)},
        more={"fit": False, "checkedAt": error.checked_at.isoformat().replace("+00:00", "Z")},
    )


def _database_refused(error: DatabaseRefused) -> Response[str]:
    """A rule of the database that no check of ours foresaw; anything else is raised on."""
    if not error.is_about_the_data:
        raise error
    _logger.error("the database refused", sqlstate=error.sqlstate, reason=str(error))
    told = f"The database refuses it by its rule {error.constraint or error.sqlstate}."
    return _failure(HTTPStatus.CONFLICT, told, "REFUSED")


def _failure(
    status: HTTPStatus,
    sentence: str,
    code: str,
    details: tuple[str, ...] = (),
    headers: dict[str, str] | None = None,
    more: Mapping[str, object] | None = None,
) -> Response[str]:
    told: dict[str, object] = {"success": False, "error": sentence, "code": code, **(more or {})}
    if details:
        told["details"] = details
    return Response(
        status_code=status.value,
        content_type=_JSON,
        body=json.dumps(told),
        headers={**_HEADERS, **(headers or {})},
    )


def _written(told: object) -> str:
    assert isinstance(told, BaseModel), "a route returns an Answer"
    return told.model_dump_json(by_alias=True)


def _never_stored(
    api: APIGatewayRestResolver, next_middleware: NextMiddleware
) -> Response[BaseModel]:
    response: Response[BaseModel] = next_middleware(api)
    response.headers.update(_HEADERS)
    return response
