"""A worker that dies at any statement of a comparison books nothing twice and loses nothing.

One account holds two positions with stops, one of another agent's, and an execution that nobody
expected. The user sells some by hand, the venue liquidates more. Whoever comes after the dead
worker finds the rest; its lease has run out by then.
"""

from decimal import Decimal

import pytest

from agent_where.comparing import compare
from agent_where.domain import Side
from local.postgres import Postgres
from tests.crashing import Crashing, lived, wrong_ends
from tests.failing_venues import Died
from tests.netting import NettingWorld
from tests.world import MemoryQueues

MARKET = "BTC/USD"


def prepared(dsn: str) -> NettingWorld:
    world = NettingWorld(dsn, MemoryQueues())
    world.listed()
    wallet = world.user()
    agent = world.follower(wallet)
    world.buy(agent, "1", riskModel={"stopLoss": "0.3"})
    world.buy(agent, "2", riskModel={"stopLoss": "0.3"})
    world.buy(world.follower(wallet), "1")
    world.place.forgetful = True
    world.open(agent, sizeModel={"type": "fixed-usdc", "value": "50", "leverage": "1"})
    world.work()
    world.place.forgetful = False
    world.place.by_hand(wallet, MARKET, Side.SHORT, "0.4")
    world.place.prices[MARKET] = Decimal(80)
    world.place.liquidate(wallet, MARKET, "1.6")
    world.pass_time()
    return world


def judged(world: NettingWorld) -> object:
    """What the ledger and the venue say in the end."""
    columns = "status, open_qty, closed_by, pnl, fees_usd, unexpected"
    return {
        "positions": world.rows(f"SELECT {columns} FROM positions ORDER BY qty, status"),
        "closures": world.rows("SELECT size, fill_size, fee FROM venue_closures ORDER BY size"),
        "fills": len(world.rows("SELECT FROM venue_fills")),
        "orders": sorted((row["purpose"], row["status"]) for row in world.orders()),
        "rest": sorted(known.status for known in world.place.orders.values()),
        "leases": len(world.rows("SELECT FROM venue_accounts WHERE lease_token IS NOT NULL")),
        "unexplained": world.rows("SELECT unexplained FROM venue_accounts"),
    }


def scenario(dsn: str, first: Crashing) -> object:
    world = prepared(dsn)
    worker = world.another_worker(first)
    try:
        compare(worker.deps, seconds=30)
    except Died:
        worker.queues.orders.clear()
    worker.dispose()
    world.rows(
        "UPDATE venue_accounts SET lease_until = clock_timestamp()"
        " WHERE lease_token IS NOT NULL RETURNING account"
    )
    for _ in range(2):
        world.compare()
        world.take_back_bounds()
    found = judged(world)
    world.dispose()
    return found


@pytest.fixture(scope="module")
def unharmed(postgres: Postgres, migrated_template: str) -> tuple[int, object]:
    return lived(postgres, migrated_template, scenario, dies_at=0, after=False, stays_dead=True)


def test_without_a_crash_it_ends_as_it_should(unharmed: tuple[int, object]) -> None:
    _, found = unharmed

    assert isinstance(found, dict)
    told = [(row["status"], row["open_qty"], row["closed_by"]) for row in found["positions"]]
    assert told == [
        ("OPEN", Decimal("0.5"), None),
        ("CLOSED", 0, "LIQUIDATION"),
        ("OPEN", 1, None),
        ("OPEN", 1, None),
    ]
    assert found["fills"] == 4
    assert found["orders"].count(("STOP_LOSS", "REJECTED")) == 2
    assert found["orders"].count(("STOP_LOSS", "PLANNED")) == 1  # for what is left of the first


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_statement_books_nothing_twice_and_loses_nothing(
    postgres: Postgres, migrated_template: str, unharmed: tuple[int, object], after: bool
) -> None:
    statements, as_it_should_be = unharmed
    assert statements >= 7

    wrong = wrong_ends(
        postgres,
        migrated_template,
        scenario,
        statements,
        right=as_it_should_be,
        after=after,
        stays_dead=True,
    )

    assert wrong == {}
