"""The small world of world.py, trading for real at a simulated Hyperliquid.

Waiting moves the venue's clock and takes no time; what expires at the venue moves with it.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from agent_where.domain import Mode, Order, VenueId
from agent_where.execution.executor import Executor
from agent_where.execution.signers import Signers
from agent_where.reconciling import Reconciled, reconcile
from agent_where.store.actions import Actions
from agent_where.store.connection import Database
from agent_where.venues.base import Venue
from agent_where.venues.hyperliquid.markets import VENUE, HyperliquidMarkets
from agent_where.venues.hyperliquid.trading import MAX_QUOTE_AGE, HyperliquidVenue
from agent_where.venues.tally import Tally
from local.simulators.hyperliquid import HyperliquidSimulator
from local.simulators.server import Server
from tests.patience import PATIENCE_SECONDS, Patient
from tests.world import MAX_AGE, World

LIVE = frozenset({VENUE})
USER = "0x" + "a1" * 20
KEYS = {"FIRST": "11" * 32, "SECOND": "22" * 32}


class Clock:
    """This machine's time, and how far the venue is ahead of it."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def seconds(self) -> float:
        return self().timestamp()

    def pass_seconds(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


class Ahead(Actions):
    """The database's clock, as far ahead as the venue's."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__(database)
        self._clock = clock

    def take_nonce(self, order: Order, token: UUID) -> tuple[int, datetime] | None:
        taken = super().take_nonce(order, token)
        return (taken[0], taken[1] + self._clock.ahead) if taken else None


class LiveWorld(World):
    """One account with an approved key at the venue, and a worker that trades for it."""

    def __init__(self, dsn: str, simulator: HyperliquidSimulator, url: str, clock: Clock) -> None:
        super().__init__(dsn)
        self.store.actions = Ahead(self.database, clock)
        self.simulator = simulator
        self.url = url
        self.clock = clock
        self.http = Patient()
        self.signers = Signers(allow_env=True, environment=KEYS)
        self.tally = Tally()
        self.deps = self._deps()
        self.hyperliquid = self.fresh_adapter()

    def _deps(self) -> Any:
        return replace(self.deps, executor=self.executor, supported=LIVE, mode=Mode.LIVE)

    def fresh_adapter(self) -> HyperliquidVenue:
        """The adapter as in a process that remembers nothing."""
        return HyperliquidVenue("mainnet", self.url, **self.terms)

    def fall_behind(self, seconds: float) -> None:
        """The venue's clock is behind the database's, and its books are not refused for that."""
        self.clock.pass_seconds(-seconds)
        terms = {**self.terms, "max_quote_age": timedelta(seconds=seconds) + MAX_QUOTE_AGE}
        self.hyperliquid = HyperliquidVenue("mainnet", self.url, **terms)

    @property
    def terms(self) -> dict[str, Any]:
        """What an adapter of this world takes beside network and URL."""
        return {
            "timeout_seconds": PATIENCE_SECONDS,
            "http": self.http,
            "clock": self.clock,
            "monotonic": self.clock.seconds,
            "tally": self.tally,
        }

    def venue(self, venue: VenueId, mode: Mode = Mode.PAPER) -> Venue:
        if mode is Mode.LIVE:
            return self.venues.get(venue) or self.hyperliquid
        return super().venue(venue)

    def executor(self) -> Executor:
        return Executor(
            self.store,
            self.venue,
            supported=LIVE,
            max_age=MAX_AGE,
            signer_of=self.signers.signer,
            sleep=self.clock.pass_seconds,
            clock=self.clock.seconds,
        )

    def live(self, *, leverage: str = "3", usd: int = 10_000, **changes: Any) -> UUID:
        """An agent with one follower whose key is approved; returns the agent's id."""
        listed = HyperliquidMarkets(self.url, timeout_seconds=PATIENCE_SECONDS).markets()
        self.store.upsert_markets(VENUE, listed)
        agent = self.agent()
        self.follow(agent, USER)
        self.tell("deposit", user=USER, usd=usd)
        self.approve()
        return agent

    def approve(self, key: str = "FIRST", *, at_venue: bool = True, days: int = 90) -> None:
        """The user approves a key, and reconcile has seen it."""
        address = self.signers.signer(f"env:{key}").address
        if at_venue:
            self.tell("agent", user=USER, agent=address, name=f"key {key.lower()}")
        self.rows(
            "INSERT INTO venue_accounts (account, venue, signer_address, key_ref, approved_until)"
            " VALUES (:account, 'HYPERLIQUID', :signer, :key, now() + make_interval(days => :days))"
            " ON CONFLICT (account, venue) DO UPDATE SET signer_address = excluded.signer_address,"
            " key_ref = excluded.key_ref, approved_until = excluded.approved_until",
            account=USER,
            signer=address,
            key=f"env:{key}",
            days=days,
        )

    def tell(self, what: str, **body: object) -> Any:
        """A control request of the simulator's."""
        self.http.hear(body.get("mode"))
        sent = json.dumps(body, default=str).encode()
        return self.simulator.control.apply(f"/simulator/{what}", sent)

    def books(self) -> Mapping[str, Any]:
        """What the simulator thinks of the account."""
        told: Mapping[str, Any] = self.simulator.control.report("/simulator/books")
        found: Mapping[str, Any] = told["accounts"][USER]
        return found

    def held(self, coin: str = "BTC") -> Decimal:
        """The account's signed size, as the venue has it."""
        position = self.books()["positions"].get(coin)
        return Decimal(position["size"]) if position else Decimal(0)

    def resting(self) -> int:
        """How many of the account's orders rest at the venue."""
        return sum(order["status"] == "open" for order in self.books()["orders"])

    def come_to_rest(self, seconds: int = 150) -> Reconciled:
        """Work and reconcile, as queues and schedule would, until nothing but bounds is open."""
        for _ in range(0, seconds, 15):
            self.work()
            self.rows("UPDATE venue_accounts SET lease_token = NULL, lease_until = NULL")
            done = reconcile(at_once(self), seconds=30)
            self.work()
            if not done.still_open and not self.queues.orders and not self._due():
                return done
            self.clock.pass_seconds(15)
        raise AssertionError(f"not at rest after {seconds} s: {self.orders()}")

    def try_again(self) -> None:
        """What waits for a later try is tried now, as if it were later."""
        self.rows(
            "UPDATE venue_orders SET due_at = now(), enqueued_at = NULL"
            " WHERE status = 'PLANNED' AND due_at IS NOT NULL"
        )
        self.queues.send_orders(self.store.enqueue_due_orders(10), again=True)
        self.come_to_rest()

    def _due(self) -> bool:
        return bool(
            self.rows("SELECT FROM venue_orders WHERE status = 'PLANNED' AND due_at <= now()")
        )


def at_once(world: LiveWorld) -> Any:
    """The same deps, asking about everything that is open however new it is."""

    class AtOnce(type(world.store)):  # type: ignore[misc]
        def unsettled_orders(self, older_than_seconds: int, at_most: int) -> Any:
            return super().unsettled_orders(0, at_most)

    store = AtOnce(world.database)
    store.actions = world.store.actions
    return replace(world.deps, store=store)


@contextmanager
def live_world(dsn: str) -> Iterator[LiveWorld]:
    """A world with a simulated venue of its own; BTC stands at 60,000 USD."""
    clock = Clock()
    simulator = HyperliquidSimulator(clock, is_mainnet=True)
    with Server(simulator) as server:
        made = LiveWorld(dsn, simulator, server.url, clock)
        made.tell("price", coin="BTC", price="60000")
        try:
            yield made
        finally:
            made.dispose()
