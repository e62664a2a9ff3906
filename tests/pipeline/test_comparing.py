"""What others do with our positions at the venue is booked, once, at its price and with its fee."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from agent_where.comparing import Compared
from agent_where.domain import Side
from agent_where.venues.base import Cause
from tests.netting import NettingWorld, netting_world
from tests.pipeline.comparing_world import MARKET, STOP, UNDONE, stands, unexplained


@pytest.fixture
def world(database_dsn: str) -> Iterator[NettingWorld]:
    with netting_world(database_dsn) as made:
        yield made


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
