"""What taking a signal in over HTTP says to the database, besides storing it."""

from uuid import UUID

from agent_where.domain import VenueId
from agent_where.messages import SignalMessage
from agent_where.store.connection import Database
from agent_where.store.records import SignalFile
from agent_where.store.statements import sql
from agent_where.store.store import Store


class Arrivals:
    """Signals on their way in, over one database connection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._store = Store(database)

    def agent_venue(self, agent_id: UUID) -> VenueId | None:
        """Where an agent trades: a venue, or MULTI. None: there is no such agent."""
        rows = self._database.run(sql("read_agent_venue"), id=agent_id)
        return str(rows[0]["venue"]) if rows else None

    def insert(self, message: SignalMessage) -> SignalFile | None:
        """Store a signal once, and read it as it stands. None: its agent does not exist."""
        return self._store.insert_signal(message)

    def mark_not_enqueued(self, signal_id: UUID) -> None:
        """Let the next reconcile put a signal's id on the queue, unless it is decided by then."""
        self._store.mark_not_enqueued([signal_id])
