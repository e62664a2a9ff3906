"""What others do with our positions at the venue is booked, once, or told; never guessed."""

import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from agent_where.callers import EVERYTHING
from agent_where.comparing import Compared, compare
from agent_where.contract.queries import PositionsQuery
from agent_where.domain import Order, Settled, Side
from agent_where.errors import LeaseHeld, OutcomeUnknown, QueueUnavailable, VenueUnavailable
from agent_where.reconciling import reconcile, write_figures
from agent_where.store.records import OrderTicket
from agent_where.store.views import Views
from agent_where.venues.base import AccountFill, Action, Cause, OpenPosition, Standing
from tests.netting import NettingVenue, NettingWorld
from tests.world import World

MARKET = "BTC/USD"
STOP: dict[str, Any] = {"riskModel": {"stopLoss": "0.2"}}
UNDONE = Compared(accounts=1)


@pytest.fixture
def world(database_dsn: str) -> Iterator[NettingWorld]:
    made = NettingWorld(database_dsn)
    made.listed()
    yield made
    made.dispose()


class Meanwhile(NettingVenue):
    """A venue at which something happens right after it told its trades, or what is held."""

    def __init__(
        self, place: NettingVenue, what: Callable[[], object], *, after: str = "fills"
    ) -> None:
        self.__dict__ = place.__dict__.copy()  # the same books
        self._what = [what]
        self._after = after

    def positions(self, account: str) -> Sequence[OpenPosition]:
        told = super().positions(account)
        self._happens("positions")
        return told

    def fills(self, account: str, since: datetime) -> Sequence[AccountFill]:
        told = super().fills(account, since)
        self._happens("fills")
        return told

    def _happens(self, after: str) -> None:
        if self._after == after and self._what:
            self._what.pop()()


def stands(world: NettingWorld, position: UUID) -> tuple[object, ...]:
    row = world.position(position)
    return row["status"], row["open_qty"], row["closed_by"], row["exit_reason"]


def unexplained(world: NettingWorld) -> int:
    return int(write_figures(world.deps)["positionsUnexplained"])


# What is booked


def test_a_liquidation_closes_the_position_at_its_price_and_with_its_fee(
    world: NettingWorld,
) -> None:
    wallet = world.user()
    position = world.buy(world.follower(wallet), "3")
    world.place.prices[MARKET] = Decimal(60)
    world.place.liquidate(wallet, MARKET)

    done = world.compare()

    row = world.position(position)
    assert done == Compared(accounts=1, booked=1)
    assert stands(world, position) == ("CLOSED", 0, "LIQUIDATION", "LIQUIDATION")
    assert row["closed_at"] is not None
    assert row["exit_price"] == 60
    fees = (300 + 180) * Decimal("0.00045")
    assert (row["fees_usd"], row["pnl"]) == (fees, -120 - fees)
    (closure,) = world.closures()
    assert (closure["size"], closure["fill_size"], closure["price"]) == (3, 3, 60)


def test_a_partial_liquidation_leaves_the_rest_open(world: NettingWorld) -> None:
    wallet = world.user()
    position = world.buy(world.follower(wallet), "3", **STOP)
    world.place.liquidate(wallet, MARKET, "1.25")

    world.compare()

    assert stands(world, position) == ("OPEN", Decimal("1.75"), None, None)
    assert world.order("STOP_LOSS")["status"] == "ACCEPTED"


@pytest.mark.parametrize("side", [Side.LONG, Side.SHORT])
def test_the_user_closes_half_by_hand_and_then_the_rest(world: NettingWorld, side: Side) -> None:
    wallet = world.user()
    position = world.buy(world.follower(wallet), "2", side=side)
    world.place.by_hand(wallet, MARKET, side.opposite, "1")
    world.compare()
    assert stands(world, position) == ("OPEN", 1, None, None)
    world.place.prices[MARKET] = Decimal(130)
    world.place.by_hand(wallet, MARKET, side.opposite, "1")

    world.compare()

    row = world.position(position)
    assert stands(world, position) == ("CLOSED", 0, "USER", "USER")
    assert row["exit_price"] == 115
    assert row["pnl"] == 30 * side.sign - row["fees_usd"]


