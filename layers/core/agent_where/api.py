"""The HTTP edge: where a request is read, and the one place where an error becomes an answer.

Not here: the routes (functions/*/app.py), what comes in (bodies.py, messages.py) and what goes out
(answers.py). Who may do what will stand between these and the routes.
"""

import base64
import json
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any, TypeVar
from uuid import UUID

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent
from aws_lambda_powertools.utilities.typing import LambdaContext
from pydantic import BaseModel

from agent_where.errors import (
    AgentWhereError,
    BadInput,
    BadSetting,
    Conflict,
    DatabaseRefused,
    Unavailable,
    UnknownAgent,
    UnknownOrder,
)
from agent_where.parsing import parse_object, validate

STAGE = "/api"
RETRY_AFTER_SECONDS = 5

_JSON = "application/json"
_UTF8 = ("charset=utf-8", "charset=utf8")
_HEADERS = {"Cache-Control": "no-store"}
_STATUS_OF_CODE = {
    "BODY_TOO_LARGE": HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    "UNKNOWN_AGENT": HTTPStatus.NOT_FOUND,
    "UNKNOWN_DEPLOYMENT": HTTPStatus.NOT_FOUND,
    "UNKNOWN_SIGNAL": HTTPStatus.NOT_FOUND,
    "UNSUPPORTED_MEDIA_TYPE": HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
}

Handler = Callable[[dict[str, Any], LambdaContext], dict[str, Any]]

_logger = Logger()
M = TypeVar("M", bound=BaseModel)


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
    api.exception_handler(DatabaseRefused)(_database_refused)
    return api


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
    counted = metrics.log_metrics(handler)
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


def body(api: APIGatewayRestResolver, model: type[M]) -> M:
    """The body of a request. Raises BadInput, every fault named by its key."""
    return validate(model, parse_object(read_body(api)))


def query(api: APIGatewayRestResolver, model: type[M]) -> M:
    """The query string of a request. Raises BadInput, every fault named by its parameter.

    One that is not known is refused: a filter misspelt must not become no filter.
    """
    told: dict[str, str] = {}
    for name, value in _parameters(api.current_event):
        if name in told:
            raise BadInput(f"{name}: it stands in the query twice")
        told[name] = value
    return validate(model, told)


def path_id(text: str) -> UUID:
    """An id in a path. Raises BadInput."""
    try:
        return UUID(text)
    except ValueError as error:
        raise BadInput("id: the path does not hold a UUID", details=["id: not a UUID"]) from error


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
    return _failure(_status(error), str(error), error.code, error.details)


def _status(error: BadInput) -> HTTPStatus:
    if isinstance(error, Conflict):
        return HTTPStatus.CONFLICT
    if isinstance(error, UnknownAgent | UnknownOrder):
        return HTTPStatus.NOT_FOUND
    return _STATUS_OF_CODE.get(error.code, HTTPStatus.BAD_REQUEST)


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
) -> Response[str]:
    told: dict[str, object] = {"success": False, "error": sentence, "code": code}
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
