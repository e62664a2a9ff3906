"""The books of an account over many random trades, recomputed from nothing but its fills.

Seeded walks over the real database: opens, closes, prices, depth, exits that trigger, at both
venues, with a market that holds a thousand tokens a unit and an account that two agents share.
"""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from random import Random
from uuid import UUID

import pytest

from agent_where import pipeline
from agent_where.domain import Market, OrderStatus
from agent_where.store.connection import Row
from tests.world import STARTING_BALANCE_USD, World

WALLET = f"0x{'b' * 40}"
STEPS = 30
EXACT_TO = Fraction(1, 10**9)  # what PostgreSQL's divisions round
MICRO_USD = Decimal("0.000001")  # what a fee is rounded up to
MARKETS = {
    "HYPERLIQUID": (
        {"token": "BTC", "price_usd": Decimal(100)},
        {
            "token": "PEPE",
            "name": "kPEPE/USD",
            "multiplier": 1000,
            "size_step": 1000,
            "price_usd": Decimal("0.0000123"),
        },
    ),
    "OSTIUM": (
        {
            "token": "BTC",
            "price_usd": Decimal(100),
            "size_step": Decimal("1e-18"),
            "order_fee_usd": Decimal("0.10"),
            "taker_fee_bps": Decimal(6),
        },
    ),
}


class Walk:
    """Random trading with one account."""

    def __init__(self, world: World, seed: int) -> None:
        self.world = world
        self.random = Random(seed)
        self.agents = [world.agent(venue) for venue in ("MULTI", "OSTIUM")]
        for agent in self.agents:
            world.follow(agent, WALLET)
        for venue, markets in MARKETS.items():
            for each in markets:
                world.market(venue, **each)  # type: ignore[arg-type]

    def step(self) -> None:
        self.random.choices(
            [self.open, self.close, self.move_prices, self.change_depth, self.try_again],
            [5, 1, 3, 1, 2],
        )[0]()
        self.work()

    def open(self) -> None:
        size = self.random.choice(
            [
                {"type": "fixed-usdc", "value": self.random.randint(5, 4_000)},
                {"type": "balance-percentage", "value": self.random.randint(1, 100)},
            ]
        )
        self.world.open(
            self.random.choice(self.agents),
            self.random.choice(["BTC", "PEPE"]),
            side=self.random.choice(["LONG", "SHORT"]),
            sizeModel=size | {"leverage": self.random.choice([1, "2.5", 3, 20])},
            riskModel=self.random.choice([{}, {"stopLoss": "0.03", "takeProfit": "0.04"}]),
        )

    def close(self) -> None:
        agent, token = self.random.choice(self.agents), self.random.choice(["BTC", "PEPE"])
        self.world.close(agent, token)

    def move_prices(self) -> None:
        for venue in MARKETS:
            moved = [self._moved(market) for market in self.world._markets(venue)]
            _, triggered = self.world.store.upsert_markets(venue, moved)
            self.world.queues.send_orders(triggered)

    def _moved(self, market: Market) -> Market:
        assert market.price_usd is not None
        by = 1 + Decimal(self.random.randint(-500, 500)) / 10_000
        return market.model_copy(update={"price_usd": market.price_usd * by})

    def change_depth(self) -> None:
        self.world.depth_usd = Decimal(self.random.choice([40, 700, 1_000_000]))

    def try_again(self) -> None:
        """Time passes: what waits for its next attempt is due."""
        self.world.rows(
            "UPDATE venue_orders SET due_at = now()"
            " WHERE status = 'PLANNED' AND due_at > now() RETURNING id"
        )
        self.world.queues.send_orders(self.world.store.enqueue_due_orders(100), again=True)

    def work(self) -> None:
        """Carry out what is on the queue; no entry ever costs more than was free."""
        while self.world.queues.orders:
            ticket = self.world.queues.orders.popleft()
            outcome = pipeline.take_order(ticket.id, self.world.deps)
            (row,) = self.world.rows(
                "SELECT purpose FROM venue_orders WHERE id = :id", id=ticket.id
            )
            if row["purpose"] == "ENTRY" and outcome.status is OrderStatus.FILLED:
                assert self.free(ticket.venue) >= -MICRO_USD

    def end(self) -> None:
        """Close everything that is open, however many attempts it takes."""
        self.world.depth_usd = Decimal(1_000_000)
        for agent in self.agents:
            for token in ("BTC", "PEPE"):
                self.world.close(agent, token)
        for _ in range(10):
            self.work()
            self.try_again()

    def free(self, venue: str) -> Decimal:
        return self.world.store.paper_collateral(WALLET, venue, STARTING_BALANCE_USD)


def books(world: World) -> Iterator[tuple[Row, list[Row], list[Row]]]:
    """Each position with the fills of its entry and of its exits."""
    fills: dict[UUID, list[Row]] = defaultdict(list)
    for fill in world.rows(
        "SELECT f.size, f.price, f.fee, o.position_id, o.purpose FROM venue_fills f"
        " JOIN venue_orders o ON o.id = f.order_id"
    ):
        fills[fill["position_id"]].append(fill)
    for position in world.positions():
        own = fills.pop(position["id"])
        yield (
            position,
            [fill for fill in own if fill["purpose"] == "ENTRY"],
            [fill for fill in own if fill["purpose"] != "ENTRY"],
        )
    assert fills == {}


