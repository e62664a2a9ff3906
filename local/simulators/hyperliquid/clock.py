"""The simulator's time: a clock of the caller's, and what a test has moved it by."""

from collections.abc import Callable
from datetime import datetime, timedelta

from local.simulators.hyperliquid.figures import milliseconds


class Clock:
    """Tells the caller's time plus an offset."""

    def __init__(self, base: Callable[[], datetime]) -> None:
        self._base = base
        self._offset = timedelta()

    def now(self) -> datetime:
        return self._base() + self._offset

    def milliseconds(self) -> int:
        """Since 1970."""
        return milliseconds(self.now())

    def move(self, seconds: float) -> None:
        """Forward, or back where negative."""
        self._offset += timedelta(seconds=seconds)

    def reset(self) -> None:
        """Tell the caller's time again."""
        self._offset = timedelta()
