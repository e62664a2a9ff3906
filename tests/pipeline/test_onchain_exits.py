"""Positions that stand for themselves at their venue, and what others do with them there."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from agent_where.comparing import compare
from agent_where.domain import VenueId
from agent_where.errors import VenueUnavailable
from agent_where.venues.base import Cause
from tests.onchain import ORACLE_FEE, VENUE, OnchainVenue, OnchainWorld

BY = {
    Cause.TAKE_PROFIT: ("TRIGGER", "TAKE_PROFIT"),
    Cause.STOP_LOSS: ("TRIGGER", "STOP_LOSS"),
    Cause.LIQUIDATION: ("LIQUIDATION", "LIQUIDATION"),
    Cause.SETTLEMENT: ("VENUE", "SETTLEMENT"),
    Cause.ORDER: ("USER", "USER"),
}


@pytest.fixture
def world(database_dsn: str) -> Iterator[OnchainWorld]:
    made = OnchainWorld(database_dsn)
    yield made
    made.dispose()


@pytest.mark.parametrize("cause", BY)
def test_whoever_closed_a_position_is_booked_once_with_its_reason(
    world: OnchainWorld, cause: Cause
) -> None:
    _, agent = world.trader()
    opened = world.buy(agent)
    world.chain.price = Decimal(110)
    world.chain.close(opened["venue_ref"], cause)

    first, second = world.reconcile(), world.reconcile()

    position = world.position(opened["id"])
    assert position["status"] == "CLOSED"
    assert (position["closed_by"], position["exit_reason"]) == BY[cause]
    assert position["exit_price"] == 110
    assert position["pnl"] == 10 * position["qty"] - 2 * ORACLE_FEE
    assert (first.booked, second.booked) == (1, 0)
    assert len(world.closures()) == 1


def test_a_part_that_the_user_closed_leaves_the_rest_open(world: OnchainWorld) -> None:
    _, agent = world.trader()
    opened = world.buy(agent)
    world.chain.close(opened["venue_ref"], Cause.ORDER, size=Decimal(1))

    world.reconcile()
    left = world.position(opened["id"])
    world.close(agent, "XAU")
    world.work()

    assert (left["status"], left["open_qty"]) == ("OPEN", opened["qty"] - 1)
    closed = world.position(opened["id"])
    assert (closed["status"], closed["closed_by"]) == ("CLOSED", "SIGNAL")
    assert world.chain.trades == {}


def test_a_close_of_ours_is_never_booked_as_somebody_elses(world: OnchainWorld) -> None:
    _, agent = world.trader()
    first, second = world.buy(agent), world.buy(agent)
    world.chain.close(first["venue_ref"], Cause.ORDER, size=Decimal(1))
    world.close(agent, "XAU")
    world.work()

    world.reconcile()

    assert {world.position(each["id"])["status"] for each in (first, second)} == {"CLOSED"}
    assert [(row["position_id"], row["size"]) for row in world.closures()] == [(first["id"], 1)]
    assert world.chain.trades == {}


def test_a_position_that_an_order_of_ours_may_be_closing_waits_for_that_order(
    world: OnchainWorld,
) -> None:
    wallet, agent = world.trader()
    first, second = world.buy(agent), world.buy(agent)
    world.chain.keeper = "silent"
    world.close(agent, "XAU")
    world.queues.orders.pop()
    world.work()
    world.chain.keeper = "fill"
    closing = next(row for row in world.orders() if row["status"] == "ACCEPTED")
    of_close = next(row for row in (first, second) if row["id"] == closing["position_id"])
    other = second if of_close is first else first
    world.chain.answer()
    world.chain.close(other["venue_ref"], Cause.STOP_LOSS)

    compare(world.deps, seconds=30)
    cursor = world.account_row(wallet)["exits_cursor"]
    world.reconcile()

    assert cursor is None
    assert world.position(other["id"])["closed_by"] == "TRIGGER"
    assert world.position(of_close["id"])["closed_by"] == "SIGNAL"
    assert [row["position_id"] for row in world.closures()] == [other["id"]]


def test_where_the_keeper_was_first_a_close_ends_with_the_booking(world: OnchainWorld) -> None:
    _, agent = world.trader()
    opened = world.buy(agent, riskModel={"stopLoss": "0.05"})
    world.chain.close(opened["venue_ref"], Cause.STOP_LOSS)
    world.close(agent, "XAU")
    (refused,) = world.work()

    world.reconcile()

    position = world.position(opened["id"])
    assert "no such trade" in refused.detail
    assert (position["status"], position["exit_reason"]) == ("CLOSED", "STOP_LOSS")
    closes = [row for row in world.orders() if row["purpose"] == "CLOSE"]
    assert {(row["status"], row["refusal"]) for row in closes} == {("REJECTED", "NOTHING_TO_CLOSE")}


def test_the_venue_is_asked_from_where_it_was_asked_last(world: OnchainWorld) -> None:
    asked: list[int | None] = []

    class Watched(OnchainVenue):
        def exits(self, account, held, since):  # type: ignore[no-untyped-def]
            asked.append(since)
            return super().exits(account, held, since)

    world.place = Watched(world.chain)
    wallet, agent = world.trader()
    world.buy(agent)

    world.reconcile()
    world.chain.block += 7
    world.reconcile()

    assert asked == [None, world.chain.block - 7]
    assert world.account_row(wallet)["exits_cursor"] == world.chain.block


def test_a_venue_that_cannot_be_asked_moves_no_cursor(world: OnchainWorld) -> None:
    class Away(OnchainVenue):
        def exits(self, account, held, since):  # type: ignore[no-untyped-def]
            raise VenueUnavailable(VENUE, "no answer")

    wallet, agent = world.trader()
    opened = world.buy(agent)
    world.chain.close(opened["venue_ref"], Cause.LIQUIDATION)
    there, world.place = world.place, Away(world.chain)
    world.reconcile()
    assert world.account_row(wallet)["exits_cursor"] is None
    assert world.account_row(wallet)["lease_token"] is None
    world.place = there

    world.reconcile()

    assert world.position(opened["id"])["closed_by"] == "LIQUIDATION"


def test_more_than_the_ledger_has_open_is_told_and_counted(
    world: OnchainWorld, caplog: pytest.LogCaptureFixture
) -> None:
    wallet, agent = world.trader()
    opened = world.buy(agent)
    world.chain.trades[opened["venue_ref"]].size *= 2
    world.chain.close(opened["venue_ref"], Cause.ORDER)

    world.reconcile()

    assert world.position(opened["id"])["status"] == "CLOSED"
    assert "more was closed there than the ledger has open" in caplog.text
    assert world.account_row(wallet)["unexplained"] == ["XAU/USD"]


def test_what_the_venue_cannot_explain_is_counted_until_it_can_and_moves_no_cursor(
    world: OnchainWorld,
) -> None:
    wallet, agent = world.trader()
    first, second = world.buy(agent), world.buy(agent)
    world.reconcile()
    before = world.account_row(wallet)
    world.chain.close(first["venue_ref"], Cause.LIQUIDATION)
    world.place.unexplained = [second["venue_ref"]]

    world.reconcile()
    during = world.account_row(wallet)
    world.place.unexplained = []
    world.reconcile()
    after = world.account_row(wallet)

    assert world.position(first["id"])["closed_by"] == "LIQUIDATION"
    assert during["unexplained"] == ["XAU/USD"]
    assert (during["exits_cursor"], during["agreed_at"]) == (
        before["exits_cursor"],
        before["agreed_at"],
    )
    assert after["unexplained"] == []
    assert after["exits_cursor"] == world.chain.block


def test_a_busy_position_of_which_nothing_became_holds_back_no_cursor(
    world: OnchainWorld,
) -> None:
    wallet, agent = world.trader()
    world.buy(agent)
    world.chain.keeper = "silent"
    world.close(agent, "XAU")
    world.queues.orders.pop()
    world.work()

    compare(world.deps, seconds=30)

    assert world.account_row(wallet)["exits_cursor"] == world.chain.block


def test_what_the_ledger_refuses_of_one_position_holds_up_no_other(world: OnchainWorld) -> None:
    wallet, agent = world.trader()
    first, second = world.buy(agent), world.buy(agent)
    world.chain.close(first["venue_ref"], Cause.ORDER)
    impossible = world.chain.closes[-1].told.fill
    object.__setattr__(impossible, "price", Decimal(0))
    world.chain.close(second["venue_ref"], Cause.LIQUIDATION)

    world.reconcile()

    assert world.position(first["id"])["status"] == "OPEN"
    assert world.position(second["id"])["closed_by"] == "LIQUIDATION"
    assert world.account_row(wallet)["unexplained"] == ["XAU/USD"]
    assert world.account_row(wallet)["exits_cursor"] is None


def test_the_venue_is_told_which_closes_a_position_s_size_accounts_for(
    world: OnchainWorld,
) -> None:
    asked: list[frozenset[str]] = []

    class Watched(OnchainVenue):
        def exits(self, account, held, since):  # type: ignore[no-untyped-def]
            asked.extend(each.booked for each in held)
            return super().exits(account, held, since)

    world.place = Watched(world.chain)
    _, agent = world.trader()
    opened = world.buy(agent)
    by_hand = world.chain.close(opened["venue_ref"], Cause.ORDER, size=Decimal(1))

    world.reconcile()
    world.reconcile()

    assert asked == [frozenset(), frozenset({by_hand.fill.venue_fill_id})]


def test_an_account_without_positions_is_not_asked_about(world: OnchainWorld) -> None:
    world.trader()

    assert compare(world.deps, seconds=30).accounts == 0


def test_where_nothing_is_opened_any_more_positions_are_still_watched(world: OnchainWorld) -> None:
    _, agent = world.trader()
    opened = world.buy(agent)
    world.chain.close(opened["venue_ref"], Cause.LIQUIDATION)
    none = frozenset[VenueId]()

    object.__setattr__(world.deps, "supported", none)
    world.reconcile()

    assert world.position(opened["id"])["status"] == "CLOSED"
