"""A database restored to an earlier moment, beside a venue that remembers what came after.

The restore is one: a copy of the database as it stood then, on a real server.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from agent_where.messages import SignalMessage, SignalRef
from agent_where.reconciling import Reconciled, reconcile
from local.postgres import Postgres
from tests.conftest import fresh_database
from tests.doctor.answering import answered
from tests.netting import NettingVenue, NettingWorld
from tests.world import signal

MARKET = "BTC/USD"
TOLD = {"by": "an operator", "reason": "the disk was lost"}


@dataclass
class Restored:
    """What stood at the moment that was restored, and what is forgotten."""

    world: NettingWorld
    wallet: str
    other: str
    agent: UUID
    follower: UUID
    closed_since: UUID
    planned: UUID
    undecided: SignalMessage

    def operate(self, **request: Any) -> dict[str, Any]:
        return answered(self.world.store.restores, **request)

    def begin(self, ago: timedelta = timedelta(hours=1)) -> dict[str, Any]:
        at = datetime.now(UTC) - ago
        return self.operate(restored={"at": at.isoformat(), **TOLD})

    def pass_time(self, seconds: int = 60) -> None:
        """So long ago is now all that has happened, epochs and signals included."""
        self.world.pass_time(seconds)
        by = f"- make_interval(secs => {seconds})"
        self.world.database.run_together(
            ("SET LOCAL session_replication_role = replica", {}),
            (
                f"UPDATE signals SET created_at = created_at {by}, received_at = received_at {by}",
                {},
            ),
            (f"UPDATE restores SET restored_to = restored_to {by}, told_at = told_at {by}", {}),
            (f"UPDATE venue_accounts SET matched_at = matched_at {by}", {}),
            (f"UPDATE unowned_fills SET at = at {by}", {}),
        )

    def reconcile(self) -> Reconciled:
        self.pass_time()
        done = reconcile(self.world.deps, seconds=30)
        self.world.work()
        return done

    def lift(self) -> None:
        answer = self.operate(release={**TOLD})
        assert answer["success"], answer
        self.world.control("global", None, "ACTIVE")

    def undecided_fills(self) -> list[dict[str, Any]]:
        fills = self.operate(unowned={})["fills"]
        return [fill for fill in fills if fill["decision"] is None]


@contextmanager
def restored_world(postgres: Postgres, dsn: str) -> Iterator[Restored]:
    before = NettingWorld(dsn)
    before.listed()
    wallet, other = before.user(), before.user()
    agent, follower = before.follower(wallet), before.follower(other)
    closed_since = before.buy(agent, "1")
    undecided = signal(agent, sizeModel={"type": "fixed-usdc", "value": "50", "leverage": "1"})
    before.store.insert_signal(undecided)
    before.open(follower, sizeModel={"type": "fixed-usdc", "value": "300", "leverage": "1"})
    planned = UUID(str(before.order()["id"]))
    before.dispose()
    with fresh_database(postgres, template=dsn.rsplit("/", 1)[1]) as copy:
        forget(NettingWorld(dsn, before.queues, place=before.place), agent, undecided)
        world = NettingWorld(copy, place=before.place)
        deployment = world.rows("SELECT id FROM agent_deployments WHERE user_wallet = :w", w=other)
        yield Restored(
            world, wallet, other, agent, deployment[0]["id"], closed_since, planned, undecided
        )
        world.dispose()


def forget(world: NettingWorld, agent: UUID, undecided: SignalMessage) -> None:
    """What was done after the moment that is restored: all on the queues is carried out."""
    world.work()
    world.take(SignalRef(signal_id=undecided.signal_id))
    world.work()
    world.close(agent)
    world.work()
    world.dispose()


def executed(place: NettingVenue) -> int:
    return len(place.trades)
