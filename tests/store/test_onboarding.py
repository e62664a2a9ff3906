"""One key for a user at a venue: made once, kept, asked about, and replaced when it is over."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

import pytest

from agent_where.callers import EVERYTHING
from agent_where.contract.bodies import DeploymentBody
from agent_where.contract.owned import DeploymentAnswer
from agent_where.errors import VenueUnavailable
from agent_where.execution.keys import Keys
from agent_where.execution.signers import Signers
from agent_where.onboarding import CHECKS_A_RUN, KEYS_A_RUN, Onboarding, Tended, Tending, Watched
from agent_where.parsing import validate
from agent_where.store.accounts import Accounts, Lacking, Signing
from agent_where.store.administration import Administration
from agent_where.store.connection import Database, DatabaseSettings, Row
from agent_where.store.store import Store
from agent_where.store.views import Views
from tests.handlers.gateway import OPERATOR
from tests.kms import Kms
from tests.store.ledger import Ledger

VENUE = "HYPERLIQUID"
LAPTOP_KEY = "0123456789012345678901234567890123456789012345678901234567890123"
LAPTOP_ADDRESS = "0x14791697260e4c9a71f18484c9f997b308e59325"
SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
LATER = SOON + timedelta(days=100)


class Book:
    """Who may trade for whom, as a venue knows it."""

    def __init__(self) -> None:
        self.until: dict[tuple[str, str], datetime] = {}
        self.asked: list[str] = []
        self.away = False

    def approval(self, account: str, signer_address: str) -> datetime | None:
        self.asked.append(account)
        if self.away:
            raise VenueUnavailable(VENUE, "no answer")
        return self.until.get((account, signer_address))


class Gas:
    """What keys have left on a chain, in ether."""

    def __init__(self) -> None:
        self.left = Decimal(1)

    def gas(self, signer_address: str) -> Decimal:
        return self.left


class Desk:
    """A database with an agent to follow, KMS, a venue, and what works with them."""

    def __init__(self, dsn: str, kms: Kms | None = None, book: Book | None = None) -> None:
        self.dsn = dsn
        self.database = Database(DatabaseSettings.from_url(dsn))
        self.kms = kms or Kms()
        self.book = book or Book()
        self.environment = {"FIRST": LAPTOP_KEY, "SECOND": "22" * 32}
        self.only: str | None = None
        self.ends_for_good = frozenset({VENUE})
        self.purse: Gas | None = None

    def another(self) -> "Desk":
        """Another process at the same desk."""
        return Desk(self.dsn, self.kms, self.book)

    @property
    def onboarding(self) -> Onboarding:
        return Onboarding(
            Accounts(self.database),
            Views(self.database),
            venues=frozenset({VENUE}),
            network="mainnet",
            keys=lambda: Keys(
                allow_env=True, only=self.only, service=self.kms, environment=self.environment
            ),
        )

    def tend(self) -> Tended:
        accounts = Accounts(self.database)
        watched = Watched(
            venues=frozenset({VENUE}),
            ends_for_good=self.ends_for_good,
            least_gas=Decimal("0.001"),
            approvals=lambda _: self.book,
            purse=lambda _: self.purse,
        )
        return Tending(self.onboarding, accounts, watched).tend(seconds=60)

    def agent(self) -> UUID:
        return Ledger(self.database).agent

    def follow(self, wallet: str, agent: UUID | None = None, *venues: str) -> DeploymentAnswer:
        body = {"venues": [*(venues or (VENUE, "OSTIUM"))], "user_wallet": wallet}
        agent_id = agent or self.agent()
        made = Administration(self.database).create_deployment(
            OPERATOR, agent_id, validate(DeploymentBody, body)
        )
        return self.onboarding.complete(made, EVERYTHING)

    def row(self, account: str, venue: str = VENUE) -> Row:
        return self.database.run(
            "SELECT * FROM venue_accounts WHERE account = :a AND venue = CAST(:v AS venue_t)",
            a=account.lower(),
            v=venue,
        )[0]

    def set(self, account: str, what: str, **params: object) -> None:
        """Change the account at the venue."""
        self.database.run(
            f"UPDATE venue_accounts SET {what} WHERE account = :a AND venue = '{VENUE}'",
            a=account.lower(),
            **params,
        )

    def pass_time(self, account: str, interval: str) -> None:
        """As if everything that is known of the key was that much longer ago."""
        earlier = ("key_asked_at", "approval_checked_at", "approval_lost_at", "approved_until")
        told = ", ".join(f"{name} = {name} - CAST(:i AS interval)" for name in earlier)
        self.set(account, told, i=interval)

    def approve(self, account: str, until: datetime = LATER) -> None:
        self.book.until[account, self.row(account)["signer_address"]] = until


def wallet() -> str:
    return f"0x{uuid4().hex}{'0' * 8}"


def signer(answer: DeploymentAnswer, venue: str = VENUE) -> str | None:
    return next(each.signer_address for each in answer.deployment.accounts if each.venue == venue)


@pytest.fixture
def desk(database_dsn: str) -> Iterator[Desk]:
    made = Desk(database_dsn)
    yield made
    made.database.close()


@contextmanager
def at_once(desk: Desk, count: int) -> Iterator[Callable[[Callable[[Desk, int], Any]], list[Any]]]:
    """Runs something in several processes at one moment."""
    desks = [desk.another() for _ in range(count)]
    start = Barrier(count)

    def run(what: Callable[[Desk, int], Any]) -> list[Any]:
        def one(number: int) -> Any:
            desks[number].database.run("SELECT 1")
            start.wait(timeout=10)
            return what(desks[number], number)

        with ThreadPoolExecutor(count) as pool:
            return list(pool.map(one, range(count)))

    try:
        yield run
    finally:
        for each in desks:
            each.database.close()


def from_paper(desk: Desk, count: int) -> list[str]:
    """Users with accounts from when everything was on paper."""
    agent, users = desk.agent(), [wallet() for _ in range(count)]
    for user in users:
        Administration(desk.database).create_deployment(
            OPERATOR, agent, validate(DeploymentBody, {"venues": [VENUE], "user_wallet": user})
        )
    return users


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


# Asking the venue


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


# When an approval is over


def approved(desk: Desk) -> str:
    """A user whose key may trade, as the venue confirmed two days ago."""
    user = wallet()
    desk.follow(user)
    desk.approve(user)
    desk.tend()
    desk.pass_time(user, "2 days")
    assert desk.row(user)["approved_until"] == LATER - timedelta(days=2)
    return user


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