@pytest.mark.parametrize("trades", [["5"], ["2", "3"], ["1", "4"]])
def test_the_user_closes_all_and_turns_the_other_way(
    world: NettingWorld, trades: list[str]
) -> None:
    """What is beyond the ledger's is the user's own."""
    wallet = world.user()
    position = world.buy(world.follower(wallet), "2")
    for size in trades:
        world.place.by_hand(wallet, MARKET, Side.SHORT, size)

    done = world.compare()

    assert done == Compared(accounts=1, booked=1)
    assert stands(world, position) == ("CLOSED", 0, "USER", "USER")
    assert sum(row["size"] for row in world.closures()) == 2
    assert (world.compare(), unexplained(world)) == (Compared(), 0)


@pytest.mark.parametrize(
    ("cause", "reason"), [(Cause.DELEVERAGING, "DELEVERAGING"), (Cause.SETTLEMENT, "SETTLEMENT")]
)
def test_what_the_venue_closes_is_closed_by_the_venue(
    world: NettingWorld, cause: Cause, reason: str
) -> None:
    wallet = world.user()
    position = world.buy(world.follower(wallet), "2")
    world.place.liquidate(wallet, MARKET, cause=cause)

    world.compare()

    assert stands(world, position) == ("CLOSED", 0, "VENUE", reason)


def test_in_a_market_that_nets_the_oldest_position_is_closed_first(world: NettingWorld) -> None:
    wallet = world.user()
    first = world.buy(world.follower(wallet), "1")
    second = world.buy(world.follower(wallet), "2")
    world.place.by_hand(wallet, MARKET, Side.SHORT, "0.4")
    world.place.prices[MARKET] = Decimal(90)
    world.place.liquidate(wallet, MARKET, "1.6")

    done = world.compare()

    assert done.booked == 2
    assert stands(world, first) == ("CLOSED", 0, "LIQUIDATION", "LIQUIDATION")
    assert stands(world, second) == ("OPEN", 1, None, None)
    parts = [(row["position_id"], row["size"], row["fill_size"]) for row in world.closures()]
    assert set(parts) == {
        (first, Decimal("0.4"), Decimal("0.4")),
        (first, Decimal("0.6"), Decimal("1.6")),
        (second, Decimal(1), Decimal("1.6")),
    }
    fees = sum(trade.fee for trade in world.place.trades)
    assert sum(row["fees_usd"] for row in world.positions()) == fees


def test_a_market_of_a_thousand_tokens_a_coin_is_compared_in_tokens(world: NettingWorld) -> None:
    market = world.listed("PEPE", "0.00001", multiplier=1000, step="1000")
    wallet = world.user()
    position = world.buy(world.follower(wallet), "30000000", "PEPE")
    assert world.place.net[wallet, market] == 30_000
    world.place.by_hand(wallet, market, Side.SHORT, "10000000")

    world.compare()

    assert stands(world, position) == ("OPEN", 20_000_000, None, None)
    assert world.position(position)["exit_price"] == Decimal("0.00001")


def test_each_account_and_market_is_booked_for_itself(world: NettingWorld) -> None:
    eth = world.listed("ETH")
    first, second = world.user(), world.user()
    agent, other = world.follower(first), world.follower(second)
    btc_of_first, eth_of_first = world.buy(agent, "1"), world.buy(agent, "1", "ETH")
    btc_of_second = world.buy(other, "1")
    world.place.liquidate(first, eth)
    world.place.by_hand(second, MARKET, Side.SHORT, "0.5")

    done = world.compare()

    assert (done.accounts, done.booked) == (2, 2)
    assert stands(world, btc_of_first) == ("OPEN", 1, None, None)
    assert stands(world, eth_of_first) == ("CLOSED", 0, "LIQUIDATION", "LIQUIDATION")
    assert stands(world, btc_of_second) == ("OPEN", Decimal("0.5"), None, None)


def test_a_run_that_is_repeated_books_nothing_more(world: NettingWorld) -> None:
    wallet = world.user()
    position = world.buy(world.follower(wallet), "2")
    world.place.by_hand(wallet, MARKET, Side.SHORT, "0.5")
    assert world.compare().booked == 1
    before = world.position(position)

    again = [world.compare() for _ in range(3)]

    assert again == [UNDONE] * 3
    assert world.position(position) | {"opened_at": None} == before | {"opened_at": None}
    assert len(world.closures()) == 1


