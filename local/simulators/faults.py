"""How a simulated venue misbehaves, and towards which requests: data, no sockets.

A rule meets a request by its path and by its type, before or after the venue has carried it out.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

MAX_SECONDS = 60
MAX_TIMES = 1000
_MAX_RULES = 100


class Fault(StrEnum):
    """How the venue fails until told otherwise."""

    SERVER_ERROR = "500"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    TOO_MANY = "429"
    HANG = "hang"
    DELAY = "delay"
    DROP = "drop"
    CUT = "cut"
    TRUNCATED = "truncated"
    GARBAGE = "garbage"
    EMPTY = "empty"
    HALF = "half"


LISTINGS = frozenset({Fault.EMPTY, Fault.HALF})
"""What happens to a list inside an answer, so it cannot meet one request alone."""
_NEED_AN_ANSWER = frozenset({Fault.CUT, Fault.TRUNCATED})
_AFTER_THE_FACT = frozenset({Fault.CUT, Fault.TRUNCATED, Fault.GARBAGE})


class BadControl(Exception):
    """A control request that cannot be carried out, in one sentence."""


@dataclass
class Rule:
    """One way to fail.

    Args:
        processed: True carries the request out first and spoils its answer; False never does,
            except that a delay is only late.
        path: the requests it meets; None is any.
        kind: the type of the action or of the info asked for; None is any.
        skip: so many that fit go through first.
        times: so many it meets afterwards; None is all of them.
    """

    fault: Fault
    processed: bool
    path: str | None = None
    kind: str | None = None
    seconds: float = 0
    skip: int = 0
    times: int | None = None

    def meets(self, path: str, kind: str | None) -> bool:
        """Whether it fits and its turn has come; counts the request."""
        if self.path not in (None, path) or self.kind not in (None, kind) or self.times == 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.times is not None:
            self.times -= 1
        return True

    def told(self) -> dict[str, Any]:
        """As JSON would have it, with what is left of its turns."""
        return {
            "mode": self.fault,
            "processed": self.processed,
            "path": self.path,
            "type": self.kind,
            "seconds": self.seconds,
            "skip": self.skip,
            "times": self.times,
        }


@dataclass
class Rules:
    """The rules in force; of several that fit, the oldest meets the request."""

    in_force: list[Rule] = field(default_factory=list)

    def add(self, rule: Rule) -> None:
        """Put one at the end. Raises BadControl when there are too many."""
        if len(self.in_force) >= _MAX_RULES:
            raise BadControl(f"there are {_MAX_RULES} rules already")
        self.in_force.append(rule)

    def met(self, path: str, body: bytes) -> Rule | None:
        """The rule that meets a request, if any does; one that is used up is forgotten."""
        if not self.in_force:
            return None
        kind = kind_of(body)
        found = next((rule for rule in self.in_force if rule.meets(path, kind)), None)
        self.in_force = [rule for rule in self.in_force if rule.times != 0]
        return found


def kind_of(body: bytes) -> str | None:
    """The type of the action in a body, else of the body itself, else a JSON-RPC call's method."""
    try:
        asked = json.loads(body)
    except ValueError:
        return None
    match asked:
        case {"action": {"type": str(kind)}} | {"type": str(kind)} | {"method": str(kind)}:
            return kind
        case _:
            return None


def fault_of(value: object) -> Fault:
    """A fault by its name. Raises BadControl."""
    try:
        return Fault(str(value))
    except ValueError as fault:
        raise BadControl(f"mode is one of {', '.join(Fault)}, or null") from fault


def rule_of(asked: Mapping[str, Any]) -> Rule:
    """A rule from the body of a control request. Raises BadControl."""
    fault = fault_of(asked.get("mode"))
    if fault in LISTINGS:
        raise BadControl(f"{fault} is for the whole venue, until null")
    processed = asked.get("processed", fault in _AFTER_THE_FACT)
    if not isinstance(processed, bool):
        raise BadControl("processed is true or false")
    if fault in _NEED_AN_ANSWER and not processed:
        raise BadControl(f"{fault} needs an answer to spoil")
    if fault is Fault.DELAY and "seconds" not in asked:
        raise BadControl("a delay needs its seconds")
    return Rule(
        fault,
        processed,
        path=_word(asked, "path"),
        kind=_word(asked, "type"),
        seconds=seconds_of(asked.get("seconds", 0)),
        skip=_count(asked, "skip") or 0,
        times=_count(asked, "times"),
    )


def seconds_of(value: object) -> float:
    """Seconds within bounds. Raises BadControl."""
    try:
        seconds = Decimal(str(value))
    except InvalidOperation as fault:
        raise BadControl(f"{value!r} is no number of seconds") from fault
    if not seconds.is_finite() or not 0 <= seconds <= MAX_SECONDS:
        raise BadControl(f"seconds are from 0 to {MAX_SECONDS}, not {value!r}")
    return float(seconds)


def _word(asked: Mapping[str, Any], name: str) -> str | None:
    value = asked.get(name)
    if value is None or isinstance(value, str):
        return value
    raise BadControl(f"{name} is a word or null, not {value!r}")


def _count(asked: Mapping[str, Any], name: str) -> int | None:
    value = asked.get(name)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_TIMES:
        return value
    raise BadControl(f"{name} is a number from 0 to {MAX_TIMES}, not {value!r}")
