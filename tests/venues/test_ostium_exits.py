"""What keepers and users did with positions, found on a local chain by the adapter."""

import json
import time
from decimal import Decimal

import pytest

from agent_where.domain import Settled, Side
from agent_where.errors import VenueUnavailable
from agent_where.venues._http import JsonHttp
from agent_where.venues.base import Cause, Exit
from agent_where.venues.ostium.trading import OstiumVenue
from local.chain.venue import LocalVenue
from tests.venues.ostium_fixtures import chain, desk, place
from tests.venues.ostium_local import Desk, set_price, site, tell

__all__ = ("chain", "desk", "place")

UNIT = Decimal("0.000001")
DEPTH = 3


def gone(desk: Desk) -> None:
    """Wait until the keeper has ended what is open."""
    deadline = time.monotonic() + 10
    while desk.trades():
        assert time.monotonic() < deadline, "the keeper ended nothing"
        time.sleep(0.05)
    desk.place.mine(DEPTH)


def exits(desk: Desk, *opened: Settled, since: int | None) -> tuple[list[Exit], int]:
    held = [desk.held(each) for each in opened]
    found, cursor, unexplained = desk.venue.exits(desk.user, held, since)
    assert not unexplained
    assert cursor is not None
    return list(found), cursor


def now(desk: Desk, *opened: Settled) -> int:
    """A cursor after which nothing has happened yet."""
    desk.place.mine(DEPTH)
    found, cursor = exits(desk, *opened, since=None)
    assert not found
    return cursor


class NodeBehind(JsonHttp):
    """Several nodes under one address, of which that for logs is some blocks behind."""

    blocks = 0

    def post(self, url: str, body: bytes) -> object:
        asked, answer = json.loads(body), super().post(url, body)
        if not self.blocks or isinstance(asked, list) or not isinstance(answer, dict):
            return answer
        if asked["method"] == "eth_getLogs":
            known = self._head(url) - self.blocks
            logs = answer["result"]
            answer["result"] = [log for log in logs if int(log["blockNumber"], 16) <= known]
        return answer

    def _head(self, url: str) -> int:
        asked = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}
        answer = super().post(url, json.dumps(asked).encode())
        assert isinstance(answer, dict)
        return int(answer["result"], 16)


def behind(desk: Desk) -> NodeBehind:
    """The venue is read through this."""
    http = NodeBehind.within(5)
    desk.venue = OstiumVenue(site(desk.place), timeout_seconds=5, clock=desk.now, http=http)
    return http


def user_closes(desk: Desk, opened: Settled, share: int) -> None:
    pair, slot, _ = (int(part) for part in str(opened.position_ref).split(":"))
    price = int(desk.venue.quote(desk.market(), desk.now()).mid * 10**18)
    trading = desk.place.deployed.trading
    before = desk.money()
    desk.place.call(desk.user_key, trading, "closeTradeMarket", pair, slot, share, price, 1_000)
    deadline = time.monotonic() + 10
    while desk.money() <= before:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    desk.place.mine(DEPTH)


@pytest.mark.parametrize(
    ("side", "price", "cause"),
    [
        (Side.LONG, "72000", Cause.TAKE_PROFIT),
        (Side.LONG, "58000", Cause.STOP_LOSS),
        (Side.SHORT, "58000", Cause.TAKE_PROFIT),
        (Side.SHORT, "72000", Cause.STOP_LOSS),
    ],
)
def test_a_bound_that_the_keeper_carried_out_is_found_with_its_cause_and_its_money(
    desk: Desk, place: LocalVenue, side: Side, price: str, cause: Cause
) -> None:
    set_price(place, "65000")
    before = desk.money()
    near, far = (Decimal(60000), Decimal(70000))[:: side.sign]
    opened = desk.opened(side=side, stop_loss=near, take_profit=far, leverage=Decimal(5))
    since = now(desk, opened)

    set_price(place, price)
    gone(desk)
    found, cursor = exits(desk, opened, since=since)

    (told,) = found
    assert (told.cause, told.position_ref) == (cause, opened.position_ref)
    assert told.fill.size == opened.filled_size
    (entry,) = opened.fills
    earned = (told.fill.price - entry.price) * told.fill.size * side.sign
    assert abs(desk.money() - before - (earned - entry.fee_usd - told.fill.fee_usd)) <= 2 * UNIT
    assert exits(desk, opened, since=cursor) == ([], cursor)


def test_a_liquidation_takes_the_whole_collateral(desk: Desk, place: LocalVenue) -> None:
    set_price(place, "65000")
    before = desk.money()
    opened = desk.opened(leverage=Decimal(50))
    since = now(desk, opened)

    set_price(place, "63000")
    gone(desk)
    ((told,), _) = exits(desk, opened, since=since)

    assert told.cause in (Cause.LIQUIDATION, Cause.STOP_LOSS)
    (entry,) = opened.fills
    lost = (told.fill.price - entry.price) * told.fill.size - entry.fee_usd - told.fill.fee_usd
    assert abs(desk.money() - before - lost) <= 2 * UNIT


