"""Reading configs, agents, deployments, trades, positions and markets over HTTP."""

from datetime import datetime

import pytest

from agent_where.contract import routes
from agent_where.store.connection import Database
from tests.handlers.calling import ask
from tests.handlers.gateway import CONFIG_KEYS, DEPLOYMENT, MULTI_AGENT, WALLET, Function, keys_of
from tests.world import World, close_signal, signal

SECRETS = {"key_ref", "payload", "sent_under", "lease_token", "body_hash", "sentUnder", "bodyHash"}


# Config


def test_a_config_has_the_documented_keys_whichever_row_applies(
    reader: Function, api_database: Database, world: World
) -> None:
    inherited = reader.send("get_config_of_agent").body["config"]
    world.config(MULTI_AGENT, ["OSTIUM"])
    own = reader.send("get_config_of_agent").body["config"]
    api_database.run("DELETE FROM venue_routing_config")
    built_in = reader.send("get_config_of_agent").body["config"]

    assert inherited.keys() == own.keys() == built_in.keys() == CONFIG_KEYS
    assert (inherited["agent_id"], inherited["isDefault"]) == (None, False)
    assert (own["agent_id"], own["venue_priority"]) == (str(MULTI_AGENT), ["OSTIUM"])
    assert (own["isDefault"], built_in["isDefault"]) == (False, True)
    assert built_in["venue_priority"] == ["HYPERLIQUID", "OSTIUM"]
    assert built_in["id"] is None


# Agents and deployments


def test_agents_come_in_pages_without_gap_or_repeat(
    reader: Function, api_database: Database
) -> None:
    api_database.run(
        "INSERT INTO agents (creator_wallet, name, venue, profit_receiver_address)"
        " SELECT '0xc', 'a ' || n, 'MULTI', '0xp' FROM generate_series(1, 230) n"
    )

    seen: list[str] = []
    answer = reader.send("get_agents")
    while answer.body["nextCursor"]:
        seen += [agent["id"] for agent in answer.body["agents"]]
        answer = reader.ask("get_agents", cursor=answer.body["nextCursor"])
    seen += [agent["id"] for agent in answer.body["agents"]]

    rows = api_database.run("SELECT id FROM agents ORDER BY created_at DESC, id DESC")
    assert seen == [str(row["id"]) for row in rows]


def test_a_deployment_is_shown_with_its_accounts_and_no_key(
    reader: Function, api_database: Database
) -> None:
    api_database.run(
        "INSERT INTO venue_accounts (account, venue, signer_address, key_ref)"
        " VALUES (:account, 'OSTIUM', '0xs', 'kms:a')",
        account=f"0x{'cd' * 20}",
    )

    answer = reader.send("get_deployment")

    told = answer.body["deployment"]
    assert told["user_wallet"] == WALLET
    assert told["maxNotionalUsd"] == "5000"
    assert [each["signer_address"] for each in told["accounts"]] == ["0xs"]
    assert not SECRETS & set(keys_of(answer.body))
    assert reader.send("get_deployments").body["deployments"] == [told]


# Where is my trade


def test_a_trade_is_shown_whole_from_its_decision_to_its_close(
    reader: Function, world: World
) -> None:
    opened = signal(MULTI_AGENT, riskModel={"stopLoss": "0.05"})
    world.take(opened)
    world.work()
    closing = close_signal(MULTI_AGENT)
    world.take(closing)
    world.work()

    answer = reader.at("get_signal", opened.signal_id)

    told = answer.body
    assert told["signal"]["signalId"] == str(opened.signal_id)
    assert (told["signal"]["requestedVenue"], told["signal"]["venue"]) == ("MULTI", "HYPERLIQUID")
    assert told["signal"]["sizeModel"] == {
        "type": "fixed-usdc",
        "value": "100",
        "leverage": "3",
    }
    (decision,) = told["decisions"]
    assert decision["selectedVenue"] == "HYPERLIQUID"
    assert [each["venue"] for each in decision["candidates"]] == ["HYPERLIQUID", "OSTIUM"]
    statuses = {(each["purpose"], each["status"]) for each in told["orders"]}
    assert {("ENTRY", "FILLED"), ("CLOSE", "FILLED")} <= statuses
    assert len(told["fills"]) == 2
    (position,) = told["positions"]
    assert (position["status"], position["openQty"]) == ("CLOSED", "0")
    assert isinstance(position["pnl"], str)
    assert isinstance(told["fills"][0]["price"], str)
    assert told["truncated"] is False
    assert not SECRETS & set(keys_of(told))

    closed = reader.at("get_signal", closing.signal_id).body
    assert [each["purpose"] for each in closed["orders"]] == ["CLOSE"]
    assert closed["positions"] == told["positions"]


