"""The doctor as a judge: at rest it has nothing to say, of the database or of the venues."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from agent_where.doctor import DEAD_LETTERS, Instruments, diagnose
from agent_where.domain import VenueId
from agent_where.queues import Queues
from agent_where.store.checkups import Checkups, Weight
from agent_where.store.comparisons import Comparisons
from agent_where.store.restores import Restores
from agent_where.venues.base import Exits, FoundExits, Held, Holdings
from agent_where.venues.hyperliquid.trading import HyperliquidVenue
from local.simulators.hyperliquid import HyperliquidSimulator
from tests.faults.house import BEGINNING
from tests.faults.stage import DEAD, Stage


class _Depths:
    """What the doctor asks of queues."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def depths(self) -> dict[str, int]:
        return {"deadLetters": len(self._stage.queues[DEAD].messages)}


class _NotAsked:
    """Where each position stands for itself: the doctor does not ask such a venue."""

    def exits(self, account: str, held: Sequence[Held], since: int | None) -> FoundExits:
        raise AssertionError(f"the doctor asks about {account}")


_NOT_ASKED = _NotAsked()


def instruments(stage: Stage) -> Instruments:
    """What the doctor looks with, past the lines that can be cut."""

    def holdings(venue: VenueId) -> Holdings | None:
        if not nets(venue):
            return None
        url = stage.house.servers[venue].url
        return HyperliquidVenue("mainnet", url, timeout_seconds=10, clock=stage.clock.utc)

    def exits(venue: VenueId) -> Exits | None:
        return None if nets(venue) else _NOT_ASKED

    def nets(venue: VenueId) -> bool:
        return isinstance(stage.house.venues.get(venue), HyperliquidSimulator)

    return Instruments(
        checkups=Checkups(stage.direct),
        restores=Restores(stage.direct),
        books=Comparisons(stage.direct),
        queues=cast("Queues", _Depths(stage)),
        holdings=holdings,
        exits=exits,
    )


@dataclass(frozen=True)
class Found:
    """Something that does not add up, by the check that found it."""

    check: str
    id: str
    detail: str


def faults_found(stage: Stage) -> Iterable[Found]:
    """What does not add up, says the doctor. Letters that never can succeed are in order."""
    told = diagnose(instruments(stage), venues_since=datetime.fromtimestamp(BEGINNING, UTC))
    for check in told.checks:
        if check.ok or check.weight is Weight.NOTE or check.name == DEAD_LETTERS:
            continue
        for row in check.rows:
            yield Found(check.name, row.id, row.detail)