def test_a_close_by_the_users_own_hand_is_found(desk: Desk) -> None:
    opened = desk.opened()
    since = now(desk, opened)

    user_closes(desk, opened, 10_000)
    ((told,), _) = exits(desk, opened, since=since)

    assert told.cause is Cause.ORDER
    assert told.fill.size == opened.filled_size
    assert told.fill.venue_fill_id == told.venue_ref


def test_a_part_that_the_user_closed_is_found_and_the_rest_is_still_held(desk: Desk) -> None:
    opened = desk.opened()
    since = now(desk, opened)

    user_closes(desk, opened, 2_500)
    ((told,), cursor) = exits(desk, opened, since=since)
    assert abs(told.fill.size - opened.filled_size / 4) <= Decimal("1e-18")

    left = desk.held(opened, size=opened.filled_size - told.fill.size)
    assert desk.venue.exits(desk.user, [left], cursor).exits == ()
    user_closes(desk, opened, 10_000)
    ((rest,), *_) = desk.venue.exits(desk.user, [left], cursor)
    assert told.fill.size + rest.fill.size == opened.filled_size


def test_two_closes_between_two_looks_are_both_found_in_their_order(desk: Desk) -> None:
    opened = desk.opened()
    since = now(desk, opened)

    user_closes(desk, opened, 5_000)
    user_closes(desk, opened, 10_000)
    found, _ = exits(desk, opened, since=since)

    assert [int(each.venue_ref) for each in found] == sorted(int(each.venue_ref) for each in found)
    assert sum(each.fill.size for each in found) == opened.filled_size


def test_what_happened_before_the_cursor_is_found_all_the_same(desk: Desk) -> None:
    """The ledger may come to know of a position only after it is gone."""
    opened = desk.opened()
    user_closes(desk, opened, 10_000)
    desk.place.mine(50)
    _, late = exits(desk, since=None)

    ((told,), cursor) = exits(desk, opened, since=late - 10)

    assert told.position_ref == opened.position_ref
    assert cursor == late


def test_the_first_look_has_no_cursor_and_finds_it(desk: Desk) -> None:
    opened = desk.opened()
    user_closes(desk, opened, 10_000)

    ((told,), _) = exits(desk, opened, since=None)

    assert told.position_ref == opened.position_ref


def test_the_first_look_finds_a_part_that_was_closed_too(desk: Desk) -> None:
    opened = desk.opened()
    user_closes(desk, opened, 4_000)

    ((told,), _) = exits(desk, opened, since=None)

    assert abs(told.fill.size - opened.filled_size * 4 / 10) <= Decimal("1e-18")


def test_an_exit_is_not_told_before_it_is_deep_enough(desk: Desk, place: LocalVenue) -> None:
    opened = desk.opened()
    since = now(desk, opened)
    user_closes(desk, opened, 10_000)
    shallow = OstiumVenue(site(place, depth=200), timeout_seconds=5, clock=desk.now)

    held = [desk.held(opened)]
    place.mine(150)
    early = shallow.exits(desk.user, held, since)
    place.mine(200)
    ((told,), *_) = shallow.exits(desk.user, held, since)

    assert early[0] == ()
    assert told.cause is Cause.ORDER


def test_a_slot_that_another_trade_took_over_counts_as_gone(desk: Desk) -> None:
    first = desk.opened()
    since = now(desk, first)
    user_closes(desk, first, 10_000)
    second = desk.opened()
    desk.place.mine(DEPTH)

    found, _ = exits(desk, first, second, since=since)

    assert [each.position_ref for each in found] == [first.position_ref]


def test_many_blocks_are_searched_in_ranges_that_the_node_allows(
    desk: Desk, place: LocalVenue
) -> None:
    opened = desk.opened()
    since = now(desk, opened)
    place.mine(100)
    user_closes(desk, opened, 10_000)
    place.mine(100)
    tell(place, "rpc/log-range", blocks=32)

    ((told,), _) = exits(desk, opened, since=since)

    assert told.position_ref == opened.position_ref


def test_an_open_position_costs_no_search_of_logs(desk: Desk, place: LocalVenue) -> None:
    opened = desk.opened()
    since = now(desk, opened)
    asked = place.proxy.calls.get("eth_getLogs", 0)
    place.mine(20)

    found, cursor = exits(desk, opened, since=since)

    assert not found
    assert cursor > since
    assert place.proxy.calls.get("eth_getLogs", 0) == asked


def test_what_cannot_be_read_whole_tells_nothing(desk: Desk, place: LocalVenue) -> None:
    opened = desk.opened()
    since = now(desk, opened)
    user_closes(desk, opened, 10_000)
    tell(place, "rpc/refuse", method="eth_getLogs", message="upstream is away")

    with pytest.raises(VenueUnavailable):
        exits(desk, opened, since=since)


