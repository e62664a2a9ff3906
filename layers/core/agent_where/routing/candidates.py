"""What the router weighs and by which rules: venues as candidates, verdicts on them, its config."""

from dataclasses import dataclass
from decimal import Decimal
from uuid import UUID

from agent_where.domain import (
    DEFAULT_PRIORITY,
    ControlState,
    Market,
    Model,
    Refusal,
    VenueId,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A venue of the priority list and its market of the token, if it lists it at all."""

    venue: VenueId
    market: Market | None
    supported: bool = True
    control: ControlState = ControlState.ACTIVE


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the router thought of one candidate, with the figures it thought it on."""

    candidate: Candidate
    refusal: Refusal | None = None
    detail: str
    score: Decimal | None = None

    @property
    def venue(self) -> VenueId:
        return self.candidate.venue


class RoutingConfig(Model):
    """Which venues to try, in which order. `id` None is the built-in default."""

    id: UUID | None = None
    agent_id: UUID | None = None
    venue_priority: tuple[VenueId, ...] = DEFAULT_PRIORITY
    routing_strategy: str = "FIRST_AVAILABLE"
    failover_enabled: bool = True
