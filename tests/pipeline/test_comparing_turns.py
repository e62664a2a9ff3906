"""Which account is compared when: in its turn, alone under its lease, once the venue is settled."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from uuid import UUID, uuid4

import pytest

from agent_where.comparing import Compared, compare
from agent_where.domain import Side
from agent_where.errors import LeaseHeld
from agent_where.reconciling import reconcile
from agent_where.venues.base import AccountFill, OpenPosition
from tests.netting import NettingVenue, NettingWorld, netting_world
from tests.pipeline.comparing_world import MARKET, UNDONE, Gone, stands, unexplained
from tests.world import World


@pytest.fixture
def world(database_dsn: str) -> Iterator[NettingWorld]:
    with netting_world(database_dsn) as made:
        yield made


class Meanwhile(NettingVenue):
    """A venue at which something happens right after it told its trades, or what is held."""

    def __init__(
        self, place: NettingVenue, what: Callable[[], object], *, after: str = "fills"
    ) -> None:
        self.__dict__ = place.__dict__.copy()  # the same books
        self._what = [what]
        self._after = after

    def positions(self, account: str) -> Sequence[OpenPosition]:
        told = super().positions(account)
        self._happens("positions")
        return told

    def fills(self, account: str, since: datetime) -> Sequence[AccountFill]:
        told = super().fills(account, since)
        self._happens("fills")
        return told

    def _happens(self, after: str) -> None:
        if self._after == after and self._what:
            self._what.pop()()


def test_what_has_just_happened_is_left_for_the_next_run(world: NettingWorld) -> None:
    """The venue's answers may be behind it."""
    wallet = world.user()
    position = world.buy(world.follower(wallet), "2")
    world.pass_time()
    world.place.by_hand(wallet, MARKET, Side.SHORT, "2")

    assert compare(world.deps, seconds=30) == UNDONE
    assert unexplained(world) == 0
    assert world.compare().booked == 1
    assert stands(world, position) == ("CLOSED", 0, "USER", "USER")


def test_an_account_that_somebody_works_for_is_left_alone(world: NettingWorld) -> None:
    wallet = world.user()
    world.buy(world.follower(wallet), "2")
    world.place.by_hand(wallet, MARKET, Side.SHORT, "2")
    world.pass_time()
    world.rows(
        "UPDATE venue_accounts SET lease_token = :token,"
        " lease_until = clock_timestamp() + interval '1 minute' RETURNING account",
        token=uuid4(),
    )

    assert compare(world.deps, seconds=30) == Compared()
    assert world.closures() == []


def test_while_an_account_is_compared_nobody_trades_for_it(world: NettingWorld) -> None:
    wallet = world.user()
    agent = world.follower(wallet)
    world.buy(agent, "2")
    world.close(agent)
    (ticket,) = world.queues.orders
    busy: list[UUID] = []

    def trade() -> None:
        other = world.another_worker()
        with pytest.raises(LeaseHeld):
            other.executor().execute(ticket.id)
        busy.append(ticket.id)
        other.dispose()

    world.place = Meanwhile(world.place, trade, after="positions")
    world.pass_time()
    compare(world.deps, seconds=30)

    assert busy == [ticket.id]
    assert world.account_row(wallet)["lease_token"] is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE positions SET open_qty = open_qty - 1 RETURNING id",
        "UPDATE venue_accounts SET lease_until = clock_timestamp() RETURNING account",
    ],
)
def test_what_has_changed_since_it_was_read_is_not_booked(world: NettingWorld, change: str) -> None:
    """Another worker ended an exit of its own, or this one was away for longer than its lease."""
    wallet = world.user()
    world.buy(world.follower(wallet), "2")
    world.place.by_hand(wallet, MARKET, Side.SHORT, "2")
    other = world.another_worker()
    world.place = Meanwhile(world.place, lambda: other.rows(change))

    assert world.compare() == UNDONE

    assert world.closures() == []
    assert [row["status"] for row in world.positions()] == ["OPEN"]
    other.dispose()


def test_what_the_user_does_while_the_venue_is_read_waits_for_the_next_run(
    world: NettingWorld,
) -> None:
    wallet = world.user()
    position = world.buy(world.follower(wallet), "2")
    world.place.by_hand(wallet, MARKET, Side.SHORT, "0.5")
    calm, world.place = (
        world.place,
        Meanwhile(world.place, lambda: calm.by_hand(wallet, MARKET, Side.SHORT, "0.5")),
    )

    assert world.compare() == UNDONE
    assert unexplained(world) == 0

    assert world.compare().booked == 1
    assert stands(world, position) == ("OPEN", 1, None, None)


def test_a_venue_that_is_away_is_asked_once_a_run_and_its_accounts_stay_free(
    world: NettingWorld,
) -> None:
    for _ in range(2):
        world.buy(world.follower(world.user()), "1")
    world.place = Gone(world.place)

    assert world.compare() == Compared()

    rows = world.rows("SELECT lease_token, compared_at FROM venue_accounts ORDER BY compared_at")
    assert [row["lease_token"] for row in rows] == [None, None]
    assert [row["compared_at"] is None for row in rows] == [False, True]


def test_the_account_compared_longest_ago_is_the_next(world: NettingWorld) -> None:
    wallets = [world.user() for _ in range(3)]
    for wallet in wallets:
        world.buy(world.follower(wallet), "1")
        world.compare()
    seen: list[str] = []

    class Noting(NettingVenue):
        def __init__(self, place: NettingVenue) -> None:
            self.__dict__ = place.__dict__

        def positions(self, account: str) -> Sequence[OpenPosition]:
            seen.append(account)
            return super().positions(account)

    world.place = Noting(world.place)
    ticking = iter(range(100))

    for _ in range(3):
        world.pass_time()
        compare(world.deps, seconds=2, clock=lambda: next(ticking))

    assert set(seen) == set(wallets)
    assert len(seen) == 3


def test_an_account_whose_orders_all_ended_well_and_that_holds_nothing_is_not_compared(
    world: NettingWorld,
) -> None:
    agent = world.follower(world.user())
    world.buy(agent, "1")
    world.close(agent)
    world.work()

    assert world.compare() == Compared()


def test_on_paper_nobody_else_can_close_anything(world: NettingWorld) -> None:
    world.buy(world.follower(world.user()), "1")
    on_paper = World(world.dsn)

    assert compare(on_paper.deps, seconds=5) == Compared()

    on_paper.dispose()


def test_reconcile_compares_each_time(world: NettingWorld) -> None:
    wallet = world.user()
    position = world.buy(world.follower(wallet), "2")
    world.place.liquidate(wallet, MARKET)
    world.pass_time()

    done = reconcile(world.deps, seconds=30)

    assert (done.compared, done.booked) == (1, 1)
    assert stands(world, position) == ("CLOSED", 0, "LIQUIDATION", "LIQUIDATION")
