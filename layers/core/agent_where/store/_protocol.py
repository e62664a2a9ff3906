"""One round trip a call over pg8000's connection: all is encoded, then written, then read.

A statement that the server keeps is described once, when it is new: later runs send Bind and
Execute alone, and its rows are read by the columns that were told then. The server itself refuses
to run it should its columns have changed since.

Only this module touches pg8000's private names, which is why pg8000 is pinned exactly and
tests/store/test_connection_contract.py pins what is relied on. pg8000's own `run` writes a Describe
before it encodes the parameters; when that fails the reply stays unread, and every later call
returns the rows of the one before it. Nothing here is written before all of it is bytes.
"""

import json
import select
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from socket import socket
from struct import Struct
from typing import Any

from pg8000 import converters, core
from pg8000.exceptions import InterfaceError

Row = dict[str, Any]
Adapter = Callable[[str], object]
Columns = tuple[tuple[str, Adapter], ...]

FIRST_USER_OID = 16384  # types with a lower oid are PostgreSQL's own

_INT32 = Struct("!i")
_INT16 = Struct("!H")
_HEAD = Struct("!ci")
_CHUNK = 1 << 16


def _message(code: bytes, body: bytes | bytearray) -> bytes:
    return code + _INT32.pack(len(body) + 4) + body


_SYNC: bytes = core.SYNC_MSG
_SILENT = frozenset({core.PARSE_COMPLETE, core.BIND_COMPLETE, core.NO_DATA})
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

    def run(self, name: bytes, *, described: bool) -> bytes:
        """Bind, Describe portal where that is still to be done, Execute; everything as text."""
        bind = bytearray(b"\0" + name + b"\0" + _INT16.pack(0) + _INT16.pack(len(self.params)))
        for value in self.params:
            bind += _INT32.pack(-1) if value is None else _INT32.pack(len(value)) + value
        bind += _INT16.pack(0)
        return _message(core.BIND, bind) + (b"" if described else _DESCRIBE) + _EXECUTE


@dataclass(frozen=True, slots=True)
class _Kept:
    """What the server has kept for this session."""

    name: bytes
    columns: Columns | None = None


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
        self._kept: dict[bytes, _Kept] = {}
        self._numbers = count(1)
        self._unread = b""

    @property
    def idle(self) -> bool:
        """Whether the server waits for the next call, outside any transaction."""
        return bool(self._transaction_status == core.IDLE)

    def exchange(self, calls: Sequence[Call], *, seconds: float) -> list[list[Row]]:
        """Run the calls in one round trip and one implicit transaction; one list of rows each."""
        parts: list[bytes] = []
        runs: list[_Kept] = []
        new: dict[bytes, _Kept] = {}
        for call in calls:
            kept = self._kept.get(call.sql) or new.get(call.sql)
            if kept is None:
                kept = _Kept(b"s%d" % next(self._numbers) if call.often else b"")
                parts.append(call.parse(kept.name))
                if call.often:
                    new[call.sql] = kept
            parts.append(call.run(kept.name, described=kept.columns is not None))
            runs.append(kept)
        known = [kept.columns for kept in runs]
        answers = self._converse(b"".join(parts) + _SYNC, seconds, known)
        for call, kept, columns in zip(calls, runs, known, strict=True):
            if call.sql in new:  # not after an error: who knows how far the server read; a name is
                self._kept[call.sql] = _Kept(kept.name, columns)  # never used again
        return answers

    def script(self, sql: bytes, *, seconds: float) -> list[list[Row]]:
        """Run statements without parameters as one simple query; one list of rows each."""
        return self._converse(_message(core.QUERY, sql + b"\0"), seconds)

    def probe(self, *, seconds: float) -> None:
        """The cheapest round trip: one Sync."""
        self._converse(_SYNC, seconds)

    def spoke_unasked(self) -> bool:
        """Whether something arrived since the last reply: a notice, or the end of the session."""
        if self._unread:
            return True
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

    def _converse(
        self, request: bytes, seconds: float, known: list[Columns | None] | None = None
    ) -> list[list[Row]]:
        """Write the request and read all of its answer.

        `known`: the columns of each statement, None where the server tells them; filled in here.
        """
        self._usock.settimeout(seconds)
        self._transaction_status = None
        self._usock.sendall(request)
        return self._replies([] if known is None else known)

    def _replies(self, known: list[Columns | None]) -> list[list[Row]]:
        """Read until the server is ready again, one result for each command it completed."""
        results: list[list[Row]] = []
        rows: list[Row] = []
        columns: Columns = (known[0] if known else None) or ()
        told = core.Context(None)
        try:
            for code, body in self._messages():
                if code == core.DATA_ROW:
                    rows.append(_row(body, columns))
                elif code == core.ROW_DESCRIPTION:
                    columns = self._columns(body)
                elif code in {core.COMMAND_COMPLETE, core.EMPTY_QUERY_RESPONSE}:
                    if len(results) < len(known):
                        known[len(results)] = columns
                    results.append(rows)
                    following = known[len(results)] if len(results) < len(known) else None
                    rows, columns = [], following or ()
                elif code not in _SILENT:
                    self.message_types[code](body, told)
        except (InterfaceError, OSError):
            if told.error is None:
                raise
            raise told.error from None  # the server said why it hung up
        if told.error is not None:
            raise told.error
        return results

    def _messages(self) -> Iterator[tuple[bytes, bytes]]:
        """Each message up to the one that says the server is ready; what comes after it is kept."""
        unread, at, code = self._unread, 0, b""
        self._unread = b""
        while code != core.READY_FOR_QUERY:
            if len(unread) < at + _HEAD.size:
                unread = unread[at:] + self._received(at + _HEAD.size - len(unread))
                at = 0
            code, length = _HEAD.unpack_from(unread, at)
            if len(unread) < at + 1 + length:
                unread = unread[at:] + self._received(at + 1 + length - len(unread))
                at = 0
            begins, at = at + _HEAD.size, at + 1 + length
            yield code, unread[begins:at]
        self._unread = unread[at:]

    def _received(self, at_least: int) -> bytes:
        """What has arrived, and at least so many bytes."""
        found: bytes = self._sock.read1(_CHUNK)
        if not found:
            raise InterfaceError("network error")
        if len(found) < at_least:
            found += core._read(self._sock, at_least - len(found))  # noqa: SLF001 - pinned
        return found

    def _columns(self, body: bytes) -> Columns:
        context = core.Context(None)
        self.handle_ROW_DESCRIPTION(body, context)
        names = [column["name"] for column in context.columns]
        if len(set(names)) < len(names):
            raise TypeError(f"two columns of one name: {', '.join(names)}")
        return tuple(zip(names, context.input_funcs, strict=True))


def _row(body: bytes, columns: Columns) -> Row:
    row: Row = {}
    at = 2
    for name, adapt in columns:
        (length,) = _INT32.unpack_from(body, at)
        at += 4
        if length < 0:
            row[name] = None
            continue
        row[name] = adapt(body[at : at + length].decode())
        at += length
    return row


class _TypesByOid(dict[int, Adapter]):
    """Types that pg8000 does not know are text; arrays of this database's own types are lists."""

    def __missing__(self, oid: int) -> Adapter:
        return _of_user_type if oid >= FIRST_USER_OID else str


def _of_user_type(text: str) -> object:
    return converters.string_array_in(text) if text[:1] == "{" and text[-1:] == "}" else text


_json = json.JSONDecoder(parse_float=Decimal).decode


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
