"""Whether the system is fit to trade, over a real database in all the states that one may be in."""

import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from agent_where.domain import TRADABLE_VENUES
from agent_where.errors import BadSetting, DatabaseUnavailable, NotFit
from agent_where.reconciling import write_figures
from agent_where.settings import StatsApiSettings
from agent_where.status import LOOK_EVERY_SECONDS, Status, Terms
from agent_where.store.connection import Database, DatabaseSettings
from agent_where.store.status import CONTROLS, Statuses
from local.postgres import Postgres
from tests.fixtures_database import MIGRATIONS
from tests.store.proxies import CLIENT, SERVER, Proxy
from tests.world import MAX_AGE, SUPPORTED, World

TERMS = Terms(network="mainnet", supported=SUPPORTED, max_age=MAX_AGE)


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now

    def look_again(self) -> None:
        self.now += LOOK_EVERY_SECONDS


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def world(database_dsn: str) -> Iterator[World]:
    """Fit to trade."""
    made = World(database_dsn)
    made.both_markets()
    write_figures(made.deps)
    yield made
    made.dispose()


@pytest.fixture
def status(world: World, clock: Clock) -> Status:
    return status_of(world.database, clock)


def status_of(database: Database, clock: Clock, **terms: Any) -> Status:
    told = {"network": TERMS.network, "supported": TERMS.supported, "max_age": TERMS.max_age}
    return Status(Statuses(database), Terms(**{**told, **terms}), clock=clock)


def test_a_system_with_fresh_markets_and_figures_is_fit(status: Status) -> None:
    details = status.details()

    assert status.brief().fit
    assert (details.fit, details.reasons) == (True, ())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("DELETE FROM venue_markets", "no venue was synced in the last 60 minutes"),
        ("UPDATE venue_markets SET is_active = false", "no venue was synced"),
        ("UPDATE venue_markets SET last_synced = NULL", "no venue was synced"),
        (
            "UPDATE venue_markets SET last_synced = now() - interval '3601 s'",
            "no venue was synced in the last 60 minutes: read market_sync's log",
        ),
        ("DELETE FROM system_figures", "reconcile has not run yet"),
        (
            "UPDATE system_figures SET at = '2026-01-31T12:00:00Z'",
            "reconcile ran last at 2026-01-31 12:00:00 UTC: read its log",
        ),
        ("UPDATE system_figures SET at = now() - interval '301 s'", "reconcile ran last at"),
    ],
)
def test_it_is_not_fit_without_what_trading_needs(
    world: World, status: Status, change: str, reason: str
) -> None:
    world.rows(change)

    details = status.details()

    assert not details.fit
    assert len(details.reasons) == 1
    assert reason in details.reasons[0]
    with pytest.raises(NotFit):
        status.brief()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE venue_markets SET last_synced = now() - interval '3590 s'",
        "UPDATE venue_markets SET last_synced = NULL WHERE venue = 'OSTIUM'",
        "UPDATE system_figures SET at = now() - interval '290 s'",
    ],
)
def test_what_is_just_enough_is_enough(world: World, status: Status, change: str) -> None:
    world.rows(change)

    assert status.brief().fit


def test_a_venue_without_adapter_makes_nothing_fit(world: World, clock: Clock) -> None:
    world.rows("UPDATE venue_markets SET venue = 'GMX' WHERE venue = 'OSTIUM'")

    of_another = status_of(world.database, clock, supported=frozenset({"OSTIUM"})).details()

    assert [each.venue for each in of_another.venues] == ["GMX", "HYPERLIQUID", "OSTIUM"]
    assert [(each.markets, each.fresh) for each in of_another.venues] == [
        (1, True),
        (1, True),
        (0, False),
    ]
    assert not of_another.fit


@pytest.mark.parametrize(
    ("scope", "id_", "state", "fit"),
    [
        ("global", None, "HALTED", False),
        ("global", None, "CLOSE_ONLY", True),
        ("venue", "HYPERLIQUID", "HALTED", True),
    ],
)
def test_only_a_global_halt_makes_it_unfit(
    world: World, status: Status, scope: str, id_: str | None, state: str, fit: bool
) -> None:
    world.control(scope, id_, state)

    details = status.details()

    assert details.reasons == (() if fit else ("all trading is HALTED",))
    assert [(each.scope, each.id, each.state) for each in details.controls] == [(scope, id_, state)]


def test_another_network_s_database_is_not_fit(world: World, clock: Clock) -> None:
    status = status_of(world.database, clock, network="testnet")

    assert status.details().reasons == ("NETWORK is testnet, but the database serves mainnet",)
    with pytest.raises(NotFit):
        status.brief()


def test_a_database_that_is_not_set_up_is_not_fit(empty_database: str, clock: Clock) -> None:
    database = Database(DatabaseSettings.from_url(empty_database))
    status = status_of(database, clock)

    with pytest.raises(NotFit):
        status.brief()
    with pytest.raises(BadSetting, match="the database is not set up"):
        status.details()
    database.close()


def test_it_looks_once_in_ten_seconds_whatever_it_saw(
    world: World, status: Status, clock: Clock
) -> None:
    before = world.database.round_trips
    assert status.brief() == status.brief()
    assert world.database.round_trips == before + 1

    world.control("global", None, "HALTED")
    clock.now += LOOK_EVERY_SECONDS - 0.1
    assert status.brief().fit
    clock.now += 0.1
    with pytest.raises(NotFit) as first:
        status.brief()
    world.control("global", None, "ACTIVE")
    with pytest.raises(NotFit) as second:
        status.brief()

    assert first.value.checked_at == second.value.checked_at
    clock.look_again()
    assert status.brief().fit