def test_what_the_user_bought_on_top_is_the_first_to_be_sold(world: NettingWorld) -> None:
    wallet = world.user()
    position = world.buy(world.follower(wallet), "2")
    world.place.by_hand(wallet, MARKET, Side.LONG, "3")
    world.place.prices[MARKET] = Decimal(110)
    world.place.by_hand(wallet, MARKET, Side.SHORT, "2")
    world.place.prices[MARKET] = Decimal(90)
    world.place.by_hand(wallet, MARKET, Side.SHORT, "1.5")

    world.compare()

    assert stands(world, position) == ("OPEN", Decimal("1.5"), None, None)
    assert [(row["size"], row["price"]) for row in world.closures()] == [(Decimal("0.5"), 90)]


def test_what_the_user_trades_where_we_hold_nothing_is_nobody_s_business(
    world: NettingWorld,
) -> None:
    world.listed("ETH")
    wallet = world.user()
    world.buy(world.follower(wallet), "1")
    world.place.by_hand(wallet, "ETH/USD", Side.LONG, "7")

    assert (world.compare(), unexplained(world)) == (UNDONE, 0)


# What follows from it


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


class Silent(NettingVenue):
    """A venue that executes, and gives no answer for a while."""

    def __init__(self, place: NettingVenue) -> None:
        self.__dict__ = place.__dict__

    def send(self, order: Order, action: Action) -> Settled | Standing | None:
        super().send(order, action)
        raise OutcomeUnknown(self.id, "no answer")

    def settle(self, order: Order, actions: Sequence[Action]) -> Settled | Standing | None:
        raise VenueUnavailable(self.id, "no answer")


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


def test_what_has_just_happened_is_left_for_the_next_run(world: NettingWorld) -> None:
    """The venue's answers may be behind it."""
    wallet = world.user()
    position = world.buy(world.follower(wallet), "2")
    world.pass_time()
    world.place.by_hand(wallet, MARKET, Side.SHORT, "2")

    assert compare(world.deps, seconds=30) == UNDONE
    assert unexplained(world) == 0
    assert world.compare().booked == 1
    assert stands(world, position) == ("CLOSED", 0, "USER", "USER")


def test_an_account_that_somebody_works_for_is_left_alone(world: NettingWorld) -> None:
    wallet = world.user()
    world.buy(world.follower(wallet), "2")
    world.place.by_hand(wallet, MARKET, Side.SHORT, "2")
    world.pass_time()
    world.rows(
        "UPDATE venue_accounts SET lease_token = :token,"
        " lease_until = clock_timestamp() + interval '1 minute' RETURNING account",
        token=uuid4(),
    )

    assert compare(world.deps, seconds=30) == Compared()
    assert world.closures() == []


def test_while_an_account_is_compared_nobody_trades_for_it(world: NettingWorld) -> None:
    wallet = world.user()
    agent = world.follower(wallet)
    world.buy(agent, "2")
    world.close(agent)
    (ticket,) = world.queues.orders
    busy: list[UUID] = []

    def trade() -> None:
        other = world.another_worker()
        with pytest.raises(LeaseHeld):
            other.executor().execute(ticket.id)
        busy.append(ticket.id)
        other.dispose()

    world.place = Meanwhile(world.place, trade, after="positions")
    world.pass_time()
    compare(world.deps, seconds=30)

    assert busy == [ticket.id]
    assert world.account_row(wallet)["lease_token"] is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE positions SET open_qty = open_qty - 1 RETURNING id",
        "UPDATE venue_accounts SET lease_until = clock_timestamp() RETURNING account",
    ],
)
def test_what_has_changed_since_it_was_read_is_not_booked(world: NettingWorld, change: str) -> None:
    """Another worker ended an exit of its own, or this one was away for longer than its lease."""
    wallet = world.user()
    world.buy(world.follower(wallet), "2")
    world.place.by_hand(wallet, MARKET, Side.SHORT, "2")
    other = world.another_worker()
    world.place = Meanwhile(world.place, lambda: other.rows(change))

    assert world.compare() == UNDONE

    assert world.closures() == []
    assert [row["status"] for row in world.positions()] == ["OPEN"]
    other.dispose()


