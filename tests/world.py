"""A small world to trade in: a real database, queues in memory, venues on paper."""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from agent_where import pipeline
from agent_where.domain import Market, Mode, VenueId
from agent_where.errors import LeaseHeld
from agent_where.execution.executor import Executor, Outcome
from agent_where.messages import OrderRef, SignalMessage, SignalRef, parse
from agent_where.pipeline import Deps, SignalOutcome
from agent_where.queues import Queues
from agent_where.store.connection import Database, DatabaseSettings, Row
from agent_where.store.records import OrderTicket, SignalTicket
from agent_where.store.store import Store
from agent_where.venues.base import Venue
from agent_where.venues.hyperliquid import markets as hyperliquid
from agent_where.venues.ostium import markets as ostium
from agent_where.venues.paper import PaperVenue

SUPPORTED = frozenset({"HYPERLIQUID", "OSTIUM"})
NETTING = {hyperliquid.VENUE: hyperliquid.NETTING, ostium.VENUE: ostium.NETTING}
STARTING_BALANCE_USD = Decimal(10_000)
MAX_AGE = timedelta(minutes=60)


@dataclass(frozen=True)
class Buried:
    body: str
    reason: str


class MemoryQueues(Queues):
    """The queues in memory: in order, and deduplicated as FIFO queues are."""

    def __init__(self) -> None:
        super().__init__()
        self.signals: deque[UUID] = deque()
        self.orders: deque[OrderTicket] = deque()
        self.dead: list[Buried] = []
        self.delays: list[int] = []
        self._seen: set[str] = set()

    def send_signals(self, signals: Sequence[SignalTicket]) -> None:
        for signal in signals:
            if self._is_new(f"{signal.id}-{signal.again}"):
                self.signals.append(signal.id)

    def send_orders(self, orders: Sequence[OrderTicket], *, again: bool = False) -> None:
        for order in orders:
            if again or order.again or self._is_new(str(order.id)):
                self.orders.append(order)

    def bury(self, body: str, group: str, reason: str, source: str) -> None:
        self.dead.append(Buried(body, reason))

    def delay(self, queue_url: str, receipt_handle: str, seconds: int) -> None:
        self.delays.append(seconds)

    def depths(self) -> dict[str, int]:
        return {
            "signalQueueDepth": len(self.signals),
            "orderQueueDepth": len(self.orders),
            "deadLetters": len(self.dead),
        }

    def _is_new(self, key: str) -> bool:
        fresh = key not in self._seen
        self._seen.add(key)
        return fresh


