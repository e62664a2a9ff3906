"""An order ended as nothing executed, and the venue can never tell what was traded since.

Where ledger and venue agree all the same, the comparison goes on from there.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime

import pytest

from agent_where.comparing import Compared
from agent_where.domain import Side
from agent_where.errors import NotAllTold
from agent_where.venues.base import AccountFill
from tests.netting import NettingVenue, NettingWorld, netting_world
from tests.netting_busy import Busy
from tests.pipeline.comparing_world import MARKET, STOP, stands, told_errors, unexplained

OTHER = "ETH/USD"


class Newest(NettingVenue):
    """Another venue with the same books, which keeps so many of an account's trades."""

    def __init__(self, place: NettingVenue, kept: int) -> None:
        self.__dict__ = place.__dict__.copy()
        self._kept = kept

    def fills(self, account: str, since: datetime) -> Sequence[AccountFill]:
        gone = [t.at for t in self.trades if t.account == account][: -self._kept]
        if gone and since <= max(gone):
            raise NotAllTold(self.id, "more fills than it keeps", for_good=True)
        return super().fills(account, since)


@pytest.fixture
def world(database_dsn: str) -> Iterator[NettingWorld]:
    with netting_world(database_dsn) as made:
        made.listed("ETH")
        yield made


def with_a_stop_taken_back(world: NettingWorld) -> str:
    """A wallet whose position was closed by a signal, and its stop taken back with it."""
    wallet = world.user()
    agent = world.follower(wallet)
    world.buy(agent, "3", **STOP)
    world.close(agent)
    world.take_back_bounds()
    assert world.order("STOP_LOSS")["status"] == "REJECTED"
    assert world.ledger_net(wallet) == world.place.held(wallet, MARKET) == 0
    return wallet


def test_a_doubt_where_ledger_and_venue_agree_is_not_unexplained_for_ever(
    world: NettingWorld, caplog: pytest.LogCaptureFixture
) -> None:
    wallet = with_a_stop_taken_back(world)
    world.place = Busy(world.place, wallet)

    with caplog.at_level(logging.INFO):
        done = world.compare()

    assert done == Compared(accounts=1)
    assert unexplained(world) == 0
    assert world.account_row(wallet)["agreed_at"] is not None
    assert told_errors(caplog) == []
    assert "a late trade there cannot be looked for: more fills than it tells" in caplog.text
    world.pass_time(120)
    assert world.compare() == Compared(), "nothing is in doubt any more"


def test_a_doubt_that_cannot_be_looked_into_hides_no_difference(world: NettingWorld) -> None:
    wallet = with_a_stop_taken_back(world)
    held = world.buy(world.follower(wallet), "2", token="ETH")
    world.place.liquidate(wallet, OTHER)
    world.place = Busy(world.place, wallet)

    assert world.compare().unexplained == 1

    row = world.account_row(wallet)
    assert (row["unexplained"], row["agreed_at"]) == ([OTHER], None)
    assert stands(world, held)[0] == "OPEN"


def test_what_a_late_entry_may_have_opened_stays_unexplained(world: NettingWorld) -> None:
    wallet = with_a_stop_taken_back(world)
    world.place.by_hand(wallet, MARKET, Side.LONG, "1")
    world.place = Busy(world.place, wallet)

    assert world.compare().unexplained == 1
    assert world.account_row(wallet)["agreed_at"] is None


def test_what_the_user_closes_after_such_a_doubt_is_booked(world: NettingWorld) -> None:
    wallet = with_a_stop_taken_back(world)
    world.pass_time(600)
    world.place = Newest(world.place, kept=1)
    world.compare()

    held = world.buy(world.follower(wallet), "2")
    world.pass_time(300)
    world.place = Newest(world.place, kept=2)
    world.place.by_hand(wallet, MARKET, Side.SHORT, "2")

    assert world.compare().booked == 1
    assert stands(world, held) == ("CLOSED", 0, "USER", "USER")
