"""An account of which the venue does not tell all trades: never compared on a part of them."""

import logging
from collections.abc import Iterator

import pytest

from agent_where.comparing import Compared
from agent_where.domain import Side
from tests.netting import NettingVenue, NettingWorld, netting_world
from tests.netting_busy import Busy
from tests.pipeline.comparing_world import MARKET, unexplained


@pytest.fixture
def world(database_dsn: str) -> Iterator[NettingWorld]:
    with netting_world(database_dsn) as made:
        yield made


def two_liquidated(world: NettingWorld) -> tuple[str, str]:
    """The first that is compared, and the second."""
    first, second = sorted((world.user(), world.user()))
    for wallet in (first, second):
        world.buy(world.follower(wallet), "3")
        world.place.liquidate(wallet, MARKET)
    return first, second


def compared(world: NettingWorld, place: NettingVenue) -> Compared:
    world.place = place
    return world.compare()


def test_what_is_never_told_whole_is_unexplained_books_nothing_and_stops_no_other(
    world: NettingWorld, caplog: pytest.LogCaptureFixture
) -> None:
    busy, other = two_liquidated(world)

    with caplog.at_level(logging.ERROR):
        done = compared(world, Busy(world.place, busy))

    assert (done.accounts, done.booked, done.unexplained) == (2, 1, 1)
    assert world.ledger_net(busy) == 3
    assert world.ledger_net(other) == 0
    assert unexplained(world) == 1
    assert "more fills than it tells" in caplog.text


def test_what_is_not_told_whole_yet_waits_and_stops_no_other(world: NettingWorld) -> None:
    busy, other = two_liquidated(world)

    done = compared(world, Busy(world.place, busy, for_good=False))

    assert (done.accounts, done.booked, done.unexplained) == (1, 1, 0)
    assert world.ledger_net(busy) == 3
    assert world.ledger_net(other) == 0
    assert unexplained(world) == 0


def test_what_was_not_told_whole_is_booked_when_it_is(world: NettingWorld) -> None:
    busy, _ = two_liquidated(world)
    place = world.place
    compared(world, Busy(place, busy))

    assert compared(world, place).booked == 1

    assert world.ledger_net(busy) == 0
    assert unexplained(world) == 0


def test_a_busy_account_that_agrees_needs_no_trades_told(world: NettingWorld) -> None:
    wallet = world.user()
    world.buy(world.follower(wallet), "3")
    world.place.by_hand(wallet, MARKET, Side.LONG, "1")
    world.place.by_hand(wallet, MARKET, Side.SHORT, "1")

    assert compared(world, Busy(world.place, wallet)) == Compared(accounts=1)
