"""One round trip a call over pg8000's connection: all is encoded, then written, then read.

Only this module touches pg8000's private names, which is why pg8000 is pinned exactly and
tests/store/test_connection_contract.py pins what is relied on. pg8000's own `run` writes a Describe
before it encodes the parameters; when that fails the reply stays unread, and every later call
returns the rows of the one before it. Nothing here is written before all of it is bytes.
"""

import json
import select
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from socket import socket
from struct import Struct
from typing import Any

from pg8000 import converters, core
from pg8000.exceptions import DatabaseError, InterfaceError

Row = dict[str, Any]
Adapter = Callable[[str], object]

FIRST_USER_OID = 16384  # types with a lower oid are PostgreSQL's own

_INT32 = Struct("!i")
_INT16 = Struct("!H")
_HEAD = Struct("!ci")


def _message(code: bytes, body: bytes | bytearray) -> bytes:
    return code + _INT32.pack(len(body) + 4) + body


_SYNC: bytes = core.SYNC_MSG
_DESCRIBE = _message(core.DESCRIBE, core.PORTAL + b"\0")
_EXECUTE: bytes = core.EXECUTE_MSG  # all rows


@dataclass(frozen=True, slots=True)
class Call:
    """One statement, ready to be written. `often`: the server keeps it while the session lasts."""

    sql: bytes
    params: tuple[bytes | None, ...]
    often: bool = False

    def parse(self, name: bytes) -> bytes:
        """Types are left to the server."""
        return _message(core.PARSE, name + b"\0" + self.sql + b"\0" + _INT16.pack(0))

    def run(self, name: bytes) -> bytes:
        """Bind, Describe portal, Execute; everything as text."""
        bind = bytearray(b"\0" + name + b"\0" + _INT16.pack(0) + _INT16.pack(len(self.params)))
        for value in self.params:
            bind += _INT32.pack(-1) if value is None else _INT32.pack(len(value)) + value
        bind += _INT16.pack(0)
        return _message(core.BIND, bind) + _DESCRIBE + _EXECUTE


class Wire(core.CoreConnection):  # type: ignore[misc] # pg8000 publishes no types
    """An open connection, of no use after any exception but DatabaseError on an idle wire."""

    def __init__(
        self,
        sock: socket,
        *,
        user: str,
        password: str,
        database: str,
        application_name: str,
        session: Mapping[str, str],
    ) -> None:
        """Log in over a connected socket; `session` holds settings such as statement_timeout."""
        try:
            super().__init__(
                user=user,
                database=database,
                password=password,
                sock=sock,
                ssl_context=False,
                application_name=application_name,
                startup_params=dict(session),
            )
        except core.scramp.ScramException as fault:
            raise InterfaceError(f"the login went wrong: {fault}") from fault
        self.pg_types: dict[int, Adapter] = _TypesByOid(converters.PG_TYPES | _ADAPTERS)
        self._kept: dict[bytes, bytes] = {}
        self._numbers = count(1)

    @property
    def idle(self) -> bool:
        """Whether the server waits for the next call, outside any transaction."""
        return bool(self._transaction_status == core.IDLE)

    def exchange(self, calls: Sequence[Call], *, seconds: float) -> list[list[Row]]:
        """Run the calls in one round trip and one implicit transaction; one list of rows each."""
        parts: list[bytes] = []
        new: dict[bytes, bytes] = {}
        for call in calls:
            name = self._kept.get(call.sql) or new.get(call.sql)
            if name is None:
                name = b"" if not call.often else b"s%d" % next(self._numbers)
                parts.append(call.parse(name))
                if call.often:
                    new[call.sql] = name
            parts.append(call.run(name))
        answers = self._converse(b"".join(parts) + _SYNC, seconds)
        self._kept.update(new)  # not after an error: who knows how far the server read; a name is
        return answers  # never used again

    def script(self, sql: bytes, *, seconds: float) -> list[list[Row]]:
        """Run statements without parameters as one simple query; one list of rows each."""
        return self._converse(_message(core.QUERY, sql + b"\0"), seconds)

    def probe(self, *, seconds: float) -> None:
        """The cheapest round trip: one Sync."""
        self._converse(_SYNC, seconds)

    def spoke_unasked(self) -> bool:
        """Whether something arrived since the last reply: a notice, or the end of the session."""
        poll = select.poll()
        poll.register(self._usock, select.POLLIN)
        return bool(poll.poll(0))

    def close(self) -> None:
        """Say goodbye if the server still listens; never raises, and leaves no descriptor open."""
        reader = self._sock  # pg8000 forgets it without closing it when the server is gone
        with suppress(InterfaceError, OSError):
            super().close()
        if reader is not None:
            with suppress(OSError):
                reader.close()

    def _converse(self, request: bytes, seconds: float) -> list[list[Row]]:
        self._usock.settimeout(seconds)
        self._transaction_status = None
        self._usock.sendall(request)
        return self._replies()

    def _replies(self) -> list[list[Row]]:
        """Read until the server is ready again, one result for each command it completed."""
        results: list[list[Row]] = []
        context = core.Context(None)
        failure: DatabaseError | None = None
        code = b""
        while code != core.READY_FOR_QUERY:
            try:
                code, length = _HEAD.unpack(core._read(self._sock, 5))  # noqa: SLF001 - pinned
                body = core._read(self._sock, length - 4)  # noqa: SLF001 - pinned
            except (InterfaceError, OSError):
                if failure is None:
                    raise
                raise failure from None  # the server said why it hung up
            if code in {core.COMMAND_COMPLETE, core.EMPTY_QUERY_RESPONSE}:
                results.append(_rows(context))
                context = core.Context(None)
                continue
            self.message_types[code](body, context)
            failure = failure or context.error
        if failure is not None:
            raise failure
        return results


def _rows(context: core.Context) -> list[Row]:
    names = [column["name"] for column in context.columns or ()]
    if len(set(names)) < len(names):
        raise TypeError(f"two columns of one name: {', '.join(names)}")
    return [dict(zip(names, row, strict=True)) for row in context.rows or ()]


class _TypesByOid(dict[int, Adapter]):
    """Types that pg8000 does not know are text; arrays of this database's own types are lists."""

    def __missing__(self, oid: int) -> Adapter:
        return _of_user_type if oid >= FIRST_USER_OID else str


def _of_user_type(text: str) -> object:
    return converters.string_array_in(text) if text[:1] == "{" and text[-1:] == "}" else text


def _json(text: str) -> object:
    return json.loads(text, parse_float=Decimal)


def _json_array(text: str) -> object:
    return converters._parse_array(text, _json)  # noqa: SLF001 - pinned


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


_ADAPTERS: dict[int, Adapter] = {
    converters.JSON: _json,
    converters.JSON_ARRAY: _json_array,
    converters.JSONB: _json,
    converters.JSONB_ARRAY: _json_array,
    converters.TIMESTAMPTZ: _moment,
}