def test_what_the_user_does_while_the_venue_is_read_waits_for_the_next_run(
    world: NettingWorld,
) -> None:
    wallet = world.user()
    position = world.buy(world.follower(wallet), "2")
    world.place.by_hand(wallet, MARKET, Side.SHORT, "0.5")
    calm, world.place = (
        world.place,
        Meanwhile(world.place, lambda: calm.by_hand(wallet, MARKET, Side.SHORT, "0.5")),
    )

    assert world.compare() == UNDONE
    assert unexplained(world) == 0

    assert world.compare().booked == 1
    assert stands(world, position) == ("OPEN", 1, None, None)


# What has no explanation


def told_errors(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]


def test_where_the_venue_holds_more_nothing_is_booked_and_it_is_told(
    world: NettingWorld, caplog: pytest.LogCaptureFixture
) -> None:
    wallet = world.user()
    position = world.buy(world.follower(wallet), "2")
    world.place.by_hand(wallet, MARKET, Side.LONG, "1")

    done = world.compare()

    assert done == Compared(accounts=1, unexplained=1)
    assert unexplained(world) == 1
    assert stands(world, position) == ("OPEN", 2, None, None)
    (told,) = told_errors(caplog)
    assert f"account {wallet} holds 3.00 in BTC/USD" in told
    assert "it holds more" in told


def test_what_was_unexplained_is_so_until_it_is_not(world: NettingWorld) -> None:
    wallet = world.user()
    agent = world.follower(wallet)
    world.buy(agent, "2")
    world.place.by_hand(wallet, MARKET, Side.LONG, "1")
    world.compare()
    place, world.place = world.place, Silent(world.place)
    world.close(agent)
    world.work()
    assert world.compare().unexplained == 1  # too busy to say

    world.place = place
    reconcile(world.deps, seconds=30)
    world.compare()

    assert unexplained(world) == 0


class Forgetting(NettingVenue):
    """A venue that does not tell all trades."""

    def __init__(self, place: NettingVenue, kept: Callable[[AccountFill], bool]) -> None:
        self.__dict__ = place.__dict__.copy()  # the same books
        self._kept = kept

    def fills(self, account: str, since: datetime) -> Sequence[AccountFill]:
        return [each for each in super().fills(account, since) if self._kept(each)]


@pytest.mark.parametrize(
    "kept",
    [
        lambda _: False,
        lambda told: told.side is Side.LONG,
        lambda told: told.fill.size != Decimal("0.5"),
        lambda told: told.side is Side.SHORT and told.fill.size != 1,
    ],
    ids=["none", "no sales", "not the first sale", "not the last"],
)
def test_trades_that_do_not_lead_to_what_the_venue_holds_explain_nothing(
    world: NettingWorld, kept: Callable[[AccountFill], bool], caplog: pytest.LogCaptureFixture
) -> None:
    wallet = world.user()
    position = world.buy(world.follower(wallet), "2")
    world.place.by_hand(wallet, MARKET, Side.SHORT, "0.5")
    world.place.by_hand(wallet, MARKET, Side.SHORT, "1")
    honest, world.place = world.place, Forgetting(world.place, kept)

    assert world.compare() == Compared(accounts=1, unexplained=1)
    assert world.closures() == []
    assert "do not lead there" in told_errors(caplog)[0]

    world.place = honest
    assert world.compare().booked == 1
    assert stands(world, position) == ("OPEN", Decimal("0.5"), None, None)
    assert unexplained(world) == 0


class Gone(NettingVenue):
    """A venue that gives no answer."""

    def __init__(self, place: NettingVenue) -> None:
        self.__dict__ = place.__dict__

    def positions(self, account: str) -> Sequence[OpenPosition]:
        raise VenueUnavailable(self.id, "no answer")


