"""When a venue refuses, the next ranked one is tried, and the history says why."""

import time
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.world import World


def test_a_market_closed_since_moves_the_order_to_the_next_venue(world: World) -> None:
    agent = world.agent()
    deployment = world.follow(agent)
    world.both_markets()
    world.open(agent)
    world.market("HYPERLIQUID", is_open=False)

    world.work()

    first, second = world.orders()
    assert (first["status"], first["refusal"], first["venue"]) == (
        "REJECTED",
        "MARKET_CLOSED",
        "HYPERLIQUID",
    )
    assert (second["status"], second["venue"], second["attempt"]) == ("FILLED", "OSTIUM", 2)
    _, told = world.history()
    assert (told["attempt"], told["deployment_id"], told["selected_venue"]) == (
        2,
        deployment,
        "OSTIUM",
    )
    assert told["routing_reason"] == (
        "HYPERLIQUID refused (MARKET_CLOSED: Market BTC/USD is closed at this hour); "
        "OSTIUM: Market BTC/USD available (Index: 0)"
    )
    assert [row["venue"] for row in world.positions()] == ["OSTIUM"]


def test_a_refusal_by_the_venue_itself_moves_on_too(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.slippage_bps = Decimal(20)
    world.venues["OSTIUM"] = world.paper("OSTIUM")
    world.slippage_bps = Decimal(200)

    world.open(agent)
    world.work()

    first, second = world.orders()
    assert (first["status"], first["refusal"]) == ("REJECTED", "VENUE_REFUSED")
    assert first["sent_at"] is not None
    assert (second["status"], second["venue"]) == ("FILLED", "OSTIUM")


def test_an_account_without_collateral_is_passed_over(world: World) -> None:
    agent = world.agent()
    world.follow(agent, wallet=f"0x{'a' * 40}")
    world.both_markets()
    everything = {"type": "balance-percentage", "value": "100", "leverage": "2"}
    for _ in range(2):
        world.open(agent, sizeModel=everything)
        world.work()

    world.open(agent, sizeModel=everything)
    world.work()

    placed = [(row["venue"], row["status"], row["refusal"]) for row in world.orders()]
    assert placed == [
        ("HYPERLIQUID", "FILLED", None),
        ("HYPERLIQUID", "FILLED", None),
        ("HYPERLIQUID", "REJECTED", "BELOW_MIN_POSITION"),
        ("OSTIUM", "FILLED", None),
    ]


def test_no_venue_left_is_told_and_nothing_trades(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.open(agent)
    world.both_markets(is_open=False)

    world.work()

    assert [row["status"] for row in world.orders()] == ["REJECTED"]
    _, told = world.history()
    assert told["selected_venue"] is None
    assert "no venue left. Checked: OSTIUM (MARKET_CLOSED" in told["skipped_reason"]


def test_failover_disabled_forbids_moving_on(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.config(agent, ["HYPERLIQUID", "OSTIUM"], failover=False)
    world.open(agent)
    world.market("HYPERLIQUID", is_open=False)

    world.work()

    assert [row["status"] for row in world.orders()] == ["REJECTED"]
    assert len(world.history()) == 1


def test_a_static_agent_never_moves_on(world: World) -> None:
    agent = world.agent("HYPERLIQUID")
    world.follow(agent)
    world.both_markets()
    world.open(agent)
    world.market("HYPERLIQUID", is_open=False)

    world.work()

    assert [row["venue"] for row in world.orders()] == ["HYPERLIQUID"]
    assert world.history() == []


def test_a_signal_that_expired_on_its_way_moves_nowhere(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.open(agent, expiresAt=(datetime.now(UTC) + timedelta(seconds=1)).isoformat())
    time.sleep(1)

    world.work()

    assert [(row["status"], row["refusal"]) for row in world.orders()] == [
        ("REJECTED", "SIGNAL_EXPIRED")
    ]


def test_an_agent_paused_on_the_way_stops_the_order(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.open(agent)
    world.rows("UPDATE agents SET status = 'PAUSED' RETURNING id")

    world.work()

    assert [row["refusal"] for row in world.orders()] == ["AGENT_NOT_ACTIVE"]


def test_a_deployment_s_ceilings_are_kept(world: World) -> None:
    agent = world.agent()
    leverage = world.follow(agent)
    notional = world.follow(agent)
    world.both_markets()
    world.rows(
        "UPDATE agent_deployments SET max_leverage = 2 WHERE id = :id RETURNING id", id=leverage
    )
    world.rows(
        "UPDATE agent_deployments SET max_notional_usd = 250 WHERE id = :id RETURNING id",
        id=notional,
    )

    world.open(agent)
    world.work()

    assert [(row["status"], row["refusal"]) for row in world.orders()] == [
        ("REJECTED", "ABOVE_LIMIT")
    ] * 2


def test_the_other_side_of_a_market_that_nets_is_refused(world: World) -> None:
    agent, other = world.agent("HYPERLIQUID"), world.agent("HYPERLIQUID")
    wallet = f"0x{'b' * 40}"
    world.follow(agent, wallet)
    world.follow(other, wallet)
    world.both_markets()
    world.open(agent)
    world.work()

    world.open(other, side="SHORT")
    world.open(other)
    world.work()

    assert [(row["side"], row["refusal"]) for row in world.orders()[1:]] == [
        ("SHORT", "OPPOSITE_POSITION"),
        ("LONG", None),
    ]


def test_a_venue_that_is_halted_is_not_selected(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.control("venue", "HYPERLIQUID", "CLOSE_ONLY")

    assert world.open(agent).venue == "OSTIUM"
    assert world.history()[0]["candidates"][1]["refusal"] == "CLOSE_ONLY"


def test_a_halt_between_decision_and_sending_stops_the_order(world: World) -> None:
    agent = world.agent()
    deployment = world.follow(agent)
    world.both_markets()
    world.open(agent)
    world.control("deployment", str(deployment), "HALTED")

    world.work()

    assert [row["refusal"] for row in world.orders()] == ["HALTED"]
