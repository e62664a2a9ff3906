"""Every state that can be reached, breadth first, and the shortest way to one that must not be."""

from collections import deque
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

S = TypeVar("S", bound=Hashable)


@dataclass
class Explored(Generic[S]):
    """What there is.

    Args:
        violation: what is wrong with the last state of `trace`; empty: nothing anywhere.
        trace: the shortest way there, step by step.
        stuck: states from which no rest can be reached.
    """

    states: int = 0
    steps: int = 0
    rests: int = 0
    violation: str = ""
    trace: list[str] = field(default_factory=list)
    stuck: int = 0


def explore(
    start: S,
    steps_of: Callable[[S], Iterable[tuple[str, S]]],
    fault_of: Callable[[S], str],
    is_rest: Callable[[S], bool],
) -> Explored[S]:
    """Walk all of it, or up to the first state that has a fault."""
    came_from: dict[S, tuple[S, str] | None] = {start: None}
    before: dict[S, list[S]] = {start: []}
    waiting, found, rests = deque([start]), Explored[S](), list[S]()
    while waiting:
        state = waiting.popleft()
        found.states += 1
        if fault := fault_of(state):
            return Explored(found.states, found.steps, found.rests, fault, _way(state, came_from))
        if is_rest(state):
            rests.append(state)
        for name, after in steps_of(state):
            found.steps += 1
            if after not in came_from:
                came_from[after] = state, name
                before[after] = []
                waiting.append(after)
            before[after].append(state)
    found.rests = len(rests)
    found.stuck = found.states - _can_rest(rests, before)
    return found


def _way(state: S, came_from: dict[S, tuple[S, str] | None]) -> list[str]:
    steps = []
    while step := came_from[state]:
        state, name = step
        steps.append(name)
    return steps[::-1]


def _can_rest(rests: list[S], before: dict[S, list[S]]) -> int:
    """How many states have a way to a rest."""
    seen, waiting = set(rests), list(rests)
    while waiting:
        for earlier in before[waiting.pop()]:
            if earlier not in seen:
                seen.add(earlier)
                waiting.append(earlier)
    return len(seen)
