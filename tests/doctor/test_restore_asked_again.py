"""After a restore: an account is asked again as long as executions of it wait for a decision."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest

from agent_where.domain import Side
from agent_where.restoring import Rematch, rematch
from agent_where.venues.base import Holdings
from local.postgres import Postgres
from tests.doctor.restored_world import MARKET, TOLD, Restored, restored_world
from tests.netting import NettingVenue


class Asked(NettingVenue):
    """The same venue; whose executions were asked about, one after the other."""

    def __init__(self, place: NettingVenue) -> None:
        super().__init__()
        self._place = place
        self.accounts: list[str] = []

    def positions(self, account: str) -> Any:
        return self._place.positions(account)

    def fills(self, account: str, since: datetime) -> Any:
        self.accounts.append(account)
        return self._place.fills(account, since)


@pytest.fixture
def restored(postgres: Postgres, database_dsn: str) -> Iterator[Restored]:
    with restored_world(postgres, database_dsn) as made:
        yield made


@pytest.fixture
def matched(restored: Restored) -> Restored:
    """Every account was matched before anything that was closed since was booked."""
    restored.begin()
    restored.pass_time()
    match(restored, restored.world.place)
    return restored


def match(restored: Restored, place: Holdings, **terms: Callable[[], float]) -> Rematch:
    store = restored.world.store
    return rematch(
        store.restores, store.comparisons, lambda _: place, lambda _: None, seconds=30, **terms
    )


def decisions(restored: Restored) -> list[tuple[str, str | None]]:
    rows = restored.world.rows(
        "SELECT side, decision FROM unowned_fills WHERE account = :account ORDER BY at, side",
        account=restored.wallet,
    )
    return sorted((row["side"], str(row["decision"])) for row in rows)


def test_a_forgotten_close_is_explained_once_its_closure_is_booked(matched: Restored) -> None:
    """A later run books it; a person has nothing to decide about it, and could only say wrong."""
    assert decisions(matched) == [("LONG", "None"), ("SHORT", "None"), ("SHORT", "None")]

    matched.reconcile()

    assert {(row["closed_by"], row["reason"]) for row in matched.world.closures()} == {
        ("SIGNAL", "FORGOTTEN")
    }
    assert decisions(matched) == [("LONG", "None"), ("SHORT", "EXPLAINED"), ("SHORT", "None")]


def test_what_was_explained_so_holds_no_restore_open(matched: Restored) -> None:
    matched.reconcile()
    for fill in matched.undecided_fills():
        matched.operate(ignore={"id": fill["id"], **TOLD})

    assert matched.reconcile().restore_waits_for == ()
    assert matched.world.store.restores.open() is None
    assert ("SHORT", "EXPLAINED") in decisions(matched)


def test_an_account_is_asked_again_until_all_of_it_is_decided(matched: Restored) -> None:
    venue = Asked(matched.world.place)
    match(matched, venue)
    assert sorted(venue.accounts) == sorted([matched.wallet, matched.other])
    for fill in matched.undecided_fills():
        if fill["account"] == matched.other:
            matched.operate(ignore={"id": fill["id"], **TOLD})
    venue.accounts.clear()

    match(matched, venue)

    assert venue.accounts == [matched.wallet]


def test_what_a_user_trades_after_the_match_is_nothing_to_decide_about(matched: Restored) -> None:
    """Whoever trades there all day would hold everybody's trading up for ever."""
    before = decisions(matched)
    for _ in range(3):
        matched.world.place.by_hand(matched.wallet, MARKET, Side.LONG, "0.001")

    match(matched, matched.world.place)

    assert decisions(matched) == before


def test_those_that_were_never_asked_come_before_those_that_are_asked_again(
    matched: Restored,
) -> None:
    matched.world.rows(
        "UPDATE venue_accounts SET matched_at = NULL WHERE account = :account RETURNING account",
        account=matched.other,
    )
    restores = matched.world.store.restores

    first = {restores.to_match()[0].of.account for _ in range(10)}

    assert first == {matched.other}


def test_asking_again_keeps_to_the_time_of_a_run(matched: Restored) -> None:
    venue, times = Asked(matched.world.place), iter([0.0, 0.0, 31.0])

    done = match(matched, venue, clock=lambda: next(times))

    assert len(venue.accounts) == 1
    assert "not every account was asked yet" in done.waits_for
