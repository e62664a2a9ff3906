"""What the doctor asks: the venues too, in the time it has; what cannot be asked is itself told."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agent_where.doctor import diagnose
from agent_where.errors import VenueUnavailable
from agent_where.store.checkups import CHECKS
from agent_where.store.connection import Database, DatabaseSettings
from agent_where.venues.base import AccountFill
from tests.doctor.examining import NoExits, at_work, break_in, examine, found, instruments
from tests.netting import VENUE, NettingVenue, NettingWorld, netting_world


@pytest.fixture
def world(database_dsn: str) -> Iterator[NettingWorld]:
    with netting_world(database_dsn) as made:
        yield made


def by_a_stranger(world: NettingWorld, account: str) -> None:
    world.place.by_hand(account, "BTC/USD", world.place.trades[0].side, "3")


@pytest.mark.parametrize(
    ("happens", "told"),
    [
        (by_a_stranger, {"venue_fills_unknown": 1, "venue_positions_differ": 1}),
        (
            lambda world, _: world.place.trades.pop(0),
            {"ledger_fills_unknown": 1},
        ),
        (
            lambda world, _: break_in(
                world,
                "DELETE FROM venue_fills WHERE order_id IN (SELECT id FROM venue_orders WHERE"
                " purpose = 'CLOSE')",
            ),
            {"fills_do_not_sum": 1, "venue_fills_late": 1, "positions_differ": 1},
        ),
    ],
    ids=["an execution by hand", "one that the venue forgot", "one that the ledger lost"],
)
def test_what_the_venue_did_is_held_against_the_ledger(
    world: NettingWorld, happens: Callable[[NettingWorld, str], object], told: dict[str, int]
) -> None:
    at_work(world)

    happens(world, world.place.trades[0].account)

    assert found(examine(world, venues=True)) == told


def test_what_cannot_be_asked_is_itself_told(world: NettingWorld) -> None:
    at_work(world)
    look = instruments(world)
    blind = replace(look, holdings=lambda _: None)

    assert found(diagnose(blind, venues_since=datetime.now(UTC))) == {"venues_not_asked": 2}


def test_a_venue_that_answers_no_account_in_time_leaves_a_report_all_the_same(
    world: NettingWorld,
) -> None:
    at_work(world)
    now = [0.0]

    class Away(NettingVenue):
        def fills(self, account: str, since: datetime) -> Sequence[AccountFill]:
            now[0] += 10
            raise VenueUnavailable(VENUE, f"no answer about {account} since {since}")

    slow = replace(instruments(world), holdings=lambda _: Away())
    diagnosis = diagnose(slow, venues_since=datetime.now(UTC), seconds=5, clock=lambda: now[0])

    (check,) = (each for each in diagnosis.checks if not each.ok)
    assert (check.name, check.count, now[0]) == ("venues_not_asked", 2, 10)
    assert "no time was left" in check.rows[1].detail


def test_checks_that_there_was_no_time_for_are_told_as_not_made(world: NettingWorld) -> None:
    at_work(world)

    told = found(diagnose(instruments(world), venues_since=datetime.now(UTC), seconds=0))

    assert told.keys() == {check.name for check in CHECKS} | {"venues_not_asked"}


def test_accounts_where_each_position_stands_for_itself_are_named_and_no_fault(
    world: NettingWorld,
) -> None:
    at_work(world)
    look = replace(instruments(world), holdings=lambda _: None, exits=lambda _: NoExits())

    diagnosis = diagnose(look, venues_since=datetime.now(UTC))

    assert found(diagnosis) == {"venues_that_do_not_tell": 2}
    assert diagnosis.sound


def test_a_database_that_is_away_or_not_set_up_is_a_finding_of_every_check(
    empty_database: str, world: NettingWorld
) -> None:
    bare = Database(DatabaseSettings.from_url(empty_database))
    away = Database(DatabaseSettings.from_url("postgresql://u@127.0.0.1:1/n"))

    for database in (bare, away):
        diagnosis = diagnose(instruments(world, database), venues_since=datetime.now(UTC))
        assert not diagnosis.sound
        assert {check.name for check in CHECKS} <= set(found(diagnosis))
    bare.close()


def test_a_connection_that_may_only_read_answers_every_check_and_writes_nothing(
    world: NettingWorld, database_dsn: str
) -> None:
    at_work(world)
    database = Database(DatabaseSettings.from_url(database_dsn, read_only=True))

    diagnosis = diagnose(instruments(world, database), venues_since=datetime.fromtimestamp(0, UTC))

    assert found(diagnosis) == {}
    with pytest.raises(Exception, match="read-only transaction"):
        database.run("UPDATE signals SET decided_at = now()")
    database.close()
