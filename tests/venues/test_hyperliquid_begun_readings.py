"""Long readings of many accounts that break off: each gets to its end, in bounded memory."""

import random
from collections import Counter

import pytest

from agent_where.errors import NotAllTold, VenueUnavailable
from agent_where.venues.hyperliquid.answers import FILL_ROWS, FillRow
from agent_where.venues.hyperliquid.fill_pages import MOST_HELD, PAGE, FillPages
from agent_where.venues.hyperliquid.markets import VENUE

SINCE = 1000
EVERY_MS = 100
EACH = 7800
TOLD = {"coin": "BTC", "px": "1", "sz": "1", "side": "B", "startPosition": "0", "fee": "0"}


@pytest.fixture(scope="module")
def rows() -> list[FillRow]:
    return FILL_ROWS.validate_python(
        [{**TOLD, "time": SINCE + n * EVERY_MS, "oid": 1, "tid": n} for n in range(EACH)]
    )


class Rationed:
    """A venue that tells every account the same, for so many pages until it is fed again.

    The last `spared` of them are for those who have read none of theirs in this turn.
    """

    def __init__(self, rows: list[FillRow], spared: int = 0) -> None:
        self.rows = rows
        self.left = 0
        self.spared = spared
        self.asked = Counter[str]()
        self.pages = FillPages(self._page, self._go_on)

    def read(self, account: str, pages: int) -> int | None:
        """How many it tells, with so many pages to spend. None: not all yet."""
        self.left = pages
        return self._count(account)

    def in_a_minute(self, accounts: list[str], pages: int) -> set[str]:
        """Those that are told whole, with so many pages to spend on all of them."""
        self.left = pages
        return {each for each in accounts if self._count(each) == EACH}

    def _count(self, account: str) -> int | None:
        try:
            return len(self.pages.since(account, SINCE))
        except NotAllTold as fault:
            if fault.for_good:
                raise
        except VenueUnavailable:
            pass
        return None

    def _go_on(self) -> None:
        if self.left <= self.spared:
            raise VenueUnavailable(VENUE, "the rest is for others")

    def _page(self, account: str, start_ms: int) -> list[FillRow]:
        if self.left == 0:
            raise VenueUnavailable(VENUE, "too much was asked")
        self.left -= 1
        self.asked[account] += 1
        first = -(-(start_ms - SINCE) // EVERY_MS)
        return self.rows[first : first + PAGE]


def test_many_busy_accounts_asked_in_any_order_are_each_read_to_their_end(
    rows: list[FillRow],
) -> None:
    venue, order = Rationed(rows, spared=1), random.Random(7)
    waiting = [f"0x{number}" for number in range(12)]

    for _minute in range(60):
        order.shuffle(waiting)
        whole = venue.in_a_minute(waiting, pages=3)
        waiting = [each for each in waiting if each not in whole]

    assert waiting == []
    assert venue.asked.total() <= 12 * 6, "what was read is not read again"


def test_beyond_what_memory_allows_the_reading_asked_for_longest_ago_begins_anew(
    rows: list[FillRow],
) -> None:
    venue = Rationed(rows)
    names = [f"0x{number}" for number in range(MOST_HELD // PAGE + 1)]
    for each in names:
        assert venue.read(each, pages=1) is None
    venue.asked.clear()

    first, second, *_, last = names
    assert [venue.read(each, pages=9) for each in (second, last, first)] == [EACH] * 3

    assert venue.asked[second] == venue.asked[last] < venue.asked[first]


def test_a_reading_that_is_put_off_again_and_again_loses_nothing_of_what_it_has(
    rows: list[FillRow],
) -> None:
    venue = Rationed(rows)
    venue.read("0x1", pages=3)
    for _minute in range(40):
        assert venue.read("0x1", pages=0) is None

    assert venue.read("0x1", pages=2) == EACH
