"""Reading how the system is, in one round trip. What it means for trading is in status.py."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from agent_where.contract.owned import ControlView
from agent_where.domain import ControlState, Model, VenueId
from agent_where.store.connection import Database
from agent_where.store.statements import sql

CONTROLS = 100
"""The most controls that are told."""


class VenueMarkets(Model):
    """A venue's active markets. `last_synced`: when the newest of them was."""

    venue: VenueId
    markets: int
    last_synced: datetime | None


class Figures(Model):
    """What reconcile wrote last."""

    at: datetime
    figures: Mapping[str, Any]


class Look(Model):
    """What the database says at one moment, `now` by its clock.

    `control` is the global one; `controls` those of any scope that stop anything, operators' first.
    `restoring`: a restore of the database is open.
    """

    now: datetime
    version: str
    migrations: int
    network: str | None
    venues: Mapping[VenueId, VenueMarkets]
    figures: Figures | None
    control: ControlState
    restoring: bool = False
    controls: tuple[ControlView, ...]


class Statuses:
    """Looks over one database connection."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def look(self) -> Look:
        """Look once.

        Raises:
            DatabaseRefused: it is not set up.
            DatabaseUnavailable: it is away.
        """
        rows = self._database.run(sql("read_status"), at_most=CONTROLS)
        return Look.model_validate(rows[0])
