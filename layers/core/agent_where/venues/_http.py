"""JSON over HTTP to a venue, failing in the three ways that decide what may be done next.

::

    HttpFault
    ├── NotSent      no connection, no name, no trusted certificate: not one byte of it left
    ├── NoAnswer     it may have arrived; the answer did not, or not whole
    └── BadAnswer    a whole answer came, and it is not a 200 with JSON in it

A read turns all three into VenueUnavailable (`reading`). A send must not: only NotSent proves
that nothing was sent. There are no retries and no redirects, and a proxy of the environment is
not used. Faults name the host alone, since a URL's path may hold an access key.
"""

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal, InvalidOperation
from types import MappingProxyType
from typing import NoReturn, Self

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout, parse_url

from agent_where.domain import VenueId
from agent_where.errors import VenueUnavailable
from agent_where.venues._calls import calls

CONNECT_SECONDS = 3.0
READ_SECONDS = 8.0
MAX_ANSWER_BYTES = 8 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_EXCERPT_CHARACTERS = 120
_HEADERS: Mapping[str, str] = MappingProxyType(
    {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "agent-where"}
)


class HttpFault(Exception):
    """A call did not end in an answer that can be used."""


class NotSent(HttpFault):
    """Nothing left this process: the same bytes may go again."""


class NoAnswer(HttpFault):
    """The request may have arrived, and no whole answer came back."""


class BadAnswer(HttpFault):
    """A whole answer that is no 200 with JSON.

    Args:
        message: one sentence, with the beginning of the body.
        status: the HTTP status.
        body: the answer's bytes, for an adapter that knows what some of them mean.
    """

    def __init__(self, message: str, *, status: int, body: bytes) -> None:
        super().__init__(message)
        self.status = status
        self.body = body


class _PlainConnection(HTTPConnection):
    """Connects, or says NotSent: afterwards no exception's type could tell."""

    def connect(self) -> None:
        try:
            super().connect()
        except (HTTPError, OSError) as fault:
            raise NotSent(f"{self.host}: no connection: {_cause(fault)}") from fault


class _TlsConnection(HTTPSConnection):
    """The same with TLS; the handshake is over before the request begins."""

    def connect(self) -> None:
        try:
            super().connect()
        except (HTTPError, OSError) as fault:
            raise NotSent(f"{self.host}: no secure connection: {_cause(fault)}") from fault


class _PlainPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _PlainConnection


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


class JsonHttp:
    """A client for small JSON answers; connections are kept and TLS is always verified.

    Args:
        connect_seconds: for each address's connection and for the TLS handshake; looking up the
            name takes what the resolver takes.
        read_seconds: for silence, and for the whole body once its head is here.
        max_answer_bytes: a longer body is a BadAnswer, and is not read to its end.
    """

    def __init__(
        self,
        *,
        connect_seconds: float = CONNECT_SECONDS,
        read_seconds: float = READ_SECONDS,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        self._timeout = Timeout(connect=connect_seconds, read=read_seconds)
        self._read_seconds = read_seconds
        self._max_answer_bytes = max_answer_bytes
        self._pools = urllib3.PoolManager(cert_reqs="CERT_REQUIRED", retries=False)
        self._pools.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

    @classmethod
    def within(cls, timeout_seconds: float) -> Self:
        """A client that waits this long for an answer, and less for a connection."""
        return cls(
            connect_seconds=min(CONNECT_SECONDS, timeout_seconds), read_seconds=timeout_seconds
        )

    def get(self, url: str) -> object:
        """The JSON at `url`, its numbers with a fraction as Decimal. Raises HttpFault."""
        return self._call("GET", url, None)

    def post(self, url: str, body: bytes) -> object:
        """The JSON answer to exactly these bytes of JSON. Raises HttpFault."""
        return self._call("POST", url, body)

    def _call(self, method: str, url: str, body: bytes | None) -> object:
        host, began, is_usable = str(parse_url(url).host), time.monotonic(), False
        try:
            answer = self._parsed(method, url, body, host)
            is_usable = True
        finally:
            took_ms = round((time.monotonic() - began) * 1000)
            calls().add(host, took_ms, is_usable=is_usable)
        return answer

    def _parsed(self, method: str, url: str, body: bytes | None, host: str) -> object:
        status, answer = self._exchange(method, url, body, host)
        if status != 200:
            _refuse(host, f"status {status}", status, answer)
        try:
            return json.loads(answer, parse_float=Decimal, parse_constant=_no_number)
        except (ValueError, InvalidOperation, RecursionError):
            _refuse(host, "no JSON", status, answer)

    def _exchange(self, method: str, url: str, body: bytes | None, host: str) -> tuple[int, bytes]:
        sent = {} if body is None else {"Content-Type": "application/json"}
        try:
            response = self._pools.request(
                method,
                url,
                body=body,
                headers={**_HEADERS, **sent},
                timeout=self._timeout,
                redirect=False,
                preload_content=False,
                decode_content=False,
            )
        except (HTTPError, OSError) as fault:
            raise NoAnswer(f"{host}: no answer: {_cause(fault)}") from fault
        try:
            answer = self._body(response, host)
        except (HTTPError, OSError) as fault:
            response.close()
            raise NoAnswer(f"{host}: half an answer: {_cause(fault)}") from fault
        except HttpFault:
            response.close()
            raise
        response.release_conn()
        return response.status, answer

    def _body(self, response: urllib3.BaseHTTPResponse, host: str) -> bytes:
        headers = response.headers
        if "Content-Length" not in headers and "Transfer-Encoding" not in headers:
            raise NoAnswer(f"{host}: an answer without a length, so nobody knows if it is whole")
        deadline = time.monotonic() + self._read_seconds
        answer = bytearray()
        while part := response.read1(_CHUNK_BYTES):
            answer += part
            if len(answer) > self._max_answer_bytes:
                _refuse(
                    host, f"over {self._max_answer_bytes} bytes", response.status, bytes(answer)
                )
            if time.monotonic() > deadline:
                raise NoAnswer(f"{host}: half an answer after {self._read_seconds} s")
        return bytes(answer)


@contextmanager
def reading(venue: VenueId) -> Iterator[None]:
    """Every fault of a read is VenueUnavailable: nothing was to be changed, so ask again later."""
    try:
        yield
    except HttpFault as fault:
        raise VenueUnavailable(venue, str(fault), code="VENUE_UNAVAILABLE") from fault


def _refuse(host: str, what: str, status: int, body: bytes) -> NoReturn:
    excerpt = ascii(body[:_EXCERPT_CHARACTERS].decode("utf-8", "replace"))
    raise BadAnswer(f"{host}: {what}: {excerpt}", status=status, body=body)


def _no_number(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON number")


def _cause(fault: BaseException) -> str:
    """The innermost reason, which never holds more of the URL than its host."""
    while fault.__cause__ is not None:
        fault = fault.__cause__
    return f"{type(fault).__name__}: {fault}"
