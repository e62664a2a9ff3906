"""A small API on loopback: routes that answer, page, fail and hang, and what was asked of it."""

import json
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

TOKEN = "eyJhbGciOiJSUzI1NiJ9.the-secret-part.of-this-token"


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: Any


@dataclass(frozen=True)
class Reply:
    """What goes back: JSON, or bytes as they are. `after_seconds`: silence before it."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    after_seconds: float = 0
    hangs_up: bool = False

    @property
    def raw(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


Route = Callable[[Asked], Reply]


class FakeApi:
    """Answers by method and path; whatever has no route is a 404 of the documented shape.

    Without the token every route but /status is a 401.
    """

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.closing = threading.Event()
        self._routes: dict[tuple[str, str], Route] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.01,), daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/api"

    def on(self, method: str, path: str, route: Route) -> None:
        self._routes[method, path] = route

    def says(self, method: str, path: str, body: Any, status: int = 200) -> None:
        self.on(method, path, lambda _: Reply(body, status))

    def in_turn(self, method: str, path: str, replies: Sequence[Reply]) -> None:
        """One reply a request; the last one stays."""
        left = list(replies)
        self.on(method, path, lambda _: left.pop(0) if len(left) > 1 else left[0])

    def lists(self, path: str, key: str, rows: Sequence[object], **more: object) -> None:
        """Pages of at most `limit` rows; the cursor is where the next one begins."""

        def page(asked: Asked) -> Reply:
            start, limit = int(asked.query.get("cursor", "0")), int(asked.query["limit"])
            assert 1 <= limit <= 100
            end = start + limit
            cursor = str(end) if end < len(rows) else None
            found = list(rows[start:end])
            return Reply({"success": True, **more, key: found, "nextCursor": cursor})

        self.on("GET", path, page)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        if asked.path != "/status" and asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return Reply(failure("The token is missing.", "UNAUTHORIZED"), 401)
        route = self._routes.get((asked.method, asked.path))
        if route is None:
            return Reply(failure("No such path or method.", "NOT_FOUND"), 404)
        return route(asked)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Quiet."""

            def _answer(self) -> None:
                reply = api.answer(self._asked())
                if api.closing.wait(reply.after_seconds) or reply.hangs_up:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    self.close_connection = True
                    return
                self.send_response(reply.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(reply.raw)))
                for name, value in reply.headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply.raw)

            def _asked(self) -> Asked:
                target = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                raw = self.rfile.read(length)
                return Asked(
                    method=self.command,
                    path=target.path.removeprefix("/api"),
                    query=dict(parse_qsl(target.query)),
                    headers={name.lower(): value for name, value in self.headers.items()},
                    body=json.loads(raw) if raw else None,
                )

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815

        return Handler


def failure(sentence: str, code: str, *details: str) -> dict[str, object]:
    """A failure as the API words it."""
    told = {"success": False, "error": sentence, "code": code}
    return {**told, "details": list(details)} if details else told


class FakeFunctions(FakeApi):
    """Lambda's invocation of functions by their names, without a look at the signature."""

    def answer(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        _, _, name, _ = asked.path.removeprefix("/").split("/")
        return self._routes["POST", name](asked)