def test_the_reasons_are_logged_and_told_to_nobody(
    world: World, status: Status, caplog: pytest.LogCaptureFixture
) -> None:
    world.rows("DELETE FROM venue_markets")
    world.control("global", None, "HALTED")

    with caplog.at_level(logging.WARNING), pytest.raises(NotFit) as caught:
        status.brief()

    assert "no venue was synced" in caplog.text
    assert "HALTED" in caplog.text
    assert str(caught.value) == "the system is not fit to trade"


@pytest.fixture
def proxy(postgres: Postgres) -> Iterator[Proxy]:
    with Proxy(postgres.port) as opened:
        yield opened


@pytest.fixture
def behind(world: World, proxy: Proxy, postgres: Postgres) -> Iterator[Database]:
    """A connection as stats_api has it, through the proxy."""
    url = world.dsn.replace(f":{postgres.port}/", f":{proxy.port}/")
    settings = StatsApiSettings.from_environment({"DATABASE_URL": url})
    opened = Database(settings.database())
    yield opened
    opened.close()


@pytest.mark.parametrize("warm", [True, False])
@pytest.mark.parametrize("lost", [(SERVER,), (CLIENT, SERVER)])
def test_a_database_that_falls_silent_is_not_fit_within_six_seconds_and_fit_when_it_is_back(
    behind: Database, proxy: Proxy, clock: Clock, warm: bool, lost: tuple[str, ...]
) -> None:
    status = status_of(behind, clock)
    if warm:
        assert status.brief().fit
        clock.look_again()
    proxy.lose(*lost)

    began = time.monotonic()
    with pytest.raises(NotFit):
        status.brief()
    assert time.monotonic() - began < 6
    with pytest.raises(NotFit):
        status.brief()
    assert time.monotonic() - began < 6

    proxy.lose()
    clock.look_again()
    assert status.brief().fit


def test_a_database_that_is_away_is_told_from_one_that_is_not_set_up(
    behind: Database, proxy: Proxy, clock: Clock
) -> None:
    proxy.__exit__()
    status = status_of(behind, clock)

    with pytest.raises(NotFit):
        status.brief()
    with pytest.raises(DatabaseUnavailable):
        status.details()


def test_the_details_tell_everything_in_one_round_trip(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.open(agent)
    world.rows(
        "UPDATE venue_markets SET last_synced = now() - interval '90 s' WHERE venue = 'OSTIUM'"
    )
    write_figures(world.deps)
    world.control("venue", "OSTIUM", "CLOSE_ONLY")
    world.control("agent", str(agent), "ACTIVE")
    ahead = timedelta(seconds=7)
    wall = iter([datetime.now(UTC) + ahead] * 2)
    before = world.database.round_trips

    told = Status(Statuses(world.database), TERMS, wall=lambda: next(wall)).details()

    assert world.database.round_trips == before + 1
    assert told.database.version.split(".")[0] == "18"
    assert told.database.migrations == len(list(MIGRATIONS.glob("*.sql")))
    assert told.database.network == "mainnet"
    assert 6_000 < told.database.clock_skew_ms <= 7_000
    venues = {each.venue: each for each in told.venues}
    assert set(venues) == SUPPORTED <= set(TRADABLE_VENUES)
    assert venues["OSTIUM"].age_seconds in (90, 91)
    assert venues["HYPERLIQUID"].last_synced is not None
    assert told.orders.planned_orders_due == 1
    assert (told.orders.undecided_signals, told.orders.unsettled_orders) == (0, 0)
    assert (told.queues.order_queue_depth, told.queues.dead_letters) == (1, 0)
    assert told.figures_at is not None
    assert [(each.scope, each.id) for each in told.controls] == [("venue", "OSTIUM")]


def test_the_skew_is_measured_at_the_middle_of_the_round_trip(world: World) -> None:
    (row,) = world.rows("SELECT clock_timestamp() AS now")
    wall = iter([row["now"] - timedelta(seconds=2), row["now"] + timedelta(seconds=4)])

    told = Status(Statuses(world.database), TERMS, wall=lambda: next(wall)).details()

    assert 0 <= told.database.clock_skew_ms <= 1_000
    assert told.checked_at == row["now"] + timedelta(seconds=4)


def test_before_reconcile_has_run_its_figures_are_told_as_missing(world: World) -> None:
    world.rows("DELETE FROM system_figures")

    told = Status(Statuses(world.database), TERMS).details()

    assert told.figures_at is None
    assert set(told.orders.model_dump().values()) == {None}


def test_of_very_many_controls_operators_are_told_first(world: World) -> None:
    world.control("venue", "OSTIUM", "HALTED")
    world.rows(
        "INSERT INTO trading_controls (scope, id, state, reason, set_by, set_at, by_operator)"
        " SELECT 'agent', gen_random_uuid(), 'HALTED', 'a test', 'its creator', now(), false"
        " FROM generate_series(1, :n)",
        n=CONTROLS + 5,
    )

    told = Status(Statuses(world.database), TERMS).details().controls

    assert len(told) == CONTROLS
    assert told[0].id == "OSTIUM"
