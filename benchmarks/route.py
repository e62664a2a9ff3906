"""What routing costs: the pure decision alone, and a signal from message to written decision.

Runs on an embedded PostgreSQL over loopback TCP; prints one JSON object a line. `ratio` compares
with the pure decision of the same run.
"""

import json
import platform
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

from agent_where.migrations import set_up  # noqa: E402 the path is set above
from agent_where.planning import decide  # noqa: E402
from agent_where.store.connection import Database, DatabaseSettings  # noqa: E402
from local.postgres import start  # noqa: E402
from tests.world import MAX_AGE, SUPPORTED, World, signal  # noqa: E402

WARM_UP = 20
TIMES = 300


def measured(name: str, once: Callable[[], object], *, baseline_us: float | None = None) -> float:
    """Time `once`, print its line, and return the median in microseconds."""
    for _ in range(WARM_UP):
        once()
    taken = []
    for _ in range(TIMES):
        began = time.perf_counter_ns()
        once()
        taken.append((time.perf_counter_ns() - began) / 1000)
    median = statistics.median(taken)
    ranks = statistics.quantiles(taken, n=100)
    line = {
        "name": name,
        "n": TIMES,
        "median": round(median, 1),
        "p95": round(ranks[94], 1),
        "p99": round(ranks[98], 1),
        "unit": "us",
        "ratio": round(median / baseline_us, 2) if baseline_us else None,
        "python": platform.python_version(),
    }
    print(json.dumps(line), flush=True)
    return median


def main() -> None:
    """Run it in a database of its own."""
    with tempfile.TemporaryDirectory(prefix="agent-where-bench-") as place:
        server = start(Path(place) / "postgres", durable=False)
        try:
            database = Database(DatabaseSettings.from_url(server.dsn()))
            set_up(database, ROOT / "functions" / "setup" / "migrations", network="mainnet")
            database.close()
            _route(server.dsn())
        finally:
            server.stop()


def _route(dsn: str) -> None:
    world = World(dsn)
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    message = signal(agent)
    file = world.store.insert_signal(message)
    if file is None:
        raise RuntimeError("the benchmark's own signal was not stored")
    pure = measured("decide, two candidates", lambda: decide(file, SUPPORTED, MAX_AGE))
    measured(
        "route one signal: read, decide, write, one follower",
        lambda: world.take(signal(agent)),
        baseline_us=pure,
    )
    world.dispose()


if __name__ == "__main__":
    main()
