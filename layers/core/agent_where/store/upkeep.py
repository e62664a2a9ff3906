"""What keeps the system going beside its orders: putting one off, leases, figures of the whole."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from agent_where.store.books import AccountAt
from agent_where.store.connection import Database
from agent_where.store.statements import sql


class Upkeep:
    """Over one database connection. Raises DatabaseUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put_off(self, order_id: UUID, why: str) -> int | None:
        """Have an order that was not sent tried again later; in how many seconds.

        None: it is not waiting to be sent any more.
        """
        rows = self._database.run(sql("put_off_order"), id=order_id, detail=why)
        return int(rows[0]["seconds"]) if rows else None

    def free_leases(self) -> list[AccountAt]:
        """Give back leases that end later than any worker sets one; of these accounts."""
        return [AccountAt(**row) for row in self._database.run(sql("free_leases"))]

    def write_figures(self, measured: Mapping[str, object]) -> Mapping[str, Any]:
        """Store the figures that the read side shows, and return them whole."""
        rows = self._database.run(sql("write_figures"), measured=measured)
        figures: Mapping[str, Any] = rows[0]["figures"]
        return figures
