"""The line to the database, and how it is cut: before, in the middle of, or after a statement.

A cut is ordered for the next thing that is said; the harness lets one process talk at a time, so
that is what it means to hit. What the server had whole it carries out, whoever hears the answer.
"""

import socket
from contextlib import suppress
from enum import StrEnum
from threading import Thread


class Cut(StrEnum):
    """When the line goes dead."""

    BEFORE = "before"
    HALFWAY = "halfway"
    ANSWER = "answer"


class Line:
    """Forwards connections on a loopback port to another one."""

    def __init__(self, port: int) -> None:
        self._upstream = port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self.is_away = False
        self.next_cut: Cut | None = None
        self._open: set[socket.socket] = set()
        Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()

    def go_away(self) -> None:
        """Hang up, and take no more calls until `come_back`."""
        self.is_away = True
        self.hang_up()

    def come_back(self) -> None:
        self.is_away = False

    def hang_up(self) -> None:
        """End all connections."""
        for each in list(self._open):
            _end(each)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            if self.is_away:
                client.close()
                continue
            Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._upstream))
        except OSError:
            client.close()
            return
        for each in (client, server):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._open |= {client, server}
        Thread(target=self._answer, args=(server, client), daemon=True).start()
        self._pump(client, server, is_client=True)

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        self._pump(server, client, is_client=False)

    def _pump(self, source: socket.socket, sink: socket.socket, *, is_client: bool) -> None:
        with suppress(OSError):
            while heard := source.recv(1 << 20):
                cut = self.next_cut
                if cut is not None and is_client is (cut is not Cut.ANSWER):
                    self.next_cut = None
                    sink.sendall(heard[: len(heard) // 2] if cut is Cut.HALFWAY else b"")
                    break
                sink.sendall(heard)
        for each in (source, sink):
            _end(each)
            self._open.discard(each)


def _end(each: socket.socket) -> None:
    with suppress(OSError):
        each.shutdown(socket.SHUT_RDWR)
    each.close()
