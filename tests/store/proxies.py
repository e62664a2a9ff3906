"""A TCP proxy in front of PostgreSQL, to watch what is said and to spoil it."""

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Self

CLIENT, SERVER = "client", "server"


class Proxy:
    """Forwards connections to a port on loopback until told to be silent or to hang up.

    Args:
        port: where PostgreSQL listens.
        welcome: what happens to a client's socket before it is forwarded (a TLS handshake); when it
            gives None the client was turned away.
    """

    def __init__(
        self, port: int, welcome: Callable[[socket.socket], socket.socket | None] | None = None
    ) -> None:
        self._upstream = port
        self._welcome = welcome or (lambda client: client)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._sockets: list[socket.socket] = []
        self._lost: frozenset[str] = frozenset()
        self._refuses = False
        self._threads: list[threading.Thread] = []
        self.port: int = self._listener.getsockname()[1]
        self.talk: list[tuple[str, bytes]] = []

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._shut_down()
        for thread in self._threads:
            thread.join(5)
        self.hang_up()

    @property
    def turns(self) -> int:
        """How often the client spoke after the server had: the round trips, seen from outside."""
        speakers = [speaker for speaker, _ in self.talk]
        before = [SERVER, *speakers[:-1]]
        return sum(
            said == CLIENT and previous == SERVER
            for previous, said in zip(before, speakers, strict=True)
        )

    def lose(self, *speakers: str) -> None:
        """Swallow what these say from now on, connections staying open; with nobody, forward."""
        self._lost = frozenset(speakers)

    def refuse(self, refused: bool) -> None:
        """Hang up, and on whoever calls from now on at once; or take calls again."""
        self._refuses = refused
        if refused:
            self.hang_up()

    def hang_up(self) -> None:
        """End all connections."""
        self._shut_down()
        for open_socket in self._sockets:
            open_socket.close()
        self._sockets.clear()

    def _shut_down(self) -> None:
        """Everyone reads the end of what was said; what is on its way is still heard."""
        for open_socket in self._sockets:
            with suppress(OSError):
                open_socket.shutdown(socket.SHUT_RDWR)

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._start(self._serve, client)

    def _serve(self, plain: socket.socket) -> None:
        if self._refuses:
            plain.close()
            return
        self._sockets.append(plain)
        try:
            client = self._welcome(plain)
        except OSError:
            client = None
        if client is None:
            plain.close()
            return
        server = socket.create_connection(("127.0.0.1", self._upstream))
        self._sockets += [client, server]
        self._start(self._pump, server, client, SERVER)
        self._pump(client, server, CLIENT)

    def _pump(self, source: socket.socket, sink: socket.socket, speaker: str) -> None:
        while True:
            try:
                heard = source.recv(1 << 20)
                if not heard:
                    sink.shutdown(socket.SHUT_WR)
                    return
                self.talk.append((speaker, heard))
                if speaker not in self._lost:
                    sink.sendall(heard)
            except OSError:
                return


def offers_tls(context: ssl.SSLContext) -> Callable[[socket.socket], socket.socket | None]:
    """PostgreSQL's answer to an SSLRequest, and the handshake after it."""

    def welcome(client: socket.socket) -> socket.socket | None:
        assert client.recv(8) == b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
        client.sendall(b"S")
        return context.wrap_socket(client, server_side=True)

    return welcome


def refuses_tls(heard: list[bytes]) -> Callable[[socket.socket], socket.socket | None]:
    """A server without TLS: says N, and keeps what the client says after that."""

    def welcome(client: socket.socket) -> socket.socket | None:
        assert client.recv(8) == b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
        client.sendall(b"N")
        heard.append(client.recv(1 << 20))
        return None

    return welcome
