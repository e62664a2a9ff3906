"""The database connection: one per process, opened when first used, one round trip a call.

Not here: what the statements are (store.py and sql/), and pg8000's inner names (_protocol.py).
"""

import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from threading import Lock
from typing import Any

from pg8000.exceptions import DatabaseError, InterfaceError

from agent_where.errors import DatabaseUnavailable
from agent_where.store._encoding import Json, encode
from agent_where.store._failures import ends_the_session, translated
from agent_where.store._placeholders import template
from agent_where.store._protocol import Call, Row, Wire
from agent_where.store._socket import connect
from agent_where.store.database_settings import DatabaseSettings

__all__ = ["Database", "DatabaseSettings", "Json", "Often", "Row", "Statement"]

Statement = tuple[str, Mapping[str, Any]]


class Often(str):
    """A statement's text that is run so often that the server shall keep it, parsed and planned.

    Each session keeps its own. Its plan has to suit whatever its parameters are.
    """

    __slots__ = ()


_IDLE_SECONDS = 60.0  # after this long unused, a connection is asked before it is trusted
_PROBE_SECONDS = 1.0
_GRACE_SECONDS = 1.0  # what the server's own time-out needs to reach us


class Database:
    """Runs SQL with `:named` parameters; opens, checks and replaces its connection by itself.

    Nothing is ever sent twice. Every error is one of four: BadInput (a parameter's data),
    DatabaseRefused (the server's own error), DatabaseUnavailable (it may pass; a write may have
    happened), or a TypeError for a fault in the calling code.

    Args:
        settings: where, and how patient.
        clock: seconds, monotonic; decides how long the connection was idle.
        password: called at each login, for a token or a secret; None takes the settings' password.
        login: called at each login for user and password, where the user is in a secret too.
    """

    def __init__(
        self,
        settings: DatabaseSettings,
        *,
        clock: Callable[[], float] = time.monotonic,
        password: Callable[[], str] | None = None,
        login: Callable[[], tuple[str, str]] | None = None,
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._password = password
        self._login = login
        self._wire: Wire | None = None
        self._last_used = 0.0
        self._one_at_a_time = Lock()
        self.round_trips = 0

    def run(self, sql: str, /, **params: object) -> list[Row]:
        """Run one statement in one round trip; it is its own transaction."""
        return self.run_together((sql, params))[0]

    def run_together(self, *statements: Statement) -> list[list[Row]]:
        """Run all statements in one round trip and one transaction, all or nothing.

        Each sees what the ones before it did, on a fresh snapshot (READ COMMITTED): a lock taken by
        the first is held while the others read and write. Returns the rows of each.
        """
        calls = [_call(sql, params) for sql, params in statements]
        seconds = len(calls) * self._settings.statement_timeout_ms / 1000 + _GRACE_SECONDS
        seconds = min(seconds, self._settings.round_trip_seconds or seconds)
        return self._converse(lambda wire: wire.exchange(calls, seconds=seconds))

    def script(self, sql: str) -> None:
        """Run statements without parameters: one transaction, unless they begin and end their own.

        A script must end outside a transaction; one that does not loses its connection, and with it
        whatever it left uncommitted.
        """
        text, seconds = sql.encode(), float(self._settings.script_timeout_seconds)
        if b"\0" in text:
            raise TypeError("SQL text must not hold a NUL character")
        self._converse(lambda wire: wire.script(text, seconds=seconds))

    def close(self) -> None:
        """Close the connection; the next call opens another."""
        wire, self._wire = self._wire, None
        if wire is not None:
            wire.close()

    def _converse(self, say: Callable[[Wire], list[list[Row]]]) -> list[list[Row]]:
        """One round trip. Whatever goes wrong but the server's own error costs the connection."""
        with self._one_at_a_time:
            wire = self._ready()
            usable = False
            self.round_trips += 1
            try:
                answer = say(wire)
                usable = wire.idle
            except DatabaseError as error:
                usable = wire.idle and not ends_the_session(error)
                raise translated(error) from None
            except (InterfaceError, OSError) as error:
                raise DatabaseUnavailable(f"the connection was lost: {error}") from error
            finally:
                self._last_used = self._clock()
                if not usable:
                    self.close()
        if not usable:
            raise TypeError("the script left a transaction open: it was rolled back")
        return answer

    def _ready(self) -> Wire:
        """The connection, checked if it was idle for long, opened if there is none."""
        wire = self._wire
        if wire is not None and self._suspect(wire) and not self._answers(wire):
            self.close()
        if self._wire is None:
            self._wire = self._opened()
        return self._wire

    def _suspect(self, wire: Wire) -> bool:
        return self._clock() - self._last_used > _IDLE_SECONDS or wire.spoke_unasked()

    def _answers(self, wire: Wire) -> bool:
        self.round_trips += 1
        try:
            wire.probe(seconds=_PROBE_SECONDS)
        except (DatabaseError, InterfaceError, OSError):
            return False
        return wire.idle

    def _opened(self) -> Wire:
        settings = self._settings
        user, password = self._current_login()
        try:
            with ExitStack() as undo:
                sock = undo.enter_context(connect(settings))
                wire = Wire(
                    sock,
                    user=user,
                    password=password,
                    database=settings.name,
                    application_name=settings.application_name,
                    session=_session(settings),
                )
                undo.pop_all()
        except DatabaseError as error:
            raise translated(error) from None
        except (InterfaceError, OSError) as error:
            where = f"{settings.host}:{settings.port}"
            raise DatabaseUnavailable(f"cannot connect to {where}: {error}") from error
        return wire

    def _current_login(self) -> tuple[str, str]:
        if self._login is not None:
            return self._login()
        user, known = self._settings.user, self._settings.password
        if self._password is not None:
            return user, self._password()
        return user, "" if known is None else known.get_secret_value()


def _call(sql: str, params: Mapping[str, Any]) -> Call:
    parsed = template(sql)
    parsed.check(params)
    values = tuple(encode(name, params[name]) for name in parsed.names)
    return Call(parsed.sql, values, often=isinstance(sql, Often))


def _session(settings: DatabaseSettings) -> dict[str, str]:
    return {
        "TimeZone": "UTC",
        "DateStyle": "ISO",
        "statement_timeout": str(settings.statement_timeout_ms),
        "lock_timeout": str(settings.lock_timeout_ms),
        "idle_in_transaction_session_timeout": str(settings.idle_in_transaction_ms),
        **({"default_transaction_read_only": "on"} if settings.read_only else {}),
    }
