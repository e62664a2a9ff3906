"""What is to be written together with a decision or an order's end."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from agent_where.domain import Mode, Model, Purpose, Side, VenueId


@dataclass(frozen=True, kw_only=True)
class Told:
    """A history row of a signal's decision. `deployment_id` None: the signal's own."""

    deployment_id: UUID | None = None
    selected_venue: VenueId | None
    routing_reason: str
    checked_venues: list[VenueId]
    venue_availability: dict[VenueId, bool]
    routing_duration_us: int
    strategy: str
    config_id: UUID | None
    failover_enabled: bool
    skipped_reason: str | None
    candidates: list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class PlannedEntry:
    """An order that opens, before it is sized."""

    id: UUID
    deployment_id: UUID
    position_id: UUID
    leg: str
    venue: VenueId
    account: str
    mode: Mode
    market_name: str
    side: Side
    leverage: Decimal


@dataclass(frozen=True, kw_only=True)
class PlannedClose(PlannedEntry):
    """An order that closes. It waits for `after_order_id`, the entry that is still on its way."""

    after_order_id: UUID | None

    @property
    def exposure_key(self) -> str:
        """What it closes: the position, and the entry it waits for."""
        return f"{self.position_id}/{self.after_order_id or ''}"


class PlannedExit(Model):
    """A leg that waits for its trigger, in USD per base unit."""

    id: UUID
    purpose: Purpose
    trigger_price: Decimal


class NextExit(Model):
    """The order that tries again what an exit left open, `seconds` from now."""

    next_id: UUID
    purpose: Purpose
    leg: str
    attempt: int
    seconds: int


class Ending(Model):
    """What a filled order entails. stop_loss and take_profit in USD per base unit.

    `carries_bounds`: the venue carries them out itself.
    """

    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    carries_bounds: bool = False
    exits: tuple[PlannedExit, ...] = ()
    next_exit: NextExit | None = None


class Failover(Model):
    """What follows a refused entry: its audit row, and the next venue's order if there is one."""

    next_id: UUID
    selected_venue: VenueId | None
    market_name: str | None
    routing_reason: str
    checked_venues: list[VenueId]
    venue_availability: dict[VenueId, bool]
    routing_duration_us: int
    strategy: str
    config_id: UUID | None
    skipped_reason: str | None
    candidates: list[dict[str, Any]]
