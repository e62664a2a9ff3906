"""The main job through the deployed template: signals in, trades on paper, everything explained."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from agent_where.store.connection import Database
from local import postgres
from local.environment import Home
from local.stack import Stack
from tests.e2e.client import Client, signal

pytestmark = pytest.mark.e2e

Eventually = Callable[[Callable[[], bool], float], None]

TOKENS = ("BTC", "ETH", "SOL", "kPEPE", "XAU", "EUR", "HYPE", "NVDA", "NOSUCH", "doge")
VENUE_OF = {
    "BTC": "HYPERLIQUID",
    "ETH": "HYPERLIQUID",
    "SOL": "HYPERLIQUID",
    "PEPE": "HYPERLIQUID",
    "XAU": "OSTIUM",
    "EUR": "OSTIUM",
    "HYPE": "HYPERLIQUID",
    "NVDA": None,
    "NOSUCH": None,
    "DOGE": "HYPERLIQUID",
}


def test_two_hundred_signals_over_twenty_agents_are_all_decided_traded_and_told(
    client: Client, database: Database, eventually: Eventually
) -> None:
    agents = [client.agent(f"agent {number}") for number in range(20)]
    for agent in agents:
        client.follow(agent)
    bodies = [signal(agents[n % 20], TOKENS[n // 20]) for n in range(200)]

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(client.signal, bodies))

    assert {answer.status for answer in answers} == {202}
    ids = [body["signalId"] for body in bodies]
    eventually(lambda: _count(database, "signals", ids, "decided_at IS NOT NULL") == 200, 120)
    eventually(lambda: _unfinished(database, ids) == 0, 120)
    _check_every_row(database, ids)


def _check_every_row(database: Database, ids: list[str]) -> None:
    signals = database.run(
        "SELECT id, token_symbol, venue, requested_venue, skipped_reason FROM signals"
        " WHERE id = ANY (CAST(:ids AS uuid[]))",
        ids=ids,
    )
    assert len(signals) == 200
    for row in signals:
        venue = VENUE_OF[row["token_symbol"]]
        assert row["requested_venue"] == "MULTI"
        assert row["venue"] == (venue or "MULTI")
        assert (row["skipped_reason"] is None) == (venue is not None)
    history = database.run(
        "SELECT * FROM venue_routing_history WHERE signal_id = ANY (CAST(:ids AS uuid[]))", ids=ids
    )
    assert len(history) == 200
    for row in history:
        assert row["selected_venue"] == VENUE_OF[row["token_symbol"]]
        assert row["checked_venues"] == ["HYPERLIQUID", "OSTIUM"]
        assert (row["skipped_reason"] is None) == (row["selected_venue"] is not None)
        assert len(row["candidates"]) == 2
    orders = database.run(
        "SELECT o.*, (SELECT count(*) FROM venue_actions a WHERE a.order_id = o.id) AS actions,"
        " (SELECT sum(f.size) FROM venue_fills f WHERE f.order_id = o.id) AS filled"
        " FROM venue_orders o WHERE signal_id = ANY (CAST(:ids AS uuid[]))",
        ids=ids,
    )
    assert Counter(row["status"] for row in orders) == {"FILLED": 160}
    assert all(row["actions"] == 1 and row["filled"] == row["filled_size"] for row in orders)
    positions = database.run(
        "SELECT * FROM positions WHERE signal_id = ANY (CAST(:ids AS uuid[]))", ids=ids
    )
    assert Counter(row["status"] for row in positions) == {"OPEN": 160}
    for row in positions:
        assert 90 < row["qty"] * row["entry_price"] <= 100


def test_one_signal_delivered_five_times_trades_once(
    client: Client, database: Database, eventually: Eventually
) -> None:
    agent = client.agent("repeated")
    client.follow(agent)
    body = signal(agent)

    for _ in range(5):
        client.send(body, agent)
    eventually(lambda: _count(database, "positions", [body["signalId"]]) == 1, 30)
    eventually(lambda: client.stack.depth("Signal") == client.stack.depth("Order") == 0, 30)

    for table in ("positions", "venue_orders", "venue_routing_history"):
        assert _count(database, table, [body["signalId"]]) == 1


def test_a_poison_message_delays_a_good_one_of_its_agent_by_less_than_five_seconds(
    client: Client, database: Database, eventually: Eventually
) -> None:
    agent = client.agent("poisoned")
    client.follow(agent)
    good = signal(agent)
    before = client.stack.depth("DeadLetter")

    started = time.monotonic()
    client.send("{this is no JSON", agent)
    client.send(signal("00000000-0000-4000-8000-000000000000"), agent)
    client.send(good, agent)
    eventually(
        lambda: _count(database, "signals", [good["signalId"]], "decided_at IS NOT NULL") == 1, 5
    )

    assert time.monotonic() - started < 5
    eventually(lambda: client.stack.depth("DeadLetter") == before + 2, 10)


def test_a_close_through_the_api_ends_the_position_with_its_pnl(
    client: Client, database: Database, eventually: Eventually
) -> None:
    agent = client.agent("closing")
    client.follow(agent)
    body = signal(agent)
    client.signal(body)
    eventually(lambda: _count(database, "positions", [body["signalId"]]) == 1, 30)

    closing = {
        "signalId": signal(agent)["signalId"],
        "agentId": agent,
        "tokenSymbol": "btc",
        "action": "CLOSE",
    }
    assert client.signal(closing).status == 202

    closed = "status = 'CLOSED' AND pnl IS NOT NULL AND open_qty = 0"
    eventually(lambda: _count(database, "positions", [body["signalId"]], closed) == 1, 30)


def test_a_signal_outlasts_a_database_outage_of_three_minutes(
    client: Client, database: Database, home: Home, stack: Stack, eventually: Eventually
) -> None:
    agent = client.agent("patient")
    client.follow(agent)
    body = signal(agent, expiresAt="2999-01-01T00:00:00Z")
    port = int(stack.dsn.rsplit(":", 1)[1].split("/")[0])

    postgres.stop(home.postgres)
    try:
        client.send(body, agent)
        time.sleep(180)
    finally:
        postgres.start(home.postgres, port=port)
    eventually(lambda: _count(database, "positions", [body["signalId"]]) == 1, 90)


def _count(database: Database, table: str, ids: list[str], condition: str = "true") -> int:
    key = "id" if table == "signals" else "signal_id"
    rows = database.run(
        f"SELECT count(*) AS n FROM {table}"
        f" WHERE {key} = ANY (CAST(:ids AS uuid[])) AND {condition}",
        ids=ids,
    )
    return int(rows[0]["n"])


def _unfinished(database: Database, ids: list[str]) -> int:
    return _count(database, "venue_orders", ids, "status NOT IN ('FILLED', 'REJECTED', 'EXPIRED')")
