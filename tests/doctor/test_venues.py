"""What the doctor says of the venues' own books: what others did there, and what was done twice."""

from collections.abc import Callable, Iterator

import pytest

from agent_where.doctor import Diagnosis, Examined
from agent_where.domain import Order, Purpose, Settled, Side
from agent_where.reconciling import reconcile, write_figures
from agent_where.venues.base import Action, ActionKind, Standing
from tests.doctor.examining import examine, found
from tests.netting import NettingVenue, NettingWorld

MARKET = "BTC/USD"


class Doubling(NettingVenue):
    """The venue, except that it executes what it is sent a second time, or in two parts."""

    purpose = Purpose.ENTRY
    parts = False

    def send(self, order: Order, action: Action) -> Settled | Standing | None:
        if action.kind is not ActionKind.ORDER or order.purpose is not self.purpose:
            return super().send(order, action)
        assert order.size is not None
        size = order.size
        first = order.model_copy(update={"size": size / 2}) if self.parts else order
        answer = super().send(first, action)
        known = self.orders[order.id]
        again = self._execute(
            order.account,
            order.market_name,
            order.side,
            size / 2 if self.parts else size,
            ref=known.ref if self.parts else None,
            client_id=f"0x{order.id.hex}",
        )
        known.trades.append(again)
        return answer


@pytest.fixture
def made(database_dsn: str) -> Iterator[Callable[[NettingVenue], NettingWorld]]:
    worlds: list[NettingWorld] = []

    def make(place: NettingVenue) -> NettingWorld:
        world = NettingWorld(database_dsn, place=place)
        world.listed()
        worlds.append(world)
        return world

    yield make
    for world in worlds:
        world.dispose()


@pytest.fixture
def world(made: Callable[[NettingVenue], NettingWorld]) -> NettingWorld:
    return made(NettingVenue())


def rested(world: NettingWorld) -> Diagnosis:
    settle_down(world)
    return examine(world, venues=True)


def settle_down(world: NettingWorld) -> None:
    world.pass_time(60)
    reconcile(world.deps, seconds=30)
    write_figures(world.deps)


def told(diagnosis: Diagnosis, name: str) -> Examined:
    (check,) = (each for each in diagnosis.checks if each.name == name)
    return check


def test_a_trade_where_the_ledger_holds_nothing_is_told_and_is_no_fault(
    world: NettingWorld,
) -> None:
    wallet = world.user()
    agent = world.follower(wallet)
    world.buy(agent, "1")
    world.close(agent)
    world.work()
    trade = world.place.by_hand(wallet, MARKET, Side.LONG, "1.5")

    diagnosis = rested(world)

    assert found(diagnosis) == {"venue_trades_of_others": 2}
    assert diagnosis.sound
    held, made = told(diagnosis, "venue_trades_of_others").rows
    assert (held.id, held.since) == (MARKET, None)
    assert "holds 1.50 there" in held.detail
    assert made.id == f"{trade.ref}:{trade.id}"
    assert "LONG 1.5" in made.detail


def test_a_market_that_was_never_traded_by_us_is_looked_at_too(world: NettingWorld) -> None:
    wallet = world.user()
    world.buy(world.follower(wallet), "1")
    name = world.listed("ETH")
    world.place.by_hand(wallet, name, Side.SHORT, "3")

    (held, made) = told(rested(world), "venue_trades_of_others").rows

    assert (held.id, "holds -3 there" in held.detail) == (name, True)
    assert "SHORT 3 ETH/USD" in made.detail


def test_trades_by_hand_that_left_our_position_whole_are_told_in_the_order_of_time(
    world: NettingWorld,
) -> None:
    wallet = world.user()
    world.buy(world.follower(wallet), "1")
    for side in (Side.LONG, Side.SHORT):
        world.place.by_hand(wallet, MARKET, side, "2")
        world.pass_time(60)

    diagnosis = rested(world)

    assert found(diagnosis) == {"venue_trades_of_others": 2}
    assert [row.detail.split()[2] for row in told(diagnosis, "venue_trades_of_others").rows] == [
        "LONG",
        "SHORT",
    ]


def test_what_is_ours_or_was_booked_is_no_trade_of_others(world: NettingWorld) -> None:
    wallet = world.user()
    agent = world.follower(wallet)
    world.buy(agent, "2")
    world.place.by_hand(wallet, MARKET, Side.SHORT, "1")
    settle_down(world)
    world.close(agent)
    world.work()

    assert found(rested(world)) == {}


def test_an_entry_that_the_venue_executed_twice_is_booked_and_told(
    made: Callable[[NettingVenue], NettingWorld], caplog: pytest.LogCaptureFixture
) -> None:
    world = made(Doubling())

    position = world.buy(world.follower(world.user()), "1")

    assert world.position(position)["open_qty"] == 2
    assert "2.00 was executed, 1.00 more than was ordered" in caplog.text
    diagnosis = rested(world)
    assert found(diagnosis) == {"filled_beyond_order": 1, "venue_orders_doubled": 1}
    (row,) = told(diagnosis, "filled_beyond_order").rows
    assert "ordered 1.00 - executed 2.00 in 2 fills" in row.detail
    assert not diagnosis.sound


def test_an_order_that_was_executed_in_parts_was_executed_once(
    made: Callable[[NettingVenue], NettingWorld], caplog: pytest.LogCaptureFixture
) -> None:
    place = Doubling()
    place.parts = True
    world = made(place)

    world.buy(world.follower(world.user()), "1")

    assert "more than was ordered" not in caplog.text
    assert found(rested(world)) == {}
