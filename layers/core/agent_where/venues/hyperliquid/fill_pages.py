"""An account's fills from a time on, page by page: all of them, or it says why not.

A page is the two thousand oldest from a time on, and the venue keeps an account's ten thousand
newest: who has found as many cannot know what is gone before them. (The documents, API,
`userFillsByTime`.) What is gone stays gone, so it is not asked for again. A reading that ends
early, for want of an answer or of weight, is gone on with when the same is asked for next: as far
as memory allows, which the one that was asked for longest ago leaves first.
"""

from collections.abc import Callable
from typing import Final

from agent_where.errors import NotAllTold, VenueUnavailable
from agent_where.venues.hyperliquid.answers import FillRow, time_of
from agent_where.venues.hyperliquid.markets import VENUE

PAGE: Final = 2000
KEPT: Final = 10_000
_MOST_PAGES: Final = 20
"""Beyond, they overlap so much that no end is to be expected; five and a bit are the rule."""
MOST_HELD: Final = 50_000
"""Rows of all readings that are begun, together: five at their longest, twenty-five of a page each.
A row takes 2.5 kB (measured, with its key), so they take 125 MB of a function's 512 at the least.
"""
_LATE_MS: Final = 15_000
"""How late a fill may be told: what is gone on with later begins so much before."""

Found = dict[tuple[int, int], FillRow]
Ask = Callable[[str, int], list[FillRow]]
"""A page: of which account, and from when on in ms."""


class _Reading:
    """How far one has come: all before `start` is found."""

    def __init__(self, since_ms: int) -> None:
        self.start = since_ms
        self.found: Found = {}
        self.pages = 0
        self.is_whole = False
        self.is_stuck = False

    @property
    def is_cut(self) -> bool:
        """Whether it can never be whole."""
        return self.is_stuck or len(self.found) >= KEPT

    def add(self, rows: list[FillRow]) -> None:
        self.pages += 1
        self.found |= {(row.order_id, row.trade_id): row for row in rows}
        self.is_whole = len(rows) < PAGE
        if not self.is_whole:
            newest = max(row.time for row in rows)
            self.is_stuck = newest <= self.start or self.pages >= _MOST_PAGES
            self.start = newest

    def go_back(self, since_ms: int) -> None:
        """What was told late is found when it is gone on with."""
        self.start = max(since_ms, self.start - _LATE_MS)


class FillPages:
    """Reads.

    Args:
        ask: for one page. Raises VenueUnavailable.
        go_on: before each further page of a call. Raises VenueUnavailable: later.
    """

    def __init__(self, ask: Ask, go_on: Callable[[], None]) -> None:
        self._ask = ask
        self._go_on = go_on
        self._begun: dict[tuple[str, int], _Reading] = {}
        self._cut: dict[str, int] = {}

    def since(self, account: str, since_ms: int) -> list[FillRow]:
        """Every one of the account's from then on.

        Raises:
            NotAllTold: the venue does not tell all of them, for good or not yet.
            VenueUnavailable: it cannot be asked.
        """
        if since_ms <= self._cut.get(account, -1):
            raise _not_all(account, since_ms)
        reading = self._begun.pop((account, since_ms), None) or _Reading(since_ms)
        self._read(account, since_ms, reading)
        if reading.is_cut:
            self._cut[account] = since_ms
            raise _not_all(account, since_ms)
        return list(reading.found.values())

    def _read(self, account: str, since_ms: int, reading: _Reading) -> None:
        before = reading.pages
        while not (reading.is_whole or reading.is_cut):
            try:
                if reading.pages > before:
                    self._go_on()
                rows = self._ask(account, reading.start)
            except VenueUnavailable as fault:
                if not reading.pages:
                    raise
                if reading.pages > before:
                    reading.go_back(since_ms)
                self._keep(account, since_ms, reading)
                raise NotAllTold(
                    VENUE,
                    f"{len(reading.found)} fills of {account} are read, and not all yet: "
                    f"{fault.detail}",
                    for_good=False,
                    code=fault.code,
                ) from None
            reading.add(rows)

    def _keep(self, account: str, since_ms: int, reading: _Reading) -> None:
        held = len(reading.found) + sum(len(each.found) for each in self._begun.values())
        while held > MOST_HELD and self._begun:
            held -= len(self._begun.pop(next(iter(self._begun))).found)
        self._begun[account, since_ms] = reading


def _not_all(account: str, since_ms: int) -> NotAllTold:
    return NotAllTold(
        VENUE,
        f"{account} has more fills since {time_of(since_ms):%Y-%m-%d %H:%M:%S} UTC than the venue "
        f"tells, which keeps the {KEPT} newest",
        for_good=True,
    )
