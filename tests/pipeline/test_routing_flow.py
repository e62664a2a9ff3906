"""A signal's way from the message to its position."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from tests.world import World, signal


def test_a_signal_for_multi_is_routed_traded_and_explained(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()

    outcome = world.open(agent)
    world.work()

    (told,) = world.history()
    assert told["selected_venue"] == "HYPERLIQUID"
    assert told["routing_reason"] == "HYPERLIQUID: Market BTC/USD available (Index: 0)"
    assert told["checked_venues"] == ["HYPERLIQUID", "OSTIUM"]
    assert told["venue_availability"] == {"HYPERLIQUID": True, "OSTIUM": True}
    (order,) = world.orders()
    assert order["status"] == "FILLED"
    (position,) = world.positions()
    assert (position["side"], position["status"], position["venue"]) == (
        "LONG",
        "OPEN",
        "HYPERLIQUID",
    )
    assert position["entry_price"] == Decimal("100.02")
    assert position["qty"] == Decimal("2.999")
    row = world.signal_row(outcome.signal_id)
    assert (row["venue"], row["requested_venue"]) == ("HYPERLIQUID", "MULTI")


def test_a_routed_signal_costs_two_database_round_trips(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    before = world.database.round_trips

    world.open(agent)

    assert world.database.round_trips - before == 2


def test_a_token_the_first_venue_does_not_list_goes_to_the_second(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.market("HYPERLIQUID", "BTC")
    world.market("OSTIUM", "EUR", name="EUR/USD", index=2)

    outcome = world.open(agent, "EUR")

    assert outcome.venue == "OSTIUM"
    (told,) = world.history()
    assert told["venue_availability"] == {"HYPERLIQUID": False, "OSTIUM": True}
    assert [each["refusal"] for each in told["candidates"]] == [None, "NOT_LISTED"]


def test_no_venue_is_a_skip_with_its_reason_and_a_history_row(world: World) -> None:
    agent = world.agent()
    world.follow(agent)

    outcome = world.open(agent, "NOSUCH")

    row = world.signal_row(outcome.signal_id)
    assert row["skipped_reason"].startswith("No venue available for NOSUCH. Checked: HYPERLIQUID")
    (told,) = world.history()
    assert told["selected_venue"] is None
    assert told["skipped_reason"] == row["skipped_reason"]
    assert world.orders() == []


def test_an_expired_signal_is_skipped_and_no_venue_is_said_to_be_checked(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    old = datetime.now(UTC) - timedelta(minutes=10)

    outcome = world.open(agent, createdAt=old.isoformat())

    assert outcome.detail.startswith("SIGNAL_EXPIRED: it expired at ")
    (told,) = world.history()
    assert (told["checked_venues"], told["venue_availability"]) == ([], {})


def test_a_paused_agent_opens_nothing(world: World) -> None:
    agent = world.agent(status="PAUSED")
    world.follow(agent)
    world.both_markets()

    outcome = world.open(agent)

    assert outcome.detail == "AGENT_NOT_ACTIVE: the agent is PAUSED"
    assert world.orders() == []


def test_a_static_agent_uses_its_venue_and_leaves_no_history(world: World) -> None:
    agent = world.agent("OSTIUM")
    world.follow(agent)
    world.both_markets()

    outcome = world.open(agent)
    world.work()

    assert outcome.venue == "OSTIUM"
    assert world.history() == []
    assert [row["venue"] for row in world.positions()] == ["OSTIUM"]


def test_a_signal_for_a_venue_without_an_adapter_is_left_to_others(world: World) -> None:
    agent = world.agent("GMX")

    outcome = world.open(agent)

    assert outcome.status == "LEFT_TO_OTHERS"
    assert world.signal_row(outcome.signal_id)["decided_at"] is None


def test_the_agent_s_own_config_wins_over_the_global_one_at_the_next_signal(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    first = world.open(agent)
    world.config(None, ["OSTIUM", "HYPERLIQUID"])
    second = world.open(agent)
    world.config(agent, ["HYPERLIQUID"])
    third = world.open(agent)

    assert [first.venue, second.venue, third.venue] == ["HYPERLIQUID", "OSTIUM", "HYPERLIQUID"]


def test_without_any_config_row_the_built_in_default_is_used(world: World) -> None:
    world.rows("DELETE FROM venue_routing_config RETURNING id")
    agent = world.agent()
    world.follow(agent)
    world.both_markets()

    assert world.open(agent).venue == "HYPERLIQUID"


def test_a_follower_trades_where_it_said_it_would_and_the_history_says_why(world: World) -> None:
    agent = world.agent()
    anywhere = world.follow(agent)
    only_ostium = world.follow(agent, venues=["OSTIUM"])
    nowhere = world.follow(agent, venues=["GMX"])
    world.both_markets()

    world.open(agent)

    assert {row["deployment_id"]: row["venue"] for row in world.orders()} == {
        anywhere: "HYPERLIQUID",
        only_ostium: "OSTIUM",
    }
    told = {row["deployment_id"]: row["selected_venue"] for row in world.history()}
    assert told == {None: "HYPERLIQUID", only_ostium: "OSTIUM", nowhere: None}


def test_nobody_following_is_told(world: World) -> None:
    agent = world.agent()
    world.both_markets()

    outcome = world.open(agent)

    assert outcome.detail == f"No active deployment follows agent {agent}"
    assert [row["selected_venue"] for row in world.history()] == ["HYPERLIQUID"]


def test_a_row_that_cannot_be_traded_is_skipped_with_the_field_named(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    message = signal(agent)
    world.store.insert_signal(message)
    world.rows(
        "UPDATE signals SET size_model = CAST(:bad AS jsonb) WHERE id = :id RETURNING id",
        bad={"type": "fixed-usdc", "value": "-5"},
        id=message.signal_id,
    )

    outcome = world.take(message)

    assert "sizeModel.value: Input should be greater than 0" in outcome.detail
    assert world.signal_row(message.signal_id)["decided_at"] is not None
