"""Signals, agents, configs and markets as others or older releases left them: traded, or told."""

from decimal import Decimal

from tests.world import World, opened, signal


def test_a_static_agent_does_not_care_about_the_strategy_of_a_config(world: World) -> None:
    agent = world.agent("OSTIUM")
    world.follow(agent)
    world.both_markets()
    world.rows("UPDATE venue_routing_config SET routing_strategy = 'BEST_LIQUIDITY' RETURNING id")

    assert world.open(agent).venue == "OSTIUM"


def test_a_position_ended_as_dust_leaves_no_exit_waiting(world: World) -> None:
    agent = opened(world, riskModel={"stopLoss": "0.05", "takeProfit": "0.10"})
    world.both_markets(size_step=Decimal(5))

    world.close(agent)
    world.work()

    assert [row["exit_reason"] for row in world.positions()] == ["DUST"]
    assert [row["leg"] for row in world.orders() if row["status"] == "PLANNED"] == []


def test_a_market_without_a_price_is_not_traded_at_its_last_one(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.both_markets(price_usd=None)

    outcome = world.open(agent)

    assert outcome.status == "SKIPPED"
    assert "NO_PRICE" in outcome.detail


def test_a_signal_left_to_others_is_not_sent_again_for_ever(world: World) -> None:
    agent = world.agent("GMX")
    world.take(signal(agent))
    world.rows("UPDATE signals SET enqueued_at = now() - interval '1 day' RETURNING id")

    assert world.store.enqueue_lost_signals(10) == []


def test_a_close_by_an_agent_that_moved_to_a_venue_of_others_closes_what_it_holds(
    world: World,
) -> None:
    agent = opened(world)
    world.rows("UPDATE agents SET venue = 'GMX' RETURNING id")

    world.close(agent)
    world.work()

    assert [row["status"] for row in world.positions()] == ["CLOSED"]


def test_a_config_with_an_unknown_strategy_is_told_and_not_a_crash(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.config(agent, ["OSTIUM"])
    world.rows("UPDATE venue_routing_config SET routing_strategy = 'BEST_LIQUIDITY' RETURNING id")

    outcome = world.open(agent)

    assert outcome.status in ("ROUTED", "SKIPPED")


def test_a_signal_row_in_odd_case_is_traded_as_the_token_it_names(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    message = signal(agent)
    world.store.insert_signal(message)
    world.rows("UPDATE signals SET token_symbol = 'btc' RETURNING id")

    outcome = world.take(message)

    assert outcome.status == "ROUTED"


def test_a_delisted_market_whose_price_is_no_longer_told_can_still_be_closed(world: World) -> None:
    agent = opened(world)
    for token in ("ETH", "SOL"):
        world.both_markets(token)
    world.both_markets(is_active=False, price_usd=None)

    world.close(agent)
    world.work()

    assert [row["status"] for row in world.positions()] == ["CLOSED"]


def test_a_config_row_of_an_older_installation_may_leave_things_out(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.database.script(
        "ALTER TABLE venue_routing_config ALTER COLUMN routing_strategy DROP NOT NULL,"
        " ALTER COLUMN failover_enabled DROP NOT NULL;"
        "UPDATE venue_routing_config SET routing_strategy = NULL, failover_enabled = NULL"
    )

    assert world.open(agent).venue == "HYPERLIQUID"
