"""What a process remembers for a while: a bounded number of things, each until it is too old."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

_K = TypeVar("_K")
_V = TypeVar("_V")
_MOST: Final = 1000


class Recent(Generic[_K, _V]):
    """A memory of the latest thousand.

    Args:
        lasts: how old something may be.
        clock: aware UTC.
    """

    def __init__(self, lasts: timedelta, clock: Callable[[], datetime]) -> None:
        self._lasts = lasts
        self._clock = clock
        self._kept: dict[_K, tuple[datetime, _V]] = {}

    def put(self, key: _K, value: _V) -> None:
        """Remember it, in place of what was there."""
        self._kept.pop(key, None)
        self._kept[key] = (self._clock(), value)
        if len(self._kept) > _MOST:
            del self._kept[next(iter(self._kept))]

    def get(self, key: _K) -> _V | None:
        """What was put there, if that is not too long ago."""
        at, value = self._kept.get(key, (None, None))
        if at is None or self._clock() - at > self._lasts:
            return None
        return value

    def take(self, key: _K) -> _V | None:
        """The same, and forget it."""
        value = self.get(key)
        self._kept.pop(key, None)
        return value
