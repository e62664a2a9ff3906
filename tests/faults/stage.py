"""What one scenario has of the house: a database of its own, queues, accounts and instances."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar
from uuid import NAMESPACE_OID, UUID, uuid5

from agent_where.execution.executor import LEASE_SECONDS
from agent_where.execution.signers import Signers
from agent_where.redriving import DeadLetters
from agent_where.store.connection import Database, DatabaseSettings, Row
from tests.conftest import fresh_database
from tests.faults.fifo import Fifo
from tests.faults.house import BEGINNING, COIN, PRICE, VENUES, Clock, House
from tests.faults.runtime import Instance
from tests.faults.server import Crowd, write_again
from tests.faults.signing import key_ref

SIGNALS, ORDERS, DEAD = "signals.fifo", "orders.fifo", "dead.fifo"
KEYS = {f"FAULTS_KEY_{number}": f"{number:02x}" * 32 for number in range(1, 33)}
"""The keys that the KMS of the harness has, under the numbers that their references end with."""


@dataclass
class Stage:
    """One scenario's part of a house.

    `netting`: the simulated venues that net, refuse, liquidate and are late when they are told to.
    `sent`: the ids of all signals that were sent. `poison`: messages that never can succeed.
    `by_hand`: the venues' own numbers of orders that users made themselves.
    """

    netting: ClassVar[tuple[str, ...]] = VENUES
    house: House
    name: str
    direct: Database
    queues: Mapping[str, Fifo]
    idle: list[Instance] = field(default_factory=list)
    wallets: dict[str, int] = field(default_factory=dict)
    sent: set[str] = field(default_factory=set)
    poison: list[str] = field(default_factory=list)
    by_hand: set[tuple[str, int]] = field(default_factory=set)
    crowd: Crowd | None = None
    _locking: Any = None

    @property
    def clock(self) -> Clock:
        return self.house.clock

    def rows(self, sql: str, **params: object) -> list[Row]:
        return self.direct.run(sql, **params)

    def move_clock(self, to: float) -> None:
        """Forward only, everywhere at once."""
        if to > self.clock.now:
            self.clock.now = to
            self.rows("UPDATE world_clock SET at = :at", at=self.clock.utc())

    def lock(self) -> None:
        """Hold the tables that everybody needs, longer than anybody waits, until `unlock`."""
        if self.crowd is not None:
            return
        self._locking = self.house.server.session(self.name)
        self._locking.run("BEGIN READ WRITE")
        self._locking.run("LOCK TABLE signals, venue_accounts, installation")

    def unlock(self) -> None:
        if self._locking is not None:
            self._locking.run("ROLLBACK")
            self._locking.close()
            self._locking = None

    def restart_database(self) -> None:
        """Stop the server under everybody's feet and start it again."""
        write_again(self)
        self.direct.close()
        self.house.server.restart()

    def fill_pool(self) -> None:
        """Nobody else gets a session, until `empty_pool`."""
        self.crowd = self.crowd or Crowd(self)

    def empty_pool(self) -> None:
        if self.crowd is not None:
            self.crowd.leave()
            self.crowd = None

    def redrive(self, client: Any = None) -> None:
        """Put the dead letters back as an operator does, but those that never can succeed.

        Args:
            client: of the queues; None: the house's.

        Raises:
            QueueUnavailable: what was not moved yet is where it was.
        """
        letters = self.queues[DEAD].messages
        if not letters:
            return
        url_of = self.house.queues.url_of
        DeadLetters(
            dead_letters_url=url_of(DEAD),
            signals_url=url_of(SIGNALS),
            orders_url=url_of(ORDERS),
            client=client or self.house.sqs,
        ).redrive(send=True, leave=[each.id for each in letters if "reason" in each.attributes])

    def entries_filled(self) -> int:
        """How many entries have executed, by the ledger, which judges hold against the venues."""
        (row,) = self.rows(
            "SELECT count(*) AS n FROM venue_orders WHERE purpose = 'ENTRY' AND status = 'FILLED'"
        )
        return int(row["n"])

    def leases_since(self, began: float) -> list[str]:
        """The accounts whose lease was taken since that time of the world's and is held."""
        rows = self.rows(
            "SELECT account FROM venue_accounts WHERE lease_until > now()"
            " AND lease_until > CAST(:began AS timestamptz) + make_interval(secs => :seconds)",
            began=datetime.fromtimestamp(began, UTC),
            seconds=LEASE_SECONDS,
        )
        return [str(row["account"]) for row in rows]

    def tell(self, venue: str, what: str, **body: object) -> Any:
        """A control request of a simulated venue's."""
        sent = json.dumps(body, default=str).encode()
        with self.house.servers[venue]._http.lock:
            return self.house.venues[venue].control.apply(f"/simulator/{what}", sent)

    def clear_venues(self) -> None:
        """Nobody has ever traded there."""
        for venue in VENUES:
            self.tell(venue, "reset")
            self.tell(venue, "forget")
            self.set_price(venue, PRICE)

    def heal_venues(self) -> None:
        """Whatever a scenario made go wrong there goes well again."""
        for server in self.house.servers:
            self.tell(server, "fail", mode=None)
        for venue in self.netting:
            self.refuse_growth(venue, refuses=False)
            self.tell(venue, "lag")

    def refuse_growth(self, venue: str, *, refuses: bool) -> None:
        """The venue refuses orders that open anything, in documented words, or no longer."""
        self.tell(venue, "cap", coin=COIN, capped=refuses)

    def set_price(self, venue: str, price: str) -> None:
        """What the coin costs there, in USD."""
        self.tell(venue, "price", coin=COIN, price=price)

    def books(self, venue: str) -> Mapping[str, Any]:
        """All that ever happened at a venue."""
        told: Mapping[str, Any] = self.house.venues[venue].control.report("/simulator/books")
        return told

    def cold(self, function: str, *, skew: float = 0.0) -> Instance:
        """A new instance of a function."""
        return self.house.runtime.start(
            function,
            self.environment(),
            now=self.clock.now,
            second_venue=self.house.servers["OSTIUM"].url,
            skew=skew,
        )

    def dismiss(self) -> None:
        """End every instance that has nothing to do, as happens to any sooner or later."""
        for instance in self.idle:
            instance.kill()
        self.idle.clear()

    def environment(self) -> dict[str, str]:
        """What the template would set."""
        url_of = self.house.queues.url_of
        return {
            "FAULTS_ADDRESS_FILE": str(self.house.server.address_file),
            "DATABASE_URL": self.house.server.dsn(self.name),
            "NETWORK": "mainnet",
            "EXECUTION_MODE": "live",
            "MAX_ORDER_NOTIONAL_USD": "100000",
            "LIVE_VENUES": ",".join(VENUES),
            "HYPERLIQUID_API_URL": self.house.servers["HYPERLIQUID"].url,
            "HYPERLIQUID_WEIGHT_PER_MINUTE": "1200",
            "OSTIUM_RPC_URL": self.house.servers["OSTIUM"].url,  # only has to be there
            "VENUE_TIMEOUT_SECONDS": "1",
            "MARKET_MAX_AGE_MINUTES": "6000",
            "SIGNAL_QUEUE_URL": url_of(SIGNALS),
            "ORDER_QUEUE_URL": url_of(ORDERS),
            "DEAD_LETTER_QUEUE_URL": url_of(DEAD),
            "AWS_ENDPOINT_URL": self.house.queues.url,
            "AWS_ENDPOINT_URL_KMS": self.house.keys.url,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    # Who trades

    def agent(self, name: str) -> UUID:
        """An agent that lets the router choose, with failover."""
        made = uuid5(NAMESPACE_OID, f"agent {name}")
        self.rows(
            "INSERT INTO agents (id, creator_wallet, name, venue, status, profit_receiver_address)"
            " VALUES (:id, :wallet, 'an agent', 'MULTI', 'ACTIVE', :wallet)",
            id=made,
            wallet=f"0x{'c' * 40}",
        )
        return made

    def follow(self, agent: UUID, wallet: str, *, has_accounts: bool = True) -> UUID:
        """A deployment of a user, who has an account with a key at both venues."""
        if has_accounts and wallet not in self.wallets:
            self._open_accounts(wallet)
        made = uuid5(agent, wallet)
        self.rows(
            "INSERT INTO agent_deployments (id, agent_id, user_wallet) VALUES (:id, :agent, :w)",
            id=made,
            agent=agent,
            w=wallet,
        )
        return made

    def _open_accounts(self, wallet: str) -> None:
        self.wallets[wallet] = len(self.wallets)
        signers = Signers(allow_env=True, environment=KEYS)
        for number, venue in enumerate(VENUES, start=1 + 2 * self.wallets[wallet]):
            address = signers.signer(f"env:FAULTS_KEY_{number}").address
            self._let_trade(venue, wallet, address)
            self.rows(
                "INSERT INTO venue_accounts"
                " (account, venue, signer_address, key_ref, approved_until, approval_checked_at)"
                " VALUES (:account, CAST(:venue AS venue_t), :signer, :key,"
                " now() + interval '90 days', now())",
                account=wallet,
                venue=venue,
                signer=address,
                key=key_ref(number),
            )

    def _let_trade(self, venue: str, user: str, signer: str) -> None:
        """The user has money there, and has let a key trade with it."""
        self.tell(venue, "deposit", user=user, usd=100_000)
        self.tell(venue, "agent", user=user, agent=signer, name="agent-where")


def wallet(name: str) -> str:
    """An address that is nobody's."""
    return f"0x{hashlib.sha256(name.encode()).hexdigest()[:40]}"


S = TypeVar("S", bound=Stage)


@contextmanager
def staged(house: House, kind: type[S]) -> Iterator[S]:
    """A stage, cleared away at the end."""
    house.clock.now, house.clock.is_real = BEGINNING, False
    house.server.line.come_back()
    house.server.line.next_cut = None
    house.keys.fault = house.keys.lasting = None
    dead = Fifo(DEAD, house.clock.seconds)
    queues = {
        SIGNALS: Fifo(SIGNALS, house.clock.seconds, dead_letters=dead),
        ORDERS: Fifo(ORDERS, house.clock.seconds, dead_letters=dead),
        DEAD: dead,
    }
    house.queues.queues, house.queues.fault = dict(queues), None
    with fresh_database(house.server.postgres, template=house.template) as dsn:
        name = dsn.rsplit("/", 1)[1]
        made = kind(house, name, Database(DatabaseSettings.from_url(dsn)), queues)
        made.clear_venues()
        try:
            yield made
        finally:
            house.runtime.forget()
            made.unlock()
            made.empty_pool()
            made.direct.close()
