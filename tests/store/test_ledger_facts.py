"""Actions, fills and the moment of sending: what would trade twice is refused in SQL."""

from decimal import Decimal

import pytest

from tests.store.ledger import PRICE, SENT, SIZE, Ledger, refused

# Actions


def test_an_order_has_one_order_action(ledger: Ledger) -> None:
    order = ledger.bring_to("SENT")

    with refused("one_order", constraint="venue_actions_one_order"):
        ledger.db.run_together(ledger.action(order))


@pytest.mark.parametrize(
    "change",
    [
        "payload = 'other bytes'",
        "nonce = nonce + 1",
        "signer_address = '0xother'",
        "expires_at = expires_at + interval '1 hour'",
        "kind = 'CANCEL'",
        "tx_hash = '0x1'",
        "order_id = gen_random_uuid()",
        "created_at = created_at - interval '1 hour'",
    ],
)
def test_stored_bytes_are_never_changed(ledger: Ledger, change: str) -> None:
    signer = ledger.new_signer()
    order = ledger.plan(mode="LIVE")
    ledger.send(order, signer=signer, nonce=1)

    with refused("stored bytes are never changed"):
        ledger.db.run(f"UPDATE venue_actions SET {change} WHERE order_id = :id", id=order)


def test_a_sending_is_counted_up_and_never_taken_back(ledger: Ledger) -> None:
    order = ledger.bring_to("SENT")
    count = "UPDATE venue_actions SET send_count = :n, outcome = 'none' WHERE order_id = :id"

    ledger.db.run(count, n=2, id=order)
    with refused("a sending cannot be taken back"):
        ledger.db.run(count, n=1, id=order)


@pytest.mark.parametrize("end", ["FILLED", "REJECTED", "EXPIRED"])
def test_nothing_of_an_ended_order_is_sent_again(ledger: Ledger, end: str) -> None:
    order = ledger.bring_to(end)

    with refused("its order has ended: nothing is sent again"):
        ledger.db.run("UPDATE venue_actions SET send_count = 2 WHERE order_id = :id", id=order)
    ledger.db.run("UPDATE venue_actions SET outcome = 'late' WHERE order_id = :id", id=order)


def test_what_has_expired_is_not_sent_again(ledger: Ledger) -> None:
    order = ledger.plan()
    token = ledger.lease(order)
    store, fields = ledger.action(order)
    ledger.db.run_together(
        (SENT, {"id": order, "token": token, "size": SIZE, "price": PRICE}),
        (store.replace("now() + interval '30 seconds'", "now()"), fields),
    )

    with refused("what has expired is not sent again"):
        ledger.db.run("UPDATE venue_actions SET send_count = 2 WHERE order_id = :id", id=order)


def test_an_order_action_belongs_to_an_order_that_is_sent_with_it(ledger: Ledger) -> None:
    with refused("it was never SENT, so it has no row in venue_actions"):
        ledger.db.run_together(ledger.action(ledger.plan()))
    never_sent = ledger.plan(leg="X", purpose="CLOSE")
    ledger.db.run_together(ledger.become(never_sent, "REJECTED"))
    with refused("its order has ended"):
        ledger.db.run_together(ledger.action(never_sent))


@pytest.mark.parametrize("kind", ["ORDER", "LEVERAGE", "CANCEL", "TIMEOUT"])
def test_two_orders_never_share_a_nonce(ledger: Ledger, kind: str) -> None:
    signer = ledger.new_signer()
    first = ledger.plan(mode="LIVE")
    ledger.send(first, signer=signer, nonce=7)
    second = ledger.plan(mode="LIVE", purpose="CLOSE", leg="X")

    for shared in (kind, "NOOP", "REPLACE"):
        with refused("its nonce belongs to another order"):
            ledger.db.run_together(ledger.action(second, kind=shared, signer=signer, nonce=7))


@pytest.mark.parametrize("kind", ["LEVERAGE", "CANCEL", "TIMEOUT"])
def test_an_order_shares_its_nonce_only_with_a_noop_or_a_replacement(
    ledger: Ledger, kind: str
) -> None:
    signer = ledger.new_signer()
    order = ledger.plan(mode="LIVE")
    ledger.send(order, signer=signer, nonce=7)

    with refused("one_nonce", constraint="venue_actions_one_nonce"):
        ledger.db.run_together(ledger.action(order, kind=kind, signer=signer, nonce=7))
    ledger.db.run_together(
        ledger.action(order, kind="NOOP", signer=signer, nonce=7),
        ledger.action(order, kind="REPLACE", signer=signer, nonce=7),
    )


def test_a_live_order_is_signed_by_its_accounts_own_signer(ledger: Ledger) -> None:
    signer = ledger.new_signer()
    other = ledger.new_signer("OSTIUM")
    order = ledger.plan(mode="LIVE")

    with refused("nothing goes to a venue unsigned"):
        ledger.send(order)
    with refused("is not the signer of its order's account"):
        ledger.send(order, signer=other, nonce=1)
    with refused("signer_with_nonce", constraint="venue_actions_signer_with_nonce"):
        ledger.send(order, signer=signer)
    with refused("signer_address_check"):
        ledger.send(order, signer=signer.upper(), nonce=1, kind="LEVERAGE")


