"""Positions, accounts, signals, history and controls: what is true stays true, refused in SQL."""

from decimal import Decimal
from uuid import uuid4

import pytest

from tests.store.ledger import SIZE, Ledger, refused

HISTORY = """
INSERT INTO venue_routing_history (signal_id, token_symbol, requested_venue, selected_venue,
                                   routing_reason, checked_venues, venue_availability,
                                   routing_duration_ms, attempt, deployment_id, strategy)
VALUES (:signal, 'BTC', 'MULTI', :selected, 'because', '{HYPERLIQUID}', '{}', 1, :attempt, NULL,
        'FIRST_AVAILABLE')
"""


def decided(ledger: Ledger, *, selected: str | None = "HYPERLIQUID", attempt: int = 1) -> None:
    ledger.db.run(HISTORY, signal=ledger.signal, selected=selected, attempt=attempt)


# Exits and positions


def test_an_exit_closes_an_open_position_of_its_own(ledger: Ledger) -> None:
    _, position = ledger.open_position()
    other = Ledger(ledger.db)
    _, foreign = other.open_position()

    for wrong in (
        ledger.plan_exit(uuid4()),
        ledger.plan_exit(foreign),
        ledger.plan_exit(position, side="LONG"),
        ledger.plan_exit(position, venue="OSTIUM"),
    ):
        with refused("it closes no open position of its own"):
            ledger.send(wrong)


def test_two_exits_under_way_never_close_more_than_is_open(ledger: Ledger) -> None:
    _, position = ledger.open_position()
    too_much, half, rest, once_more = (ledger.plan_exit(position) for _ in range(4))

    with refused("it closes more than is open"):
        ledger.send(too_much, size=SIZE * 2)
    ledger.send(half, size=SIZE / 2)
    with refused("it closes more than is open"):
        ledger.send(too_much)
    ledger.send(rest, size=SIZE / 2)
    with refused("it closes more than is open"):
        ledger.send(once_more, size=Decimal("0.0001"))


def test_a_bound_that_rests_at_the_venue_does_not_stop_a_close(ledger: Ledger) -> None:
    _, position = ledger.open_position()
    bound = ledger.plan_exit(position, purpose="STOP_LOSS", trigger_price=50_000)
    ledger.send(bound)
    ledger.db.run_together(ledger.become(bound, "ACCEPTED"))

    close = ledger.plan_exit(position)
    ledger.send(close)

    assert ledger.status(close) == "SENT"


def test_a_signal_opens_one_position_per_deployment(ledger: Ledger) -> None:
    ledger.open_position()

    with refused("positions_deployment_id_signal_id_key"):
        ledger.db.run(
            "INSERT INTO positions (deployment_id, signal_id, venue, token_symbol, side, qty, "
            "entry_price) VALUES (:d, :s, 'OSTIUM', 'BTC', 'LONG', 1, 1)",
            d=ledger.deployment,
            s=ledger.signal,
        )


def test_a_closed_position_stays_as_it_ended_but_for_late_funding(ledger: Ledger) -> None:
    _, position = ledger.open_position()
    change = "UPDATE positions SET {} WHERE id = :id"
    ledger.db.run(
        change.format(
            "status = 'CLOSED', closed_at = now(), open_qty = 0, pnl = 1, exit_price = 1"
        ),
        id=position,
    )

    for lie in (
        "status = 'OPEN', closed_at = NULL",
        "open_qty = 0.5",
        "exit_price = 2",
        "entry_price = 2",
        "exit_reason = 'x'",
        "closed_at = now() + interval '1 day'",
    ):
        with refused("CLOSED is an end"):
            ledger.db.run(change.format(lie), id=position)
    ledger.db.run(change.format("pnl = 0.9, fees_usd = 2.1"), id=position)


@pytest.mark.parametrize(
    "change",
    ["side = 'SHORT'", "venue = 'OSTIUM'", "account = 'x'", "mode = NULL", "token_symbol = 'ETH'"],
)
def test_what_a_position_is_never_changes(ledger: Ledger, change: str) -> None:
    _, position = ledger.open_position()

    with refused("what was opened is never changed"):
        ledger.db.run(f"UPDATE positions SET {change} WHERE id = :id", id=position)


def test_a_position_never_has_more_open_than_was_bought_and_is_never_deleted(
    ledger: Ledger,
) -> None:
    _, position = ledger.open_position()

    with refused("positions_open_part", constraint="positions_open_part"):
        ledger.db.run("UPDATE positions SET open_qty = qty + 1 WHERE id = :id", id=position)
    with refused("positions_closed_when_ended", constraint="positions_closed_when_ended"):
        ledger.db.run("UPDATE positions SET status = 'CLOSED' WHERE id = :id", id=position)
    with refused("positions is append-only: DELETE refused"):
        ledger.db.run("DELETE FROM positions WHERE id = :id", id=position)


def test_a_position_of_the_original_system_stays_free_for_its_own_code(ledger: Ledger) -> None:
    position = uuid4()
    ledger.db.run(
        "INSERT INTO positions (id, deployment_id, signal_id, venue, token_symbol, side, qty, "
        "entry_price, status) VALUES (:id, :d, :s, 'OSTIUM', 'BTC', 'LONG', 1, 1, 'CLOSED')",
        id=position,
        d=ledger.deployment,
        s=ledger.signal,
    )

    ledger.db.run("UPDATE positions SET status = 'OPEN', qty = 2 WHERE id = :id", id=position)
    ledger.db.run("DELETE FROM positions WHERE id = :id", id=position)


# Accounts


