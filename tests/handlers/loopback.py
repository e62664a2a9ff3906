"""The HTTP functions behind what API Gateway does: routes, tokens, events, and its own answers."""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any
from urllib.parse import parse_qsl, unquote

from agent_where.contract.operations import FAILURES, Operation
from agent_where.contract.routes import ROUTES
from tests.handlers.gateway import Context, Function

STAGE = "/api"
FUNCTIONS = ("stats_api", "config_api", "signal_intake")
Route = Operation[Any, Any, Any]


@dataclass(frozen=True)
class Reply:
    status: int
    headers: Mapping[str, str]
    body: bytes


def served(function: Function) -> set[tuple[str, str]]:
    """Which methods and paths a function's resolver knows."""
    resolver = function.module.api
    routes = [*resolver._static_routes, *resolver._dynamic_routes]
    return {(route.method, route.path.replace("<of_id>", "{id}")) for route in routes}


class Gateway:
    """All routes of the API. `faults`: what a function raised.

    Args:
        tokens: the authorizer's context of each bearer token that it would let through.
    """

    def __init__(self, tokens: Mapping[str, Mapping[str, str]]) -> None:
        self._tokens = tokens
        self.faults: list[Exception] = []
        functions = [Function(name) for name in FUNCTIONS]
        self._functions = {route: each for each in functions for route in served(each)}

    def answer(
        self, method: str, target: str, headers: Mapping[str, str] | Message, body: bytes
    ) -> Reply:
        """What a request gets. `target`: path and query as sent, with the stage."""
        path, _, query = target.partition("?")
        found = _match(method, path.removeprefix(STAGE)) if path.startswith(STAGE) else None
        if found is None:
            return _own("NOT_FOUND")
        route, id_ = found
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        caller = self._tokens.get(token) if scheme.lower() == "bearer" else None
        if route.scope and caller is None:
            return _own("UNAUTHORIZED", {"WWW-Authenticate": "Bearer"})
        event = {
            "resource": route.path,
            "path": path.removeprefix(STAGE),
            "httpMethod": method,
            **_headers(headers),
            **_query(query),
            "pathParameters": {"id": unquote(id_)} if id_ else None,
            "stageVariables": None,
            "requestContext": {
                "stage": "api",
                "httpMethod": method,
                "resourcePath": route.path,
                "path": path,
                "requestId": "1",
                "identity": {"sourceIp": "192.0.2.1"},
                **({"authorizer": dict(caller)} if route.scope and caller else {}),
            },
            "body": body.decode("utf-8", "replace") if body else None,
            "isBase64Encoded": False,
        }
        try:
            told = self._functions[method, route.path].module.handler(event, Context())
        except Exception as fault:  # noqa: BLE001 a function that fails is API Gateway's 503
            self.faults.append(fault)
            return _own("UNAVAILABLE")
        answered = {name: values[0] for name, values in told["multiValueHeaders"].items()}
        return Reply(told["statusCode"], answered, told["body"].encode())


def _match(method: str, path: str) -> tuple[Route, str] | None:
    for route in ROUTES:
        pattern = re.escape(route.path).replace(r"\{id\}", "(?P<id>[^/]+)")
        if route.method == method and (matched := re.fullmatch(pattern, path)):
            return route, matched.groupdict().get("id", "")
    return None


def _headers(headers: Mapping[str, str] | Message) -> dict[str, Any]:
    several = {name: [value] for name, value in headers.items()}
    return {"headers": dict(headers.items()), "multiValueHeaders": several}


def _query(query: str) -> dict[str, Any]:
    several: dict[str, list[str]] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        several.setdefault(name, []).append(value)
    last = {name: values[-1] for name, values in several.items()}
    return {
        "queryStringParameters": last or None,
        "multiValueQueryStringParameters": several or None,
    }


def _own(code: str, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer of API Gateway itself."""
    told = {"success": False, "error": FAILURES[code].meaning, "code": code}
    sent = {"Content-Type": "application/json", **(headers or {})}
    return Reply(FAILURES[code].status.value, sent, json.dumps(told).encode())


@contextmanager
def listening(gateway: Gateway) -> Iterator[str]:
    """The gateway on a loopback port; yields the URL of its stage. One request at a time."""
    one_at_a_time = Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # headers and body in one packet

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):  # any method at all
                return self.answer
            raise AttributeError(name)

        def answer(self) -> None:
            sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            with one_at_a_time:
                reply = gateway.answer(self.command, self.path, self.headers, sent)
            self.send_response(reply.status)
            for name, value in {**reply.headers, "Content-Length": str(len(reply.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *told: object) -> None:
            """Nothing: the test says what went wrong."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{STAGE}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
