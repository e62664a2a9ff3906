"""A venue that nets and does not tell all trades of those who trade very much."""

from collections.abc import Sequence
from datetime import datetime

from agent_where.errors import NotAllTold
from agent_where.venues.base import AccountFill
from tests.netting import NettingVenue


class Busy(NettingVenue):
    """Another venue with the same books.

    Args:
        busy: the accounts of which it does not tell all.
        for_good: whether it never will.
    """

    def __init__(self, place: NettingVenue, *busy: str, for_good: bool = True) -> None:
        self.__dict__ = place.__dict__.copy()
        self._busy = busy
        self._for_good = for_good

    def fills(self, account: str, since: datetime) -> Sequence[AccountFill]:
        if account in self._busy:
            raise NotAllTold(self.id, "more fills than it tells", for_good=self._for_good)
        return super().fills(account, since)