def size(fills: list[Row]) -> Fraction:
    return sum((Fraction(fill["size"]) for fill in fills), Fraction(0))


def value(fills: list[Row]) -> Fraction:
    return sum((Fraction(fill["size"]) * Fraction(fill["price"]) for fill in fills), Fraction(0))


def fees(fills: list[Row]) -> Fraction:
    return sum((Fraction(fill["fee"]) for fill in fills), Fraction(0))


def check_books(walk: Walk) -> None:
    """Every figure of every position, and what the account has free, from the fills alone."""
    expected = {venue: Fraction(STARTING_BALANCE_USD) for venue in MARKETS}
    for position, entries, exits in books(walk.world):
        sign = 1 if position["side"] == "LONG" else -1
        left = size(entries) - size(exits)
        average = value(entries) / size(entries)
        paid = fees(entries) + fees(exits)
        realised = (value(exits) - average * size(exits)) * sign - paid
        assert left == Fraction(position["open_qty"]) >= 0
        assert Fraction(position["qty"]) == size(entries)
        assert Fraction(position["fees_usd"]) == paid
        assert (left == 0) is (position["status"] == "CLOSED")
        if exits:
            assert abs(Fraction(position["pnl"]) - realised) < EXACT_TO
        else:
            assert position["pnl"] is None
        tied = left * average / Fraction(position["leverage"])
        expected[position["venue"]] += realised - tied
    for venue, free in expected.items():
        assert abs(Fraction(walk.free(venue)) - free) < EXACT_TO


def check_ledger(world: World) -> None:
    """A FILLED order has exactly its fills, no other has any, and none fills beyond its size."""
    for row in world.rows(
        "SELECT o.status, o.size, o.filled_size, o.side, o.limit_price, sum(f.size) AS sum,"
        " min(f.price) AS lowest, max(f.price) AS highest"
        " FROM venue_orders o LEFT JOIN venue_fills f ON f.order_id = o.id GROUP BY o.id"
    ):
        assert (row["status"] == "FILLED") is (row["sum"] is not None)
        assert row["filled_size"] == row["sum"]
        if row["sum"] is not None:
            assert row["sum"] <= row["size"]
            worst = row["highest"] if row["side"] == "LONG" else -row["lowest"]
            assert worst <= (row["limit_price"] if row["side"] == "LONG" else -row["limit_price"])


@pytest.mark.parametrize("seed", range(8))
def test_however_an_account_trades_its_books_are_what_its_fills_say(
    world: World, seed: int
) -> None:
    walk = Walk(world, seed)

    for _ in range(STEPS):
        walk.step()
        if walk.random.random() < 0.2:
            check_books(walk)
    walk.end()

    check_books(walk)
    check_ledger(world)
    assert {row["status"] for row in world.positions()} <= {"CLOSED"}
    assert world.rows("SELECT 1 FROM venue_orders WHERE settled_at IS NULL") == []


@pytest.mark.parametrize("seed", range(8, 11))
def test_when_all_is_closed_what_is_free_is_what_came_in_less_what_went_out(
    world: World, seed: int
) -> None:
    """Cash alone: no averages, no positions."""
    walk = Walk(world, seed)
    for _ in range(STEPS):
        walk.step()
    walk.end()

    cash = {venue: Fraction(STARTING_BALANCE_USD) for venue in MARKETS}
    for fill in world.rows(
        "SELECT f.size, f.price, f.fee, f.venue, o.side FROM venue_fills f"
        " JOIN venue_orders o ON o.id = f.order_id"
    ):
        paid = Fraction(fill["size"]) * Fraction(fill["price"])
        flow = -paid if fill["side"] == "LONG" else paid
        cash[fill["venue"]] += flow - Fraction(fill["fee"])

    gained = {venue: Fraction(walk.free(venue)) for venue in MARKETS}
    assert all(abs(gained[venue] - cash[venue]) < EXACT_TO for venue in MARKETS)
    assert any(cash[venue] != STARTING_BALANCE_USD for venue in MARKETS)


def test_a_market_of_a_thousand_tokens_a_unit_gains_what_its_unscaled_twin_gains(
    world: World,
) -> None:
    agent = world.agent("HYPERLIQUID")
    world.follow(agent, WALLET)
    for price in (Decimal("0.0123"), Decimal("0.0133")):
        world.market("HYPERLIQUID", "TWIN", size_step=1, price_usd=price)
        world.market("HYPERLIQUID", "PEPE", multiplier=1000, size_step=1000, price_usd=price / 1000)
        for token in ("TWIN", "PEPE"):
            world.close(agent, token) if world.positions()[1:] else world.open(agent, token)
        world.work()

    twin, kilo = world.positions()
    assert kilo["qty"] == twin["qty"] * 1000
    assert kilo["entry_price"] * 1000 == twin["entry_price"]
    assert kilo["pnl"] == twin["pnl"] > 20
