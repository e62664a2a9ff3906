"""What a comparison of the ledger with a venue reads and writes, as models."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple
from uuid import UUID

from agent_where.domain import Fill, Model, Order, Side, VenueId
from agent_where.venues.base import Held


class AccountAt(NamedTuple):
    """An account at a venue."""

    account: str
    venue: VenueId


class HeldPosition(Model):
    """An open position, `open_qty` in base units."""

    id: UUID
    side: Side
    open_qty: Decimal


class HeldMarket(Model):
    """A market where the account has something, or may have: its positions, the oldest first.

    `busy`: an order of ours may be executed there now, or has just ended. `doubtful`: one has ended
    as if nothing of it had been executed since ledger and venue agreed last. `size_step`: the grid
    of sizes in base units; None: not known.
    """

    name: str
    size_step: Decimal | None
    busy: bool
    doubtful: bool
    positions: tuple[HeldPosition, ...]


class Books(Model):
    """What the ledger has of an account.

    `now` is database time; `since` is from when on the venue's trades matter. `unexplained`: the
    markets that the last comparison could not explain.
    """

    now: datetime
    since: datetime
    unexplained: tuple[str, ...]
    markets: tuple[HeldMarket, ...]


class SinglePosition(Model):
    """A position that stands for itself. `busy`: an order of ours may be closing it now."""

    held: Held
    busy: bool

    @property
    def seen(self) -> HeldPosition:
        """As it was read, for what is booked on it."""
        return HeldPosition(id=self.held.position_id, side=self.held.side, open_qty=self.held.size)


class SingleBooks(Model):
    """What the ledger has of an account at a venue where each position stands for itself.

    `now` is database time. `cursor`: from where to ask the venue; None: it was not asked since the
    oldest of the positions was opened.
    """

    now: datetime
    unexplained: tuple[str, ...]
    cursor: int | None
    positions: tuple[SinglePosition, ...]


class Claim(Model):
    """What the ledger knows of one trade; sizes in base units.

    Args:
        order: of ours, if it is one's; None: only booked.
        stored: whether it is among that order's fills.
        counted: how much of it positions account for as that order's doing.
        booked: how much of it is booked as closures.
    """

    venue_fill_id: str
    order: Order | None
    stored: bool
    counted: Decimal
    booked: Decimal


class ClosedBy(StrEnum):
    """Who closed a position, or a part of it, that no order of its own closed."""

    LIQUIDATION = "LIQUIDATION"
    USER = "USER"
    VENUE = "VENUE"
    SIGNAL = "SIGNAL"
    TRIGGER = "TRIGGER"


class Closure(Model):
    """What one trade took from one position: `size` of its `fill_size`, in base units.

    `fee_usd` is this part's. `reason` becomes the exit reason of a position that this ends.
    """

    venue_fill_id: str
    position_id: UUID
    size: Decimal
    fill_size: Decimal
    price: Decimal
    fee_usd: Decimal
    closed_by: ClosedBy
    reason: str
    at: datetime


class LateFill(Model):
    """An execution of an order that had ended as if nothing of it had been executed."""

    order: Order
    fill: Fill
