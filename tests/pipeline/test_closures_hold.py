"""However an account is traded, by us, by its user and by the venue, the ledger comes out right.

Random lives of an account that two agents share, over a real database and a venue that nets.
"""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_where.domain import Side
from local.postgres import Postgres
from tests.conftest import fresh_database
from tests.netting import NettingVenue, NettingWorld, Trade

MARKET = "BTC/USD"
EXACT_TO = Fraction(1, 10**9)  # what PostgreSQL's divisions round
TABLES = (
    "agents, agent_deployments, signals, positions, venue_orders, venue_actions, venue_fills,"
    " venue_closures, venue_accounts, venue_routing_history"
)
POSITIONS = "SELECT id, status, open_qty, pnl, fees_usd FROM positions ORDER BY id"
LIVES = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

sizes = st.integers(1, 12).map(lambda quarters: Decimal(quarters) / 4)
parts = st.sampled_from(["0.1", "0.25", "0.5", "0.75", "1"]).map(Decimal)
agents = st.integers(0, 1)
ours = st.one_of(
    st.tuples(st.just("open"), agents, sizes, st.booleans()),
    st.tuples(st.just("close"), agents),
    st.tuples(st.just("forgotten open"), agents, sizes),
    st.tuples(st.just("forgotten close"), agents),
    st.tuples(st.just("fire"), st.integers(0, 3)),
    st.tuples(st.just("settle")),
)
around = st.one_of(
    st.tuples(st.just("price"), st.integers(60, 140)),
    st.tuples(st.just("compare")),
)
closings = st.one_of(
    st.tuples(st.just("sell"), parts),
    st.tuples(st.just("liquidate"), parts),
)
whims = st.one_of(
    st.tuples(st.just("sell"), st.sampled_from([Decimal(1), Decimal("1.5"), Decimal(3)])),
    st.tuples(st.just("buy"), sizes),
)


class Life:
    """One account's."""

    def __init__(self, world: NettingWorld) -> None:
        self.world = world
        self.wallet = world.user()
        self.agents = [world.follower(self.wallet) for _ in range(2)]

    @property
    def held(self) -> Decimal:
        return self.world.place.held(self.wallet, MARKET)

    def take(self, step: tuple[object, ...]) -> None:
        name, *rest = step
        getattr(self, str(name).replace(" ", "_"))(*rest)
        for row in self.world.positions():
            assert 0 <= row["open_qty"] <= row["qty"]
            assert (row["open_qty"] == 0) is (row["status"] == "CLOSED")

    def open(self, agent: int, size: Decimal, with_stop: bool) -> None:
        model = {"type": "fixed-usdc", "value": str(size * 100), "leverage": "1"}
        risk = {"stopLoss": "0.1"} if with_stop else {}
        self.world.open(self.agents[agent], sizeModel=model, riskModel=risk)
        self.world.work()

    def close(self, agent: int) -> None:
        self.world.close(self.agents[agent])
        self.world.work()

    def forgotten_open(self, agent: int, size: Decimal) -> None:
        self.world.place.forgetful = True
        self.open(agent, size, with_stop=False)
        self.world.place.forgetful = False

    def forgotten_close(self, agent: int) -> None:
        self.world.place.forgetful = True
        self.close(agent)
        self.world.place.forgetful = False

    def fire(self, which: int) -> None:
        resting = [known for known in self.world.place.orders.values() if known.status == "open"]
        if resting and self.held > 0:
            self.world.place.fire(resting[which % len(resting)].order.id)

    def settle(self) -> None:
        self.world.pass_time()
        self.world.take_back_bounds()
        self.world.come_due()

    def price(self, price: int) -> None:
        self.world.place.prices[MARKET] = Decimal(price)

    def sell(self, part: Decimal) -> None:
        size = (self.held * part).quantize(Decimal("0.001"))
        if size > 0:
            self.world.place.by_hand(self.wallet, MARKET, Side.SHORT, size)

    def buy(self, size: Decimal) -> None:
        self.world.place.by_hand(self.wallet, MARKET, Side.LONG, size)

    def liquidate(self, part: Decimal) -> None:
        size = (self.held * part).quantize(Decimal("0.001"))
        if size > 0:
            self.world.place.liquidate(self.wallet, MARKET, size)

    def compare(self) -> None:
        self.world.compare()

    def come_to_rest(self) -> None:
        for _ in range(3):
            self.settle()
            self.compare()

    def own_trades(self) -> list[Trade]:
        return [trade for trade in self.world.place.trades if trade.account == self.wallet]


def cash(trades: list[Trade]) -> Fraction:
    """What came in less what went out, fees taken off."""
    return sum(
        (-Fraction(t.size * t.price) * t.side.sign - Fraction(t.fee) for t in trades), Fraction(0)
    )


def realised(world: NettingWorld) -> Fraction:
    return sum((Fraction(row["pnl"]) for row in world.positions()), Fraction(0))


@pytest.fixture(scope="module")
def shared(postgres: Postgres, migrated_template: str) -> Iterator[NettingWorld]:
    """One database for all lives; each begins with nothing in it."""
    with fresh_database(postgres, template=migrated_template) as dsn:
        world = NettingWorld(dsn)
        yield world
        world.dispose()


def begun(world: NettingWorld) -> Life:
    world.database.run_together(
        ("SET LOCAL session_replication_role = replica", {}),
        (f"TRUNCATE {TABLES} CASCADE", {}),
    )
    world.queues.orders.clear()
    world.place = NettingVenue()
    world.listed()
    return Life(world)


@LIVES
@given(st.lists(st.one_of(ours, around, closings), max_size=14))
def test_what_only_takes_away_leaves_ledger_and_venue_alike_and_pnl_is_the_cash(
    shared: NettingWorld, steps: list[tuple[object, ...]]
) -> None:
    life = begun(shared)
    for step in steps:
        life.take(step)

    life.come_to_rest()

    assert shared.ledger_net(life.wallet) == life.held
    assert shared.account_row(life.wallet)["unexplained"] == []
    life.liquidate(Decimal(1))
    life.come_to_rest()
    assert {row["status"] for row in shared.positions()} <= {"CLOSED"}
    assert abs(realised(shared) - cash(life.own_trades())) < EXACT_TO
    assert shared.rows("SELECT FROM venue_orders WHERE settled_at IS NULL") == []


@LIVES
@given(st.lists(st.one_of(ours, around, closings, whims), max_size=14))
def test_whatever_the_user_does_besides_nothing_is_booked_that_was_not_taken_from_us(
    shared: NettingWorld, steps: list[tuple[object, ...]]
) -> None:
    """What is beyond the ledger's is the user's: told while something of ours is open there."""
    life = begun(shared)
    for step in steps:
        life.take(step)

    life.come_to_rest()

    ledger, held = shared.ledger_net(life.wallet), life.held
    if shared.account_row(life.wallet)["unexplained"]:
        assert 0 < ledger < held
    else:
        assert ledger in (held, 0)
    for row in shared.closures():
        assert row["size"] <= row["fill_size"]
    booked, positions = len(shared.closures()), shared.rows(POSITIONS)
    life.compare()
    assert (len(shared.closures()), shared.rows(POSITIONS)) == (booked, positions)
