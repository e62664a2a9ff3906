"""What has no explanation is not booked; it is told, and counted until it has one."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal

import pytest

from agent_where.comparing import Compared
from agent_where.domain import Side
from agent_where.reconciling import reconcile
from agent_where.venues.base import AccountFill
from tests.netting import NettingVenue, NettingWorld, netting_world
from tests.pipeline.comparing_world import MARKET, Silent, stands, told_errors, unexplained


@pytest.fixture
def world(database_dsn: str) -> Iterator[NettingWorld]:
    with netting_world(database_dsn) as made:
        yield made


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
