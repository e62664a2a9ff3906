"""Reading what a decision needs for a signal that stands nowhere. It writes nothing."""

from collections.abc import Mapping

from agent_where.store.connection import Database, Json
from agent_where.store.records import SignalFile, signal_file
from agent_where.store.statements import sql


class Previews:
    """Reads over one database connection. Raises DatabaseUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def file(self, imagined: Mapping[str, object]) -> SignalFile:
        """The file of a signal that would come in now: `read_signal`, over an imagined row.

        Args:
            imagined: the row's columns; its times are the database's own.
        """
        text = f"{sql('imagine_signal')}{sql('read_signal')}"
        rows = self._database.run(text, id=imagined["id"], imagined=Json(imagined))
        return signal_file(rows[0])