class World:
    """Everything a signal meets on its way, and short words to set it up and look at it."""

    def __init__(
        self, dsn: str, queues: MemoryQueues | None = None, database: Database | None = None
    ) -> None:
        self.dsn = dsn
        self.database = database or Database(DatabaseSettings.from_url(dsn))
        self.store = Store(self.database)
        self.queues = queues or MemoryQueues()
        self.slippage_bps = Decimal(2)
        self.depth_usd = Decimal(1_000_000)
        self.ceiling_usd: Decimal | None = None
        self.sleeps: list[float] = []
        self.slowness = 0.0
        self.venues: dict[VenueId, Venue] = {}
        self.deps = Deps(
            store=self.store,
            queues=self.queues,
            executor=self.executor,
            supported=SUPPORTED,
            mode=Mode.PAPER,
            max_age=MAX_AGE,
        )

    def another_worker(self) -> "World":
        """A second worker in the same world, with a connection of its own."""
        other = World(self.dsn, self.queues)
        other.venues = self.venues
        return other

    def executor(self) -> Executor:
        return Executor(
            self.store,
            self.venue,
            supported=SUPPORTED,
            max_age=MAX_AGE,
            ceiling_usd=self.ceiling_usd,
            sleep=self.sleeps.append,
            clock=lambda: sum(self.sleeps) * (1 + self.slowness),
        )

    def venue(self, venue: VenueId, _: Mode = Mode.PAPER) -> Venue:
        return self.venues.get(venue) or self.paper(venue)

    def paper(self, venue: VenueId) -> PaperVenue:
        return PaperVenue(
            venue,
            lambda account, of: self.store.paper_collateral(account, of, STARTING_BALANCE_USD),
            lambda: datetime.now(UTC),
            slippage_bps=self.slippage_bps,
            depth_usd=self.depth_usd,
        )

    # Setting up

    def agent(self, venue: VenueId = "MULTI", status: str = "ACTIVE") -> UUID:
        rows = self.database.run(
            "INSERT INTO agents (creator_wallet, name, venue, status, profit_receiver_address)"
            " VALUES (:wallet, 'an agent', CAST(:venue AS venue_t), :status, :wallet)"
            " RETURNING id",
            wallet=f"0x{'c' * 40}",
            venue=venue,
            status=status,
        )
        return UUID(str(rows[0]["id"]))

    def follow(
        self, agent: UUID, wallet: str | None = None, venues: list[VenueId] | None = None
    ) -> UUID:
        rows = self.database.run(
            "INSERT INTO agent_deployments (agent_id, user_wallet, venues)"
            " VALUES (:agent, :wallet, CAST(:venues AS text[])) RETURNING id",
            agent=agent,
            wallet=wallet or f"0x{uuid4().hex}{'0' * 8}",
            venues=venues,
        )
        return UUID(str(rows[0]["id"]))

    def market(self, venue: VenueId, token: str = "BTC", **changes: object) -> Market:
        """A healthy market at 100 USD, but for `changes`; other markets of the venue stay."""
        market = Market.model_validate(
            {
                "venue": venue,
                "token_symbol": token,
                "name": f"{token}/USD",
                "index": 0,
                "min_notional_usd": Decimal(10),
                "max_leverage": Decimal(40),
                "price_usd": Decimal(100),
                "taker_fee_bps": Decimal("4.5"),
                "size_step": Decimal("0.001"),
                "netting": NETTING[venue],
                **changes,
            }
        )
        others = [each for each in self._markets(venue) if each.token_symbol != token]
        self.store.upsert_markets(venue, [*others, market])
        return market

    def _markets(self, venue: VenueId) -> list[Market]:
        from agent_where.store.market_rows import market_from_row  # noqa: PLC0415

        rows = self.database.run(
            "SELECT to_jsonb(m) AS market FROM venue_markets m WHERE venue = CAST(:v AS venue_t)",
            v=venue,
        )
        return [market_from_row(row["market"]) for row in rows]

    def both_markets(self, token: str = "BTC", **changes: object) -> None:
        self.market("HYPERLIQUID", token, **changes)
        self.market("OSTIUM", token, **changes)

    def config(self, agent: UUID | None, priority: list[VenueId], *, failover: bool = True) -> None:
        self.database.run(
            "INSERT INTO venue_routing_config (agent_id, venue_priority, failover_enabled)"
            " VALUES (:agent, :priority, :failover) ON CONFLICT (agent_id)"
            " DO UPDATE SET venue_priority = excluded.venue_priority,"
            " failover_enabled = excluded.failover_enabled",
            agent=agent,
            priority=priority,
            failover=failover,
        )

    def control(self, scope: str, id_: str | None, state: str) -> None:
        self.database.run(
            "INSERT INTO trading_controls (scope, id, state, reason, set_by)"
            " VALUES (:scope, :id, :state, 'a test', 'a test')"
            " ON CONFLICT (scope, id) DO UPDATE SET state = excluded.state",
            scope=scope,
            id=id_,
            state=state,
        )

    # Acting

    def take(self, message: SignalMessage | SignalRef) -> SignalOutcome:
        return pipeline.take_signal(message, self.deps)

    def open(self, agent: UUID, token: str = "BTC", **changes: object) -> SignalOutcome:
        return self.take(signal(agent, token, **changes))

    def close(self, agent: UUID, token: str = "BTC", **changes: object) -> SignalOutcome:
        return self.take(close_signal(agent, token, **changes))

    def work(self) -> list[Outcome]:
        """Carry out everything on the order queue, until it is empty."""
        outcomes: list[Outcome] = []
        while self.queues.orders:
            ticket = self.queues.orders.popleft()
            try:
                outcomes.append(pipeline.take_order(ticket.id, self.deps))
            except LeaseHeld:
                self.queues.orders.append(ticket)
        return outcomes

    def work_one(self) -> Outcome:
        """Carry out the first order on the queue."""
        return pipeline.take_order(self.queues.orders.popleft().id, self.deps)

    # Looking

    def rows(self, sql: str, **params: object) -> list[Row]:
        return self.database.run(sql, **params)

    def orders(self) -> list[Row]:
        return self.rows("SELECT * FROM venue_orders ORDER BY created_at, attempt, leg")

    def order(self, leg: str = "ENTRY") -> Row:
        """The last order of the leg."""
        rows = self.rows(
            "SELECT * FROM venue_orders WHERE leg LIKE :leg ORDER BY created_at DESC, attempt DESC",
            leg=f"{leg}%",
        )
        return rows[0]

    def positions(self) -> list[Row]:
        return self.rows("SELECT * FROM positions ORDER BY opened_at")

    def history(self) -> list[Row]:
        return self.rows("SELECT * FROM venue_routing_history ORDER BY created_at, attempt")

    def signal_row(self, id_: UUID) -> Row:
        return self.rows("SELECT * FROM signals WHERE id = :id", id=id_)[0]

    def dispose(self) -> None:
        self.database.close()


def opened(world: World, **changes: Any) -> UUID:
    """An agent with one follower and one open position; returns the agent's id."""
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.open(agent, **changes)
    world.work()
    return agent


def signal(agent: UUID, token: str = "BTC", **changes: object) -> SignalMessage:
    """An OPEN LONG of 100 USDC at leverage 3, but for `changes` (in the message's own keys)."""
    return _parsed(
        {
            "signalId": str(uuid4()),
            "agentId": str(agent),
            "tokenSymbol": token,
            "side": "LONG",
            "sizeModel": {"type": "fixed-usdc", "value": "100", "leverage": "3"},
            **changes,
        }
    )


def close_signal(agent: UUID, token: str = "BTC", **changes: object) -> SignalMessage:
    return _parsed(
        {
            "signalId": str(uuid4()),
            "agentId": str(agent),
            "tokenSymbol": token,
            "action": "CLOSE",
            **changes,
        }
    )


def _parsed(body: Mapping[str, Any]) -> SignalMessage:
    message = parse(json.dumps(body, default=str))
    assert isinstance(message, SignalMessage)
    return message


__all__ = ["MemoryQueues", "OrderRef", "World", "close_signal", "opened", "signal"]
