"""How often venues said what an operator should see counted. Not here: where it is told."""

from collections import Counter
from collections.abc import Mapping
from enum import StrEnum

from agent_where.domain import VenueId


class Said(StrEnum):
    """What is counted, each the name of its metric."""

    TOO_MANY_REQUESTS = "TooManyRequests"
    """It asked for less for a while, and gets it."""
    REQUESTS_USED_UP = "RequestsUsedUp"
    """It takes no more of an account, until that account has traded more."""


class Tally:
    """The counts of one process since they were last taken."""

    def __init__(self) -> None:
        self._counts = Counter[tuple[VenueId, Said]]()

    def add(self, venue: VenueId, said: Said) -> None:
        """Count one."""
        self._counts[venue, said] += 1

    def take(self) -> Mapping[tuple[VenueId, Said], int]:
        """What was counted; the next begins at none."""
        taken, self._counts = self._counts, Counter()
        return taken
