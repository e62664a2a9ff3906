"""`make faults`: many scenarios, each judged; a violation is told with what replays it.

`--scenario drawn`: from seeds, 200 unless told otherwise; `--seed 7 --count 1 --log` tells all that
happened in one. `crashes`: one signal whose worker dies at each of its points in turn. `points`:
every single fault at each point in turn, or some of them, as with `--kind freeze --at exchange`.
`onchain`, `onchain-crashes` and `onchain-points`: with the second venue's own adapter and a chain.
`load`: 200 wallets on paper by the real clock, `--rate` signals a second for `--seconds`. `live`:
the same with 16 wallets at the simulated venues.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Protocol

from tests.faults.faulting import LASTING, Fault, Faults, Kind, NoFaults, OneFault, possible
from tests.faults.house import House
from tests.faults.load import Plan, faults_of, load
from tests.faults.onchain_scenarios import drawn_onchain, one_signal_onchain
from tests.faults.onchain_stage import OnchainHouse, OnchainStage
from tests.faults.onchain_trouble import BROADCAST, OneTrouble, Trouble
from tests.faults.points import Point
from tests.faults.runtime import HarnessFault
from tests.faults.scenarios import Verdict, drawn, one_signal
from tests.faults.stage import Stage, staged

FREEZES = (25.0, 70.0, 700.0)
"""Past the function's time-out, past the lease and the visibility, past every expiry; seconds."""
LONGEST_LOAD_SECONDS = 600.0
_ENOUGH = 20
"""Scenarios, of which some must have traded."""


@dataclass(frozen=True)
class Case:
    """One scenario to play. `name` says what replays it."""

    name: str
    play: Callable[[Stage], Verdict]


@dataclass
class Tally:
    """What a shard has seen. `broken`: where the harness itself failed, and nothing was judged."""

    scenarios: int = 0
    points: int = 0
    deaths: int = 0
    entries: int = 0
    struck: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def is_idle(self) -> bool:
        """Whether so little was traded that what was judged says nothing."""
        return self.scenarios >= _ENOUGH and self.entries < self.scenarios // 2

    def add(self, name: str, verdict: Verdict) -> None:
        director = verdict.director
        self.scenarios += 1
        self.points += director.points
        self.deaths += director.deaths
        self.entries += verdict.entries
        self.struck.update(str(kind) for kind in director.struck.elements())
        self.violations += [f"{name}: {words}" for words in verdict.violations]

    def join(self, other: "Tally") -> None:
        self.scenarios += other.scenarios
        self.points += other.points
        self.deaths += other.deaths
        self.entries += other.entries
        self.struck += other.struck
        self.violations += other.violations
        self.broken += other.broken


class OneSignal(Protocol):
    """Plays the one signal on a stage."""

    def __call__(self, stage: Stage, faults: Faults) -> Verdict: ...


class DrawnFrom(Protocol):
    """Plays what a seed draws on a stage."""

    def __call__(self, stage: Stage, seed: int) -> Verdict: ...


def seeds(first: int, count: int, play: DrawnFrom = drawn) -> list[Case]:
    """Scenarios drawn from as many seeds."""
    return [Case(f"SEED={n}", partial(play, seed=n)) for n in range(first, first + count)]


def deaths(points: list[Point], play: OneSignal = one_signal) -> Iterator[Case]:
    """The one signal, with a worker that dies at each point in turn."""
    return (_single(number, Fault(Kind.DIE), play) for number in range(1, len(points) + 1))


def singles(points: list[Point], kind_of: str, at: str) -> Iterator[Case]:
    """The one signal, with every single fault at each point in turn.

    Args:
        kind_of: only faults of this kind; empty is any.
        at: only at points with this in their name.
    """
    for number, point in enumerate(points, start=1):
        for kind in sorted(set(possible(point)) if at in point[2] else ()):
            if kind_of not in ("", kind):
                continue
            lasts = FREEZES if kind is Kind.FREEZE else (180.0 if kind in LASTING else 0.0,)
            yield from (_single(number, Fault(kind, seconds)) for seconds in lasts)


def meetings(points: list[Point], kind_of: str, at: str) -> Iterator[Case]:
    """The one signal on a chain, with each of a chain's troubles where its node is asked.

    Args:
        kind_of: only this trouble; empty is any.
        at: only at questions with this in their name; empty is a broadcast.
    """
    name = at or BROADCAST
    met = sum(point[1] == "http" and name in point[2] for point in points)
    for trouble in (each for each in Trouble if kind_of in ("", each)):
        for number in range(1, met + 1):
            play = partial(one_signal_onchain, faults=NoFaults())
            meets = OneTrouble(trouble, number, name)
            yield Case(f"{trouble} at {name} {number}", partial(play, troubles=meets))


def _single(number: int, fault: Fault, play: OneSignal = one_signal) -> Case:
    return Case(f"{fault} at point {number}", partial(play, faults=OneFault(number, fault)))


def points_of(house: House, play: OneSignal = one_signal) -> list[Point]:
    """Every point that the one signal comes to when all goes well."""
    with stage_in(house) as stage:
        counting = OneFault(0, Fault(Kind.DIE))
        verdict = play(stage, faults=counting)
    if verdict.violations:
        raise HarnessFault(f"without any fault: {verdict.violations}")
    return counting.points


