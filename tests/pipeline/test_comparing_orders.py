"""Comparing and our own orders: what a booking does to them, and what they do is not booked again.

Nothing is compared while an order of ours is under way, or has only just ended.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

import pytest

from agent_where.comparing import Compared, compare
from agent_where.domain import Side
from agent_where.errors import QueueUnavailable
from agent_where.reconciling import reconcile
from agent_where.store.records import OrderTicket
from agent_where.venues.base import AccountFill, OpenPosition
from tests.netting import NettingVenue, NettingWorld, netting_world
from tests.pipeline.comparing_world import MARKET, STOP, UNDONE, Silent, stands, unexplained


@pytest.fixture
def world(database_dsn: str) -> Iterator[NettingWorld]:
    with netting_world(database_dsn) as made:
        yield made


# What follows from a booking


def test_bounds_of_a_position_that_the_user_closed_are_voided_and_taken_back(
    world: NettingWorld,
) -> None:
    wallet = world.user()
    agent = world.follower(wallet)
    world.buy(agent, "2", **STOP)
    world.place.by_hand(wallet, MARKET, Side.SHORT, "2")
    world.close(agent)  # planned, and not carried out yet
    world.queues.orders.clear()

    world.compare()
    world.work()

    stop, close = world.order("STOP_LOSS"), world.order("CLOSE")
    assert world.place.orders[stop["id"]].status == "canceled"
    assert stop["status"] == "REJECTED"
    assert (close["status"], close["refusal"]) == ("REJECTED", "NOTHING_TO_CLOSE")
    assert close["detail"] == "the position was closed at the venue: USER"
    assert world.rows("SELECT FROM venue_orders WHERE settled_at IS NULL") == []


class Away(list[OrderTicket]):
    """A queue of orders that takes none."""

    def append(self, ticket: OrderTicket) -> None:
        raise QueueUnavailable("the queue is away")


def test_bounds_are_taken_back_all_the_same_when_the_queue_was_away(world: NettingWorld) -> None:
    wallet = world.user()
    world.buy(world.follower(wallet), "2", **STOP)
    world.place.by_hand(wallet, MARKET, Side.SHORT, "2")
    there = world.queues.orders
    world.queues.orders = Away()  # type: ignore[assignment]

    done = world.compare()

    assert (done.booked, done.queue_fault) == (1, "the queue is away")
    world.queues.orders = there
    reconcile(world.deps, seconds=30)
    assert world.place.orders[world.order("STOP_LOSS")["id"]].status == "canceled"


def test_an_agent_s_close_takes_what_the_user_has_left(world: NettingWorld) -> None:
    wallet = world.user()
    agent = world.follower(wallet)
    position = world.buy(agent, "2")
    world.place.by_hand(wallet, MARKET, Side.SHORT, "0.5")

    world.close(agent)
    world.work()  # at the venue only 1.5 are left to close
    world.come_due()
    world.compare()

    row = world.position(position)
    assert stands(world, position) == ("CLOSED", 0, "USER", "USER")
    assert (row["exit_price"], row["fees_usd"]) == (100, 400 * Decimal("0.00045"))
    assert world.place.held(wallet, MARKET) == 0


# Orders of ours


def test_a_stop_that_fired_is_settled_by_its_own_order_and_not_booked_twice(
    world: NettingWorld,
) -> None:
    wallet = world.user()
    position = world.buy(world.follower(wallet), "2", **STOP)
    stop = world.order("STOP_LOSS")["id"]
    world.place.prices[MARKET] = Decimal(79)
    world.place.fire(stop)

    done = world.compare()

    assert done == UNDONE
    assert [ticket.id for ticket in world.queues.orders] == [stop]
    world.work()
    assert stands(world, position) == ("CLOSED", 0, "TRIGGER", "STOP_LOSS")
    assert world.compare() == Compared()
    assert world.closures() == []


def test_a_stop_that_took_more_than_its_own_position_took_it_from_the_next(
    world: NettingWorld,
) -> None:
    """The user closed what was the first's; its stop, still at the venue, closed the second's."""
    wallet = world.user()
    first = world.buy(world.follower(wallet), "1", **STOP)
    stop = world.order("STOP_LOSS")["id"]
    second = world.buy(world.follower(wallet), "1")
    world.place.by_hand(wallet, MARKET, Side.SHORT, "0.75")
    world.compare()
    assert stands(world, first) == ("OPEN", Decimal("0.25"), None, None)
    world.place.prices[MARKET] = Decimal(79)
    world.place.fire(stop)
    assert world.place.held(wallet, MARKET) == Decimal("0.25")

    world.compare()
    world.work()
    world.compare()

    assert world.order("STOP_LOSS")["status"] == "FILLED"
    assert stands(world, first) == ("CLOSED", 0, "TRIGGER", "STOP_LOSS")
    assert stands(world, second) == ("OPEN", Decimal("0.25"), None, None)
    fees = sum(trade.fee for trade in world.place.trades)
    assert sum(row["fees_usd"] for row in world.positions()) == fees
    assert sum(row["pnl"] for row in world.positions()) == -21 - fees


def test_a_stop_of_a_closed_position_that_fires_before_it_is_taken_back_still_ends(
    world: NettingWorld,
) -> None:
    wallet = world.user()
    first = world.buy(world.follower(wallet), "1", **STOP)
    stop = world.order("STOP_LOSS")["id"]
    second = world.buy(world.follower(wallet), "1")
    world.place.by_hand(wallet, MARKET, Side.SHORT, "1")
    world.compare()
    world.place.fire(stop)

    world.work()
    world.compare()

    assert world.order("STOP_LOSS")["status"] == "FILLED"
    assert stands(world, first) == ("CLOSED", 0, "USER", "USER")
    assert stands(world, second) == ("CLOSED", 0, "TRIGGER", "STOP_LOSS")


def test_where_an_order_is_in_flight_nothing_is_compared(world: NettingWorld) -> None:
    wallet = world.user()
    agent = world.follower(wallet)
    position = world.buy(agent, "2")
    place, world.place = world.place, Silent(world.place)
    world.close(agent)
    world.work()
    assert place.held(wallet, MARKET) == 0

    assert world.compare() == UNDONE

    assert stands(world, position) == ("OPEN", 2, None, None)
    assert world.account_row(wallet)["agreed_at"] is None
    world.place = place
    reconcile(world.deps, seconds=30)
    assert stands(world, position) == ("CLOSED", 0, "SIGNAL", "CLOSE")
    assert world.closures() == []


class Behind(NettingVenue):
    """A venue whose answers do not show yet what has happened."""

    def __init__(self, place: NettingVenue) -> None:
        self.__dict__ = place.__dict__.copy()  # the same books
        self._net_then, self._trades_then = place.net.copy(), list(place.trades)

    def positions(self, account: str) -> Sequence[OpenPosition]:
        now, self.net = self.net, self._net_then
        told = super().positions(account)
        self.net = now
        return told

    def fills(self, account: str, since: datetime) -> Sequence[AccountFill]:
        now, self.trades = self.trades, self._trades_then
        told = super().fills(account, since)
        self.trades = now
        return told


def test_what_an_order_of_ours_does_is_not_missed_while_the_venue_is_behind(
    world: NettingWorld,
) -> None:
    """While it is in flight, and right after it ended."""
    wallet = world.user()
    agent = world.follower(wallet)
    position = world.buy(agent, "2")
    world.pass_time()
    honest = world.place
    world.place = Behind(honest)
    world.buy(agent, "1")
    assert compare(world.deps, seconds=30) == UNDONE

    world.pass_time()
    world.place = SilentBehind(honest)
    world.close(agent)
    world.work()
    assert world.compare() == UNDONE
    assert unexplained(world) == 0
    assert stands(world, position) == ("OPEN", 2, None, None)


class SilentBehind(Silent):
    """Silent, and telling no trades."""

    def fills(self, account: str, since: datetime) -> Sequence[AccountFill]:
        return []


def test_what_an_older_position_s_exit_took_is_explained_by_what_came_before_the_next_one(
    world: NettingWorld,
) -> None:
    """The user sold the first; then the second was bought, and the first's close took that."""
    wallet = world.user()
    agent = world.follower(wallet)
    first = world.buy(agent, "1")
    world.pass_time(600)
    world.place.by_hand(wallet, MARKET, Side.SHORT, "1")
    world.pass_time(600)
    other = world.follower(wallet)
    second = world.buy(other, "1")
    world.close(agent)
    world.work()
    assert stands(world, first) == ("CLOSED", 0, "SIGNAL", "CLOSE")

    done = world.compare()

    assert (done.booked, done.unexplained) == (1, 0)
    assert stands(world, second) == ("CLOSED", 0, "USER", "USER")