def test_a_trade_that_no_log_explains_is_told_and_looked_for_again(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    opened = desk.opened()
    since = now(desk, opened)
    stranger = desk.held(opened, position_ref="0:9:123456")

    desk.place.mine(5)
    found = desk.venue.exits(desk.user, [stranger], since)

    assert found == ([], None, ["0:9:123456"])
    assert "no log says what became of trade 0:9:123456" in caplog.text


@pytest.mark.parametrize("share", [5_000, 10_000])
def test_what_a_node_that_lags_gave_no_log_of_is_found_the_next_time(
    desk: Desk, share: int
) -> None:
    node = behind(desk)
    opened = desk.opened()
    since = now(desk, opened)
    user_closes(desk, opened, share)
    node.blocks = 40

    early = desk.venue.exits(desk.user, [desk.held(opened)], since)
    node.blocks = 0
    ((told,), _) = exits(desk, opened, since=since)

    assert early == ([], None, [opened.position_ref])
    assert abs(told.fill.size - opened.filled_size * share / 10_000) <= Decimal("1e-18")


def test_a_part_that_was_overlooked_is_found_though_the_cursor_is_past_it(desk: Desk) -> None:
    opened = desk.opened()
    user_closes(desk, opened, 5_000)
    desk.place.mine(30)
    late = desk.place.node.number("eth_blockNumber") - 10

    ((told,), _) = exits(desk, opened, since=late)

    assert abs(told.fill.size - opened.filled_size / 2) <= Decimal("1e-18")


def test_a_close_that_is_booked_explains_no_other(desk: Desk) -> None:
    """A part of a fifth and then a quarter of the rest are of one size."""
    opened = desk.opened()
    since = now(desk, opened)
    user_closes(desk, opened, 2_000)
    ((first,), _) = exits(desk, opened, since=since)
    left = desk.held(
        opened,
        size=opened.filled_size - first.fill.size,
        booked=frozenset({first.fill.venue_fill_id}),
    )
    node = behind(desk)
    booked_at = desk.place.node.number("eth_blockNumber")
    desk.place.mine(50)
    user_closes(desk, opened, 2_500)
    node.blocks = desk.place.node.number("eth_blockNumber") - booked_at

    early = desk.venue.exits(desk.user, [left], since)
    node.blocks = 0
    found = desk.venue.exits(desk.user, [left], since)

    assert early == ([], None, [opened.position_ref])
    (second,) = found.exits
    assert abs(second.fill.size - first.fill.size) <= Decimal("1e-18")
    assert not found.unexplained


def test_a_whole_close_ends_all_that_the_ledger_has_and_tells_of_what_was_closed_before(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    opened = desk.opened()
    since = now(desk, opened)
    user_closes(desk, opened, 10_000)
    more = opened.filled_size * 3 / 2

    found = desk.venue.exits(desk.user, [desk.held(opened, size=more)], since)

    assert [each.fill.size for each in found.exits] == [more]
    assert not found.unexplained
    assert "no log says what closed" in caplog.text


def test_a_whole_close_ends_what_rounding_left(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    opened = desk.opened()
    since = now(desk, opened)
    user_closes(desk, opened, 10_000)
    held = desk.held(opened, size=opened.filled_size + Decimal("1e-18"))

    found = desk.venue.exits(desk.user, [held], since)

    assert [each.fill.size for each in found.exits] == [held.size]
    assert "no log says" not in caplog.text


def test_what_lies_beyond_one_search_from_the_cursor_is_found_from_the_newest_block(
    desk: Desk, place: LocalVenue
) -> None:
    """The cursor stays as long as another position of the account has to wait."""
    desk.venue = OstiumVenue(site(place, log_blocks=16), timeout_seconds=5, clock=desk.now)
    opened = desk.opened()
    since = now(desk, opened)
    place.mine(51 * 16)
    user_closes(desk, opened, 10_000)

    found = desk.venue.exits(desk.user, [desk.held(opened)], since)

    assert [each.position_ref for each in found.exits] == [opened.position_ref]
    assert (found.cursor, found.unexplained) == (since + 50 * 16, [])


def test_a_close_of_ours_is_told_too_under_the_orders_own_id(desk: Desk) -> None:
    """The core knows which orders are its own: `venue_ref` names them."""
    opened = desk.opened()
    since = now(desk, opened)
    closed = desk.filled(desk.close_of(opened))
    desk.place.mine(DEPTH)

    ((told,), _) = exits(desk, opened, since=since)

    assert told.venue_ref == closed.fills[0].venue_fill_id
    assert told.fill.size == closed.filled_size


def test_a_whole_close_of_ours_ends_what_rounding_left(desk: Desk) -> None:
    opened = desk.opened()
    crumb = Decimal("1e-18")

    told = desk.filled(desk.close_of(opened, size=opened.filled_size + crumb))

    assert told.filled_size == opened.filled_size + crumb
