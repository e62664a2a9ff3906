"""The capacity model of docs/scaling.md against a simulation, with service times of this run.

The model: workers / seconds of service for each queue, and one order at a time for an account; the
least of them is what the system carries. The simulation plays the two FIFO queues: signals in
groups of their agent, orders grouped by their account, whose lease lets one through at a time (that
a message which finds it taken comes again is left out), each queue with its own workers, arrivals
by chance, service times drawn from those measured. `median` is what got through in the simulation,
`ratio` is that against the model; offered is a tenth more than the model says it can carry.
"""

import heapq
import random
import statistics
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

from agent_where.pipeline import take_order, take_signal  # noqa: E402 the path is set above
from benchmarks._measure import migrated, server, timed, told  # noqa: E402
from tests.world import World, signal  # noqa: E402

SECONDS = 120.0
MEASURED = 100
VENUE_SECONDS = 0.4
"""What a live venue adds to an order: quote, account, sending; an assumption."""


@dataclass(frozen=True)
class Setting:
    """One installation: workers on each queue, agents, followers of each, accounts in all."""

    name: str
    signal_workers: int
    order_workers: int
    agents: int
    followers: int
    accounts: int
    venue_seconds: float = 0.0


SETTINGS = (
    Setting("as deployed, on paper, 1 follower", 5, 10, 100, 1, 100),
    Setting("as deployed, live, 1 follower", 5, 10, 100, 1, 100, VENUE_SECONDS),
    Setting("as deployed, live, 100 followers", 5, 10, 100, 100, 5_000, VENUE_SECONDS),
    Setting("50 and 200 workers, live, 100 followers", 50, 200, 1_000, 100, 50_000, VENUE_SECONDS),
    Setting("as deployed, live, all of one account", 5, 10, 100, 1, 1, VENUE_SECONDS),
)


@dataclass
class Queue:
    """A FIFO queue with its workers: of a group, one message at a time is under way."""

    free: int
    waiting: dict[int, deque[int]] = field(default_factory=dict)
    ready: deque[int] = field(default_factory=deque)
    busy: set[int] = field(default_factory=set)

    def put(self, group: int) -> None:
        self.waiting.setdefault(group, deque()).append(1)
        if group not in self.busy and len(self.waiting[group]) == 1:
            self.ready.append(group)

    def take(self) -> int | None:
        if not self.free or not self.ready:
            return None
        group = self.ready.popleft()
        self.waiting[group].popleft()
        self.busy.add(group)
        self.free -= 1
        return group

    def done(self, group: int) -> None:
        self.free += 1
        self.busy.discard(group)
        if self.waiting[group]:
            self.ready.append(group)


def model(setting: Setting, route: float, order: float) -> float:
    """Signals a second."""
    each = order + setting.venue_seconds
    return min(
        setting.signal_workers / route,
        setting.agents / route,
        setting.order_workers / each / setting.followers,
        setting.accounts / each / setting.followers,
    )


def simulated(
    setting: Setting, offered: float, routes: Sequence[float], orders: Sequence[float]
) -> float:
    """Signals a second that were carried out to their last order."""
    chance = random.Random(7)
    signals, ordered = Queue(setting.signal_workers), Queue(setting.order_workers)
    events: list[tuple[float, str, int]] = [(chance.expovariate(offered), "signal", 0)]
    filled = 0
    while events and events[0][0] < SECONDS:
        now, kind, group = heapq.heappop(events)
        if kind == "signal":
            signals.put(chance.randrange(setting.agents))
            heapq.heappush(events, (now + chance.expovariate(offered), "signal", 0))
        elif kind == "routed":
            signals.done(group)
            for _ in range(setting.followers):
                ordered.put(chance.randrange(setting.accounts))
        else:
            ordered.done(group)
            filled += 1
        while (taken := signals.take()) is not None:
            heapq.heappush(events, (now + chance.choice(routes), "routed", taken))
        while (taken := ordered.take()) is not None:
            took = chance.choice(orders) + setting.venue_seconds
            heapq.heappush(events, (now + took, "filled", taken))
    return filled / setting.followers / SECONDS


def measured() -> tuple[list[float], list[float]]:
    """Seconds of routing a signal, and of carrying out its order on paper."""
    with server() as started, migrated(started.dsn()) as database:
        world = World(started.dsn(), database=database)
        world.both_markets()
        agent = world.agent()
        world.follow(agent)
        routes = timed(lambda: take_signal(signal(agent), world.deps), MEASURED, 0)
        tickets = [world.queues.orders.popleft() for _ in range(MEASURED)]
        left = iter(tickets)
        orders = timed(lambda: take_order(next(left).id, world.deps), MEASURED, 0)
    return [each / 1000 for each in routes], [each / 1000 for each in orders]


def main() -> None:
    """One line for each installation."""
    routes, orders = measured()
    told("service time: route a signal", [each * 1000 for each in routes], "ms")
    told("service time: an order on paper", [each * 1000 for each in orders], "ms")
    for setting in SETTINGS:
        carried = model(setting, statistics.fmean(routes), statistics.fmean(orders))
        rate = simulated(setting, carried * 1.1, routes, orders)
        name = f"capacity, {setting.name}"
        told(name, [rate], "signals/s", baseline=carried, model=round(carried, 2))


if __name__ == "__main__":
    main()
