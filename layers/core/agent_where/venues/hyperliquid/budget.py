"""How much may be asked of the venue: its limit is on the weight of requests per minute and IP.

One process can only know of itself, so it keeps to a part of the limit, and stops for some seconds
when the venue says 429. What is not asked is VenueUnavailable before a byte has left.
"""

import logging
from collections import deque
from collections.abc import Callable
from typing import Final

from agent_where.errors import VenueUnavailable
from agent_where.venues.hyperliquid.markets import VENUE
from agent_where.venues.tally import Said, Tally

logger = logging.getLogger(__name__)

VENUE_WEIGHT_PER_MINUTE: Final = 1200
"""The venue's limit, for all processes behind one IP together; documented."""
COOL_DOWN_SECONDS: Final = 15
CODE: Final = "RATE_LIMITED"

_WINDOW_SECONDS: Final = 60
_KEPT_FOR_SENDING: Final = 60
"""What reads leave of the budget, so that what was read can still be acted on."""


class Budget:
    """The weight of the last minute.

    Args:
        per_minute: the most this process may use.
        clock: seconds, monotonic.
        tally: counts what the venue refused.
    """

    def __init__(self, per_minute: int, *, clock: Callable[[], float], tally: Tally) -> None:
        self._per_minute = per_minute
        self._clock = clock
        self._tally = tally
        self._spent: deque[tuple[float, int]] = deque()
        self._not_before = clock()
        self.refusals = 0
        """How often the venue has said 429."""

    def read(self, weight: int) -> None:
        """Before a read. Raises VenueUnavailable."""
        self._spend(weight, self._per_minute - _KEPT_FOR_SENDING)

    def spare(self, weight: int) -> None:
        """Before going on with a long answer: half is left to others. Raises VenueUnavailable."""
        self._room(weight, self._per_minute // 2)

    def send(self, weight: int) -> None:
        """Before a send. Raises VenueUnavailable."""
        self._spend(weight, self._per_minute)

    def count(self, weight: int) -> None:
        """After an answer that cost more than was known before it."""
        self._spent.append((self._clock(), weight))

    def refused(self) -> None:
        """The venue said 429: ask nothing for a while."""
        self.refusals += 1
        self._tally.add(VENUE, Said.TOO_MANY_REQUESTS)
        self._not_before = self._clock() + COOL_DOWN_SECONDS
        logger.warning(
            "%s: 429, the %d. of this process; nothing is asked for %d s",
            VENUE,
            self.refusals,
            COOL_DOWN_SECONDS,
        )

    def _spend(self, weight: int, most: int) -> None:
        self._spent.append((self._room(weight, most), weight))

    def _room(self, weight: int, most: int) -> float:
        """The time, if there is room for it by then."""
        now = self._clock()
        if now < self._not_before:
            raise _too_much(f"it said 429; nothing is asked for {self._not_before - now:.0f} s")
        while self._spent and self._spent[0][0] <= now - _WINDOW_SECONDS:
            self._spent.popleft()
        spent = sum(each for _, each in self._spent)
        if spent + weight > most:
            raise _too_much(f"a weight of {spent} in the last minute leaves no {weight} of {most}")
        return now


def _too_much(detail: str) -> VenueUnavailable:
    return VenueUnavailable(VENUE, detail, code=CODE)
