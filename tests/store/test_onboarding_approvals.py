"""What the venue is asked about a key, in which order and how often; what it tells is stored."""

from datetime import datetime

import pytest

from agent_where.onboarding import CHECKS_A_RUN, Tended
from agent_where.store.accounts import Accounts, Signing
from tests.store.onboarding_desk import LATER, SOON, VENUE, Desk, at_once, wallet


def test_an_approval_is_stored_once_the_venue_tells_of_it(desk: Desk) -> None:
    user = wallet()
    desk.follow(user)

    assert desk.tend() == Tended(keys_made=0, approvals_checked=1, keys_retired=0)
    assert desk.row(user)["approved_until"] is None
    desk.approve(user)
    assert desk.tend().approvals_checked == 0
    desk.pass_time(user, "31 seconds")
    desk.tend()

    assert desk.row(user)["approved_until"] == LATER


def test_another_s_approval_is_not_the_account_s(desk: Desk) -> None:
    user, other = wallet(), wallet()
    desk.follow(user)
    desk.book.until[user, "0x" + "ee" * 20] = LATER
    desk.book.until[other, desk.row(user)["signer_address"]] = LATER

    desk.tend()

    assert desk.row(user)["approved_until"] is None


@pytest.mark.parametrize(
    ("until", "known_for", "rests", "due"),
    [
        (None, "1 hour", "20 seconds", "31 seconds"),
        (None, "2 days", "59 minutes", "61 minutes"),
        (SOON, "2 days", "59 minutes", "61 minutes"),
        (LATER, "2 days", "23 hours", "25 hours"),
    ],
    ids=["new", "never approved", "ends within a week", "live"],
)
def test_a_signer_is_asked_about_as_often_as_it_matters(
    desk: Desk, until: datetime | None, known_for: str, rests: str, due: str
) -> None:
    user = wallet()
    desk.follow(user)
    known = "key_asked_at = now() - CAST(:known AS interval)"
    desk.set(user, f"approved_until = :until, {known}", until=until, known=known_for)
    asked = "approval_checked_at = now() - CAST(:ago AS interval)"

    desk.set(user, asked, ago=rests)
    assert desk.tend().approvals_checked == 0
    desk.set(user, asked, ago=due)
    assert desk.tend().approvals_checked == 1


def test_what_was_asked_about_longest_ago_comes_first_and_one_run_asks_so_much(
    desk: Desk,
) -> None:
    agent, users = desk.agent(), [wallet() for _ in range(CHECKS_A_RUN + 2)]
    for number, user in enumerate(users):
        desk.follow(user, agent)
        asked = f"now() - interval '{2 * CHECKS_A_RUN - number} hours'"
        desk.set(user, f"approval_checked_at = {asked}, key_asked_at = now() - interval '9 days'")

    assert desk.tend().approvals_checked == CHECKS_A_RUN
    assert desk.tend().approvals_checked == 2

    assert desk.book.asked == users


def test_a_user_who_is_about_to_approve_does_not_wait_for_those_who_never_did(desk: Desk) -> None:
    agent, old, new = desk.agent(), wallet(), wallet()
    for user in (old, new):
        desk.follow(user, agent)
    desk.set(old, "approval_checked_at = NULL, key_asked_at = now() - interval '9 days'")
    desk.set(new, "approval_checked_at = now() - interval '40 seconds'")

    desk.tend()

    assert desk.book.asked == [new, old]


def test_keys_that_nobody_approves_starve_no_approval_that_ends_by_and_by(desk: Desk) -> None:
    agent, old = desk.agent(), wallet()
    desk.follow(old, agent)
    desk.set(old, "approved_until = now() + interval '1 day'")
    others = [wallet() for _ in range(CHECKS_A_RUN)]
    for user in others:
        desk.follow(user, agent)
    desk.set(old, "approval_checked_at = now() - interval '61 minutes'")

    assert desk.tend().approvals_checked == CHECKS_A_RUN

    assert old in desk.book.asked


def test_an_approval_that_is_about_to_end_comes_before_those_that_are_not(desk: Desk) -> None:
    agent = desk.agent()
    ends = {
        "lasts": "now() + interval '13 hours'",
        "ends": "now() + interval '11 hours'",
        "ended": "now() - interval '1 hour'",
    }
    users = {name: wallet() for name in ends}
    for hours, (name, user) in zip((9, 3, 2), users.items(), strict=True):
        desk.follow(user, agent)
        asked = f"approval_checked_at = now() - interval '{hours} hours'"
        desk.set(user, f"approved_until = {ends[name]}, {asked}")

    desk.tend()

    assert desk.book.asked == [users["ends"], users["ended"], users["lasts"]]


def test_half_of_a_run_is_for_new_keys_however_many_approvals_end(desk: Desk) -> None:
    agent = desk.agent()
    ending, new = ([wallet() for _ in range(CHECKS_A_RUN)] for _ in range(2))
    for user in (*ending, *new):
        desk.follow(user, agent)
    for user in ending:
        desk.set(user, "approved_until = now() + interval '1 hour'")

    desk.tend()

    assert len({*desk.book.asked} & {*ending}) == CHECKS_A_RUN // 2
    assert len({*desk.book.asked} & {*new}) == CHECKS_A_RUN // 2


def test_several_runs_at_once_ask_about_each_signer_once(desk: Desk) -> None:
    agent, users = desk.agent(), {wallet() for _ in range(6)}
    for user in users:
        desk.follow(user, agent)

    with at_once(desk, 3) as run:
        run(lambda each, _: each.tend())

    assert sorted(desk.book.asked) == sorted(users)


def test_what_is_told_of_a_signer_that_was_replaced_meanwhile_is_not_stored(desk: Desk) -> None:
    user = wallet()
    desk.follow(user)

    assert not Accounts(desk.database).store_approval(Signing(user, VENUE, "0xbefore"), LATER)

    assert desk.row(user)["approved_until"] is None


def test_a_venue_that_does_not_answer_changes_nothing(desk: Desk) -> None:
    user = wallet()
    desk.follow(user)
    desk.set(user, "approved_until = :until", until=SOON)
    desk.book.away = True

    assert desk.tend().approvals_checked == 0

    assert desk.row(user)["approved_until"] == SOON
    assert desk.row(user)["approval_lost_at"] is None
