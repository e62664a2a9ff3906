"""Whether the database is where it was: a restore to a moment is another server, and cannot say so.

Setup keeps where it found the database. Found elsewhere, it begins a restore to a moment that
nobody has told yet: a false alarm costs a person's word, an unnoticed restore trades twice.
"""

import logging
from typing import Self

from pydantic import JsonValue

from agent_where.domain import Model
from agent_where.errors import DatabaseRefused
from agent_where.report import Check, check
from agent_where.restoring import MOMENT_UNKNOWN
from agent_where.store.connection import Database, Statement
from agent_where.store.database_settings import DatabaseSettings
from agent_where.store.restores import Restores

_logger = logging.getLogger(__name__)

_NAME = "restore"
_SETUP = "setup"
_THIS_MACHINE = "localhost"
_NOT_ALLOWED = frozenset({"42501", "42883"})  # insufficient_privilege, undefined_function

_KNOWN = "SELECT host, timeline FROM known_servers ORDER BY seen_at DESC LIMIT 1"
_TIMELINE = "SELECT timeline_id AS timeline FROM pg_control_checkpoint()"
_NOTE = """
INSERT INTO known_servers (host, timeline) VALUES (:host, CAST(:timeline AS bigint))
RETURNING seen_at
"""


class Server(Model):
    """Where a database is: what it is reached by, and PostgreSQL's timeline, None: not to be read.

    A server that began from a backup at a moment has a higher timeline than the one it stands for,
    and mostly another host; a failover to a standby that shares the storage keeps both.
    """

    host: str
    timeline: int | None

    def is_another_than(self, known: Self) -> bool:
        """Whether this is not where `known` was; what cannot be read says nothing."""
        is_told = self.timeline is not None and known.timeline is not None
        return self.host != known.host or (is_told and self.timeline != known.timeline)

    def __str__(self) -> str:
        told = "that cannot be read" if self.timeline is None else str(self.timeline)
        return f"{self.host}, timeline {told}"


def recognise(database: Database, settings: DatabaseSettings) -> None:
    """Keep where this database is, and begin a restore where it was elsewhere before.

    An installation of which that was never kept is taken as it is.

    Raises:
        DatabaseUnavailable: nothing was kept and nothing began.
    """
    here, known = _here(database, settings), _known(database)
    note: Statement = (_NOTE, here.model_dump())
    if known is None:
        database.run_together(note)
    elif here.is_another_than(known):
        reason = f"it was at {known}, and is at {here}"
        _logger.warning("the database is another one, nothing trades: %s", reason)
        Restores(database).begin_unknown(_SETUP, reason, note)
    elif known.timeline is None and here.timeline is not None:
        database.run_together(note)


def restore_check(database: Database) -> Check:
    """Whether a restore is open, and where the database is. Raises DatabaseRefused: not set up."""
    known, found = _known(database), Restores(database).open()
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


def _known(database: Database) -> Server | None:
    rows = database.run(_KNOWN)
    return Server.model_validate(rows[0]) if rows else None


def _here(database: Database, settings: DatabaseSettings) -> Server:
    host = _THIS_MACHINE if settings.on_loopback else settings.host.lower().rstrip(".")
    try:
        return Server(host=host, timeline=int(database.run(_TIMELINE)[0]["timeline"]))
    except DatabaseRefused as refused:
        if refused.sqlstate not in _NOT_ALLOWED:
            raise
        return Server(host=host, timeline=None)
