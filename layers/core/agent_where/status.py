"""Whether the system is fit to trade, and what an operator looks at first.

The short answer is everybody's to ask, so it is looked up once in some seconds and says nothing but
yes or no; the reasons are an operator's.
"""

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from agent_where.contract.system import (
    DatabaseStatus,
    DetailsAnswer,
    OrderFigures,
    QueueFigures,
    StatusAnswer,
    VenueStatus,
)
from agent_where.domain import ControlState, VenueId
from agent_where.errors import BadSetting, DatabaseRefused, NotFit, Unavailable
from agent_where.store.status import Look, Statuses, VenueMarkets

_logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 10.0
FIGURES_MAX_AGE = timedelta(minutes=5)
"""How old the figures of reconcile, which runs each minute, may be."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What fitness is measured by. `supported`: the venues that have an adapter."""

    network: str
    supported: frozenset[VenueId]
    max_age: timedelta


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Status:
    """How the system is.

    Args:
        clock: seconds, monotonic; decides when to look again.
        wall: this machine's time.
    """

    def __init__(
        self,
        statuses: Statuses,
        terms: Terms,
        *,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], datetime] = _utc_now,
    ) -> None:
        self._statuses = statuses
        self._terms = terms
        self._clock = clock
        self._wall = wall
        self._seen: tuple[bool, datetime] | None = None
        self._seen_at = 0.0

    def brief(self) -> StatusAnswer:
        """Fit, as it was some seconds ago at most. Raises NotFit, whatever the reason."""
        if self._seen is None or self._clock() - self._seen_at >= LOOK_EVERY_SECONDS:
            self._seen = not self._reasons(), self._wall()
            self._seen_at = self._clock()
        fit, checked_at = self._seen
        if not fit:
            raise NotFit(checked_at)
        return StatusAnswer(fit=True, checked_at=checked_at)

    def details(self) -> DetailsAnswer:
        """Everything, looked up now.

        Raises:
            BadSetting: the database is not set up.
            DatabaseUnavailable: it is away.
        """
        asked = self._wall()
        try:
            look = self._statuses.look()
        except DatabaseRefused as error:
            raise BadSetting(f"the database is not set up, or not for this role: {error}") from None
        answered = self._wall()
        return details(look, self._terms, answered, asked + (answered - asked) / 2)

    def _reasons(self) -> list[str]:
        try:
            reasons = list(unfit(self._statuses.look(), self._terms))
        except (Unavailable, BadSetting, DatabaseRefused) as error:
            reasons = [f"the database: {error}"]
        if reasons:
            _logger.warning("not fit to trade: %s", "; ".join(reasons))
        return reasons


def unfit(look: Look, terms: Terms) -> Iterator[str]:
    """Why the system cannot trade, one sentence each."""
    if look.network != terms.network:
        served = look.network or "no network yet: run setup"
        yield f"NETWORK is {terms.network}, but the database serves {served}"
    known = [look.venues[venue] for venue in look.venues if venue in terms.supported]
    if not any(_fresh(venue, look.now, terms) for venue in known):
        minutes = int(terms.max_age.total_seconds() // 60)
        yield f"no venue was synced in the last {minutes} minutes: read market_sync's log"
    if look.figures is None:
        yield "reconcile has not run yet"
    elif look.now - look.figures.at > FIGURES_MAX_AGE:
        yield f"reconcile ran last at {look.figures.at:%Y-%m-%d %H:%M:%S} UTC: read its log"
    if look.restoring:
        yield "a restore of the database is open, nothing trades: see agent-where doctor"
    elif look.control is ControlState.HALTED:
        yield "all trading is HALTED"


def details(look: Look, terms: Terms, checked_at: datetime, at_look: datetime) -> DetailsAnswer:
    """The whole answer. `at_look`: this machine's time when the database told its own."""
    reasons = tuple(unfit(look, terms))
    figures = look.figures.figures if look.figures else {}
    return DetailsAnswer(
        fit=not reasons,
        reasons=reasons,
        checked_at=checked_at,
        database=DatabaseStatus(
            version=look.version,
            migrations=look.migrations,
            network=look.network or "",
            clock_skew_ms=(at_look - look.now) // timedelta(milliseconds=1),
        ),
        venues=tuple(
            _venue(venue, look, terms) for venue in sorted(terms.supported | look.venues.keys())
        ),
        orders=OrderFigures.model_validate(figures),
        queues=QueueFigures.model_validate(figures),
        figures_at=look.figures.at if look.figures else None,
        controls=look.controls,
    )


def _venue(venue: VenueId, look: Look, terms: Terms) -> VenueStatus:
    known = look.venues.get(venue) or VenueMarkets(venue=venue, markets=0, last_synced=None)
    synced = known.last_synced
    return VenueStatus(
        venue=venue,
        markets=known.markets,
        last_synced=synced,
        age_seconds=(look.now - synced) // timedelta(seconds=1) if synced else None,
        fresh=_fresh(known, look.now, terms),
    )


def _fresh(known: VenueMarkets, now: datetime, terms: Terms) -> bool:
    return known.last_synced is not None and now - known.last_synced <= terms.max_age