# Fills


def test_a_fill_belongs_to_the_venue_of_its_order(ledger: Ledger) -> None:
    order = ledger.bring_to("SENT")

    with refused("OSTIUM is not the venue of order"):
        ledger.db.run_together(ledger.fill(order, venue="OSTIUM"))


def test_a_fill_is_booked_once(ledger: Ledger) -> None:
    order = ledger.bring_to("SENT")
    fill = ledger.fill(order)
    ledger.db.run_together(fill)

    with refused("venue_fills_pkey", constraint="venue_fills_pkey"):
        ledger.db.run_together(fill)


def test_what_was_never_sent_has_no_fills(ledger: Ledger) -> None:
    order = ledger.plan()

    with refused("it was never SENT, so it has no row in venue_fills"):
        ledger.db.run_together(ledger.fill(order))
    ledger.db.run_together(ledger.become(order, "REJECTED"))
    with refused("it was never SENT, so it has no row in venue_fills"):
        ledger.db.run_together(ledger.fill(order))


def test_a_filled_order_gets_no_more_fills(ledger: Ledger) -> None:
    order = ledger.bring_to("FILLED")

    with refused("it is FILLED and has all its fills"):
        ledger.db.run_together(ledger.fill(order, Decimal("0.1")))


@pytest.mark.parametrize("end", ["REJECTED", "EXPIRED"])
def test_a_late_execution_is_kept_and_stops_the_next_attempt(ledger: Ledger, end: str) -> None:
    ended = ledger.bring_to(end)
    second = ledger.plan(attempt=2, venue="OSTIUM")

    ledger.db.run_together(ledger.fill(ended))

    assert ledger.status(ended) == end
    with refused("an earlier attempt did execute"):
        ledger.send(second)


# Sending


def test_sent_at_and_settled_at_cannot_be_back_dated(ledger: Ledger) -> None:
    order = ledger.plan()
    fields = {"id": order, "token": ledger.lease(order), "size": SIZE, "price": PRICE}
    for moment in ("now() - interval '1 second'", "now() + interval '1 hour'"):
        with refused("sent_at and settled_at are the database's own time"):
            ledger.db.run_together(
                (SENT.replace("sent_at = now()", f"sent_at = {moment}"), fields),
                ledger.action(order),
            )
    ledger.send(order)
    end, values = ledger.become(order, "EXPIRED")
    with refused("sent_at and settled_at are the database's own time"):
        ledger.db.run_together((end.replace("now()", "now() - interval '1 second'"), values))


def test_what_was_never_sent_is_not_rejected_as_if_it_had_been(ledger: Ledger) -> None:
    order = ledger.plan()

    with refused("it was never sent"):
        ledger.db.run(
            "UPDATE venue_orders SET status = 'REJECTED', refusal = 'X', detail = 'x', "
            "settled_at = now(), sent_at = now(), sent_under = gen_random_uuid() WHERE id = :id",
            id=order,
        )


def test_accepted_or_filled_without_a_sending_is_refused(ledger: Ledger) -> None:
    order = ledger.plan()
    ledger.send(order, send_count=0)

    with refused("ACCEPTED without a stored ORDER action"):
        ledger.db.run_together(ledger.become(order, "ACCEPTED"))


def test_an_order_that_waits_for_anothers_end_is_not_sent_before(ledger: Ledger) -> None:
    entry = ledger.bring_to("SENT")
    waiting = ledger.plan(purpose="CLOSE", leg="X", side="SHORT", after_order_id=entry)

    with refused("the order it waits for has not ended"):
        ledger.send(waiting)


def test_an_end_is_never_due(ledger: Ledger) -> None:
    order = ledger.bring_to("REJECTED")

    rows = ledger.db.run("SELECT due_at FROM venue_orders WHERE id = :id", id=order)
    assert rows == [{"due_at": None}]


def test_an_order_is_for_a_deployment_of_its_signals_agent(ledger: Ledger) -> None:
    stranger = ledger.new_deployment(ledger.new_agent())

    with refused("its deployment does not follow the agent of its signal"):
        ledger.plan(deployment_id=stranger)


@pytest.mark.parametrize(
    ("fields", "constraint"),
    [
        ({"reduce_only": True}, "venue_orders_exits_reduce"),
        ({"purpose": "CLOSE", "reduce_only": False}, "venue_orders_exits_reduce"),
        ({"trigger_price": 1}, "venue_orders_entry_has_no_trigger"),
        ({"purpose": "STOP_LOSS"}, "venue_orders_bound_has_trigger"),
        ({"purpose": "TAKE_PROFIT"}, "venue_orders_bound_has_trigger"),
    ],
)
def test_an_order_has_what_its_purpose_needs(
    ledger: Ledger, fields: dict[str, object], constraint: str
) -> None:
    with refused(constraint, constraint=constraint):
        ledger.plan(**fields)
