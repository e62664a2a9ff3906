"""The server's errors, sorted by what the caller may do next."""

from pg8000.exceptions import DatabaseError

from agent_where.errors import DatabaseRefused, DatabaseUnavailable

_PASSING = frozenset(
    {
        "25006",  # read only: the former primary, after a failover
        "25P03",  # idle in a transaction for too long
        "40001",  # serialization failure
        "40P01",  # deadlock
        "55P03",  # lock time-out
        "57014",  # statement time-out
        "57P01",  # the administrator ended the session, or a restart did
        "57P02",  # another session crashed the server
        "57P03",  # starting up or shutting down
        "57P05",  # idle for too long
    }
)
_OF_NO_MORE_USE = frozenset(
    {
        "25006",  # the former primary
        "0A000",  # a kept statement whose tables have changed: the next session parses it anew
    }
)
_PASSING_CLASSES = frozenset({"08", "53", "58"})  # connection; resources; the server's own disk
_LOGIN_CLASS = "28"
_FATAL = frozenset({"FATAL", "PANIC"})


def sqlstate(error: DatabaseError) -> str:
    """PostgreSQL's five characters, or XX000 from a server that gave none."""
    return str(_fields(error).get("C", "XX000"))


def ends_the_session(error: DatabaseError) -> bool:
    """Whether the connection is of no use after this error."""
    return _fields(error).get("V") in _FATAL or sqlstate(error) in _OF_NO_MORE_USE


def translated(error: DatabaseError) -> DatabaseRefused | DatabaseUnavailable:
    """The error to raise. The server's DETAIL is left out: it quotes the row's values."""
    state = sqlstate(error)
    message = str(_fields(error).get("M", "the server gave no reason"))
    if state[:2] == _LOGIN_CLASS:
        return DatabaseUnavailable(f"login refused ({state}), wrong or expired: {message}")
    if state in _PASSING or state[:2] in _PASSING_CLASSES:
        return DatabaseUnavailable(f"{message} ({state})")
    return DatabaseRefused(message, sqlstate=state, constraint=_fields(error).get("n"))


def _fields(error: DatabaseError) -> dict[str, str]:
    first = error.args[0] if error.args else None
    return first if isinstance(first, dict) else {}
