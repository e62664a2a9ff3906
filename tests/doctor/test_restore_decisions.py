"""What was executed since the moment that was restored: booked, or a person decides whose it is."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from agent_where.doctor import diagnose
from agent_where.domain import Side
from agent_where.errors import DatabaseRefused
from agent_where.reconciling import write_figures
from local.postgres import Postgres
from tests.doctor.examining import found, instruments
from tests.doctor.restored_world import MARKET, TOLD, Restored, restored_world
from tests.netting import NettingWorld


@pytest.fixture
def restored(postgres: Postgres, database_dsn: str) -> Iterator[Restored]:
    with restored_world(postgres, database_dsn) as made:
        yield made


def closures(world: NettingWorld, position: UUID) -> list[tuple[str, str]]:
    rows = world.rows("SELECT * FROM venue_closures WHERE position_id = :id", id=position)
    return [(row["closed_by"], row["reason"]) for row in rows]


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
