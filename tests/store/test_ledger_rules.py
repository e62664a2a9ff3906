"""Each write to an order that would trade twice or tell a wrong story, tried and refused in SQL."""

import re
from decimal import Decimal
from itertools import permutations
from uuid import UUID, uuid4

import pytest

from tests.store.ledger import ENDS, PRICE, SENT, SIZE, STATUSES, Ledger, refused

ALLOWED = {
    ("PLANNED", "SENT"),
    ("PLANNED", "REJECTED"),
    ("SENT", "ACCEPTED"),
    ("SENT", "FILLED"),
    ("SENT", "REJECTED"),
    ("SENT", "EXPIRED"),
    ("ACCEPTED", "FILLED"),
    ("ACCEPTED", "REJECTED"),
    ("ACCEPTED", "EXPIRED"),
}


@pytest.mark.parametrize("alive", ["PLANNED", "SENT", "ACCEPTED", "FILLED"])
def test_a_second_living_order_for_the_same_leg_is_refused(ledger: Ledger, alive: str) -> None:
    ledger.bring_to(alive)

    with refused("one_alive|_attempt_key|one_entry"):
        ledger.plan()
    with refused("attempt 2 needs attempt 1 to have ended with nothing executed"):
        ledger.plan(attempt=2)


def test_a_second_living_entry_is_refused_whatever_its_leg_is_called(ledger: Ledger) -> None:
    ledger.plan()

    with refused("one_entry", constraint="venue_orders_one_entry"):
        ledger.plan(leg="ENTRY-AGAIN")


def test_the_index_refuses_it_where_the_trigger_cannot_see_another_transactions_order(
    ledger: Ledger,
) -> None:
    ledger.plan(purpose="CLOSE", leg="CLOSE")

    with refused("one_alive", constraint="venue_orders_one_alive"):
        ledger.db.run_together(
            ("SET LOCAL session_replication_role = replica", {}),  # as if no trigger had seen it
            ledger.planned(purpose="CLOSE", leg="CLOSE", attempt=2),
        )


@pytest.mark.parametrize("end", ["REJECTED", "EXPIRED"])
def test_a_new_attempt_follows_an_end_with_nothing_executed(ledger: Ledger, end: str) -> None:
    ledger.bring_to(end)

    assert ledger.status(ledger.plan(attempt=2)) == "PLANNED"
    with refused("attempt 4 needs attempt 3"):
        ledger.plan(attempt=4)


@pytest.mark.parametrize(("before", "after"), list(permutations(STATUSES, 2)))
def test_only_the_moves_of_the_table_are_allowed(ledger: Ledger, before: str, after: str) -> None:
    order = ledger.bring_to(before)

    if (before, after) == ("PLANNED", "SENT"):
        ledger.send(order)
    elif (before, after) in ALLOWED:
        fills = [ledger.fill(order)] if after == "FILLED" else []
        ledger.db.run_together(*fills, ledger.become(order, after))
    else:
        sentence = f"{before} is an end" if before in ENDS else f"{before} cannot become {after}"
        with refused(sentence):
            ledger.db.run_together(ledger.become(order, after))
    assert ledger.status(order) == (after if (before, after) in ALLOWED else before)


@pytest.mark.parametrize("status", [status for status in STATUSES if status != "PLANNED"])
def test_an_order_begins_planned(ledger: Ledger, status: str) -> None:
    with refused(f"an order begins PLANNED, not {status}"):
        ledger.plan(status=status)


def test_sent_without_a_lease_is_refused(ledger: Ledger) -> None:
    order = ledger.plan()

    with refused("sent without the lease of its account"):
        ledger.db.run_together(
            (SENT, {"id": order, "token": uuid4(), "size": SIZE, "price": PRICE}),
            ledger.action(order),
        )


def test_sent_under_anothers_or_an_expired_lease_is_refused(ledger: Ledger) -> None:
    order = ledger.plan()
    expired = ledger.lease(order, seconds=-1)
    fields = {"id": order, "size": SIZE, "price": PRICE}

    with refused("sent without the lease of its account"):
        ledger.db.run_together((SENT, fields | {"token": expired}), ledger.action(order))
    ledger.lease(order)
    with refused("sent without the lease of its account"):
        ledger.db.run_together((SENT, fields | {"token": expired}), ledger.action(order))
    other_venue = ledger.lease(ledger.plan(leg="X", signal_id=ledger.new_signal(), venue="OSTIUM"))
    with refused("sent without the lease of its account"):
        ledger.db.run_together((SENT, fields | {"token": other_venue}), ledger.action(order))


