"""What a database server does to those who use it: it moves, turns read-only, is full, restarts.

All of it is the real server's doing. Only that a standby has everything the first one had is taken
for granted: both addresses lead to the same server.
"""

import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pg8000 import native
from pg8000.exceptions import DatabaseError, InterfaceError

from agent_where.store.connection import Database, DatabaseSettings
from local.postgres import USER, Postgres, start
from tests.faults.cuts import Line
from tests.faults.names import NAME, NOMINAL_PORT

if TYPE_CHECKING:
    from tests.faults.stage import Stage

MOST_CONNECTIONS = 40
_PATIENCE_SECONDS = 10.0


class Server:
    """A PostgreSQL server under a name that leads to a line, and then to another.

    Args:
        folder: keeps its data, and the file that says where the name leads.
    """

    def __init__(self, folder: Path) -> None:
        data = folder / "postgres"
        first = start(data, durable=False)
        database = Database(DatabaseSettings.from_url(first.dsn()))
        database.run(f"ALTER SYSTEM SET max_connections = {MOST_CONNECTIONS}")
        database.close()
        first.stop()
        self.postgres: Postgres = start(data, port=first.port, durable=False)
        self.address_file = folder / "address"
        self.line = Line(self.postgres.port)
        self._tell_address()

    def close(self) -> None:
        self.line.close()
        self.postgres.stop()

    def move(self) -> None:
        """The name leads to a new address; at the old one nobody listens any more."""
        self.line.close()
        self.line = Line(self.postgres.port)
        self._tell_address()

    def restart(self) -> None:
        """Stop it under everybody's feet and start it again."""
        self.postgres.stop()
        start(self.postgres.data, port=self.postgres.port, durable=False)

    def dsn(self, name: str) -> str:
        """A database, by the server's name."""
        return f"postgresql://{USER}:{self.postgres.password}@{NAME}:{NOMINAL_PORT}/{name}"

    def session(self, name: str) -> native.Connection:
        """A session of the harness's own, past the line."""
        port, password = self.postgres.port, self.postgres.password
        return native.Connection(USER, "127.0.0.1", name, port, password)

    def _tell_address(self) -> None:
        draft = self.address_file.with_suffix(".new")
        draft.write_text(str(self.line.port))
        draft.replace(self.address_file)


class Crowd:
    """Sessions that take every place the server has, until they leave."""

    def __init__(self, stage: "Stage") -> None:
        self._stage = stage
        self._sessions: list[native.Connection] = []
        end_sessions(stage)
        with suppress(DatabaseError):  # the one that is refused: 53300
            while True:
                self._sessions.append(stage.house.server.session(stage.name))

    def leave(self) -> None:
        """Whoever of them a restart has not ended."""
        for each in self._sessions:
            with suppress(DatabaseError, InterfaceError, OSError):
                each.close()
        end_sessions(self._stage)


def end_sessions(stage: "Stage") -> None:
    """End everybody's session but the harness's own, and wait until they are gone."""
    stage.house.server.line.hang_up()
    until = time.monotonic() + _PATIENCE_SECONDS
    while stage.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    ):
        if time.monotonic() > until:
            raise TimeoutError("sessions do not end")
        time.sleep(0.002)


def turn_read_only(stage: "Stage") -> None:
    """What was the primary is a standby now, which whoever connects anew meets (25006)."""
    stage.rows(f"ALTER DATABASE {stage.name} SET default_transaction_read_only = on")
    end_sessions(stage)


def write_again(stage: "Stage") -> None:
    """Whoever connects from now on may write."""
    stage.rows(f"ALTER DATABASE {stage.name} RESET default_transaction_read_only")


def fail_over(stage: "Stage") -> None:
    """The name leads to a new address, where all can be written."""
    write_again(stage)
    end_sessions(stage)
    stage.house.server.move()
