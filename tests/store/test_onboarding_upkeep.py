"""A key whose approval is over is replaced, once nothing needs it; one low on gas is told."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from agent_where.onboarding import Tended
from agent_where.store.store import Store
from tests.store.ledger import Ledger
from tests.store.onboarding_desk import LATER, VENUE, Desk, Gas, approved, wallet


def test_an_approval_that_the_venue_forgot_is_cleared_at_once(desk: Desk) -> None:
    user = approved(desk)
    desk.book.until.clear()

    assert desk.tend() == Tended(keys_made=0, approvals_checked=1, keys_retired=0)

    row = desk.row(user)
    assert row["approved_until"] is None
    assert row["approval_lost_at"] is not None
    assert row["signer_address"] is not None


def test_an_approval_that_comes_back_counts_again(desk: Desk) -> None:
    user = approved(desk)
    known = dict(desk.book.until)
    desk.book.until.clear()
    desk.tend()
    desk.book.until.update(known)
    desk.pass_time(user, "2 hours")

    assert desk.tend().keys_retired == 0

    assert desk.row(user)["approved_until"] == LATER
    assert desk.row(user)["approval_lost_at"] is None


def test_a_key_that_the_venue_forgot_for_good_makes_way_for_a_new_one(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    user = approved(desk)
    before = desk.row(user)
    desk.book.until.clear()
    desk.tend()
    desk.pass_time(user, "2 hours")

    assert desk.tend().keys_retired == 1
    assert f"{before['key_ref']} may trade for {user} at {VENUE} no more" in caplog.text
    assert desk.tend().keys_made == 1

    after = desk.row(user)
    assert after["key_ref"] != before["key_ref"]
    assert after["signer_address"] not in (None, before["signer_address"])
    assert (after["approved_until"], after["approval_lost_at"]) == (None, None)
    assert after["last_nonce"] == before["last_nonce"]


def test_a_key_whose_time_is_over_makes_way_though_the_venue_still_lists_it(desk: Desk) -> None:
    user = approved(desk)
    desk.approve(user, datetime.now(UTC) - timedelta(hours=2))

    assert desk.tend().keys_retired == 1


@pytest.mark.parametrize("why", ["leased", "an order is under way", "of the environment"])
def test_a_key_that_may_still_be_needed_stays(desk: Desk, why: str) -> None:
    user = approved(desk)
    match why:
        case "leased":
            desk.set(
                user,
                "lease_token = gen_random_uuid(), lease_until = now() + interval '1 minute'",
            )
        case "an order is under way":
            sent_order(desk, user)
        case _:
            desk.set(user, "key_ref = 'env:FIRST'")
    desk.book.until.clear()
    desk.tend()
    desk.pass_time(user, "2 hours")

    assert desk.tend() == Tended(keys_made=0, approvals_checked=1, keys_retired=0)

    assert desk.row(user)["signer_address"] is not None


def sent_order(desk: Desk, user: str) -> None:
    """A live order of the account that has no end yet."""
    ledger = Ledger(desk.database)
    ledger.account = user
    order = ledger.plan(mode="LIVE")
    ledger.send(order, signer=desk.row(user)["signer_address"], nonce=1)
    desk.set(user, "lease_token = NULL, lease_until = NULL")


def test_where_a_key_can_be_approved_again_it_is_kept_and_counts_again(desk: Desk) -> None:
    desk.ends_for_good = frozenset()
    user = approved(desk)
    key, known = desk.row(user)["signer_address"], dict(desk.book.until)
    desk.book.until.clear()
    desk.tend()
    desk.pass_time(user, "2 days")

    assert desk.tend().keys_retired == 0
    assert desk.row(user)["signer_address"] == key
    desk.book.until.update(known)
    desk.pass_time(user, "2 hours")
    desk.tend()

    assert desk.row(user)["approved_until"] == LATER


# Gas


def low_on_gas(desk: Desk) -> int:
    return int(Store(desk.database).upkeep.write_figures({})["signersLowOnGas"])


def test_a_key_that_may_trade_and_is_low_on_gas_is_told_and_counted(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.purse = Gas()
    user = approved(desk)
    assert low_on_gas(desk) == 0
    desk.purse.left = Decimal("0.0009")
    desk.pass_time(user, "2 days")

    desk.tend()

    assert low_on_gas(desk) == 1
    assert f"{desk.row(user)['signer_address']} has 0.0009 ETH left for gas" in caplog.text
    desk.purse.left = Decimal("0.001")
    desk.pass_time(user, "2 days")
    desk.tend()
    assert low_on_gas(desk) == 0


def test_a_key_that_nobody_approved_needs_no_gas(desk: Desk) -> None:
    desk.purse = Gas()
    desk.purse.left = Decimal(0)
    desk.follow(wallet())

    desk.tend()

    assert low_on_gas(desk) == 0