def test_a_living_lease_is_not_taken_over_and_an_expired_one_is(ledger: Ledger) -> None:
    order = ledger.plan()
    take = (
        "UPDATE venue_accounts SET lease_token = gen_random_uuid(), "
        "lease_until = clock_timestamp() + interval '1 minute' "
        "WHERE account = :a AND venue = 'HYPERLIQUID'"
    )
    ledger.lease(order)

    with refused("another worker holds its lease"):
        ledger.db.run(take, a=ledger.account)
    ledger.lease(order, seconds=-1)
    ledger.db.run(take, a=ledger.account)


def test_a_nonce_never_goes_back(ledger: Ledger) -> None:
    ledger.db.run("UPDATE venue_accounts SET last_nonce = 9 WHERE account = :a", a=ledger.account)

    with refused("a nonce is never used twice"):
        ledger.db.run(
            "UPDATE venue_accounts SET last_nonce = 8 WHERE account = :a", a=ledger.account
        )


def test_an_account_has_one_spelling_and_a_signer_one_account(ledger: Ledger) -> None:
    signer = ledger.new_signer()

    with refused("venue_accounts_account_check"):
        ledger.db.run("INSERT INTO venue_accounts (account, venue) VALUES ('0xAB', 'OSTIUM')")
    with refused("venue_accounts_signer_address_key"):
        ledger.db.run(
            "UPDATE venue_accounts SET signer_address = :s WHERE account = :a AND venue = 'OSTIUM'",
            s=signer,
            a=ledger.account,
        )


# Signals, history, configuration, controls


@pytest.mark.parametrize(
    "change",
    [
        "decided_at = NULL",
        "decided_at = now()",
        "side = 'SHORT'",
        "token_symbol = 'ETH'",
        "action = 'CLOSE'",
    ],
)
def test_a_signal_is_decided_once(ledger: Ledger, change: str) -> None:
    ledger.db.run(
        "UPDATE signals SET decided_at = now(), venue = 'OSTIUM' WHERE id = :id", id=ledger.signal
    )

    with refused("it was decided, and is decided once"):
        ledger.db.run(f"UPDATE signals SET {change} WHERE id = :id", id=ledger.signal)
    ledger.db.run("UPDATE signals SET enqueued_at = now() WHERE id = :id", id=ledger.signal)


def test_history_is_append_only(ledger: Ledger) -> None:
    decided(ledger)

    with refused("venue_routing_history is append-only: UPDATE refused"):
        ledger.db.run(
            "UPDATE venue_routing_history SET routing_reason = 'x' WHERE signal_id = :s",
            s=ledger.signal,
        )
    with refused("venue_routing_history is append-only: DELETE refused"):
        ledger.db.run("DELETE FROM venue_routing_history WHERE signal_id = :s", s=ledger.signal)
    with refused("venue_routing_history is append-only: TRUNCATE refused"):
        ledger.db.run("TRUNCATE venue_routing_history")


def test_an_attempt_has_one_row_of_history(ledger: Ledger) -> None:
    decided(ledger)

    with refused("one_each", constraint="venue_routing_history_one_each"):
        decided(ledger, selected=None)
    decided(ledger, attempt=2)


@pytest.mark.parametrize("selected", ["MULTI", "OSTIUM"])
def test_history_selects_what_was_checked(ledger: Ledger, selected: str) -> None:
    with refused("selected_was_checked"):
        decided(ledger, selected=selected)


def test_there_is_one_global_config_and_one_per_agent(ledger: Ledger) -> None:
    add = "INSERT INTO venue_routing_config (agent_id, venue_priority) VALUES (:agent, '{OSTIUM}')"

    with refused("one_each", constraint="venue_routing_config_one_each"):
        ledger.db.run(add, agent=None)
    ledger.db.run(add, agent=ledger.agent)
    with refused("one_each", constraint="venue_routing_config_one_each"):
        ledger.db.run(add, agent=ledger.agent)


def test_each_control_is_audited_and_the_audit_is_never_changed(ledger: Ledger) -> None:
    scope = str(ledger.agent)
    ledger.db.run(
        "INSERT INTO trading_controls (scope, id, state, reason, set_by) "
        "VALUES ('agent', :id, 'HALTED', 'a test', 'me')",
        id=scope,
    )
    ledger.db.run("UPDATE trading_controls SET state = 'ACTIVE' WHERE id = :id", id=scope)

    rows = ledger.db.run(
        "SELECT state, set_by FROM trading_controls_audit WHERE id = :id ORDER BY recorded_at",
        id=scope,
    )
    assert rows == [{"state": "HALTED", "set_by": "me"}, {"state": "ACTIVE", "set_by": "me"}]
    for write in (
        "UPDATE trading_controls_audit SET set_by = 'another'",
        "DELETE FROM trading_controls_audit",
        "TRUNCATE trading_controls_audit",
        "DELETE FROM trading_controls",
        "TRUNCATE trading_controls",
    ):
        with refused("is append-only"):
            ledger.db.run(write)
    with refused("is written by trading_controls alone"):
        ledger.db.run(
            "INSERT INTO trading_controls_audit (scope, id, state, reason, set_by, set_at) "
            "SELECT scope, id, state, reason, 'another', set_at FROM trading_controls"
        )


def test_the_network_of_a_database_is_never_changed(ledger: Ledger) -> None:
    for write in (
        "UPDATE installation SET network = 'testnet'",
        "DELETE FROM installation",
        "TRUNCATE installation",
    ):
        with refused("installation is append-only"):
            ledger.db.run(write)
    with refused("installation_pkey"):
        ledger.db.run("INSERT INTO installation (network) VALUES ('testnet')")