def test_sent_without_its_action_is_refused_at_commit(ledger: Ledger) -> None:
    order = ledger.plan()
    token = ledger.lease(order)
    sent = (SENT, {"id": order, "token": token, "size": SIZE, "price": PRICE})

    with refused("SENT without a stored ORDER action"):
        ledger.db.run_together(sent)
    with refused("SENT without a stored ORDER action"):
        ledger.db.run_together(sent, ledger.action(order, kind="LEVERAGE"))
    assert ledger.status(order) == "PLANNED"
    assert ledger.db.run("SELECT id FROM venue_actions WHERE order_id = :id", id=order) == []


def test_sent_without_size_limit_or_collateral_is_refused(ledger: Ledger) -> None:
    order = ledger.plan()
    token = ledger.lease(order)

    with refused("venue_orders_sent_whole", constraint="venue_orders_sent_whole"):
        ledger.db.run_together(
            (SENT, {"id": order, "token": token, "size": None, "price": PRICE}),
            ledger.action(order),
        )


@pytest.mark.parametrize(
    "change",
    [
        "size = size * 2",
        "limit_price = limit_price + 1",
        "leverage = leverage + 1",
        "collateral_usd = 0",
        "sent_under = gen_random_uuid()",
        "sent_at = sent_at - interval '1 hour'",
    ],
)
@pytest.mark.parametrize("status", ["SENT", "ACCEPTED"])
def test_what_was_stored_with_sent_is_frozen(ledger: Ledger, status: str, change: str) -> None:
    order = ledger.bring_to(status)

    with refused("what was stored with SENT is frozen"):
        ledger.db.run(f"UPDATE venue_orders SET {change} WHERE id = :id", id=order)


@pytest.mark.parametrize(
    "change",
    [
        "venue = 'OSTIUM'",
        "account = 'another'",
        "side = 'SHORT'",
        "market_name = 'ETH'",
        "token_symbol = 'ETH'",
        "mode = 'LIVE'",
        "leg = 'ANOTHER'",
        "attempt = attempt + 1",
        "purpose = 'CLOSE', reduce_only = true",
        "signal_id = gen_random_uuid()",
        "deployment_id = gen_random_uuid()",
        "position_id = gen_random_uuid()",
        "trigger_price = 1",
        "after_order_id = gen_random_uuid()",
        "created_at = created_at - interval '1 day'",
        "id = gen_random_uuid()",
    ],
)
@pytest.mark.parametrize("status", ["PLANNED", "SENT"])
def test_what_was_intended_is_never_changed(ledger: Ledger, status: str, change: str) -> None:
    order = ledger.bring_to(status)

    with refused("what was intended is never changed"):
        ledger.db.run(f"UPDATE venue_orders SET {change} WHERE id = :id", id=order)


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("change", ["detail = 'another story'", "venue_ref = 'x'", "fee = 0"])
def test_an_ended_order_is_never_changed(ledger: Ledger, end: str, change: str) -> None:
    order = ledger.bring_to(end)

    with refused(f"{end} is an end"):
        ledger.db.run(f"UPDATE venue_orders SET {change} WHERE id = :id", id=order)


def test_filled_needs_fills_that_sum_to_it(ledger: Ledger) -> None:
    order = ledger.bring_to("SENT")

    with refused("its fills do not sum to 0.5"):
        ledger.db.run_together(ledger.become(order, "FILLED"))
    with refused("its fills do not sum to 0.5"):
        ledger.db.run_together(
            ledger.become(order, "FILLED"), ledger.fill(order, Decimal("0.4999"))
        )
    ledger.db.run_together(
        ledger.fill(order, Decimal("0.2")),
        ledger.become(order, "FILLED"),
        ledger.fill(order, Decimal("0.3")),
    )
    assert ledger.status(order) == "FILLED"


