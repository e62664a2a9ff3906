"""Where users get their keys: a database, KMS, a venue's approvals, and what works with them."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from threading import Barrier
from typing import Any
from uuid import UUID, uuid4

from agent_where.callers import EVERYTHING
from agent_where.contract.bodies import DeploymentBody
from agent_where.contract.owned import DeploymentAnswer
from agent_where.errors import VenueUnavailable
from agent_where.execution.keys import Keys
from agent_where.onboarding import Onboarding, Tended, Tending, Watched
from agent_where.parsing import validate
from agent_where.store.accounts import Accounts
from agent_where.store.administration import Administration
from agent_where.store.connection import Database, DatabaseSettings, Row
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


def approved(desk: Desk) -> str:
    """A user whose key may trade, as the venue confirmed two days ago."""
    user = wallet()
    desk.follow(user)
    desk.approve(user)
    desk.tend()
    desk.pass_time(user, "2 days")
    assert desk.row(user)["approved_until"] == LATER - timedelta(days=2)
    return user