def stage_in(house: House) -> AbstractContextManager[Stage]:
    """A stage of the kind that the house is for."""
    return staged(house, OnchainStage if isinstance(house, OnchainHouse) else Stage)


def house_for(scenario: str, folder: Path) -> House:
    """What the scenario happens in; only what has a chain starts one."""
    return OnchainHouse(folder) if scenario.startswith("onchain") else House(folder)


def cases_of(house: House, options: argparse.Namespace) -> list[Case]:
    """What a scenario's name stands for: so many from the first on, of points else all."""
    first, count = options.seed, options.count
    match options.scenario:
        case "drawn":
            return seeds(first, 200 if count is None else count)
        case "crashes":
            return list(deaths(points_of(house)))[first - 1 :][:count]
        case "points":
            every = singles(points_of(house), options.kind, options.at)
            return list(every)[first - 1 :][:count]
        case "onchain":
            return seeds(first, 20 if count is None else count, drawn_onchain)
        case "onchain-crashes":
            found = points_of(house, one_signal_onchain)
            return list(deaths(found, one_signal_onchain))[first - 1 :][:count]
        case "onchain-points":
            every = meetings(points_of(house, one_signal_onchain), options.kind, options.at)
            return list(every)[first - 1 :][:count]
        case "calm":
            return [Case("no fault", partial(one_signal, faults=NoFaults()))]
        case _:
            raise HarnessFault(f"there is no scenario {options.scenario!r}")


def play(options: argparse.Namespace, shard: int) -> Tally:
    """This shard's part of all cases, in a house of its own."""
    tally = Tally()
    with tempfile.TemporaryDirectory(prefix="agent-where-faults-") as folder:
        house = house_for(options.scenario, Path(folder))
        try:
            every = cases_of(house, options)
            until = time.monotonic() + options.seconds
            for case in every[shard :: options.shards]:
                if time.monotonic() > until:
                    break
                _play_one(house, case, tally, log=options.log)
        finally:
            house.close()
    return tally


def _play_one(house: House, case: Case, tally: Tally, *, log: bool) -> None:
    try:
        with stage_in(house) as stage:
            verdict = case.play(stage)
    except HarnessFault as fault:
        tally.broken.append(case.name)
        print(f"NOT JUDGED {case.name}: {fault}", flush=True)
        return
    tally.add(case.name, verdict)
    if log:
        print("\n".join(verdict.director.log), flush=True)
    for words in verdict.violations:
        print(f"VIOLATION {case.name}: {words}", flush=True)
    if tally.scenarios % 50 == 0:
        print(f"{tally.scenarios} scenarios, {len(tally.violations)} violations", flush=True)


def _load(options: argparse.Namespace) -> list[str]:
    """What of it must not be."""
    seconds, is_live = min(options.seconds, LONGEST_LOAD_SECONDS), options.scenario == "live"
    plan = Plan(options.rate, seconds, wallets=16 if is_live else 200, is_live=is_live)
    with tempfile.TemporaryDirectory(prefix="agent-where-faults-") as folder:
        house = House(Path(folder))
        try:
            told = load(house, plan, options.seed)
        finally:
            house.close()
    print(json.dumps(told))
    return faults_of(told)


def main() -> None:
    parser = argparse.ArgumentParser(description="the fault campaign")
    parser.add_argument(
        "--scenario",
        default="drawn",
        help="drawn, crashes, points, onchain, onchain-crashes, onchain-points, calm, load, live",
    )
    parser.add_argument("--seed", type=int, default=1, help="the first seed, or point")
    parser.add_argument("--count", type=int, default=None, help="how many of them")
    parser.add_argument("--kind", default="", help="points: faults of this kind alone")
    parser.add_argument("--at", default="", help="points: those with this in their name alone")
    parser.add_argument("--shards", type=int, default=2, help="how many at once")
    parser.add_argument("--seconds", type=float, default=86_400.0, help="begin none after these")
    parser.add_argument("--log", action="store_true", help="tell all that happened")
    parser.add_argument("--rate", type=float, default=15.0, help="load: signals a second")
    options = parser.parse_args()
    if options.scenario in ("load", "live"):
        sys.exit("\n".join(_load(options)) or 0)
    began = time.monotonic()
    whole = Tally()
    with ProcessPoolExecutor(options.shards) as pool:
        for tally in pool.map(partial(play, options), range(options.shards)):
            whole.join(tally)
    told = {
        "scenario": options.scenario,
        "scenarios": whole.scenarios,
        "violations": len(whole.violations),
        "not_judged": len(whole.broken),
        "points": whole.points,
        "deaths": whole.deaths,
        "entries": whole.entries,
        "faults": dict(sorted(whole.struck.items())),
        "seconds": round(time.monotonic() - began),
    }
    print(json.dumps(told))
    if whole.is_idle:
        sys.exit(f"{whole.entries} entries in {whole.scenarios} scenarios: next to nothing traded")
    sys.exit(bool(whole.violations or whole.broken))


if __name__ == "__main__":
    main()
