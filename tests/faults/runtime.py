"""Lambda's side: the Runtime API that awslambdaric speaks to, and the instances that speak to it.

Each instance has a path of its own on one loopback port. What an instance does comes as events:
the point where it waits, the end of its invocation, or its death.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, Queue
from threading import Thread
from typing import Any

from local.environment import ROOT
from tests.faults.points import Point

LOOPBACK = "127.0.0.1"
_PATIENCE_SECONDS = 60.0
_TAIL = 6000


class HarnessFault(Exception):
    """The harness itself does not work; nothing is said about the system."""


@dataclass(frozen=True)
class AtPoint:
    """It waits for the word to go on."""

    point: Point


@dataclass(frozen=True)
class Ended:
    """Its invocation ended. `error`: the function's, by type and message."""

    answer: Any
    error: str | None = None


@dataclass(frozen=True)
class Dead:
    """The process is no more."""


Event = AtPoint | Ended | Dead


@dataclass
class Instance:
    """One function instance. `told`: what it said without waiting for an answer."""

    id: str
    function: str
    pid: int = 0
    is_dead: bool = False
    events: "Queue[Event]" = field(default_factory=Queue)
    inbox: "Queue[bytes | None]" = field(default_factory=Queue)
    told: list[tuple[str, str]] = field(default_factory=list)
    line: socket.socket | None = None
    log: Path = Path(os.devnull)

    def next_event(self) -> Event:
        """What it does next. Raises HarnessFault when that is nothing for long."""
        try:
            event = self.events.get(timeout=_PATIENCE_SECONDS)
        except Empty:
            raise HarnessFault(f"{self.id} is silent:\n{self._stack()}") from None
        self.is_dead = isinstance(event, Dead)
        return event

    def _stack(self) -> str:
        """Where it is, in Python's words, after what was logged last."""
        if not self.pid or self.is_dead:
            return "it never ran"
        os.kill(self.pid, signal.SIGUSR1)
        time.sleep(0.5)
        return self.log.read_text()[-_TAIL:]

    def say(self, do: str, now: float) -> None:
        """Answer it where it waits."""
        assert self.line is not None
        self.line.sendall(json.dumps({"do": do, "now": now}).encode() + b"\n")

    def kill(self) -> None:
        """End its process, wherever it is."""
        self.inbox.put(None)
        if self.pid and not self.is_dead:
            self.is_dead = True
            try:
                os.kill(self.pid, signal.SIGKILL)
            except ProcessLookupError:
                return


class Runtime:
    """Starts instances and hands them events."""

    def __init__(self, folder: Path, sabotage: str = "") -> None:
        self._folder = folder
        self.instances: dict[str, Instance] = {}
        self._count = 0
        self._http = _Server((LOOPBACK, 0), self.instances)
        self._gate = socket.socket(socket.AF_UNIX)
        (folder / "gate").unlink(missing_ok=True)
        self._gate.bind(str(folder / "gate"))
        self._gate.listen(64)
        for work in (lambda: self._http.serve_forever(0.05), self._welcome):
            Thread(target=work, daemon=True).start()
        self._zygote = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote", sabotage],
            cwd=ROOT,
            env=_bare(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._zygote.stdout is not None
        if self._zygote.stdout.readline() != "ready\n":
            raise HarnessFault("the functions cannot be imported")

    def close(self) -> None:
        self.forget()
        self._zygote.kill()
        self._zygote.wait()
        self._gate.close()
        self._http.shutdown()
        self._http.server_close()

    def start(
        self,
        function: str,
        environment: Mapping[str, str],
        *,
        now: float,
        second_venue: str,
        skew: float = 0.0,
        is_free: bool = False,
    ) -> Instance:
        """A cold start; returns when it runs.

        Args:
            second_venue: where the stand-in for the second venue is; empty: it is the real adapter.
            skew: how far its clock is ahead of the world's, in seconds.
            is_free: it goes by the machine's clock, and never waits for the harness.
        """
        self._count += 1
        log = self._folder / "functions.log"
        made = Instance(f"{function}-{self._count}", function, log=log)
        self.instances[made.id] = made
        address = f"{LOOPBACK}:{self._http.server_address[1]}/{made.id}"
        order = {
            "function": function,
            "instance": made.id,
            "environment": {**environment, "AWS_LAMBDA_RUNTIME_API": address},
            "gate": str(self._folder / "gate"),
            "second_venue": second_venue,
            "skew": skew,
            "log": str(log),
        }
        assert self._zygote.stdin is not None
        self._zygote.stdin.write(json.dumps(order) + "\n")
        self._zygote.stdin.flush()
        made.next_event()
        made.say("run" if is_free else "go", now)
        return made

    def invoke(self, instance: Instance, event: Mapping[str, Any]) -> None:
        """Hand an event to an instance that has nothing to do."""
        instance.inbox.put(json.dumps(event).encode())

    def forget(self) -> None:
        """End all instances."""
        for instance in self.instances.values():
            instance.kill()
        self.instances.clear()

    def _welcome(self) -> None:
        while True:
            try:
                line, _ = self._gate.accept()
            except OSError:
                return
            Thread(target=self._listen, args=(line,), daemon=True).start()

    def _listen(self, line: socket.socket) -> None:
        reader = line.makefile("r")
        instance: Instance | None = None
        try:
            for words in map(json.loads, reader):
                instance = self._heard(words, instance, line)
        except OSError:
            pass
        finally:
            line.close()
            if instance is not None:
                instance.inbox.put(None)
                instance.events.put(Dead())

    def _heard(
        self, words: list[str], instance: Instance | None, line: socket.socket
    ) -> Instance | None:
        match words:
            case ["hello", name, pid]:
                instance = self.instances.get(name)
                if instance is not None:
                    instance.pid, instance.line = int(pid), line
                    instance.events.put(AtPoint(("before", "start", name)))
            case ["told", what, detail] if instance is not None:
                instance.told.append((what, detail))
            case [when, kind, name] if instance is not None:
                instance.events.put(AtPoint((when, kind, name)))
        return instance


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], instances: dict[str, Instance]) -> None:
        super().__init__(address, _Handler)
        self.instances = instances

    def handle_error(self, request: Any, client_address: Any) -> None:
        """An instance that was killed hangs up."""


class _Handler(BaseHTTPRequestHandler):
    """`/<instance>/2018-06-01/runtime/invocation/...`, as AWS documents it."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        instance = self._instance()
        event = instance.inbox.get() if instance else None
        if event is None:
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Lambda-Runtime-Aws-Request-Id", f"{time.monotonic_ns()}")
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + 60) * 1000)))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:0:f:f")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(event)))
        self.end_headers()
        self.wfile.write(event)

    def do_POST(self) -> None:
        told = json.loads(self.rfile.read(int(self.headers.get("Content-Length", "0"))) or b"null")
        instance = self._instance()
        self.send_response(202)
        self.send_header("Content-Length", "0")
        self.end_headers()
        if instance is not None:
            failed = self.path.endswith("/error")
            error = f"{told.get('errorType')}: {told.get('errorMessage')}" if failed else None
            instance.events.put(Ended(told, error))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Say nothing."""

    def _instance(self) -> Instance | None:
        return self.server.instances.get(self.path.split("/")[1])


def _bare() -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": f"{ROOT / 'layers' / 'core'}:{ROOT}",
        "AWS_EC2_METADATA_DISABLED": "true",
        "POWERTOOLS_TRACE_DISABLED": "true",
        "POWERTOOLS_SERVICE_NAME": "faults",
        "AWS_LAMBDA_FUNCTION_NAME": "faults",
        "PYTHONUNBUFFERED": "1",
    }
