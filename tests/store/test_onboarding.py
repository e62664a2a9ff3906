"""One key for a user at a venue: made once, kept, and made later where KMS is away."""

from functools import partial

import pytest

from agent_where.execution.signers import Signers
from agent_where.onboarding import KEYS_A_RUN
from agent_where.store.accounts import Accounts, Lacking
from tests.store.onboarding_desk import (
    LAPTOP_ADDRESS,
    VENUE,
    Desk,
    at_once,
    from_paper,
    signer,
    wallet,
)

# Making keys


def test_an_account_at_a_venue_that_signs_gets_a_key_that_says_whose_it_is(desk: Desk) -> None:
    user = wallet()

    answer = desk.follow(user.upper().replace("X", "x"))

    row = desk.row(user)
    ((key_id, tags),) = desk.kms.tags.items()
    assert row["key_ref"] == f"kms:{key_id}"
    assert tags == {
        "agent-where:use": "trading",
        "agent-where:account": user,
        "agent-where:venue": VENUE,
        "agent-where:network": "mainnet",
    }
    address = Signers(allow_env=False, service=desk.kms).signer(row["key_ref"]).address
    assert signer(answer) == row["signer_address"] == address
    assert signer(answer, "OSTIUM") is None
    assert row["approved_until"] is None


def test_all_deployments_of_a_user_share_the_key(desk: Desk) -> None:
    user = wallet()

    first, second = desk.follow(user), desk.follow(user)

    assert signer(first) == signer(second) is not None
    assert len(desk.kms.tags) == 1


def test_two_users_have_two_keys(desk: Desk) -> None:
    assert signer(desk.follow(wallet())) != signer(desk.follow(wallet()))


def test_many_requests_of_a_user_at_once_make_one_key(desk: Desk) -> None:
    user, agents = wallet(), [desk.agent() for _ in range(8)]

    with at_once(desk, 8) as run:
        told = run(lambda each, number: signer(each.follow(user, agents[number])))

    kept = desk.row(user)["signer_address"]
    assert kept is not None
    assert set(told) <= {kept, None}
    assert kept in told
    assert len(desk.kms.tags) == 1


