"""What the database refuses of venues on a chain, whoever writes."""

from decimal import Decimal
from uuid import UUID

import pytest

from agent_where.store.connection import Statement
from tests.store.ledger import Ledger, refused

SET = "UPDATE venue_accounts SET {} WHERE account = :a AND venue = 'HYPERLIQUID'"
END = """
UPDATE venue_orders
SET status = :status, settled_at = now(), fee = :fee, detail = 'as the test wants it',
    refusal = CASE WHEN :status = 'REJECTED' THEN 'CANCELED' END
WHERE id = :id
"""


def set_account(ledger: Ledger, what: str, **params: object) -> None:
    ledger.db.run(SET.format(what), a=ledger.account, **params)


def ended(order: UUID, status: str, fee: Decimal | None) -> Statement:
    return END, {"id": order, "status": status, "fee": fee}


def test_a_nonce_never_goes_back_while_its_signer_is_the_same(ledger: Ledger) -> None:
    ledger.new_signer()
    set_account(ledger, "last_nonce = 7")

    with refused("a nonce is never used twice"):
        set_account(ledger, "last_nonce = 6")

    set_account(ledger, "last_nonce = -1, signer_address = 'another'")


def test_an_account_begins_before_the_first_nonce(ledger: Ledger) -> None:
    rows = ledger.db.run("SELECT DISTINCT last_nonce FROM venue_accounts")

    assert [row["last_nonce"] for row in rows] == [-1]


def test_a_cursor_never_goes_back(ledger: Ledger) -> None:
    set_account(ledger, "exits_cursor = 100")

    with refused("what was read is not unread"):
        set_account(ledger, "exits_cursor = 99")


def test_a_transaction_is_stored_once(ledger: Ledger) -> None:
    first, second = ledger.plan(), ledger.plan(signal_id=ledger.new_signal())
    for order in (first, second):
        ledger.send(order)
    store = (
        "INSERT INTO venue_actions (order_id, kind, payload, tx_hash)"
        " VALUES (:id, 'TIMEOUT', 'x', '0xabc')"
    )
    ledger.db.run(store, id=first)

    with refused("duplicate key", constraint="venue_actions_one_transaction"):
        ledger.db.run(store, id=second)


@pytest.mark.parametrize("status", ["REJECTED", "EXPIRED"])
def test_an_order_that_was_sent_may_have_cost_something_without_fills(
    ledger: Ledger, status: str
) -> None:
    order = ledger.bring_to("ACCEPTED")

    ledger.db.run_together(ended(order, status, Decimal("0.1")))

    rows = ledger.db.run("SELECT fee FROM venue_orders WHERE id = :id", id=order)
    assert rows[0]["fee"] == Decimal("0.1")


@pytest.mark.parametrize("fee", [Decimal(0), Decimal(-1)])
def test_what_was_not_paid_is_no_cost(ledger: Ledger, fee: Decimal) -> None:
    order = ledger.bring_to("ACCEPTED")

    with refused("venue_orders_cost_without_fills", constraint="venue_orders_cost_without_fills"):
        ledger.db.run_together(ended(order, "REJECTED", fee))


def test_an_order_that_was_never_sent_costs_nothing(ledger: Ledger) -> None:
    order = ledger.plan()

    with refused("venue_orders_cost_without_fills", constraint="venue_orders_cost_without_fills"):
        ledger.db.run_together(ended(order, "REJECTED", Decimal("0.1")))


def test_what_takes_an_orders_nonce_may_go_again_for_as_long_as_the_order_has_no_end(
    ledger: Ledger,
) -> None:
    order = ledger.plan()
    ledger.send(order)
    ledger.db.run(
        "INSERT INTO venue_actions (order_id, kind, payload, expires_at, send_count)"
        " VALUES (:id, 'REPLACE', 'x', now() - interval '1 minute', 1)",
        id=order,
    )
    again = (
        "UPDATE venue_actions SET send_count = send_count + 1"
        " WHERE order_id = :id AND kind = 'REPLACE'"
    )
    ledger.db.run(again, id=order)

    ledger.db.run_together(ledger.become(order, "EXPIRED"))

    with refused("nothing is sent again"):
        ledger.db.run(again, id=order)
