"""A world for the doctor to examine, hands that break it, and what is found then."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from agent_where.doctor import Diagnosis, Instruments, diagnose
from agent_where.reconciling import write_figures
from agent_where.store.checkups import Checkups
from agent_where.store.comparisons import Comparisons
from agent_where.store.connection import Database
from agent_where.store.restores import Restores
from agent_where.venues.base import FoundExits, Held
from tests.netting import VENUE, NettingWorld

BOUNDS: dict[str, Any] = {"riskModel": {"stopLoss": "0.1"}}


class NoExits:
    """A venue where each position stands for itself, and nobody closed any."""

    def exits(self, account: str, held: Sequence[Held], since: int | None) -> FoundExits:
        assert account
        assert held is not None
        return FoundExits((), since)


def instruments(world: NettingWorld, database: Database | None = None) -> Instruments:
    opened = database or world.database
    return Instruments(
        checkups=Checkups(opened),
        restores=Restores(opened),
        books=Comparisons(opened),
        queues=world.queues,
        holdings=lambda venue: world.place if venue == VENUE else None,
        exits=lambda _: None,
    )


def examine(world: NettingWorld, *, venues: bool = False) -> Diagnosis:
    since = datetime.fromtimestamp(0, UTC) if venues else None
    return diagnose(instruments(world), venues_since=since)


def found(diagnosis: Diagnosis) -> dict[str, int]:
    """How many of each that is not well."""
    return {check.name: check.count for check in diagnosis.checks if not check.ok}


def break_in(world: NettingWorld, *statements: str) -> None:
    """What no worker may do: the rules are off."""
    world.database.run_together(
        ("SET LOCAL session_replication_role = replica", {}),
        *((statement, {}) for statement in statements),
    )


def at_work(world: NettingWorld) -> UUID:
    """A world in which a position with a stop is open and another was closed."""
    agent = world.follower(world.user())
    world.buy(agent, "1", **BOUNDS)
    other = world.follower(world.user())
    world.buy(other, "2")
    world.close(other)
    world.work()
    world.pass_time(60)
    write_figures(world.deps)
    return agent
