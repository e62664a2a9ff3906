"""How many signals a second workers carry out on paper, from the signal to its filled order.

Each worker is a process as a Lambda is: a connection of its own, one message after the other. The
queues are lists in its memory. A worker's signals are of agents of its own, each with one follower,
so that what is left to share is the database. `ratio` is against one worker of the same run.
`database_busy` is the part of the time in which a worker waited for the database; `cpu_ms` is what
a signal with its order took of the processor, `database_cpu_ms` the sessions' part of it.

The database has been in use before: some hundred orders are in it, and its statistics are as
autovacuum would have made them within a minute. Plans that a session made of empty tables would
say nothing of any other day.
"""

import multiprocessing
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]


from agent_where.domain import OrderStatus  # noqa: E402 the path is set above
from agent_where.pipeline import take_order, take_signal  # noqa: E402
from agent_where.store.connection import DatabaseSettings  # noqa: E402
from benchmarks._measure import Processor, migrated, server, told  # noqa: E402
from benchmarks.fanout import Watched  # noqa: E402
from tests.world import World, signal  # noqa: E402

WORKERS = (1, 2, 4)
AGENTS = 100  # an account on paper has money for some forty orders
SECONDS = 6.0
WARM_UP = 30
USED = 600


def work(dsn: str, begins: Any, results: Any) -> None:  # noqa: ANN401 multiprocessing publishes no types
    """One worker: carry out signals for some seconds, and tell how many."""
    database = Watched(DatabaseSettings.from_url(dsn))
    world = World(dsn, database=database)
    agents = [world.agent() for _ in range(AGENTS)]
    for agent in agents:
        world.follow(agent)
    for number in range(WARM_UP):
        carry_out(world, agents[number % AGENTS])
    processor = Processor(database)
    begins.wait()
    before = processor.used_ms()
    database.seconds, done, began = 0.0, 0, time.perf_counter()
    while time.perf_counter() < began + SECONDS:
        carry_out(world, agents[done % AGENTS])
        done += 1
    used = processor.since(before, 1)
    results.put({"done": done, "waited": database.seconds, **used})
    world.dispose()


def carry_out(world: World, agent: UUID) -> None:
    """One signal and its order. The signal's message came with its body, as a producer's does."""
    take_signal(signal(agent), world.deps)
    ticket = world.queues.orders.popleft()
    outcome = take_order(ticket.id, world.deps)
    if outcome.status is not OrderStatus.FILLED:
        raise RuntimeError(f"the order was not filled: {outcome}")


def used(world: World) -> None:
    """Let the database have a past."""
    agents = [world.agent() for _ in range(AGENTS)]
    for agent in agents:
        world.follow(agent)
    for number in range(USED):
        carry_out(world, agents[number % AGENTS])
    world.database.script("ANALYZE")


def together(dsn: str, workers: int) -> tuple[float, dict[str, float]]:
    """Signals a second of so many workers, and what their time went to."""
    begins = multiprocessing.Barrier(workers)
    results: Any = multiprocessing.Queue()
    processes = [
        multiprocessing.Process(target=work, args=(dsn, begins, results)) for _ in range(workers)
    ]
    for process in processes:
        process.start()
    told_by: list[Mapping[str, float]] = [results.get(timeout=120) for _ in processes]
    for process in processes:
        process.join()
    total = {name: sum(each[name] for each in told_by) for name in told_by[0]}
    return total["done"] / SECONDS, {
        "database_busy": round(total["waited"] / (SECONDS * workers), 2),
        "cpu_ms": round(total["cpu_ms"] / total["done"], 2),
        "database_cpu_ms": round(total["database_cpu_ms"] / total["done"], 2),
    }


def main() -> None:
    """One line for each number of workers."""
    with server() as started, migrated(started.dsn()) as database:
        world = World(started.dsn(), database=database)
        world.both_markets()
        used(world)
        one = None
        for workers in WORKERS:
            rate, spent = together(started.dsn(), workers)
            name = f"{workers} worker{'s' * (workers > 1)} on paper"
            told(name, [rate], "signals/s", baseline=one, **spent)
            one = one or rate


if __name__ == "__main__":
    main()
