"""Which fault meets a process at a point, drawn from a seed or put there by number.

A fault at a point is one of: the process dies; it stands still for a while, as a frozen sandbox
does, and goes on as if nothing had been; the line to the database is cut, or the database is away
locked, full or moves; the venue, the signer or the queue fails.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Protocol

from tests.faults.points import Point


class Kind(StrEnum):
    """What goes wrong."""

    DIE = "die"
    FREEZE = "freeze"
    CUT_BEFORE = "cut before"
    CUT_HALFWAY = "cut halfway"
    LOSE_ANSWER = "lose answer"
    DATABASE_AWAY = "database away"
    LOCKED = "table locked"
    DROP = "drop"
    DROP_DONE = "drop, done"
    ERROR = "500"
    ERROR_DONE = "500, done"
    GATEWAY = "502, done"
    BUSY = "429"
    GARBAGE = "garbage"
    CUT_BODY = "cut"
    TRUNCATED = "truncated"
    VENUE_DOWN = "venue down"
    FAILOVER = "failover"
    READ_ONLY = "read-only, failover"
    POOL_FULL = "pool full"
    SIGNER_FAILS = "signer fails"
    SIGNER_LOSES = "signer loses answer"
    SIGNER_DOWN = "signer down"
    SIGNER_DENIES = "signer denies"
    QUEUE_REFUSES = "queue refuses"
    QUEUE_LOSES = "queue loses answer"


VENUE_RULES: Mapping[Kind, Mapping[str, object]] = MappingProxyType(
    {
        Kind.DROP: {"mode": "drop", "processed": False},
        Kind.DROP_DONE: {"mode": "drop", "processed": True},
        Kind.ERROR: {"mode": "500", "processed": False},
        Kind.ERROR_DONE: {"mode": "500", "processed": True},
        Kind.GATEWAY: {"mode": "502", "processed": True},
        Kind.BUSY: {"mode": "429", "processed": False},
        Kind.GARBAGE: {"mode": "garbage"},
        Kind.CUT_BODY: {"mode": "cut"},
        Kind.TRUNCATED: {"mode": "truncated"},
    }
)
_ANYWHERE = (Kind.DIE, Kind.DIE, Kind.DIE, Kind.FREEZE)
_BEFORE = MappingProxyType(
    {
        "db": (
            *(Kind.CUT_BEFORE, Kind.CUT_HALFWAY),
            *(Kind.LOSE_ANSWER, Kind.LOSE_ANSWER, Kind.DATABASE_AWAY, Kind.LOCKED),
            *(Kind.FAILOVER, Kind.READ_ONLY, Kind.POOL_FULL),
        ),
        "http": (*VENUE_RULES, Kind.DROP_DONE, Kind.VENUE_DOWN),
        "kms": (Kind.SIGNER_FAILS, Kind.SIGNER_LOSES, Kind.SIGNER_DOWN, Kind.SIGNER_DENIES),
        "queue": (Kind.QUEUE_REFUSES, Kind.QUEUE_LOSES),
    }
)
LASTING = frozenset(
    {
        *(Kind.FREEZE, Kind.DATABASE_AWAY, Kind.FAILOVER, Kind.READ_ONLY, Kind.POOL_FULL),
        *(Kind.VENUE_DOWN, Kind.SIGNER_DOWN, Kind.SIGNER_DENIES),
    }
)
"""What goes on for a while."""
_SECONDS = (1, 4, 16, 25, 58, 70, 100, 200, 700)


def possible(point: Point) -> tuple[Kind, ...]:
    """The kinds of fault that can meet a process at a point."""
    when, kind, _ = point
    return (*_ANYWHERE, *(_BEFORE.get(kind, ()) if when == "before" else ()))


@dataclass(frozen=True)
class Fault:
    """One fault. `seconds`: how long it lasts, where it lasts."""

    kind: Kind
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.kind} for {self.seconds:.0f} s" if self.seconds else str(self.kind)


class Faults(Protocol):
    """Says what goes wrong at a point."""

    def at(self, point: Point) -> Fault | None:
        """The fault that meets the process which waits there, or none."""
        ...


@dataclass
class NoFaults:
    """All goes well."""

    def at(self, point: Point) -> Fault | None:
        return None


@dataclass
class OneFault:
    """One fault at the nth point that is come to, counted from 1; 0 is never."""

    number: int
    fault: Fault
    seen: int = 0
    struck: Point | None = None
    points: list[Point] = field(default_factory=list)

    def at(self, point: Point) -> Fault | None:
        self.seen += 1
        self.points.append(point)
        if self.seen != self.number or self.fault.kind not in possible(point):
            return None
        self.struck = point
        return self.fault


@dataclass
class At:
    """One fault, the nth time that a point with this in its name is come to, counted from 1."""

    name: str
    fault: Fault
    number: int = 1
    seen: int = 0

    def at(self, point: Point) -> Fault | None:
        self.seen += self.name in point[2]
        is_its = self.name in point[2] and self.seen == self.number
        return self.fault if is_its else None


@dataclass
class Drawn:
    """Faults drawn with a share of all points, of some kinds, up to a number.

    Args:
        share: of points at which something goes wrong.
        kinds: what may.
    """

    rng: random.Random
    share: float
    kinds: frozenset[Kind]
    at_most: int

    @classmethod
    def from_seed(cls, rng: random.Random) -> "Drawn":
        """Alone or combined, seldom or often."""
        every = sorted(Kind)
        several = rng.choice((1, 2, 3, len(every)))
        return cls(
            rng,
            rng.choice((0.02, 0.04, 0.1)),
            frozenset(rng.sample(every, several)),
            rng.choice((1, 2, 4, 8, 20)),
        )

    def at(self, point: Point) -> Fault | None:
        if self.at_most == 0 or self.rng.random() >= self.share:
            return None
        fitting = [each for each in possible(point) if each in self.kinds]
        if not fitting:
            return None
        self.at_most -= 1
        kind = self.rng.choice(fitting)
        return Fault(kind, self.rng.choice(_SECONDS) if kind in LASTING else 0.0)
