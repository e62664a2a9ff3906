"""How long hosts took to answer, and how often in vain: counted here, told elsewhere.

A process keeps the newest calls until somebody takes them. Nothing is decided on them.
"""

from collections import deque
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

KEPT = 1000
"""The most calls that wait to be told; older ones are forgotten."""


class Asked(NamedTuple):
    """The calls of one host. `milliseconds`: of each, the ones without a usable answer included."""

    milliseconds: tuple[int, ...]
    faults: int


class Calls:
    """The calls of one process since they were last taken."""

    def __init__(self) -> None:
        self._kept: deque[tuple[str, int, bool]] = deque(maxlen=KEPT)

    def add(self, host: str, milliseconds: int, *, is_usable: bool) -> None:
        """Note one call that ended."""
        self._kept.append((host, milliseconds, is_usable))

    def take(self) -> Mapping[str, Asked]:
        """What was noted, by host; the next begins at none."""
        taken = [self._kept.popleft() for _ in range(len(self._kept))]
        return {
            host: Asked(
                tuple(took for at, took, _ in taken if at == host),
                sum(not usable for at, _, usable in taken if at == host),
            )
            for host in sorted({at for at, _, _ in taken})
        }


@cache
def calls() -> Calls:
    """This process's own."""
    return Calls()
