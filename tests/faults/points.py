"""In a function's process: it stops wherever the world could see it, and asks what next.

A point is before a round trip to the database, a request to a venue or the signer, a call of a
queue, a sleep,
and before and after a whole invocation. Between what one call did and the next point nothing can be
seen from outside, so that to die before a call is to die after the one that went before it. The
harness answers on a Unix socket with the time and with what is to happen: go on, or die at once, as
a SIGKILL does. The product's code knows nothing of this.
"""

import json
import os
import signal
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

from local.simulators.faults import kind_of
from tests.faults.names import NAME, NOMINAL_PORT

Point = tuple[str, str, str]
"""When: `before`, or `after` an invocation; what: `db`, `http`, `kms`, `queue`, `sleep` or
`invoke`; and a name."""


class Gate:
    """The process's end of the line to the harness; the time is what was told last.

    Args:
        skew: seconds that this process's clock is ahead of the world's.
    """

    def __init__(self) -> None:
        self._line: socket.socket | None = None
        self._reader: Any = None
        self._now = time.time()
        self._is_free = False
        self.skew = 0.0

    def open(self, path: str, instance: str) -> None:
        """Call the harness and say who this is."""
        self._line = socket.socket(socket.AF_UNIX)
        self._line.connect(path)
        self._reader = self._line.makefile("r")
        self._say(["hello", instance, str(os.getpid())])
        self._obey()

    def point(self, point: Point) -> None:
        """Wait here until the harness says to go on."""
        if self._line is not None and not self._is_free:
            self._say(list(point))
            self._obey()

    def tell(self, what: str, detail: str) -> None:
        """Let the harness know; nothing is waited for."""
        if self._line is not None:
            self._say(["told", what, detail])

    def sleep(self, seconds: float) -> None:
        """The world's time passes; how long that takes is the harness's business."""
        if self._is_free:
            time.sleep(seconds)
        self.point(("before", "sleep", f"{seconds}"))

    def monotonic(self) -> float:
        return time.monotonic() if self._is_free else self._now

    def utc_now(self) -> datetime:
        if self._is_free:
            return datetime.now(UTC)
        return datetime.fromtimestamp(self._now + self.skew, UTC)

    def _say(self, words: list[str]) -> None:
        assert self._line is not None
        self._line.sendall(json.dumps(words).encode() + b"\n")

    def _obey(self) -> None:
        line = self._reader.readline()
        if not line:
            os._exit(0)  # the harness is gone
        told = json.loads(line)
        self._now = told["now"]
        self._is_free = told["do"] == "run"  # by the real clocks, and never stopping
        if told["do"] == "die":
            os.kill(os.getpid(), signal.SIGKILL)


GATE = Gate()


class VirtualDatetime(datetime):
    """`datetime` with the world's now."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return GATE.utc_now().astimezone(tz)


def load_product() -> None:
    """Import what trades, its default clocks being the world's, and put points around its calls."""
    import botocore.endpoint  # noqa: F401, PLC0415 what keeps the real clock comes first
    import pg8000.core  # noqa: F401, PLC0415
    import pydantic  # noqa: F401, PLC0415
    import urllib3.util  # noqa: F401, PLC0415

    real = time.sleep, time.monotonic
    time.sleep, time.monotonic = GATE.sleep, GATE.monotonic  # type: ignore[assignment]
    try:
        from agent_where import comparing, onboarding, reconciling, trading  # noqa: F401, PLC0415
        from agent_where.execution import signers  # noqa: F401, PLC0415
        from agent_where.venues.hyperliquid import trading as adapter  # noqa: F401, PLC0415
        from agent_where.venues.ostium import trading as onchain  # noqa: F401, PLC0415
    finally:
        time.sleep, time.monotonic = real
    _watch_database()
    _watch_http()
    _watch_signer()
    _look_up_database()
    _watch_queues()
    _watch_messages()


def watched_handler(name: str, handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """A handler with a point before and after each invocation: it begins with the right time."""

    def watched(event: Any, context: Any) -> Any:
        GATE.point(("before", "invoke", name))
        try:
            return handler(event, context)
        finally:
            GATE.point(("after", "invoke", name))

    return watched


def _watch_database() -> None:
    from agent_where.store import statements  # noqa: PLC0415
    from agent_where.store.connection import Database  # noqa: PLC0415

    names = {file.read_text(): file.stem for file in statements._FOLDER.glob("*.sql")}
    run_together = Database.run_together

    def watched(self: Database, *told: Any) -> Any:
        name = "+".join(names.get(sql, "sql") for sql, _ in told)
        GATE.point(("before", "db", name))
        return run_together(self, *told)

    Database.run_together = watched  # type: ignore[method-assign]


def _watch_http() -> None:
    from agent_where.venues._http import JsonHttp  # noqa: PLC0415

    call = JsonHttp._call

    def watched(self: JsonHttp, method: str, url: str, body: bytes | None) -> object:
        port, _, path = url.partition("//")[2].partition(":")[2].partition("/")
        name = f"{port}/{path} {kind_of(body or b'')}"
        GATE.point(("before", "http", name))
        return call(self, method, url, body)

    JsonHttp._call = watched  # type: ignore[method-assign]


def _watch_signer() -> None:
    from agent_where.execution._aws import AwsService  # noqa: PLC0415

    once = AwsService._once

    def watched(self: AwsService, operation: str, *told: Any) -> Any:
        GATE.point(("before", "kms", operation))
        return once(self, operation, *told)

    AwsService._once = watched  # type: ignore[method-assign,assignment]


def _look_up_database() -> None:
    """The database's name leads where the harness says at that moment, as DNS would."""
    look_up = socket.getaddrinfo

    def told(host: Any, port: Any, *more: Any, **named: Any) -> Any:
        if (host, port) == (NAME, NOMINAL_PORT):
            host, port = "127.0.0.1", int(Path(os.environ["FAULTS_ADDRESS_FILE"]).read_text())
        return look_up(host, port, *more, **named)

    socket.getaddrinfo = told


def _watch_queues() -> None:
    import botocore.endpoint  # noqa: PLC0415

    from agent_where import queues  # noqa: PLC0415
    from agent_where.queues import Queues  # noqa: PLC0415

    queues._AT_ONCE = 1  # a process waits at one point at a time
    for verb in ("_send", "delay", "_depth"):
        setattr(Queues, verb, _watched_verb(getattr(Queues, verb), verb.strip("_")))
    botocore.endpoint.time = _Retries  # type: ignore[attr-defined] # its pauses are the world's too


class _Retries:
    sleep = staticmethod(GATE.sleep)
    time = staticmethod(time.time)


def _watched_verb(work: Callable[..., Any], verb: str) -> Callable[..., Any]:
    def watched(self: Any, url: str, *told: Any) -> Any:
        GATE.point(("before", "queue", f"{verb} {url.rpartition('/')[2]}"))
        return work(self, url, *told)

    return watched


def _watch_messages() -> None:
    from agent_where import consuming, messages  # noqa: PLC0415
    from agent_where.venues import registry  # noqa: PLC0415
    from agent_where.venues.ostium.markets import OstiumMarkets  # noqa: PLC0415

    consume = consuming.consume

    def telling(*told: Any) -> Any:
        try:
            return consume(*told)
        except Exception as error:
            GATE.tell(type(error).__name__, str(error))
            raise

    consuming.consume = telling  # type: ignore[assignment]
    messages.datetime = VirtualDatetime  # type: ignore[attr-defined]
    registry._utc_now = GATE.utc_now
    defaults = OstiumMarkets.__init__.__kwdefaults__ or {}
    defaults["clock"] = GATE.utc_now
