"""What one signal to many followers costs: 1, 100 and 1,000 deployments of its agent.

From the signal's id to its orders on the queue. The queue is made up: each batch of ten takes ten
milliseconds, as SQS does, and `batches_in_turn_ms` is what they would take one after the other.
`database_ms` is the time spent waiting for the database, the median of all runs;
`database_cpu_ms` is what its session used of the processor.
"""

import statistics
import sys
import time
from pathlib import Path
from typing import Any, cast
from uuid import UUID

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

from agent_where.domain import Mode  # noqa: E402 the path is set above
from agent_where.messages import SignalRef  # noqa: E402
from agent_where.pipeline import Deps, take_signal  # noqa: E402
from agent_where.queues import Queues  # noqa: E402
from agent_where.store.connection import Database, DatabaseSettings, Row, Statement  # noqa: E402
from agent_where.store.store import Store  # noqa: E402
from benchmarks._measure import Processor, migrated, server, told  # noqa: E402
from tests.world import MAX_AGE, SUPPORTED, World, signal  # noqa: E402

FOLLOWERS = (1, 100, 1_000)
TIMES = 12
BATCH_SECONDS = 0.01


class Sqs:
    """Takes every batch, in the time that a batch takes."""

    def send_message_batch(self, **_: object) -> dict[str, Any]:
        time.sleep(BATCH_SECONDS)
        return {}


class Watched(Database):
    """Knows how long it was waited for."""

    def __init__(self, settings: DatabaseSettings) -> None:
        super().__init__(settings)
        self.seconds = 0.0

    def run_together(self, *statements: Statement) -> list[list[Row]]:
        began = time.perf_counter()
        try:
            return super().run_together(*statements)
        finally:
            self.seconds += time.perf_counter() - began


def no_executor() -> Any:  # noqa: ANN401 never called: nothing is taken from the queue
    raise RuntimeError("the benchmark carries out no order")


def taken(world: World, database: Watched, followers: int) -> None:
    """The line of so many followers."""
    agent = world.agent()
    world.database.run(
        "INSERT INTO agent_deployments (agent_id, user_wallet)"
        " SELECT CAST(CAST(:agent AS text) AS uuid), '0x' || md5(:agent || n) || '00000000'"
        " FROM generate_series(1, :followers) n",
        agent=str(agent),
        followers=followers,
    )
    deps = Deps(
        store=Store(database),
        queues=Queues(orders_url="http://127.0.0.1:1/orders", client=cast("Any", Sqs())),
        executor=no_executor,
        supported=SUPPORTED,
        mode=Mode.PAPER,
        max_age=MAX_AGE,
    )
    _run(world, agent, deps)  # connections and plans are made once
    took, waited, trips = [], [], []
    for _ in range(TIMES):
        before = (database.seconds, database.round_trips)
        took.append(_run(world, agent, deps))
        waited.append((database.seconds - before[0]) * 1000)
        trips.append(database.round_trips - before[1])
    cpu = Processor(database).of_each(lambda: _run(world, agent, deps), TIMES)
    batches = -(-followers // 10)
    told(
        f"fan-out to {followers}",
        took,
        "ms",
        database_ms=round(statistics.median(waited), 1),
        round_trips=max(trips),
        **cpu,
        batches_in_turn_ms=round(batches * BATCH_SECONDS * 1000),
    )


def _run(world: World, agent: UUID, deps: Deps) -> float:
    message = signal(agent)
    world.store.insert_signal(message)
    began = time.perf_counter()
    outcome = take_signal(SignalRef(signal_id=message.signal_id), deps)
    if not outcome.orders:
        raise RuntimeError(f"nothing was planned: {outcome.detail}")
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """One database for all."""
    with server() as started, migrated(started.dsn()) as database:
        world = World(started.dsn(), database=database)
        world.both_markets()
        watched = Watched(DatabaseSettings.from_url(started.dsn()))
        for followers in FOLLOWERS:
            taken(world, watched, followers)
        watched.close()


if __name__ == "__main__":
    main()