def test_a_venue_that_is_away_is_asked_once_a_run_and_its_accounts_stay_free(
    world: NettingWorld,
) -> None:
    for _ in range(2):
        world.buy(world.follower(world.user()), "1")
    world.place = Gone(world.place)

    assert world.compare() == Compared()

    rows = world.rows("SELECT lease_token, compared_at FROM venue_accounts ORDER BY compared_at")
    assert [row["lease_token"] for row in rows] == [None, None]
    assert [row["compared_at"] is None for row in rows] == [False, True]


# Orders that had ended, and were executed all the same


def executed_after_all(world: NettingWorld, agent: UUID) -> UUID:
    """An entry that the venue executed and then knew nothing of; returns its id."""
    world.place.forgetful = True
    model = {"type": "fixed-usdc", "value": "200", "leverage": "1"}
    world.open(agent, sizeModel=model)
    world.work()
    world.place.forgetful = False
    order = world.order()
    assert order["status"] == "EXPIRED"
    return UUID(str(order["id"]))


def test_an_execution_of_an_expired_entry_opens_an_unexpected_position(
    world: NettingWorld, caplog: pytest.LogCaptureFixture
) -> None:
    wallet = world.user()
    order = executed_after_all(world, world.follower(wallet))
    as_it_ended = world.order()

    done = world.compare()

    (row,) = world.positions()
    assert done == Compared(accounts=1, booked=1)
    assert (row["id"], row["unexpected"], row["signal_id"]) == (order, True, None)
    assert (row["status"], row["qty"], row["open_qty"], row["entry_price"]) == ("OPEN", 2, 2, 100)
    assert row["fees_usd"] == 200 * Decimal("0.00045")
    assert len(world.rows("SELECT FROM venue_fills WHERE order_id = :id", id=order)) == 1
    assert world.order()["detail"] == as_it_ended["detail"]
    assert world.order()["status"] == "EXPIRED"
    assert write_figures(world.deps)["positionsUnexpected"] == 1
    first, second = told_errors(caplog)
    assert first == f"order {order} (ENTRY) ended as EXPIRED, and was executed all the same"
    assert second == f"position {order} was not expected: it has to be closed"
    assert world.compare() == UNDONE


def test_an_unexpected_position_stands_beside_the_one_its_signal_opened(
    world: NettingWorld,
) -> None:
    """Its signal traded on; what that opened is as it was, and a CLOSE takes both."""
    wallet = world.user()
    agent = world.follower(wallet)
    expected = world.buy(agent, "1")
    executed_after_all(world, agent)
    world.compare()
    assert world.ledger_net(wallet) == 3 == world.place.held(wallet, MARKET)
    assert stands(world, expected) == ("OPEN", 1, None, None)
    world.place.prices[MARKET] = Decimal(110)

    world.close(agent)
    world.work()

    assert world.place.held(wallet, MARKET) == 0
    assert [row["closed_by"] for row in world.positions()] == ["SIGNAL", "SIGNAL"]
    fees = sum(trade.fee for trade in world.place.trades)
    assert sum(row["pnl"] for row in world.positions()) == 30 - fees


def test_an_unexpected_position_is_closed_by_hand_like_any_other(world: NettingWorld) -> None:
    wallet = world.user()
    order = executed_after_all(world, world.follower(wallet))
    world.compare()
    world.place.by_hand(wallet, MARKET, Side.SHORT, "2")

    assert world.compare().booked == 1

    assert stands(world, order) == ("CLOSED", 0, "USER", "USER")


def test_an_unexpected_position_that_the_user_has_closed_already_is_booked_as_that(
    world: NettingWorld,
) -> None:
    """Though ledger and venue agree on what is left: nothing."""
    wallet = world.user()
    order = executed_after_all(world, world.follower(wallet))
    world.place.by_hand(wallet, MARKET, Side.SHORT, "2")

    assert world.compare().booked == 2

    assert stands(world, order) == ("CLOSED", 0, "USER", "USER")


def test_what_is_executed_once_more_of_an_order_that_is_booked_is_told(
    world: NettingWorld, caplog: pytest.LogCaptureFixture
) -> None:
    wallet = world.user()
    order = executed_after_all(world, world.follower(wallet))
    world.compare()
    caplog.clear()
    (trade,) = world.place.trades
    again = world.place.by_hand(wallet, MARKET, Side.LONG, "1")
    again.client_id, again.ref = trade.client_id, trade.ref

    assert world.compare() == Compared(accounts=1, unexplained=1)

    assert "had ended, and that cannot be stored" in told_errors(caplog)[-1]
    assert len(world.rows("SELECT FROM venue_fills WHERE order_id = :id", id=order)) == 1
    assert stands(world, order) == ("OPEN", 2, None, None)


