"""Comparing with the simulated Hyperliquid, through its adapter: its own units, words and ids."""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from agent_where.comparing import Compared, compare
from tests.live_world import USER, LiveWorld, live_world


@pytest.fixture
def world(database_dsn: str) -> Iterator[LiveWorld]:
    """The venue's clock is behind, so that what happens there has not just happened."""
    with live_world(database_dsn) as made:
        made.fall_behind(60)
        yield made


def opened(world: LiveWorld, token: str = "BTC", **changes: Any) -> None:
    world.open(world.live(), token, **changes)
    world.work()


def compared(world: LiveWorld) -> Compared:
    """A minute after all orders ended."""
    world.database.run_together(
        ("SET LOCAL session_replication_role = replica", {}),
        ("UPDATE venue_orders SET settled_at = settled_at - interval '1 minute'", {}),
    )
    deps = replace(world.deps, holdings=lambda _: world.hyperliquid)
    return compare(deps, seconds=30)


def stands(world: LiveWorld) -> tuple[object, ...]:
    (row,) = world.positions()
    return row["status"], row["closed_by"], row["exit_reason"]


def test_ledger_and_venue_agree_after_an_entry(world: LiveWorld) -> None:
    opened(world, riskModel={"stopLoss": "0.05"})

    assert compared(world) == Compared(accounts=1)
    (row,) = world.rows("SELECT agreed_at, unexplained, lease_token FROM venue_accounts")
    assert row["agreed_at"] is not None
    assert (row["unexplained"], row["lease_token"]) == ([], None)


def test_a_liquidation_is_booked_in_the_venue_s_words(world: LiveWorld) -> None:
    opened(world)
    world.tell("price", coin="BTC", price="30000")
    world.tell("liquidate", user=USER, coin="BTC")

    assert compared(world).booked == 1

    assert stands(world) == ("CLOSED", "LIQUIDATION", "LIQUIDATION")
    assert world.held() == 0
    assert compared(world) == Compared()


def test_half_by_hand_of_a_market_of_a_thousand_tokens_a_coin(world: LiveWorld) -> None:
    world.tell("price", coin="kPEPE", price="0.0042")
    opened(world, "PEPE")
    (before,) = world.positions()
    half = world.held("kPEPE") // 2
    world.tell("trade", user=USER, coin="kPEPE", buy=False, size=str(half))

    assert compared(world).booked == 1

    (row,) = world.positions()
    assert (row["status"], before["open_qty"] - row["open_qty"]) == ("OPEN", half * 1000)
    assert row["open_qty"] == world.held("kPEPE") * 1000
    (closure,) = world.rows("SELECT * FROM venue_closures")
    assert closure["closed_by"] == "USER"
    assert abs(closure["price"] - Decimal("0.0000042")) < Decimal("0.0000001")


def test_a_stop_that_fired_is_left_to_its_own_order(world: LiveWorld) -> None:
    opened(world, riskModel={"stopLoss": "0.05"})
    world.come_to_rest()
    assert world.resting() == 1
    world.tell("price", coin="BTC", price="56000")
    assert world.held() == 0

    assert compared(world) == Compared(accounts=1)
    world.work()

    assert stands(world) == ("CLOSED", "TRIGGER", "STOP_LOSS")
    assert world.rows("SELECT FROM venue_closures") == []


def test_bounds_are_taken_back_after_the_user_closed_all(world: LiveWorld) -> None:
    opened(world, riskModel={"stopLoss": "0.05", "takeProfit": "0.1"})
    world.come_to_rest()
    world.tell("trade", user=USER, coin="BTC", buy=False, size=str(world.held()))

    assert compared(world).booked == 1
    world.come_to_rest()
    world.clock.pass_seconds(20)  # until no fill of theirs can be late
    world.come_to_rest()

    assert stands(world) == ("CLOSED", "USER", "USER")
    assert world.resting() == 0
    assert world.rows("SELECT FROM venue_orders WHERE settled_at IS NULL") == []
