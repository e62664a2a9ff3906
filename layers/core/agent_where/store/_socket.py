"""A connected TCP socket that notices a dead peer, encrypted where the settings say so."""

import socket
import ssl
from contextlib import ExitStack
from struct import Struct

from agent_where.errors import BadSetting, DatabaseUnavailable
from agent_where.store.database_settings import DatabaseSettings

_SSL_REQUEST = Struct("!ii").pack(8, 80877103)
_DEAD_PEER_OPTIONS = (  # names that not every platform has
    ("TCP_KEEPIDLE", 60),  # seconds
    ("TCP_KEEPINTVL", 10),  # seconds
    ("TCP_KEEPCNT", 3),
    ("TCP_USER_TIMEOUT", 5_000),  # milliseconds that sent bytes may stay unacknowledged
)


def connect(settings: DatabaseSettings) -> socket.socket:
    """Open the socket.

    Raises:
        OSError: refused, timed out, unknown host, or a certificate that does not verify.
        DatabaseUnavailable: the server has no TLS and the settings demand it.
        BadSetting: the file of trusted certificates cannot be read.
    """
    trust = _trust(settings) if settings.encrypted else None
    with ExitStack() as undo:
        plain = undo.enter_context(
            socket.create_connection(
                (settings.host, settings.port), timeout=settings.connect_timeout_seconds
            )
        )
        _tune(plain)
        ready = plain if trust is None else _encrypted(plain, trust, settings.host)
        undo.pop_all()
    return ready


def _tune(sock: socket.socket) -> None:
    """Without NODELAY a Bind of over 8 KiB waits 40 ms for a delayed acknowledgement."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in _DEAD_PEER_OPTIONS:
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)


def _trust(settings: DatabaseSettings) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except OSError as fault:
        raise BadSetting(f"DB_CA_FILE: cannot read {settings.ca_file}: {fault}") from None


def _encrypted(plain: socket.socket, trust: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    """PostgreSQL's handshake: ask for TLS, and go on only if the server says yes."""
    plain.sendall(_SSL_REQUEST)
    answer = plain.recv(1)
    if answer != b"S":
        raise DatabaseUnavailable(f"{host} does not offer TLS; nothing is sent in plain text")
    return trust.wrap_socket(plain, server_hostname=host)
