"""Orders that had ended and were executed all the same.

Their fills are kept, what they opened is a position that nobody expected.
"""

from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

import pytest

from agent_where.callers import EVERYTHING
from agent_where.comparing import Compared
from agent_where.contract.queries import PositionsQuery
from agent_where.domain import Side
from agent_where.reconciling import write_figures
from agent_where.store.views import Views
from tests.netting import NettingWorld, netting_world
from tests.pipeline.comparing_world import MARKET, UNDONE, Gone, stands, told_errors


@pytest.fixture
def world(database_dsn: str) -> Iterator[NettingWorld]:
    with netting_world(database_dsn) as made:
        yield made


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
