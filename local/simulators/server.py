"""HTTP around a simulated venue: loopback only, one thread a connection, failing when told to."""

import json
import sys
import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol, Self
from urllib.parse import parse_qsl, urlsplit

from local.simulators.control import Control
from local.simulators.faults import BadControl, Fault, Rule

LOOPBACK = "127.0.0.1"
_HANG_SECONDS = 60
_IDLE_SECONDS = 30
_MAX_REQUEST_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Request:
    """What came in. The query keeps the last of repeated names."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes
    content_type: str = "application/json"


@dataclass(frozen=True)
class Reply:
    """What goes out."""

    status: int
    body: bytes
    content_type: str = "application/json"


class Simulator(Protocol):
    """A venue's public endpoints."""

    control: Control

    def answer(self, request: Request) -> Reply:
        """The answer of a venue in good health."""
        ...


def json_reply(value: object, status: int = 200) -> Reply:
    """A JSON answer."""
    return Reply(status, json.dumps(value, separators=(",", ":")).encode())


class Server:
    """A simulator that listens from construction until `close`.

    Args:
        port: 0 takes a free one; `url` tells which.
    """

    def __init__(self, simulator: Simulator, port: int = 0) -> None:
        self._closing = threading.Event()
        self._http = _HttpServer((LOOPBACK, port), simulator, self._closing)
        self.url = f"http://{LOOPBACK}:{self._http.server_address[1]}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
        )
        self._thread.start()

    def close(self) -> None:
        """Stop listening and let go of every request that hangs."""
        self._closing.set()
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(
        self, address: tuple[str, int], simulator: Simulator, closing: threading.Event
    ) -> None:
        super().__init__(address, _Handler)
        self.simulator = simulator
        self.closing = closing
        self.lock = threading.Lock()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 (inherited)
        """A client that goes away is no fault of the server's; anything else is told."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True
    server: _HttpServer

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Say nothing: a simulator's log is its caller's."""

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _MAX_REQUEST_BYTES:
            self.close_connection = True
            self._send(Reply(413, b"null"))
            return
        asked = urlsplit(self.path)
        request = Request(
            self.command,
            asked.path,
            dict(parse_qsl(asked.query)),
            self.rfile.read(int(length)),
            self.headers.get("Content-Type", ""),
        )
        if request.path == "/simulator" or request.path.startswith("/simulator/"):
            self._send(self._controlled(request))
            return
        with self.server.lock:
            rule = self.server.simulator.control.strike(request.path, request.body)
            reply = self._answer(request) if rule is None or rule.processed else None
        if rule is None:
            assert reply is not None
            self._send(reply)
        else:
            self._fail(rule, request, reply)

    def _answer(self, request: Request) -> Reply:
        """The healthy answer; the caller holds the lock."""
        return self.server.simulator.answer(request)

    def _controlled(self, request: Request) -> Reply:
        control = self.server.simulator.control
        with self.server.lock:
            try:
                if request.method == "GET":
                    return json_reply(control.report(request.path))
                return json_reply(control.apply(request.path, request.body))
            except BadControl as fault:
                return json_reply({"error": str(fault)}, status=400)

    def _fail(self, rule: Rule, request: Request, reply: Reply | None) -> None:
        """Spoil an answer; there is none yet where the rule says so."""
        self.server.closing.wait(rule.seconds)
        match rule.fault:
            case Fault.DELAY:
                self._send(reply or self._late(request))
            case Fault.SERVER_ERROR | Fault.BAD_GATEWAY | Fault.UNAVAILABLE:
                status = int(rule.fault)
                self._send(Reply(status, _page(status), "text/html"))
            case Fault.TOO_MANY:
                self._send(Reply(429, b"null"))
            case Fault.GARBAGE:
                self._send(Reply(200, b"<html>bad gateway</html>", "text/html"))
            case Fault.HANG:
                self.server.closing.wait(_HANG_SECONDS)
                self.close_connection = True
            case Fault.DROP:
                self.close_connection = True
            case Fault.CUT if reply:
                self._send(reply, sent_bytes=len(reply.body) // 2)
                self.close_connection = True
            case Fault.TRUNCATED if reply:
                self._send(replace(reply, body=reply.body[: len(reply.body) // 2]))
            case _:
                raise AssertionError(f"{rule.fault} spoils no answer")

    def _late(self, request: Request) -> Reply:
        with self.server.lock:
            return self._answer(request)

    def _send(self, reply: Reply, sent_bytes: int | None = None) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.content_type)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body[:sent_bytes])


def _page(status: int) -> bytes:
    """What the gateway before a venue says when it says it itself."""
    told = f"{status} {HTTPStatus(status).phrase}"
    return f"<html><head><title>{told}</title></head><body><h1>{told}</h1></body></html>".encode()
