"""market_sync: whole universes from simulated venues, each on its own, nothing on a bad answer."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest

from agent_where.store.connection import Database
from local.simulators.control import Control, Fault
from local.simulators.hyperliquid import HyperliquidSimulator
from local.simulators.ostium import OstiumSimulator
from local.simulators.server import Server
from tests.handlers.workers import Worker, working
from tests.world import World


@dataclass(frozen=True)
class Venues:
    """What a test may break."""

    hyperliquid: Control
    ostium: Control


@pytest.fixture
def venues(monkeypatch: pytest.MonkeyPatch) -> Iterator[Venues]:
    """Both venues' public endpoints on loopback."""

    def clock() -> datetime:
        return datetime.now(UTC)

    first, second = HyperliquidSimulator(clock), OstiumSimulator(clock)
    with Server(first) as hyperliquid, Server(second) as ostium:
        monkeypatch.setenv("HYPERLIQUID_API_URL", hyperliquid.url)
        monkeypatch.setenv("OSTIUM_SUBGRAPH_URL", f"{ostium.url}/subgraph")
        monkeypatch.setenv("OSTIUM_PRICE_URL", ostium.url)
        monkeypatch.setenv("VENUE_TIMEOUT_SECONDS", "0.5")
        yield Venues(first.control, second.control)


@pytest.fixture
def world(database_dsn: str, connections: list[Database]) -> Iterator[World]:
    made = World(database_dsn)
    yield made
    made.dispose()


@pytest.fixture
def worker(world: World, venues: Venues, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    with working("market_sync", world.dsn, monkeypatch, world.queues) as made:
        yield made


def sync(worker: Worker) -> dict[str, dict[str, Any]]:
    """One run; the result of each venue."""
    answer = worker.run("schedule")
    results = {each["venue"]: each for each in answer["venues"]}
    assert answer["success"] is all(each["status"] == "SYNCED" for each in results.values())
    return results


def market(world: World, venue: str, token: str) -> dict[str, Any]:
    (row,) = world.rows(
        "SELECT * FROM venue_markets"
        " WHERE venue = CAST(:venue AS venue_t) AND token_symbol = :token",
        venue=venue,
        token=token,
    )
    return dict(row)


def test_a_run_stores_both_universes(worker: Worker, world: World) -> None:
    results = sync(worker)

    assert {venue: (each["stored"], each["active"]) for venue, each in results.items()} == {
        "HYPERLIQUID": (228, 190),
        "OSTIUM": (52, 52),
    }
    pepe = market(world, "HYPERLIQUID", "PEPE")
    assert (pepe["market_name"], pepe["multiplier"]) == ("kPEPE/USD", 1000)
    assert market(world, "OSTIUM", "BTC")["is_open"] is True
    assert market(world, "OSTIUM", "XAU")["metadata"]["order_fee_usd"] == "0.10"


def test_a_second_run_changes_prices_and_adds_nothing(worker: Worker, world: World) -> None:
    sync(worker)
    before = market(world, "HYPERLIQUID", "BTC")

    sync(worker)

    after = market(world, "HYPERLIQUID", "BTC")
    assert before["id"] == after["id"]
    assert before["last_synced"] < after["last_synced"]
    assert len(world.rows("SELECT 1 FROM venue_markets")) == 280


@pytest.mark.parametrize(
    "fault", [Fault.SERVER_ERROR, Fault.TOO_MANY, Fault.CUT, Fault.GARBAGE, Fault.EMPTY]
)
def test_one_venue_failing_leaves_the_other(
    worker: Worker, world: World, venues: Venues, fault: Fault
) -> None:
    venues.hyperliquid.fault = fault

    results = sync(worker)

    assert results["OSTIUM"]["status"] == "SYNCED"
    assert results["HYPERLIQUID"]["status"] in ("VENUE_UNAVAILABLE", "ANSWER_REFUSED")
    assert results["HYPERLIQUID"]["detail"]
    stored = world.rows("SELECT DISTINCT venue FROM venue_markets")
    assert [row["venue"] for row in stored] == ["OSTIUM"]


def test_an_answer_that_lost_more_than_half_changes_nothing_and_says_so(
    worker: Worker, world: World, venues: Venues
) -> None:
    sync(worker)
    before = world.rows("SELECT * FROM venue_markets WHERE venue = 'OSTIUM' ORDER BY token_symbol")
    venues.ostium.fault = Fault.HALF

    results = sync(worker)

    assert results["OSTIUM"]["status"] == "ANSWER_REFUSED"
    assert results["OSTIUM"]["detail"] == (
        "the answer keeps only 20 of 52 active markets; nothing was changed"
    )
    after = world.rows("SELECT * FROM venue_markets WHERE venue = 'OSTIUM' ORDER BY token_symbol")
    assert after == before


def test_a_market_that_vanished_from_a_healthy_answer_becomes_inactive(
    worker: Worker, world: World
) -> None:
    sync(worker)
    world.rows(
        "INSERT INTO venue_markets (venue, token_symbol, market_name, last_synced)"
        " VALUES ('OSTIUM', 'GHOST', 'GHOST/USD', now()) RETURNING id"
    )

    results = sync(worker)

    assert results["OSTIUM"]["vanished"] == 1
    assert market(world, "OSTIUM", "GHOST")["is_active"] is False


def test_exits_whose_price_was_reached_are_put_on_the_queue(
    worker: Worker, world: World, venues: Venues
) -> None:
    sync(worker)
    agent = world.agent("HYPERLIQUID")
    world.follow(agent)
    world.open(agent, "PEPE", riskModel={"stopLoss": "0.2", "takeProfit": "0.2"})
    world.work()
    (position,) = world.positions()
    venues.hyperliquid.prices["kPEPE"] = position["take_profit"] * 1000 * 2

    results = sync(worker)

    assert results["HYPERLIQUID"]["triggered"] == len(world.queues.orders) == 1
    world.work()
    (position,) = world.positions()
    assert (position["status"], position["exit_reason"]) == ("CLOSED", "TAKE_PROFIT")
    assert position["pnl"] > 0


def test_a_triggered_exit_whose_message_is_lost_is_found_by_reconcile(
    worker: Worker, world: World, venues: Venues, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(worker)
    agent = world.agent("HYPERLIQUID")
    world.follow(agent)
    world.open(agent, "PEPE", riskModel={"stopLoss": "0.2"})
    world.work()
    venues.hyperliquid.prices["kPEPE"] = world.positions()[0]["stop_loss"] * 500
    sent = world.queues.orders.copy()
    sync(worker)
    world.queues.orders = sent

    world.rows(
        "UPDATE venue_orders SET enqueued_at = now() - interval '2 minutes'"
        " WHERE status = 'PLANNED' RETURNING id"
    )

    assert [ticket.venue for ticket in world.store.enqueue_due_orders(10)] == ["HYPERLIQUID"]