def test_a_signal_with_very_many_orders_says_that_some_are_left_out(
    reader: Function, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent_where.store.views.TRADE_ROWS", 2)
    for _ in range(3):
        world.follow(MULTI_AGENT)
    opened = signal(MULTI_AGENT)
    world.take(opened)

    told = reader.at("get_signal", opened.signal_id).body

    assert (len(told["orders"]), told["truncated"]) == (2, True)


# Positions and markets


def test_positions_are_filtered_and_paged_newest_first(reader: Function, world: World) -> None:
    other = world.agent()
    world.follow(other)
    for agent in (MULTI_AGENT, MULTI_AGENT, MULTI_AGENT, other):
        world.open(agent)
    world.work()

    asked = {"agentId": str(MULTI_AGENT), "limit": "2"}
    first = reader.ask("get_positions", **asked).body
    second = reader.ask("get_positions", **asked, cursor=first["nextCursor"]).body

    shown = first["positions"] + second["positions"]
    assert (len(first["positions"]), len(second["positions"])) == (2, 1)
    assert second["nextCursor"] is None
    assert len({each["id"] for each in shown}) == 3
    assert {each["agentId"] for each in shown} == {str(MULTI_AGENT)}
    times = [datetime.fromisoformat(each["openedAt"]) for each in shown]
    assert times == sorted(times, reverse=True)
    assert isinstance(shown[0]["qty"], str)
    assert reader.ask("get_positions", status="CLOSED").body["positions"] == []
    assert len(reader.ask("get_positions", deploymentId=str(DEPLOYMENT)).body["positions"]) == 3


def test_markets_are_filtered_by_venue_and_token(reader: Function, world: World) -> None:
    world.both_markets("PEPE", multiplier="1000")

    everything = reader.send("get_markets").body["markets"]
    of_token = reader.ask("get_markets", tokenSymbol="kpepe").body["markets"]
    of_both = reader.ask("get_markets", tokenSymbol="BTC", venue="ostium").body["markets"]

    assert len(everything) == 4
    assert [each["venue"] for each in of_token] == ["HYPERLIQUID", "OSTIUM"]
    assert of_token[0]["multiplier"] == "1000"
    assert [(each["venue"], each["tokenSymbol"]) for each in of_both] == [("OSTIUM", "BTC")]
    assert of_both[0]["currentPrice"] == "100"


def test_rows_that_an_older_installation_left_half_empty_are_shown_all_the_same(
    reader: Function, api_database: Database
) -> None:
    api_database.script(
        "ALTER TABLE venue_routing_history ALTER COLUMN signal_id DROP NOT NULL,"
        " ALTER COLUMN routing_reason DROP NOT NULL, ALTER COLUMN checked_venues DROP NOT NULL,"
        " ALTER COLUMN venue_availability DROP NOT NULL,"
        " ALTER COLUMN routing_duration_ms DROP NOT NULL;"
        "INSERT INTO venue_routing_history (token_symbol, requested_venue) VALUES ('BTC', 'MULTI');"
        "ALTER TABLE venue_routing_config ALTER COLUMN venue_priority DROP NOT NULL;"
        "ALTER TABLE venue_routing_config ALTER COLUMN routing_strategy DROP NOT NULL;"
        "UPDATE venue_routing_config SET venue_priority = NULL, routing_strategy = NULL;"
    )

    config = reader.send("get_config").body["config"]
    recent = reader.ask("get_stats").body["recentRouting"]
    history = ask(reader, routes.GET_HISTORY).body["history"]

    assert (config["venue_priority"], config["routing_strategy"]) == (
        ["HYPERLIQUID", "OSTIUM"],
        "FIRST_AVAILABLE",
    )
    assert [each["routingReason"] for each in (*recent, *history)] == ["", ""]
    assert history[0]["signalId"] is None
