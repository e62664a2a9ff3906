"""The whole HTTP edge in one process, as API Gateway puts it together: authorizer, then function.

Like API Gateway it keeps what the authorizer said of a token for a minute, asks it nothing where a
route needs no token, and answers by itself what never reaches a function.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, urlsplit

from agent_where.contract.operations import Operation
from agent_where.contract.routes import ROUTES
from agent_where.errors import Unauthorized
from tests.handlers.gateway import Answer, Context, Function

_INTAKE = {"sendSignal"}
_WRITES = {"POST", "PUT", "PATCH", "DELETE"}
_READ_BY_POST = {"preview"}
_UNAUTHORIZED = {
    "success": False,
    "error": "The request carries no valid token.",
    "code": "UNAUTHORIZED",
}
_ARN = "arn:aws:execute-api:eu-west-1:000000000000:abc123/api"


class Edge:
    """The deployed API, without the deployment."""

    def __init__(self) -> None:
        self._authorizer = Function("authorizer")
        self._functions: dict[str, Function] = {}
        self._contexts: dict[str, Mapping[str, str] | None] = {}

    def call(self, method: str, path: str, token: str | None, body: object = None) -> Answer:
        """One request; `path` may carry a query."""
        target = urlsplit(path)
        operation = operation_of(method, target.path)
        context: Mapping[str, str] | None = None
        if operation.scope is not None:
            context = self.context(f"Bearer {token}") if token else None
            if context is None:
                return Answer(401, dict(_UNAUTHORIZED), {"Content-Type": "application/json"})
        function = self.function(operation).called_by(context)
        return through(function, operation, path, body)

    def context(self, header: str) -> Mapping[str, str] | None:
        """What the authorizer says of a header; None: it refuses."""
        if header not in self._contexts:
            event = {
                "type": "TOKEN",
                "authorizationToken": header,
                "methodArn": f"{_ARN}/GET/agents",
            }
            try:
                policy = self._authorizer.module.handler(event, Context())
                self._contexts[header] = policy["context"]
            except Unauthorized:
                self._contexts[header] = None
        return self._contexts[header]

    def function(self, operation: Operation[Any, Any, Any]) -> Function:
        """The function that answers a route; loaded when first asked."""
        name = function_of(operation)
        if name not in self._functions:
            self._functions[name] = Function(name)
        return self._functions[name]


def through(
    function: Function, operation: Operation[Any, Any, Any], path: str, body: object = None
) -> Answer:
    """A request as it reaches a function; `path` may carry a query."""
    return function.invoke(_event(operation, urlsplit(path), body))


def ask(
    function: Function,
    operation: Operation[Any, Any, Any],
    *,
    query: str = "",
    body: Mapping[str, object] | None = None,
) -> Answer:
    """What a route without an id in its path answers."""
    return through(function, operation, f"{operation.path}?{query}", body)


def function_of(operation: Operation[Any, Any, Any]) -> str:
    """Which function the template sends a route to."""
    if operation.name in _INTAKE:
        return "signal_intake"
    writes = operation.method in _WRITES and operation.name not in _READ_BY_POST
    return "config_api" if writes else "stats_api"


def operation_of(method: str, path: str) -> Operation[Any, Any, Any]:
    """The route that a request goes to."""
    for operation in ROUTES:
        if operation.method == method and _fits(operation.path, path):
            return operation
    raise LookupError(f"no route {method} {path}")


def _fits(template: str, path: str) -> bool:
    known, told = template.split("/"), path.split("/")
    return len(known) == len(told) and all(
        one in ("{id}", other) for one, other in zip(known, told, strict=True)
    )


def _event(
    operation: Operation[Any, Any, Any], target: SplitResult, body: object
) -> dict[str, Any]:
    query = dict(parse_qsl(target.query, keep_blank_values=True))
    raw = body if isinstance(body, str) or body is None else json.dumps(body, default=str)
    headers = {"Host": "abc123.execute-api.eu-west-1.amazonaws.com"}
    if raw is not None:
        headers["Content-Type"] = "application/json"
    return {
        "resource": operation.path,
        "path": target.path,
        "httpMethod": operation.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {n: [v] for n, v in query.items()} or None,
        "pathParameters": {"id": target.path.split("/")[2]} if operation.has_id else None,
        "requestContext": {"stage": "api", "requestId": "1", "identity": {"sourceIp": "192.0.2.1"}},
        "body": raw,
        "isBase64Encoded": False,
    }
