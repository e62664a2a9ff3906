"""An account with more fills than an answer holds: all of them are told, or that they are not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from agent_where.errors import NotAllTold, VenueUnavailable
from agent_where.venues.hyperliquid.answers import FILL_ROWS, FillRow
from agent_where.venues.hyperliquid.fill_pages import PAGE, FillPages
from agent_where.venues.hyperliquid.markets import VENUE
from local.simulators.hyperliquid import reads
from tests.venues.hyperliquid_desk import NOW, USER, Desk, desk, order

AT = int(NOW.timestamp() * 1000)


@pytest.fixture
def bench() -> Iterator[Desk]:
    with desk() as made:
        made.trade(order())
        made.time.pass_seconds(1)
        yield made


def trade_by_hand(bench: Desk, count: int, *, every_ms: int = 100) -> None:
    """So many trades of the user's own, from the first second on, and the clock after them."""
    fills = bench.simulator.state.ledger.fills
    ours = fills.of(USER, AT)[0]
    own = replace(ours.order, oid=1, cloid=None)
    fills.rows += [
        replace(ours, order=own, at_ms=AT + 1000 + place * every_ms, tid=fills.next_tid())
        for place in range(count)
    ]
    bench.time.pass_seconds(count * every_ms // 1000 + 1)


def told(bench: Desk, seconds: int = 1) -> int:
    """How many fills since then, each counted once."""
    since = NOW + timedelta(seconds=seconds)
    return len({each.fill.venue_fill_id for each in bench.venue.fills(USER, since)})


def test_more_than_a_page_is_read_to_its_end(bench: Desk) -> None:
    trade_by_hand(bench, 4500)
    before = bench.requests("userFillsByTime")

    assert told(bench) == 4500
    assert bench.requests("userFillsByTime") - before == 3


def test_as_many_as_can_be_known_to_be_all_are_told_whole_once_they_are_read(bench: Desk) -> None:
    trade_by_hand(bench, 9999)

    with pytest.raises(NotAllTold, match="not all yet") as fault:
        told(bench)
    assert not fault.value.for_good
    bench.time.pass_seconds(61)

    assert told(bench) == 9999
    assert bench.requests("userFillsByTime") < 10, "what was read is not read again"


def test_as_many_as_the_venue_keeps_are_never_taken_for_all(bench: Desk) -> None:
    trade_by_hand(bench, 10_001)

    with pytest.raises(NotAllTold, match="not all yet"):
        told(bench)
    bench.time.pass_seconds(61)
    with pytest.raises(NotAllTold, match="10000 newest") as fault:
        told(bench)

    assert fault.value.for_good
    asked = bench.requests("userFillsByTime")
    for seconds in (0, 1):
        with pytest.raises(NotAllTold):
            told(bench, seconds)
    assert bench.requests("userFillsByTime") == asked, "what is gone stays gone"


def test_what_the_venue_has_dropped_is_no_matter_where_it_was_before(bench: Desk) -> None:
    trade_by_hand(bench, 12_000)

    assert told(bench, seconds=1101) == 1000


def test_more_in_one_millisecond_than_a_page_holds_are_never_taken_for_all(bench: Desk) -> None:
    trade_by_hand(bench, 2001, every_ms=0)

    with pytest.raises(NotAllTold) as fault:
        told(bench)

    assert fault.value.for_good


def test_a_long_answer_leaves_others_their_half_of_what_may_be_asked(bench: Desk) -> None:
    trade_by_hand(bench, 9999)
    with pytest.raises(NotAllTold):
        told(bench)

    for number in range(2, 22):
        assert bench.venue.fills(f"0x{number:040x}", NOW) == ()


def test_the_simulated_venue_keeps_the_ten_thousand_newest(bench: Desk) -> None:
    trade_by_hand(bench, 10_005)

    oldest, *_ = reads.fills(bench.simulator.state, USER, 0)

    assert oldest["time"] == AT + 1000 + 5 * 100


def row(number: int, at: int) -> FillRow:
    told = {"coin": "BTC", "px": "1", "sz": "1", "side": "B", "startPosition": "0", "fee": "0"}
    (made,) = FILL_ROWS.validate_python([{**told, "time": at, "oid": 1, "tid": number}])
    return made


class Kept:
    """A venue that tells fills by time, where it answers."""

    def __init__(self, rows: list[FillRow]) -> None:
        self.rows = rows
        self.answers = True
        self.answers_further = True

    def page(self, _account: str, start_ms: int) -> list[FillRow]:
        if not self.answers:
            raise VenueUnavailable(VENUE, "no answer")
        return sorted((r for r in self.rows if r.time >= start_ms), key=lambda r: r.time)[:PAGE]

    def go_on(self) -> None:
        self.answers = self.answers_further


@pytest.fixture
def venue() -> Kept:
    return Kept([row(place, 100_000 + place) for place in range(PAGE)])


def test_a_reading_that_broke_off_goes_on_where_it_was_and_misses_nothing_told_late(
    venue: Kept,
) -> None:
    pages = FillPages(venue.page, venue.go_on)
    venue.answers_further = False
    with pytest.raises(NotAllTold, match="no answer") as fault:
        pages.since(USER, 0)
    assert not fault.value.for_good

    venue.answers = venue.answers_further = True
    venue.rows += [row(9001, 101_000), row(9002, 200_000)]

    assert {each.trade_id for each in pages.since(USER, 0)} == {*range(PAGE), 9001, 9002}


def test_a_venue_that_does_not_answer_at_all_is_unavailable_for_everybody(venue: Kept) -> None:
    venue.answers = False

    with pytest.raises(VenueUnavailable) as fault:
        FillPages(venue.page, venue.go_on).since(USER, 0)

    assert not isinstance(fault.value, NotAllTold)