def test_of_two_keys_for_one_account_the_first_is_kept_and_the_other_is_told(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    user = wallet()
    desk.follow(user, None, "OSTIUM")
    desk.database.run(
        "INSERT INTO venue_accounts (account, venue) VALUES (:a, 'HYPERLIQUID')", a=user
    )
    of = Lacking(user, VENUE, None)

    with at_once(desk, 4) as run:
        run(lambda each, _: each.onboarding._give_key(of))

    kept = desk.row(user)["key_ref"]
    made = {f"kms:{key_id}" for key_id in desk.kms.tags}
    told = {line.split()[-1] for line in caplog.messages if "schedule the deletion of" in line}
    assert len(made) == 4
    assert told == made - {kept}


def test_of_several_who_want_to_make_a_key_at_once_one_does(desk: Desk) -> None:
    users = from_paper(desk, 20)

    with at_once(desk, 4) as run:
        for user in users:
            assert sum(run(partial(claimed, user))) == 1


def claimed(user: str, desk: Desk, _: int) -> bool:
    return Accounts(desk.database).claim_key([VENUE], user) is not None


def test_an_address_is_stored_for_its_own_key_and_once(desk: Desk) -> None:
    from_paper(desk, 1)
    accounts = Accounts(desk.database)
    of = accounts.claim_key([VENUE], None)
    assert of is not None
    assert accounts.keep_key(of, "kms:the-one")

    assert not accounts.keep_signer(of, "kms:another", "0xa1")
    assert accounts.keep_signer(of, "kms:the-one", "0xa2")
    assert not accounts.keep_signer(of, "kms:the-one", "0xa3")
    assert not accounts.keep_key(of, "kms:another")

    assert desk.row(of.account)["signer_address"] == "0xa2"


def test_while_one_makes_a_key_no_other_does(desk: Desk) -> None:
    user = wallet()
    desk.kms.away = {"CreateKey"}
    desk.follow(user)
    desk.kms.away = set()

    assert signer(desk.follow(user)) is None
    assert desk.kms.asked == ["CreateKey"]


# When KMS is away


@pytest.mark.parametrize("fault", ["away", "denied"])
@pytest.mark.parametrize("operation", ["CreateKey", "GetPublicKey"])
def test_without_kms_the_deployment_stands_and_its_key_comes_later(
    desk: Desk, fault: str, operation: str
) -> None:
    user = wallet()
    setattr(desk.kms, fault, {operation})

    answer = desk.follow(user)

    assert answer.deployment.status == "ACTIVE"
    assert signer(answer) is None
    setattr(desk.kms, fault, set())
    assert desk.tend().keys_made == 0
    desk.pass_time(user, "61 seconds")
    assert desk.tend().keys_made == 1
    assert desk.row(user)["signer_address"] is not None
    assert len(desk.kms.tags) == 1


def test_a_key_that_cannot_be_had_is_asked_for_ever_more_seldom(desk: Desk) -> None:
    user = wallet()
    desk.kms.away = {"CreateKey"}
    desk.follow(user)

    for minutes in (1, 2, 4, 8):
        desk.pass_time(user, f"{60 * minutes - 5} seconds")
        desk.tend()
        asked = len(desk.kms.asked)
        desk.pass_time(user, "10 seconds")
        desk.tend()
        assert len(desk.kms.asked) == asked + 1

    desk.set(user, "key_attempts = 40, key_asked_at = now() - interval '23 hours'")
    assert desk.tend().keys_made == 0
    desk.kms.away = set()
    desk.pass_time(user, "2 hours")
    assert desk.tend().keys_made == 1


def test_what_fails_for_one_is_not_tried_for_the_next(desk: Desk) -> None:
    desk.kms.away = {"CreateKey"}
    from_paper(desk, 3)

    desk.tend()

    assert desk.kms.asked == ["CreateKey"]


def test_an_account_without_a_deployment_gets_no_key(desk: Desk) -> None:
    user = wallet()
    desk.kms.away = {"CreateKey"}
    desk.follow(user)
    desk.kms.away = set()
    desk.pass_time(user, "1 hour")

    desk.database.run("UPDATE agent_deployments SET sub_active = false")
    assert desk.tend().keys_made == 0
    desk.database.run("UPDATE agent_deployments SET sub_active = true, venues = ARRAY['OSTIUM']")
    assert desk.tend().keys_made == 0
    desk.database.run("UPDATE agent_deployments SET venues = NULL")
    assert desk.tend().keys_made == 1


def test_one_run_makes_so_many_keys_and_no_more(desk: Desk) -> None:
    from_paper(desk, KEYS_A_RUN + 1)

    assert [desk.tend().keys_made for _ in range(3)] == [KEYS_A_RUN, 1, 0]
    assert len(desk.kms.tags) == KEYS_A_RUN + 1


# A laptop's key


def test_a_laptops_own_key_is_used_where_one_is_set(desk: Desk) -> None:
    desk.only = "env:FIRST"
    user = wallet()

    assert signer(desk.follow(user)) == LAPTOP_ADDRESS
    assert desk.row(user)["key_ref"] == "env:FIRST"
    assert desk.kms.asked == []


def test_a_laptops_key_serves_one_account_and_another_key_the_next(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.only = "env:FIRST"
    desk.follow(wallet())
    second = wallet()

    assert signer(desk.follow(second)) is None

    assert "env:FIRST signs for another account" in caplog.text
    desk.only = "env:SECOND"
    desk.pass_time(second, "61 seconds")
    assert desk.tend().keys_made == 1
    assert desk.row(second)["key_ref"] == "env:SECOND"
