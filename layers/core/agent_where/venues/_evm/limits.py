"""When a host says that it was asked too much: it is left alone for some seconds.

What is not asked is VenueUnavailable before a byte has left.
"""

import logging
from collections.abc import Callable
from typing import Final

from agent_where.domain import VenueId
from agent_where.errors import VenueUnavailable

logger = logging.getLogger(__name__)

COOL_DOWN_SECONDS: Final = 15
CODE: Final = "RATE_LIMITED"
TOO_MANY: Final = 429


class CoolDown:
    """One host's patience.

    Args:
        what: the host's part, for messages.
        clock: seconds, monotonic.
    """

    def __init__(self, venue: VenueId, what: str, *, clock: Callable[[], float]) -> None:
        self._venue = venue
        self._what = what
        self._clock = clock
        self._not_before = clock()
        self.refusals = 0
        """How often the host has said that it was asked too much."""

    def check(self) -> None:
        """Before anything is asked or sent. Raises VenueUnavailable."""
        left = self._not_before - self._clock()
        if left > 0:
            detail = f"{self._what} said 429; nothing is asked for {left:.0f} s"
            raise VenueUnavailable(self._venue, detail, code=CODE)

    def refused(self) -> None:
        """The host said so: ask nothing for a while."""
        self.refusals += 1
        self._not_before = self._clock() + COOL_DOWN_SECONDS
        logger.warning(
            "%s: %s said 429, the %d. of this process; nothing is asked for %d s",
            self._venue,
            self._what,
            self.refusals,
            COOL_DOWN_SECONDS,
        )