def test_an_unexpected_position_is_shown_with_its_signal(world: NettingWorld) -> None:
    wallet = world.user()
    order = executed_after_all(world, world.follower(wallet))
    world.compare()
    signal, views = world.order()["signal_id"], Views(world.database)

    (listed,) = views.positions(EVERYTHING, PositionsQuery()).positions
    trade = views.trade(EVERYTHING, signal)

    assert (listed.id, listed.signal_id) == (order, signal)
    assert [(each.id, each.signal_id) for each in trade.positions] == [(order, signal)]


def test_a_close_that_had_expired_and_was_executed_is_booked_as_what_it_was(
    world: NettingWorld, caplog: pytest.LogCaptureFixture
) -> None:
    wallet = world.user()
    agent = world.follower(wallet)
    position = world.buy(agent, "2")
    world.place.forgetful = True
    world.close(agent)
    world.work()
    world.place.forgetful = False
    assert world.order("CLOSE")["status"] == "PLANNED"  # to be tried again

    done = world.compare()

    assert done.booked == 1
    assert stands(world, position) == ("CLOSED", 0, "SIGNAL", "CLOSE")
    ended = sorted(
        (row["attempt"], row["status"]) for row in world.orders() if row["purpose"] == "CLOSE"
    )
    assert ended == [(1, "EXPIRED"), (2, "REJECTED")]
    (told,) = told_errors(caplog)
    assert "(CLOSE) ended as EXPIRED, and was executed all the same" in told
    assert world.place.held(wallet, MARKET) == 0


# Which accounts, and how many


def test_the_account_compared_longest_ago_is_the_next(world: NettingWorld) -> None:
    wallets = [world.user() for _ in range(3)]
    for wallet in wallets:
        world.buy(world.follower(wallet), "1")
        world.compare()
    seen: list[str] = []

    class Noting(NettingVenue):
        def __init__(self, place: NettingVenue) -> None:
            self.__dict__ = place.__dict__

        def positions(self, account: str) -> Sequence[OpenPosition]:
            seen.append(account)
            return super().positions(account)

    world.place = Noting(world.place)
    ticking = iter(range(100))

    for _ in range(3):
        world.pass_time()
        compare(world.deps, seconds=2, clock=lambda: next(ticking))

    assert set(seen) == set(wallets)
    assert len(seen) == 3


def test_an_account_whose_orders_all_ended_well_and_that_holds_nothing_is_not_compared(
    world: NettingWorld,
) -> None:
    agent = world.follower(world.user())
    world.buy(agent, "1")
    world.close(agent)
    world.work()

    assert world.compare() == Compared()


def test_an_order_that_ended_as_nothing_executed_is_looked_at_until_all_agreed(
    world: NettingWorld,
) -> None:
    wallet = world.user()
    executed_after_all(world, world.follower(wallet))
    there, world.place = world.place, Gone(world.place)
    for _ in range(3):
        world.compare()
        world.pass_time(86_400)

    world.place = there
    assert world.compare().booked == 1
    world.place.liquidate(wallet, MARKET)
    assert world.compare().booked == 1
    assert world.compare() == Compared()


def test_on_paper_nobody_else_can_close_anything(world: NettingWorld) -> None:
    world.buy(world.follower(world.user()), "1")
    on_paper = World(world.dsn)

    assert compare(on_paper.deps, seconds=5) == Compared()

    on_paper.dispose()


def test_reconcile_compares_each_time(world: NettingWorld) -> None:
    wallet = world.user()
    position = world.buy(world.follower(wallet), "2")
    world.place.liquidate(wallet, MARKET)
    world.pass_time()

    done = reconcile(world.deps, seconds=30)

    assert (done.compared, done.booked) == (1, 1)
    assert stands(world, position) == ("CLOSED", 0, "LIQUIDATION", "LIQUIDATION")
