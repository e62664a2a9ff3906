"""Each of the doctor's checks: silent where all is well, and loud about the one thing it looks for.

The database refuses most of this disorder; here its rules are taken off, as a restore from a broken
copy or a hand at the database would.
"""

from collections.abc import Iterator

import pytest

from agent_where.domain import Side
from agent_where.reconciling import reconcile, write_figures
from agent_where.store.checkups import CHECKS, Weight
from tests.doctor.examining import at_work, break_in, examine, found
from tests.netting import NettingWorld, netting_world


@pytest.fixture
def world(database_dsn: str) -> Iterator[NettingWorld]:
    with netting_world(database_dsn) as made:
        yield made


def test_a_world_where_all_is_well_is_sound(world: NettingWorld) -> None:
    at_work(world)

    diagnosis = examine(world, venues=True)

    assert found(diagnosis) == {}
    assert diagnosis.sound
    assert {row["status"] for row in world.orders()} == {"FILLED", "ACCEPTED"}


AGES = "interval '20 minutes'"
DISORDER: dict[str, tuple[str, ...]] = {
    "executed_twice": (
        ("INSERT INTO venue_orders (id, signal_id, deployment_id, position_id, purpose, leg,"
        " attempt, venue, account, mode, token_symbol, market_name, side, reduce_only, leverage,"
        " status, detail, settled_at, collateral_usd, size, limit_price, sent_at, sent_under)"
        " SELECT gen_random_uuid(), signal_id, deployment_id, position_id, purpose, 'AGAIN', 1,"
        " venue, account, mode, token_symbol, market_name, side, reduce_only, leverage, 'EXPIRED',"
        " 'x', now(), collateral_usd, size, limit_price, sent_at, sent_under"
        " FROM venue_orders WHERE purpose = 'ENTRY' LIMIT 1"),
        ("INSERT INTO venue_fills (order_id, venue, venue_fill_id, size, price, fee, at)"
        " SELECT id, venue, 'twice', 1, 100, 0, now() FROM venue_orders WHERE leg = 'AGAIN'"),
        ("INSERT INTO positions (id, deployment_id, signal_id, venue, token_symbol, side, qty,"
        " entry_price, mode, account, open_qty, leverage, unexpected, status, closed_at, closed_by)"
        " SELECT id, deployment_id, NULL, venue, token_symbol, side, 1, 100, mode, account, 1, 1,"
        " true, 'CLOSED', now(), 'DUST' FROM venue_orders WHERE leg = 'AGAIN'"),
        "UPDATE positions SET closed_at = now() - interval '8 days' WHERE unexpected",
    ),
    "filled_beyond_order": (
        ("INSERT INTO venue_fills (order_id, venue, venue_fill_id, size, price, fee, at)"
        " SELECT o.id, o.venue, 'twice', o.size, 100, 0, now() FROM venue_orders o"
        " JOIN positions p ON p.id = o.position_id"
        " WHERE o.purpose = 'ENTRY' AND p.status = 'CLOSED'"),
        ("UPDATE venue_orders o SET filled_size = 2 * size FROM positions p WHERE"
        " p.id = o.position_id AND p.status = 'CLOSED' AND o.purpose = 'ENTRY'"),
        ("UPDATE positions SET qty = 2 * qty, open_qty = qty, closed_by = 'DUST',"
        " closed_at = now() - interval '8 days' WHERE status = 'CLOSED'"),
    ),
    "orders_stuck": (
        "UPDATE venue_orders SET status = 'ACCEPTED', sent_at = now() - " + AGES + ","
        " settled_at = NULL, filled_size = NULL, average_price = NULL, fee = NULL"
        " WHERE id = (SELECT id FROM venue_orders WHERE purpose = 'CLOSE')",
        ("UPDATE positions SET open_qty = qty, status = 'OPEN', closed_at = NULL"
        " WHERE status = 'CLOSED'"),
    ),
    "fills_do_not_sum": (
        "UPDATE venue_orders SET filled_size = 7 WHERE purpose = 'CLOSE'",
    ),
    "fills_without_order": (
        ("INSERT INTO venue_fills (order_id, venue, venue_fill_id, size, price, fee, at)"
        " VALUES (gen_random_uuid(), 'HYPERLIQUID', 'nobody', 1, 1, 0, now())"),
    ),
    "fills_counted_twice": (
        ("INSERT INTO venue_closures (venue, venue_fill_id, position_id, size, fill_size, price,"
        " fee, closed_by, reason, at) SELECT f.venue, f.venue_fill_id, o.position_id, f.size,"
        " f.size, f.price, 0, 'USER', 'USER', now() + interval '1 minute' FROM venue_fills f"
        " JOIN venue_orders o ON o.id = f.order_id WHERE o.purpose = 'CLOSE'"),
    ),
    "late_fills_unbooked": (
        ("UPDATE venue_orders SET status = 'EXPIRED', detail = 'x', filled_size = NULL,"
        " average_price = NULL, fee = NULL WHERE purpose = 'ENTRY' AND id ="
        " (SELECT o.id FROM venue_orders o JOIN positions p ON p.id = o.position_id"
        "  WHERE p.status = 'CLOSED' AND o.purpose = 'ENTRY')"),
    ),
    "entries_without_position": (
        "DELETE FROM positions WHERE status = 'CLOSED'",
    ),
    "positions_differ": (
        "UPDATE positions SET open_qty = 0.5 WHERE status = 'OPEN'",
        "UPDATE venue_orders SET size = 0.5 WHERE purpose = 'STOP_LOSS'",
    ),
    "orders_not_carried_out": (
        "UPDATE venue_orders SET status = 'PLANNED', sent_at = NULL, sent_under = NULL,"
        " due_at = now() - " + AGES + " WHERE purpose = 'STOP_LOSS'",
    ),
    "orders_held_up": (
        "UPDATE venue_orders SET status = 'PLANNED', sent_at = NULL, sent_under = NULL,"
        " due_at = now() + " + AGES + ", detail = 'no key' WHERE purpose = 'STOP_LOSS'",
    ),
    "closes_overdue": (
        ("INSERT INTO venue_orders (id, signal_id, deployment_id, position_id, purpose, leg,"
        " attempt, venue, account, mode, token_symbol, market_name, side, reduce_only, leverage,"
        " status, refusal, detail, settled_at, created_at)"
        " SELECT gen_random_uuid(), signal_id, deployment_id, position_id, 'CLOSE', 'CLOSE', 1,"
        " venue, account, mode, token_symbol, market_name, side, true, leverage, 'REJECTED',"
        " 'NOT_APPROVED', 'no key', now(), now() - " + AGES
        + " FROM venue_orders WHERE purpose = 'STOP_LOSS'"),
        "UPDATE positions SET opened_at = now() - " + AGES + " WHERE status = 'OPEN'",
    ),
    "orders_waiting_for_nothing": (
        ("UPDATE venue_orders x SET status = 'PLANNED', sent_at = NULL, sent_under = NULL,"
        " due_at = NULL, after_order_id = e.id FROM venue_orders e"
        " WHERE x.purpose = 'STOP_LOSS' AND e.purpose = 'ENTRY' AND e.position_id = x.position_id"),
        "UPDATE venue_orders SET settled_at = now() - " + AGES + " WHERE purpose = 'ENTRY'",
    ),
    "signals_undecided": (
        "UPDATE signals SET decided_at = NULL, received_at = now() - " + AGES
        + " WHERE action = 'CLOSE'",
    ),
    "attempts_without_history": (
        ("DELETE FROM venue_routing_history WHERE signal_id IN (SELECT signal_id FROM positions"
        " WHERE status = 'OPEN')"),
    ),
    "leases_too_long": (
        "UPDATE venue_accounts SET lease_token = gen_random_uuid(), lease_until = now() + " + AGES
        + " WHERE account = (SELECT min(account) FROM venue_accounts)",
    ),
    "positions_unexpected": (
        "UPDATE positions SET unexpected = true, signal_id = NULL WHERE status = 'OPEN'",
    ),
    "markets_unexplained": (
        ("UPDATE venue_accounts SET unexplained = '{BTC}'"
        " WHERE account = (SELECT min(account) FROM venue_accounts)"),
    ),
    "stops_missing": (
        "UPDATE positions SET opened_at = now() - " + AGES + " WHERE status = 'OPEN'",
        ("UPDATE venue_orders SET status = 'REJECTED', refusal = 'X', detail = 'x',"
        " settled_at = now() WHERE purpose = 'STOP_LOSS'"),
    ),
    "positions_unprotected": (
        "UPDATE positions SET opened_at = now() - " + AGES + " WHERE status = 'OPEN'",
        ("UPDATE venue_orders SET status = 'PLANNED', sent_at = NULL, sent_under = NULL,"
        " venue_ref = NULL, due_at = now() + interval '1 minute' WHERE purpose = 'STOP_LOSS'"),
    ),
    "bounds_too_large": (
        "UPDATE venue_orders SET size = 9, sent_at = now() - " + AGES
        + " WHERE purpose = 'STOP_LOSS'",
    ),
    "accounts_with_two_keys": (
        ("UPDATE venue_accounts SET signer_address = 'key0xanother' WHERE account ="
        " (SELECT account FROM venue_orders WHERE purpose = 'STOP_LOSS')"),
        "UPDATE venue_orders SET status = 'SENT', sent_at = now() WHERE purpose = 'STOP_LOSS'",
    ),
    "figures_stale": ("UPDATE system_figures SET at = now() - " + AGES,),
    "restores_open": (
        "INSERT INTO restores (restored_to, told_by, reason) VALUES (now(), 'a', 'b')",
    ),
    "fills_unowned": (
        ("INSERT INTO unowned_fills (venue, venue_fill_id, account, market_name, token_symbol,"
            " side,"
        " size, price, fee, held_before, at, venue_ref)"
        " VALUES ('HYPERLIQUID', '1:1', '0xa', 'BTC', 'BTC', 'LONG', 1, 1, 0, 0, now(), '1')"),
    ),
    "closes_refused": (
        ("INSERT INTO restores (restored_to, told_at, told_by, reason, matched_at)"
        " VALUES (now() - interval '1 hour', now() - interval '1 minute', 'a', 'b', now())"),
        ("INSERT INTO signals (id, agent_id, token_symbol, venue, action, created_at, received_at,"
        " decided_at) SELECT gen_random_uuid(), d.agent_id, p.token_symbol, 'MULTI', 'CLOSE',"
        " now() - interval '2 hours', now(), now() + interval '1 minute' FROM positions p"
        " JOIN agent_deployments d ON d.id = p.deployment_id WHERE p.status = 'OPEN'"),
    ),
    "left_as_dust": (
        "UPDATE positions SET closed_by = 'DUST' WHERE status = 'CLOSED'",
    ),
    "trading_stopped": (
        ("INSERT INTO trading_controls (scope, id, state, reason, set_by)"
        " VALUES ('global', NULL, 'HALTED', 'a test', 'a test')"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", DISORDER)
def test_one_thing_that_does_not_add_up_is_told_by_its_own_check(
    world: NettingWorld, name: str
) -> None:
    at_work(world)

    break_in(world, *DISORDER[name])

    diagnosis = examine(world)
    assert found(diagnosis) == {name: 1}
    (check,) = (each for each in diagnosis.checks if not each.ok)
    (row,) = check.rows
    assert check.todo
    assert row.id
    assert row.detail
    assert diagnosis.sound == (check.weight is Weight.NOTE)


def test_every_check_of_the_table_was_tried() -> None:
    assert {check.name for check in CHECKS} == set(DISORDER)


def test_a_lease_that_no_worker_sets_is_given_back_and_the_account_trades_again(
    world: NettingWorld, caplog: pytest.LogCaptureFixture
) -> None:
    """The database's clock was a day ahead, and was put right."""
    agent = at_work(world)
    tomorrow = "lease_token = gen_random_uuid(), lease_until = now() + interval '1 day'"
    a_minute = "lease_token = gen_random_uuid(), lease_until = now() + interval '1 minute'"
    break_in(world, f"UPDATE venue_accounts SET {tomorrow} WHERE venue = 'HYPERLIQUID'")
    assert found(examine(world)) == {"leases_too_long": 2}

    reconcile(world.deps, seconds=30)
    world.close(agent)
    world.work()

    assert caplog.text.count("is the database's clock right?") == 2
    assert {row["status"] for row in world.positions()} == {"CLOSED"}
    assert found(examine(world)) == {}
    break_in(world, f"UPDATE venue_accounts SET {a_minute}")
    reconcile(world.deps, seconds=30)
    leases = world.rows("SELECT lease_until FROM venue_accounts")
    assert all(row["lease_until"] for row in leases), "a worker has them"


def test_a_key_that_took_another_s_place_while_a_stop_rests_is_no_fault(
    world: NettingWorld,
) -> None:
    at_work(world)
    break_in(world, "UPDATE venue_accounts SET signer_address = 'another' || account")

    assert found(examine(world)) == {}


def test_what_an_order_without_fills_has_cost_is_no_difference_and_more_is(
    world: NettingWorld,
) -> None:
    """A position shows it with its next execution: its fees may lack it until then."""
    agent = world.follower(world.user())
    world.buy(agent, "2")
    world.place.by_hand(world.place.trades[0].account, "BTC/USD", Side.SHORT, "1")
    world.pass_time(60)
    reconcile(world.deps, seconds=30)
    write_figures(world.deps)
    assert found(examine(world)) == {}
    break_in(world, REFUSED_AT_A_COST)

    assert found(examine(world)) == {}

    break_in(world, "UPDATE positions SET fees_usd = fees_usd - 1")
    assert found(examine(world)) == {"positions_differ": 1}


REFUSED_AT_A_COST = (
    "INSERT INTO venue_orders (id, signal_id, deployment_id, position_id, purpose, leg, attempt,"
    " venue, account, mode, token_symbol, market_name, side, reduce_only, leverage, status, detail,"
    " settled_at, collateral_usd, size, limit_price, sent_at, sent_under, fee)"
    " SELECT gen_random_uuid(), signal_id, deployment_id, position_id, 'CLOSE', 'REFUSED', 1,"
    " venue, account, mode, token_symbol, market_name, side, true, leverage, 'EXPIRED', 'x', now(),"
    " collateral_usd, size, limit_price, sent_at, sent_under, 0.5"
    " FROM venue_orders WHERE purpose = 'ENTRY'"
)


def test_a_closed_position_that_its_exits_do_not_close_is_told(world: NettingWorld) -> None:
    at_work(world)

    break_in(world, "UPDATE positions SET open_qty = 1 WHERE status = 'CLOSED'")
    assert found(examine(world)) == {"positions_differ": 1}

    break_in(world, "UPDATE positions SET open_qty = 0, qty = 3 WHERE status = 'CLOSED'")
    assert found(examine(world)) == {"positions_differ": 1, "entries_without_position": 1}


def test_dead_letters_are_told(world: NettingWorld) -> None:
    at_work(world)
    world.queues.bury("{}", "group", "a reason", "source")

    assert found(examine(world)) == {"dead_letters": 1}
