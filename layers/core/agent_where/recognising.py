"""Whether the database is where it was: a restore to a moment is another server, and cannot say so.

Setup keeps where it found the database. Found elsewhere, it begins a restore to a moment that
nobody has told yet: a false alarm costs a person's word, an unnoticed restore trades twice.
"""

import logging

from pydantic import JsonValue

from agent_where.errors import DatabaseRefused
from agent_where.report import Check, check
from agent_where.restoring import MOMENT_UNKNOWN
from agent_where.store.connection import Database
from agent_where.store.database_settings import DatabaseSettings, as_compared
from agent_where.store.restores import Restores, Server

_logger = logging.getLogger(__name__)

_NAME = "restore"
_THIS_MACHINE = "localhost"


def recognise(
    database: Database, settings: DatabaseSettings, *, moved_from: str | None = None
) -> None:
    """Keep where this database is, and begin a restore where it was elsewhere before.

    An installation of which that was never kept is taken as it is.

    Args:
        moved_from: where the deployment before this one had its database, if not here. One that was
            gone back to remembers only itself, and has forgotten what the other one did.

    Raises:
        DatabaseUnavailable: nothing was kept and nothing began.
    """
    restores = Restores(database)
    here = Server(host=_place(settings), timeline=_timeline(restores))
    known = restores.known_server()
    if known is None:
        restores.note_server(here)
    elif moved_from is not None or here.is_another_than(known):
        was = f"{known}" if moved_from is None else f"{known}, the deployment at {moved_from}"
        reason = f"it was at {was}, and is at {here}"
        _logger.warning("the database is another one, nothing trades: %s", reason)
        restores.begin_unknown(here, "setup", reason)
    elif known.timeline is None and here.timeline is not None:
        restores.note_server(here)


def watch(restores: Restores) -> None:
    """The same between two runs of setup, by the timeline alone: the host is what it is set to.

    Raises:
        DatabaseUnavailable: the next run asks again.
    """
    known = restores.known_server()
    if known is None:
        return
    here = known.model_copy(update={"timeline": _timeline(restores)})
    if here.is_another_than(known):
        reason = f"its timeline was {known.timeline}, and it is at {here}"
        _logger.warning("the database is another one, nothing trades: %s", reason)
        restores.begin_unknown(here, "reconcile", reason)


def restore_check(database: Database) -> Check:
    """Whether a restore is open, and where the database is. Raises DatabaseRefused: not set up."""
    restores = Restores(database)
    known, found = restores.known_server(), restores.open()
    what: dict[str, JsonValue] = {
        "open": found is not None,
        "server": None if known is None else str(known),
    }
    if found is None:
        return check(_NAME, what)
    if found.moment_unknown:
        return check(_NAME, what, f"Nothing trades: {MOMENT_UNKNOWN}")
    todo = "Nothing trades: a restore is open. reconcile's log says what it waits for"
    return check(_NAME, what, todo)


def _timeline(restores: Restores) -> int | None:
    """None: the server does not tell, which says nothing about it."""
    try:
        return restores.timeline()
    except DatabaseRefused as refused:
        _logger.info("the database's timeline cannot be read: %s", refused)
        return None


def _place(settings: DatabaseSettings) -> str:
    """What the database is reached by; on this machine ports and names come and go."""
    if settings.on_loopback:
        return _THIS_MACHINE
    return f"{as_compared(settings.host)}:{settings.port}/{settings.name}"
