"""The HTTP API as Python calls: one request, one answer or a fault that says what it means.

Nothing that writes is sent twice, with one exception: a signal carries an id of its own, so the
same one may come again (`post_again`). Redirects are not followed and a proxy of the environment
is not used: the token goes to the host that was named and to no other.
"""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Literal
from urllib.parse import urlencode

import urllib3
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NewConnectionError,
    ReadTimeoutError,
    SSLError,
)
from urllib3.util import Timeout

from agent_where_cli.answers import Answer, Json, items, parse, written
from agent_where_cli.faults import Refused, Unavailable
from agent_where_cli.target import Target

ATTEMPTS = 3
MOST_ROWS_A_PAGE = 100
MOST_BYTES = 16 * 1024 * 1024

_CONNECT_SECONDS = 5.0
_PAUSE_SECONDS = 1
_LONGEST_PAUSE_SECONDS = 5
_CHUNK_BYTES = 64 * 1024
_NEVER_SENT = (ConnectTimeoutError, NewConnectionError, SSLError)
_PERHAPS = "It may have been carried out all the same."

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Query = Mapping[str, object]
"""What is None is left out."""


class Api:
    """Calls the API.

    Args:
        timeout_seconds: for silence, and for a whole body once its head is here.
        tell: takes a sentence for the person who waits.
        pause: waits that many seconds.
    """

    def __init__(
        self,
        target: Target,
        *,
        timeout_seconds: float,
        tell: Callable[[str], None],
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.target = target
        self._seconds = timeout_seconds
        self._tell = tell
        self._pause = pause
        self._pools = urllib3.PoolManager(cert_reqs="CERT_REQUIRED", retries=False)

    def get(self, path: str, query: Query | None = None, *, public: bool = False) -> Answer:
        """Read. `public`: without the token. Raises Fault."""
        return self._call("GET", _with_query(path, query or {}), public=public)

    def ask(self, path: str, body: Json) -> Answer:
        """A POST that writes nothing. Raises Fault."""
        return self._call("POST", path, body)

    def write(self, method: Method, path: str, body: Json | None = None) -> Answer:
        """Write, sent once. Raises Fault, whose advice says if it may have been carried out."""
        try:
            return self._call(method, path, body)
        except Unavailable as fault:
            fault.advice = _PERHAPS if fault.sent else ""
            raise

    def post_again(self, path: str, body: Json) -> Answer:
        """Write what may come twice: sent up to `ATTEMPTS` times. Raises Fault.

        A time-out is not tried again: whoever waits has waited long enough to be asked.
        """
        for left in reversed(range(ATTEMPTS)):
            try:
                return self._call("POST", path, body)
            except Unavailable as fault:
                if not left or fault.retry_seconds is None:
                    raise
                self._tell(f"{fault} Trying again in {fault.retry_seconds} s.")
                self._pause(fault.retry_seconds)
        raise AssertionError("the last attempt returns or raises")

    def pages(self, path: str, rows: str, limit: int, query: Query | None = None) -> Answer:
        """A list of up to `limit` rows, in the shape of one page. Raises Fault.

        Args:
            rows: the key that holds them.
        """
        read = list(self._pages(path, rows, limit, query or {}))
        if len(read) == 1:
            return read[0]
        found = [row for page in read for row in items(page.body, rows)]
        cursor = {"nextCursor": read[-1].body.get("nextCursor")}
        body = {**read[0].body, rows: found, **cursor}
        return Answer(status=read[0].status, raw=written(body).encode(), body=body)

    def _pages(self, path: str, rows: str, limit: int, query: Query) -> Iterator[Answer]:
        cursor: object = None
        while limit > 0:
            page = {"cursor": cursor, "limit": min(limit, MOST_ROWS_A_PAGE)}
            answer = self.get(path, {**query, **page})
            yield answer
            found, cursor = len(items(answer.body, rows)), answer.body.get("nextCursor")
            if not found or not cursor:
                return
            limit -= found

    def _call(
        self, method: Method, path: str, body: Json | None = None, *, public: bool = False
    ) -> Answer:
        headers = {"Accept": "application/json", "User-Agent": "agent-where-cli"}
        if not public:
            headers["Authorization"] = self.target.authorization()
        sent = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            sent = json.dumps(body).encode()
        status, raw, retry_after = self._exchange(method, path, headers, sent)
        parsed = parse(raw)
        if parsed is None:
            raise Unavailable(
                f"{self.target.url} answered {status} and no JSON object: is it the API's URL?"
            )
        answer = Answer(status, raw, parsed)
        if 200 <= status < 300:
            return answer
        if 400 <= status < 500:
            raise Refused(answer.sentence, answer)
        retry_seconds = _retry_seconds(retry_after) if status == 503 else None
        raise Unavailable(answer.sentence, answer, retry_seconds=retry_seconds)

    def _exchange(
        self, method: Method, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, bytes, str | None]:
        try:
            response = self._pools.request(
                method,
                self.target.url + path,
                body=body,
                headers=headers,
                timeout=Timeout(connect=min(_CONNECT_SECONDS, self._seconds), read=self._seconds),
                redirect=False,
                preload_content=False,
            )
            with response:
                raw = self._read(response)
                return response.status, raw, response.headers.get("Retry-After")
        except _NEVER_SENT as fault:
            raise Unavailable(
                f"No connection to {self.target.url}: {_cause(fault)}.",
                retry_seconds=_PAUSE_SECONDS,
                sent=False,
            ) from fault
        except ReadTimeoutError as fault:
            raise self._too_slow() from fault
        except HTTPError as fault:
            raise Unavailable(
                f"The connection to {self.target.url} broke before the answer was here.",
                retry_seconds=_PAUSE_SECONDS,
            ) from fault

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes:
        until = time.monotonic() + self._seconds
        raw = b""
        while chunk := response.read1(_CHUNK_BYTES):
            raw += chunk
            if len(raw) > MOST_BYTES:
                raise Unavailable(f"{self.target.url} answered more than an API does.")
            if time.monotonic() > until:
                raise self._too_slow()
        return raw

    def _too_slow(self) -> Unavailable:
        return Unavailable(f"No answer from {self.target.url} in {self._seconds:g} s.")


def _with_query(path: str, query: Query) -> str:
    told = {key: str(value) for key, value in query.items() if value is not None}
    return f"{path}?{urlencode(told)}" if told else path


def _retry_seconds(retry_after: str | None) -> int:
    if retry_after is None or not (retry_after.isascii() and retry_after.isdigit()):
        return _PAUSE_SECONDS
    return min(int(retry_after[:9]), _LONGEST_PAUSE_SECONDS)


def _cause(fault: HTTPError) -> str:
    """The system's own words, without the library's around them."""
    cause = fault.__cause__ or fault.__context__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return str(cause or fault).rstrip(".")
