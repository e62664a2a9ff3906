"""What a person answers for who ends a restore is what they were shown, and nothing else."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

import pytest

from agent_where.errors import VenueUnavailable
from agent_where.restoring import rematch
from agent_where.store.comparisons import Comparisons
from agent_where.venues.base import AccountFill, Exits, FoundExits, Held, Holdings
from tests.doctor.answering import TOLD, ask, restored_to
from tests.netting import NettingVenue, NettingWorld, netting_world
from tests.netting_busy import Busy

NOT_ASKED = "not matched, and not asked yet since the restore was told"


class Away(NettingVenue):
    """A venue that gives no answer."""

    def fills(self, account: str, since: datetime) -> Sequence[AccountFill]:
        raise VenueUnavailable(self.id, "it hung up")


class Single(Exits):
    """Where each position stands for itself, nobody asks what was executed."""

    def exits(self, account: str, held: Sequence[Held], since: int | None) -> FoundExits:
        raise AssertionError(f"it is asked about {account}")


@pytest.fixture
def world(database_dsn: str) -> Iterator[NettingWorld]:
    with netting_world(database_dsn) as made:
        yield made


def cannot_be_asked(world: NettingWorld) -> None:
    """A run of reconcile where no venue tells what was executed."""
    books = Comparisons(world.database)
    restores = world.store.restores
    rematch(restores, books, lambda _: None, lambda _: None, seconds=30)


def open_restores(world: NettingWorld) -> int:
    (row,) = world.rows("SELECT count(*) AS n FROM restores WHERE matched_at IS NULL")
    return int(row["n"])


def test_what_is_shown_first_names_all_that_was_not_asked_and_ends_nothing(
    world: NettingWorld,
) -> None:
    wallets = sorted(world.user() for _ in range(3))
    restored_to(world, timedelta(hours=1))

    shown, again = ask(world, open={}), ask(world, open={})

    assert shown["answeredFor"] == [f"{each} at HYPERLIQUID: {NOT_ASKED}" for each in wallets]
    assert shown == again
    assert shown["open"]["momentUnknown"] is False
    assert open_restores(world) == 1


@pytest.mark.parametrize(
    ("holdings", "is_single", "told"),
    [
        (lambda world, user: Busy(world.place, user), False, "not matched"),
        (lambda _world, _user: None, True, "not matched"),
        (lambda world, user: Busy(world.place, user, for_good=False), False, NOT_ASKED),
        (lambda _world, _user: Away(), False, NOT_ASKED),
        (lambda _world, _user: None, False, NOT_ASKED),
    ],
    ids=["never all", "single positions", "not all yet", "no answer", "no adapter"],
)
def test_an_account_is_asked_when_its_venue_has_told_what_it_ever_will(
    world: NettingWorld,
    holdings: Callable[[NettingWorld, str], Holdings | None],
    is_single: bool,
    told: str,
) -> None:
    """Who was only come to may be asked yet: nobody should answer for that."""
    wallet = world.user()
    restored_to(world, timedelta(hours=1))
    rematch(
        world.store.restores,
        Comparisons(world.database),
        lambda _: holdings(world, wallet),
        lambda _: Single() if is_single else None,
        seconds=30,
    )
    late = world.user()

    shown = ask(world, open={})

    assert sorted(shown["answeredFor"]) == sorted(
        [f"{wallet} at HYPERLIQUID: {told}", f"{late} at HYPERLIQUID: {NOT_ASKED}"]
    )
    restored_to(world, timedelta(hours=2))
    assert all(each.endswith(NOT_ASKED) for each in ask(world, open={})["answeredFor"])


def test_a_restore_that_another_told_meanwhile_is_not_ended_by_who_never_saw_it(
    world: NettingWorld,
) -> None:
    """All accounts are asked anew from then on; what is forgotten would trade again."""
    wallet = world.user()
    restored_to(world, timedelta(hours=1))
    cannot_be_asked(world)
    seen = ask(world, open={})
    restored_to(world, timedelta(hours=2))

    refused = ask(world, accept={"token": seen["token"], **TOLD})

    assert (refused["success"], refused["code"]) == (False, "CHANGED")
    assert open_restores(world) == 2
    assert refused["answeredFor"] == [f"{wallet} at HYPERLIQUID: {NOT_ASKED}"]
    assert refused["token"] not in ("", seen["token"])
    ended = ask(world, accept={"token": refused["token"], **TOLD})
    assert ended["answeredFor"] == refused["answeredFor"]
    assert open_restores(world) == 0


def test_an_account_that_came_meanwhile_is_shown_first(world: NettingWorld) -> None:
    restored_to(world, timedelta(hours=1))
    seen = ask(world, open={})
    world.user()

    refused = ask(world, accept={"token": seen["token"], **TOLD})

    assert refused["code"] == "CHANGED"
    assert len(refused["answeredFor"]) == 1
    assert open_restores(world) == 1


def test_a_token_is_of_one_restore_even_where_the_next_has_the_same_list(
    world: NettingWorld,
) -> None:
    restored_to(world, timedelta(hours=1))
    first = ask(world, open={})
    assert ask(world, accept={"token": first["token"], **TOLD})["accepted"]
    restored_to(world, timedelta(hours=1))

    assert ask(world, accept={"token": first["token"], **TOLD})["code"] == "CHANGED"
    assert open_restores(world) == 1


def test_nothing_is_ended_without_a_token(world: NettingWorld) -> None:
    restored_to(world, timedelta(hours=1))

    assert ask(world, accept=TOLD)["code"] == "BAD_INPUT"
    assert open_restores(world) == 1
