"""Bounds at a simulated Hyperliquid: what rests there, what fired, and what becomes of the rest."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from agent_where.comparing import compare
from agent_where.domain import Order, OrderStatus
from agent_where.errors import VenueUnavailable
from agent_where.venues.base import Action, Standing
from agent_where.venues.hyperliquid.trading import HyperliquidVenue
from tests.live_world import USER, LiveWorld, live_world

BOUNDS: dict[str, Any] = {"riskModel": {"stopLoss": "0.05", "takeProfit": "0.1"}}


@pytest.fixture
def live(database_dsn: str) -> Iterator[LiveWorld]:
    with live_world(database_dsn) as made:
        yield made


def opened(live: LiveWorld, **changes: Any) -> None:
    live.open(live.live(), **(BOUNDS | changes))
    live.come_to_rest()


def resting(live: LiveWorld) -> dict[str, Decimal]:
    """The size of each bound that rests, by purpose, as the ledger has it."""
    rows = [row for row in live.orders() if row["status"] == OrderStatus.ACCEPTED]
    assert len(rows) == live.resting()
    return {row["purpose"]: row["size"] for row in rows}


def ending(live: LiveWorld) -> tuple[Any, ...]:
    (position,) = live.positions()
    return position["status"], position["closed_by"], live.held()


def last_close(live: LiveWorld) -> Any:
    return live.rows("SELECT * FROM venue_orders WHERE purpose = 'CLOSE' ORDER BY created_at DESC")[
        0
    ]


def test_positions_that_are_late_keep_no_bound_from_its_place(live: LiveWorld) -> None:
    live.tell("lag", positions=8)
    opened(live)
    live.clock.pass_seconds(10)

    live.try_again()

    (position,) = live.positions()
    assert resting(live) == {
        "STOP_LOSS": position["open_qty"],
        "TAKE_PROFIT": position["open_qty"],
    }


def test_a_position_closes_though_what_it_holds_is_told_late(live: LiveWorld) -> None:
    live.tell("lag", positions=5)
    agent = live.live()
    live.open(agent)
    live.come_to_rest()

    live.close(agent)
    live.come_to_rest()
    live.clock.pass_seconds(6)
    live.try_again()

    assert ending(live) == ("CLOSED", "SIGNAL", 0)


def test_a_stop_that_fired_in_part_closes_the_rest_at_once(live: LiveWorld) -> None:
    opened(live)
    (position,) = live.positions()
    live.tell("depth", coin="BTC", sizes=["0.002"])
    live.tell("price", coin="BTC", price="56000")
    live.clock.pass_seconds(30)
    live.tell("depth", coin="BTC", sizes=None)

    live.come_to_rest()

    assert position["open_qty"] > Decimal("0.002")
    assert ending(live) == ("CLOSED", "TRIGGER", 0)
    assert last_close(live)["status"] == OrderStatus.FILLED


def test_a_stop_that_finds_no_book_closes_as_soon_as_there_is_one(live: LiveWorld) -> None:
    opened(live)
    live.tell("depth", coin="BTC", sizes=[])
    live.tell("price", coin="BTC", price="56000")
    live.clock.pass_seconds(30)
    with pytest.raises(VenueUnavailable):  # no book, no quote: the message comes again
        live.come_to_rest()
    live.tell("depth", coin="BTC", sizes=None)

    live.try_again()

    assert ending(live) == ("CLOSED", "TRIGGER", 0)
    assert [row["attempt"] for row in live.orders() if row["purpose"] == "STOP_LOSS"] == [1]


def test_a_stop_whose_price_is_passed_when_it_is_placed_closes_at_once(live: LiveWorld) -> None:
    agent = live.live()
    live.open(agent, **BOUNDS)
    live.work_one()
    live.tell("price", coin="BTC", price="50000")

    live.come_to_rest()

    assert ending(live) == ("CLOSED", "TRIGGER", 0)
    stop = live.order("STOP_LOSS")
    assert (stop["status"], stop["refusal"]) == (OrderStatus.REJECTED, "TRIGGER_PASSED")


def test_a_close_in_a_bound_s_stead_may_slip_as_far_as_the_bound_might(live: LiveWorld) -> None:
    agent = live.live()
    live.open(agent, riskModel={"stopLoss": "0.05", "maxSlippage": "0.001"})
    live.work_one()
    live.tell("price", coin="BTC", price="50000")

    live.come_to_rest()

    close = last_close(live)
    assert Decimal(45_000) <= close["limit_price"] < Decimal(45_010)


def test_bounds_shrink_to_what_the_user_s_own_hand_left(live: LiveWorld) -> None:
    live.fall_behind(60)  # so that nothing has just happened
    opened(live)
    (before,) = live.positions()
    live.tell("trade", user=USER, coin="BTC", buy=False, size="0.002", reduceOnly=True)
    live.database.run_together(
        ("SET LOCAL session_replication_role = replica", {}),
        ("UPDATE venue_orders SET settled_at = settled_at - interval '1 minute'", {}),
    )

    compare(replace(live.deps, holdings=lambda _: live.hyperliquid), seconds=30)
    live.come_to_rest()
    assert live.resting() == 0
    live.clock.pass_seconds(20)  # until nothing of what was taken back can turn out to have traded
    live.come_to_rest()
    live.try_again()

    left = before["open_qty"] - Decimal("0.002")
    assert resting(live) == {"STOP_LOSS": left, "TAKE_PROFIT": left}


def test_an_entry_whose_stop_the_venue_would_find_too_small_is_refused(live: LiveWorld) -> None:
    agent = live.live()
    size = {"type": "fixed-usdc", "value": "11", "leverage": "1"}

    live.open(agent, sizeModel=size, riskModel={"stopLoss": "0.05"})
    live.come_to_rest()

    order = live.order()
    assert (order["status"], order["refusal"]) == (OrderStatus.REJECTED, "BELOW_MIN_POSITION")
    assert "A bound of 9." in order["detail"]
    assert live.books()["fills"] == []


class Unreachable(HyperliquidVenue):
    """Nothing leaves this process the first few times."""

    def __init__(self, live: LiveWorld, times: int) -> None:
        super().__init__("mainnet", live.url, **live.terms)
        self.times = times

    def send(self, order: Order, action: Action) -> Standing:
        if self.times and action.kind == "ORDER":
            self.times -= 1
            raise VenueUnavailable(self.id, "connection refused")
        return super().send(order, action)


@pytest.mark.parametrize(("times", "status"), [(3, "FILLED"), (20, "EXPIRED")])
def test_bytes_that_never_left_go_again_until_they_expire(
    live: LiveWorld, times: int, status: str
) -> None:
    agent = live.live()
    live.venues["HYPERLIQUID"] = Unreachable(live, times)

    live.open(agent)
    live.come_to_rest()

    assert live.order()["status"] == status
    orders = live.rows("SELECT * FROM venue_actions WHERE kind = 'ORDER'")
    assert [row["send_count"] for row in orders] == [1]
    assert len({fill["oid"] for fill in live.books()["fills"]}) == (status == "FILLED")


def test_a_leverage_that_came_too_late_is_set_again(live: LiveWorld) -> None:
    agent = live.live(leverage="3")
    live.tell("clock", advance=60)
    live.open(agent)
    with pytest.raises(VenueUnavailable, match="already expired"):
        live.work()
    assert live.order()["status"] == OrderStatus.PLANNED
    live.tell("clock", advance=-60)
    live.hyperliquid = live.fresh_adapter()

    live.try_again()

    assert live.order()["status"] == OrderStatus.FILLED
    outcomes = live.rows("SELECT outcome FROM venue_actions WHERE kind = 'LEVERAGE'")
    assert sorted(row["outcome"] for row in outcomes) == ["OK", "TOO_LATE"]
