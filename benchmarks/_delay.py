"""A relay on loopback that holds back what it passes on: a network's round-trip time, made up.

Run as a process of its own, with the port it relays to and the seconds of one round trip; it
prints its own port and ends when its input does. Both directions are held back for half of it.
"""

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue

LOOPBACK = "127.0.0.1"


def _pass_on(source: socket.socket, target: socket.socket, seconds: float) -> None:
    """Each piece goes on so long after it came: pieces follow one another as on a line."""
    held: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
    threading.Thread(target=_deliver, args=(held, target), daemon=True).start()
    with suppress(OSError):
        while data := source.recv(1 << 16):
            held.put((time.monotonic() + seconds, data))
    held.put((0, b""))


def _deliver(held: SimpleQueue[tuple[float, bytes]], target: socket.socket) -> None:
    due, data = held.get()
    with suppress(OSError):
        while data:
            time.sleep(max(0, due - time.monotonic()))
            target.sendall(data)
            due, data = held.get()
    target.close()


def _serve(listener: socket.socket, port: int, seconds: float) -> None:
    while True:
        client, _ = listener.accept()
        server = socket.create_connection((LOOPBACK, port))
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for pair in ((client, server), (server, client)):
            threading.Thread(target=_pass_on, args=(*pair, seconds / 2), daemon=True).start()


@contextmanager
def delayed(port: int, seconds: float) -> Iterator[int]:
    """The port of a relay to `port`; without a delay there is none."""
    if seconds == 0:
        yield port
        return
    command = [sys.executable, str(Path(__file__)), str(port), str(seconds)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as relay:
        if relay.stdout is None or relay.stdin is None:
            raise RuntimeError("the relay has no pipes")
        yield int(relay.stdout.readline())
        relay.stdin.close()


def main() -> None:
    """Relay until the input ends."""
    port, seconds = int(sys.argv[1]), float(sys.argv[2])
    with socket.create_server((LOOPBACK, 0)) as listener:
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        threading.Thread(target=_serve, args=(listener, port, seconds), daemon=True).start()
        sys.stdin.read()


if __name__ == "__main__":
    main()
