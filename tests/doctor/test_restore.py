"""A database restored to an earlier moment, beside a venue that remembers what came after.

The restore is one: a copy of the database as it stood then, on a real server.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from agent_where.doctor import diagnose
from agent_where.domain import Side
from agent_where.errors import DatabaseRefused
from agent_where.ids import order_id
from agent_where.messages import OrderRef, SignalMessage, SignalRef
from agent_where.reconciling import Reconciled, reconcile, write_figures
from agent_where.restoring import rematch
from local.postgres import Postgres
from tests.conftest import fresh_database
from tests.doctor.answering import answered
from tests.doctor.test_checks import NoExits, found, instruments
from tests.netting import NettingVenue, NettingWorld
from tests.world import close_signal, signal

MARKET = "BTC/USD"
TOLD = {"by": "an operator", "reason": "the disk was lost"}


@dataclass
class Restored:
    """What stood at the moment that was restored, and what is forgotten."""

    world: NettingWorld
    wallet: str
    other: str
    agent: UUID
    follower: UUID
    closed_since: UUID
    planned: UUID
    undecided: SignalMessage

    def operate(self, **request: Any) -> dict[str, Any]:
        return answered(self.world.store.restores, **request)

    def begin(self, ago: timedelta = timedelta(hours=1)) -> dict[str, Any]:
        at = datetime.now(UTC) - ago
        return self.operate(restored={"at": at.isoformat(), **TOLD})

    def pass_time(self, seconds: int = 60) -> None:
        """So long ago is now all that has happened, epochs and signals included."""
        self.world.pass_time(seconds)
        by = f"- make_interval(secs => {seconds})"
        self.world.database.run_together(
            ("SET LOCAL session_replication_role = replica", {}),
            (
                f"UPDATE signals SET created_at = created_at {by}, received_at = received_at {by}",
                {},
            ),
            (f"UPDATE restores SET restored_to = restored_to {by}, told_at = told_at {by}", {}),
            (f"UPDATE venue_accounts SET matched_at = matched_at {by}", {}),
            (f"UPDATE unowned_fills SET at = at {by}", {}),
        )

    def reconcile(self) -> Reconciled:
        self.pass_time()
        done = reconcile(self.world.deps, seconds=30)
        self.world.work()
        return done

    def lift(self) -> None:
        answer = self.operate(release={**TOLD})
        assert answer["success"], answer
        self.world.control("global", None, "ACTIVE")

    def undecided_fills(self) -> list[dict[str, Any]]:
        fills = self.operate(unowned={})["fills"]
        return [fill for fill in fills if fill["decision"] is None]


@contextmanager
def restored_world(postgres: Postgres, dsn: str) -> Iterator[Restored]:
    before = NettingWorld(dsn)
    before.listed()
    wallet, other = before.user(), before.user()
    agent, follower = before.follower(wallet), before.follower(other)
    closed_since = before.buy(agent, "1")
    undecided = signal(agent, sizeModel={"type": "fixed-usdc", "value": "50", "leverage": "1"})
    before.store.insert_signal(undecided)
    before.open(follower, sizeModel={"type": "fixed-usdc", "value": "300", "leverage": "1"})
    planned = UUID(str(before.order()["id"]))
    before.dispose()
    with fresh_database(postgres, template=dsn.rsplit("/", 1)[1]) as copy:
        forget(NettingWorld(dsn, before.queues, place=before.place), agent, undecided)
        world = NettingWorld(copy, place=before.place)
        deployment = world.rows("SELECT id FROM agent_deployments WHERE user_wallet = :w", w=other)
        yield Restored(
            world, wallet, other, agent, deployment[0]["id"], closed_since, planned, undecided
        )
        world.dispose()


def forget(world: NettingWorld, agent: UUID, undecided: SignalMessage) -> None:
    """What was done after the moment that is restored: all on the queues is carried out."""
    world.work()
    world.take(SignalRef(signal_id=undecided.signal_id))
    world.work()
    world.close(agent)
    world.work()
    world.dispose()


@pytest.fixture
def restored(postgres: Postgres, database_dsn: str) -> Iterator[Restored]:
    with restored_world(postgres, database_dsn) as made:
        yield made


def two_minutes_ago() -> str:
    return f"{datetime.now(UTC) - timedelta(minutes=2):%Y-%m-%dT%H:%M:%SZ}"


def closures(world: NettingWorld, position: UUID) -> list[tuple[str, str]]:
    rows = world.rows("SELECT * FROM venue_closures WHERE position_id = :id", id=position)
    return [(row["closed_by"], row["reason"]) for row in rows]


def executed(place: NettingVenue) -> int:
    return len(place.trades)


def test_nothing_trades_while_a_restore_is_open_even_where_an_operator_lifts_the_halt(
    restored: Restored,
) -> None:
    world = restored.world
    answer = restored.begin()
    controls = world.rows("SELECT state, by_operator FROM trading_controls WHERE scope = 'global'")
    assert answer["success"]
    assert controls == [{"state": "HALTED", "by_operator": True}]
    restored.lift()
    trades = executed(world.place)

    outcome = world.open(restored.agent)
    world.close(restored.agent)
    world.work()

    assert "HALTED" in outcome.detail
    assert executed(world.place) == trades
    assert {row["status"] for row in world.orders()} <= {"FILLED", "REJECTED", "PLANNED"}


def test_nobody_opens_after_a_restore_until_an_operator_has_looked_at_them(
    restored: Restored,
) -> None:
    """Who left, or was stopped over a stolen key, is traded again by what has forgotten it."""
    world = restored.world
    control = "SELECT control_for(NULL, NULL, d.id) AS state FROM agent_deployments d WHERE id = :d"
    answer = restored.begin()
    held = restored.operate(held={})["deployments"]
    restored.operate(accept=TOLD)
    world.control("global", None, "ACTIVE")

    opening = world.open(restored.agent).signal_id
    world.work()

    assert answer["restore"]["held"] == len(held) == 2
    assert [each["openPositions"] for each in held] == [1, 0]
    orders = world.rows("SELECT status, refusal FROM venue_orders WHERE signal_id = :s", s=opening)
    assert orders == [{"status": "REJECTED", "refusal": "CLOSE_ONLY"}]

    (left,) = (each["id"] for each in held if each["id"] != str(restored.follower))
    answer = restored.operate(release={"leave": [left], **TOLD})
    assert (answer["released"], answer["stillHeld"]) == (1, 0)
    assert restored.operate(held={})["deployments"] == []
    assert restored.operate(release={**TOLD})["released"] == 0
    assert world.rows(control, d=restored.follower) == [{"state": "ACTIVE"}]
    assert world.rows(control, d=UUID(left)) == [{"state": "CLOSE_ONLY"}]


def test_what_is_to_be_left_and_is_not_held_lets_nobody_go(restored: Restored) -> None:
    restored.begin()

    answer = restored.operate(release={"leave": [str(restored.agent)], **TOLD})

    assert not answer["success"]
    assert str(restored.agent) in answer["error"]
    assert len(restored.operate(held={})["deployments"]) == 2


def test_what_was_stopped_already_stays_as_it_is_and_is_not_released(restored: Restored) -> None:
    restored.world.control("deployment", str(restored.follower), "HALTED")

    restored.begin()
    restored.operate(release={**TOLD})

    rows = restored.world.rows(
        "SELECT state FROM trading_controls WHERE id = :id", id=str(restored.follower)
    )
    assert rows == [{"state": "HALTED"}]


def test_what_came_in_before_is_refused_whatever_carries_it_and_the_next_signal_trades(
    restored: Restored,
) -> None:
    world = restored.world
    restored.begin()
    assert restored.operate(accept=TOLD)["accepted"]
    restored.lift()
    trades = executed(world.place)
    sent_twice = signal(restored.agent, createdAt=two_minutes_ago())
    fresh = signal(restored.agent)

    world.take(SignalRef(signal_id=restored.undecided.signal_id))
    world.take(sent_twice)
    world.deps.executor().execute(OrderRef(order_id=restored.planned).order_id)
    world.work()

    assert executed(world.place) == trades
    (planned,) = world.rows("SELECT * FROM venue_orders WHERE id = :id", id=restored.planned)
    assert (planned["status"], planned["refusal"]) == ("REJECTED", "SUPERSEDED")
    for message in (restored.undecided, sent_twice):
        row = world.signal_row(message.signal_id)
        assert row["decided_at"] is not None
        assert "a restore, came after the signal" in row["skipped_reason"]

    world.take(fresh)
    world.work()
    assert executed(world.place) == trades + 1


@pytest.mark.parametrize("attempt", [1, 2])
@pytest.mark.parametrize("decision", ["adopt", "ignore"])
def test_an_entry_that_was_forgotten_is_known_by_its_id_when_its_signal_comes_again(
    restored: Restored, attempt: int, decision: str
) -> None:
    """A signal that says no time of its own is new to a database that has forgotten it."""
    world = restored.world
    again = signal(restored.agent)
    (row,) = world.rows(
        "SELECT id FROM agent_deployments WHERE agent_id = :agent", agent=restored.agent
    )
    forgotten = order_id(again.signal_id, row["id"], "ENTRY", attempt)
    trade = world.place.by_hand(restored.wallet, MARKET, Side.LONG, "1")
    trade.client_id = f"0x{forgotten.hex}"
    restored.begin()
    restored.reconcile()
    while fills := restored.undecided_fills():
        for fill in fills:
            ours = decision == "adopt" and fill["clientOrderId"] == trade.client_id
            owner = {"deploymentId": str(row["id"])} if ours else {}
            restored.operate(
                **{decision if ours else "ignore": {"id": fill["id"], **owner, **TOLD}}
            )
        restored.reconcile()
    restored.lift()
    trades = executed(world.place)

    world.take(again)
    world.work()

    assert executed(world.place) == trades
    entries = world.rows("SELECT * FROM venue_orders WHERE signal_id = :s", s=again.signal_id)
    is_adopted_itself = (decision, attempt) == ("adopt", 1)
    ends = [] if is_adopted_itself else [("REJECTED", "SUPERSEDED")]
    assert [(entry["status"], entry["refusal"]) for entry in entries] == ends
    assert not world.rows(
        "SELECT FROM venue_orders WHERE signal_id = :s AND attempt > 1", s=again.signal_id
    )


def test_a_close_from_before_takes_nothing_and_the_doctor_says_to_send_it_again(
    restored: Restored,
) -> None:
    world = restored.world
    late = close_signal(restored.agent)
    world.store.insert_signal(late)
    world.rows(
        "UPDATE signals SET created_at = now() - interval '2 minutes' WHERE id = :id RETURNING id",
        id=late.signal_id,
    )
    restored.begin()
    restored.operate(accept=TOLD)
    restored.lift()
    trades = executed(world.place)

    world.take(SignalRef(signal_id=late.signal_id))
    world.work()

    assert executed(world.place) == trades
    assert world.position(restored.closed_since)["status"] == "OPEN"
    assert "closes_refused" in found(diagnose(instruments(world)))


def test_what_the_venue_did_since_is_booked_or_decided_and_then_the_restore_ends_by_itself(
    restored: Restored,
) -> None:
    world = restored.world
    restored.begin()

    first = restored.reconcile()
    told = found(diagnose(instruments(world), venues_since=datetime.fromtimestamp(0, UTC)))
    fills = restored.undecided_fills()
    (lost,) = (fill for fill in fills if fill["account"] == restored.other)
    round_trip = [fill for fill in fills if fill["account"] == restored.wallet]

    assert world.position(restored.closed_since)["status"] == "CLOSED"
    assert {*closures(world, restored.closed_since)} == {("SIGNAL", "FORGOTTEN")}
    assert any("no owner" in reason for reason in first.restore_waits_for)
    assert told.keys() >= {"restores_open", "fills_unowned", "trading_stopped"}
    assert sorted(fill["side"] for fill in round_trip) == ["LONG", "SHORT"]
    assert (lost["side"], Decimal(lost["size"]), lost["marketName"]) == ("LONG", Decimal(3), MARKET)
    assert [each["id"] for each in lost["deployments"]] == [str(restored.follower)]

    adopted = restored.operate(
        adopt={"id": lost["id"], "deploymentId": str(restored.follower), **TOLD}
    )
    ignored = [restored.operate(ignore={"id": fill["id"], **TOLD}) for fill in round_trip]
    last = restored.reconcile()

    assert all(answer["success"] for answer in (adopted, *ignored))
    position = world.position(UUID(adopted["positionId"]))
    assert (position["unexpected"], position["open_qty"], position["status"]) == (True, 3, "OPEN")
    assert world.ledger_net(restored.other) == 3 == world.place.held(restored.other, MARKET)
    assert last.restore_waits_for == ()
    assert world.store.restores.open() is None
    write_figures(world.deps, last)
    told = found(diagnose(instruments(world), venues_since=datetime.fromtimestamp(0, UTC)))
    assert told.keys() <= {"trading_stopped", "positions_unexpected"}, "what was decided is no news"


def test_what_was_adopted_takes_no_place_in_a_sequence_of_nonces(restored: Restored) -> None:
    world = restored.world
    restored.begin()
    restored.reconcile()
    last_nonce = "SELECT last_nonce FROM venue_accounts WHERE account = :account"
    before = world.rows(last_nonce, account=restored.other)
    lost = next(f for f in restored.undecided_fills() if f["account"] == restored.other)

    adopted = restored.operate(
        adopt={"id": lost["id"], "deploymentId": str(restored.follower), **TOLD}
    )

    (action,) = world.rows(
        "SELECT nonce, signer_address FROM venue_actions WHERE order_id = :id",
        id=UUID(adopted["positionId"]),
    )
    assert action["nonce"] < -1, "-1 stands for none yet, and 0 is the first of a chain"
    assert world.rows(last_nonce, account=restored.other) == before


def test_an_adopted_position_is_closed_as_any_unexpected_one_is(restored: Restored) -> None:
    world = restored.world
    restored.begin()
    restored.reconcile()
    for fill in restored.undecided_fills():
        if fill["account"] == restored.other:
            told = {"id": fill["id"], "deploymentId": str(restored.follower), **TOLD}
            restored.operate(adopt=told)
        else:
            restored.operate(ignore={"id": fill["id"], **TOLD})
    restored.reconcile()
    restored.lift()
    (row,) = world.rows(
        "SELECT agent_id FROM agent_deployments WHERE id = :id", id=restored.follower
    )

    world.close(row["agent_id"])
    world.work()

    assert world.place.held(restored.other, MARKET) == 0
    assert world.ledger_net(restored.other) == 0
    restored.reconcile()
    told = found(diagnose(instruments(world)))
    assert told.keys() <= {"trading_stopped", "figures_stale"}


def test_what_was_closed_by_hand_before_it_was_adopted_is_booked_all_the_same(
    restored: Restored,
) -> None:
    """Meanwhile ledger and venue agreed, since the ledger knew nothing of it."""
    world = restored.world
    world.listed("ETH")
    (row,) = world.rows(
        "SELECT agent_id FROM agent_deployments WHERE id = :id", id=restored.follower
    )
    world.buy(row["agent_id"], "1", "ETH")
    restored.begin()
    restored.reconcile()
    (lost,) = (f for f in restored.undecided_fills() if f["account"] == restored.other)
    world.place.by_hand(restored.other, MARKET, Side.SHORT, "3")
    restored.pass_time(600)
    restored.reconcile()

    adopted = restored.operate(
        adopt={"id": lost["id"], "deploymentId": str(restored.follower), **TOLD}
    )
    restored.reconcile()

    position = world.position(UUID(adopted["positionId"]))
    assert (position["status"], position["closed_by"]) == ("CLOSED", "USER")
    assert world.account_row(restored.other)["unexplained"] == []


def test_a_decision_is_taken_once_by_whoever_may_and_for_what_it_can_mean(
    restored: Restored,
) -> None:
    world = restored.world
    world.place.by_hand(restored.wallet, MARKET, Side.SHORT, "0.25")
    restored.begin()
    restored.reconcile()
    by_side = {(f["account"], f["side"]): f["id"] for f in restored.undecided_fills()}
    lost = by_side[restored.other, "LONG"]

    refused = [
        restored.operate(adopt={"id": lost, "deploymentId": str(uuid4()), **TOLD}),
        restored.operate(
            adopt={"id": str(uuid4()), "deploymentId": str(restored.follower), **TOLD}
        ),
        restored.operate(ignore={"id": str(uuid4()), **TOLD}),
        restored.operate(accept=TOLD),
        restored.operate(ignore={"id": lost, "by": " ", "reason": "x"}),
        restored.operate(),
        restored.operate(restored={"at": "2099-01-01T00:00:00Z", **TOLD}),
        restored.operate(redo={}),
    ]

    assert [answer["success"] for answer in refused] == [False] * len(refused)
    assert all(answer["error"] and answer["code"] for answer in refused)
    assert restored.operate(ignore={"id": lost, **TOLD})["success"]
    assert not restored.operate(ignore={"id": lost, **TOLD})["success"]
    with pytest.raises(DatabaseRefused, match="decided once"):
        world.rows("UPDATE unowned_fills SET reason = 'another' WHERE id = :id", id=lost)


def test_a_restore_s_row_is_kept_and_ended_once(restored: Restored) -> None:
    world = restored.world
    restored.begin()
    restored.operate(accept=TOLD)

    for forbidden in (
        "UPDATE restores SET matched_at = NULL",
        "UPDATE restores SET restored_to = now() - interval '1 year'",
        "DELETE FROM restores",
        "TRUNCATE restores",
        "DELETE FROM unowned_fills",
        "TRUNCATE unowned_fills",
    ):
        if forbidden == "DELETE FROM unowned_fills":
            world.rows(
                "INSERT INTO unowned_fills (venue, venue_fill_id, account, market_name,"
                " token_symbol, side, size, price, fee, held_before, at, venue_ref) VALUES"
                " ('HYPERLIQUID', 'x', '0xa', 'B', 'B', 'LONG', 1, 1, 0, 0, now(), '1')"
                " RETURNING id"
            )
        with pytest.raises(DatabaseRefused):
            world.database.run(forbidden)


def test_a_restore_that_is_told_during_a_run_is_not_ended_by_it(restored: Restored) -> None:
    """An operator corrects the moment while reconcile looks at what came after the wrong one."""
    world, place = restored.world, restored.world.place
    restored.pass_time(600)
    restored.begin(timedelta(seconds=1))
    restored.pass_time()
    corrected: list[dict[str, Any]] = []

    class Corrected(NettingVenue):
        def positions(self, account: str) -> Any:
            corrected.extend(() if corrected else [restored.begin()])
            return place.positions(account)

    done = rematch(
        world.store.restores,
        world.store.comparisons,
        lambda _: Corrected(),
        lambda _: None,
        seconds=30,
    )

    assert corrected[0]["success"]
    assert done.open
    assert world.store.restores.open() is not None
    restored.reconcile()
    assert restored.undecided_fills(), "every account is asked anew, from the earlier moment on"


def test_what_the_venue_tells_late_is_waited_for(restored: Restored) -> None:
    world = restored.world
    told, world.place.trades = world.place.trades, []
    restored.begin()

    reconcile(world.deps, seconds=30)
    world.place.trades = told

    assert world.store.restores.open() is not None
    restored.reconcile()
    assert restored.undecided_fills()


def test_where_a_venue_cannot_be_asked_the_restore_stays_open_until_a_person_answers_for_it(
    restored: Restored,
) -> None:
    restored.begin()
    restored.world.deps = restored.world.deps.__class__(
        **{**vars(restored.world.deps), "holdings": lambda _: None}
    )

    waits = restored.reconcile().restore_waits_for

    assert all("cannot be asked" in reason for reason in waits)
    assert len(waits) == 2
    assert restored.world.store.restores.open() is not None
    assert restored.operate(accept=TOLD)["success"]
    assert restored.reconcile().restore_waits_for == ()


def test_a_venue_that_tells_of_single_positions_holds_it_open_until_a_person_answers_for_it(
    restored: Restored,
) -> None:
    restored.begin()
    restored.world.deps = restored.world.deps.__class__(
        **{**vars(restored.world.deps), "holdings": lambda _: None, "exits": lambda _: NoExits()}
    )

    waits = restored.reconcile().restore_waits_for

    assert len(waits) == 2
    assert all("does not tell what was executed" in each for each in waits)
    assert restored.world.store.restores.open() is not None
    accepted = restored.operate(accept=TOLD)
    assert sorted(accepted["answeredFor"]) == sorted(
        f"{wallet} at HYPERLIQUID: not matched" for wallet in (restored.wallet, restored.other)
    )
    (row,) = restored.world.rows("SELECT accepted_by, accepted FROM restores")
    assert row == {
        "accepted_by": f"{TOLD['by']}: {TOLD['reason']}",
        "accepted": accepted["answeredFor"],
    }
    assert restored.reconcile().restore_waits_for == ()


def test_many_accounts_are_matched_over_several_runs(restored: Restored) -> None:
    world = restored.world
    restored.begin()
    restored.reconcile()
    for fill in restored.undecided_fills():
        restored.operate(ignore={"id": fill["id"], **TOLD})
    asked: list[str] = []
    place = world.place

    class Counting(NettingVenue):
        def fills(self, account: str, since: datetime) -> Any:
            asked.append(account)
            return place.fills(account, since)

    world.deps = world.deps.__class__(**{**vars(world.deps), "holdings": lambda _: Counting()})
    restored.reconcile()

    assert asked == [], "each was matched in the first run, and is not asked again"