def test_filled_at_a_price_none_of_its_fills_had_is_refused(ledger: Ledger) -> None:
    order = ledger.bring_to("SENT")

    with refused("none of its fills average 60001"):
        ledger.db.run_together(ledger.fill(order), ledger.become(order, "FILLED", price=PRICE + 1))


@pytest.mark.parametrize("end", ["REJECTED", "EXPIRED"])
def test_an_order_with_fills_cannot_end_as_nothing_executed(ledger: Ledger, end: str) -> None:
    order = ledger.bring_to("SENT")
    ledger.db.run_together(ledger.fill(order, Decimal("0.1")))

    with refused(f"it has fills, so it cannot become {end}"):
        ledger.db.run_together(ledger.become(order, end))


@pytest.mark.parametrize("end", ["REJECTED", "EXPIRED"])
def test_an_end_without_its_reason_is_refused(ledger: Ledger, end: str) -> None:
    order = ledger.bring_to("SENT")

    with refused("end_explained", constraint="venue_orders_end_explained"):
        ledger.db.run(
            "UPDATE venue_orders SET status = :end, settled_at = now(), detail = '', "
            "refusal = CASE WHEN :end = 'REJECTED' THEN 'VENUE_REFUSED' END WHERE id = :id",
            id=order,
            end=end,
        )


def test_a_rejection_has_a_code_and_nothing_else_has(ledger: Ledger) -> None:
    order = ledger.plan()

    with refused("refusal_when_rejected", constraint="venue_orders_refusal_when_rejected"):
        ledger.db.run(
            "UPDATE venue_orders SET status = 'REJECTED', settled_at = now(), detail = 'no' "
            "WHERE id = :id",
            id=order,
        )
    with refused("refusal_when_rejected", constraint="venue_orders_refusal_when_rejected"):
        ledger.db.run("UPDATE venue_orders SET refusal = 'HALTED' WHERE id = :id", id=order)


def test_only_a_filled_order_has_executed_figures(ledger: Ledger) -> None:
    order = ledger.bring_to("ACCEPTED")

    with refused("executed_when_filled", constraint="venue_orders_executed_when_filled"):
        ledger.db.run("UPDATE venue_orders SET filled_size = 0.1 WHERE id = :id", id=order)


def test_multi_is_never_the_venue_of_an_order(ledger: Ledger) -> None:
    with refused("venue_orders_venue_check", constraint="venue_orders_venue_check"):
        ledger.plan(venue="MULTI")


def test_the_client_order_id_is_the_orders_id_as_hex(ledger: Ledger) -> None:
    order = ledger.plan()

    rows = ledger.db.run("SELECT client_order_id AS c FROM venue_orders WHERE id = :id", id=order)
    assert re.fullmatch(r"0x[0-9a-f]{32}", rows[0]["c"])
    assert UUID(rows[0]["c"][2:]) == order
    with refused("can only be updated to DEFAULT"):
        ledger.db.run("UPDATE venue_orders SET client_order_id = '0x1' WHERE id = :id", id=order)


@pytest.mark.parametrize(
    ("table", "column"),
    [("venue_orders", "id"), ("venue_actions", "order_id"), ("venue_fills", "order_id")],
)
def test_nothing_of_the_ledger_can_be_deleted(ledger: Ledger, table: str, column: str) -> None:
    order = ledger.bring_to("FILLED")

    with refused(f"{table} is append-only: DELETE refused"):
        ledger.db.run(f"DELETE FROM {table} WHERE {column} = :id", id=order)
    with refused("is append-only: TRUNCATE refused"):
        ledger.db.run(f"TRUNCATE {table} CASCADE")
    for parent in ("signals", "agents", "venue_accounts", "agent_deployments"):
        with refused("is append-only: TRUNCATE refused"):
            ledger.db.run(f"TRUNCATE {parent} CASCADE")


@pytest.mark.parametrize("change", ["size = 1", "price = 1", "fee = 0", "at = now()"])
def test_a_fill_is_never_changed(ledger: Ledger, change: str) -> None:
    order = ledger.bring_to("FILLED")

    with refused("venue_fills is append-only: UPDATE refused"):
        ledger.db.run(f"UPDATE venue_fills SET {change} WHERE order_id = :id", id=order)
