"""A venue that nets, and a world that trades for real there, where users trade by hand as well.

The venue keeps one position per account and market in its own coins, of which each holds as many
tokens as its multiplier says. It executes, liquidates, keeps stops until they are told to fire, and
can forget an order that it executed.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from decimal import ROUND_UP, Decimal
from itertools import count
from typing import ClassVar
from uuid import UUID, uuid4

from agent_where.comparing import Compared, compare
from agent_where.domain import (
    Account,
    Fill,
    Market,
    Mode,
    Order,
    OrderStatus,
    Purpose,
    Quote,
    Refusal,
    Settled,
    Side,
    VenueId,
)
from agent_where.errors import OutcomeUnknown, VenueRejected
from agent_where.execution.executor import Executor
from agent_where.execution.signers import Signature
from agent_where.reconciling import reconcile
from agent_where.store.connection import Database, Row
from agent_where.venues.base import (
    AccountFill,
    Action,
    ActionKind,
    Cause,
    OpenPosition,
    Stamp,
    Standing,
    Venue,
)
from tests.world import MAX_AGE, MemoryQueues, World

VENUE = "HYPERLIQUID"
FEE = Decimal("0.00045")
MICRO = Decimal("0.000001")
CLOSES = {Side.LONG: "Close Short", Side.SHORT: "Close Long"}


@dataclass
class Trade:
    """An execution, in coins."""

    account: str
    coin: str
    side: Side
    size: Decimal
    price: Decimal
    held_before: Decimal
    ref: int
    id: int
    at: datetime
    cause: Cause
    client_id: str | None

    @property
    def fee(self) -> Decimal:
        return (self.size * self.price * FEE).quantize(MICRO, ROUND_UP)


@dataclass(frozen=True)
class Wanted:
    """What the adapter wants done, unsigned."""

    kind: ActionKind
    body: dict[str, str]
    nonce: int | None = None
    sequence: ClassVar[None] = None

    def sealed(self, stamp: Stamp) -> Action:
        return Action(
            kind=self.kind,
            payload=json.dumps(self.body).encode(),
            expires_at=stamp.now + timedelta(seconds=8),
            nonce=stamp.nonce,
            signer_address=stamp.signer.address,
        )


@dataclass
class Known:
    """An order that the venue has."""

    order: Order
    ref: int
    status: str
    trades: list[Trade] = field(default_factory=list)


class NettingVenue:
    """The venue with its adapter."""

    id: VenueId = VENUE
    takes_bounds = False

    def __init__(self) -> None:
        self.prices: dict[str, Decimal] = {}
        self.coins: dict[str, tuple[str, Decimal]] = {}
        self.net: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
        self.trades: list[Trade] = []
        self.orders: dict[UUID, Known] = {}
        self.forgetful = False
        self.free_usd = Decimal(1_000_000)
        self._refs = count(1000)
        self._trade_ids = count(77)

    # What happens there

    def by_hand(self, account: str, market: str, side: Side, size: str | Decimal) -> Trade:
        """The user trades so many tokens, without any of ours knowing."""
        return self._execute(account, market, side, self._in_coins(market, Decimal(size)))

    def liquidate(
        self,
        account: str,
        market: str,
        size: str | Decimal | None = None,
        cause: Cause = Cause.LIQUIDATION,
    ) -> Trade:
        """Take a position, or so many tokens of it, from the account."""
        held = self.net[account, market]
        side = Side.SHORT if held > 0 else Side.LONG
        coins = abs(held) if size is None else self._in_coins(market, Decimal(size))
        return self._execute(account, market, side, coins, cause=cause)

    def fire(self, order_id: UUID, size: str | None = None) -> None:
        """A resting order's price is reached: it is executed as far as it can reduce."""
        known = self.orders[order_id]
        order = known.order
        held = self.net[order.account, order.market_name]
        assert known.status == "open"
        assert held * order.side.sign < 0
        assert order.size is not None
        wanted = self._in_coins(order.market_name, Decimal(size) if size else order.size)
        self._fill(known, min(wanted, abs(held)))

    def held(self, account: str, market: str) -> Decimal:
        """The net position in tokens, below zero where short."""
        return self.net[account, market] * self._multiplier(market)

    def pass_time(self, seconds: int) -> None:
        """So long ago is now all that has happened."""
        for trade in self.trades:
            trade.at -= timedelta(seconds=seconds)

    # Holdings

    def positions(self, account: str) -> Sequence[OpenPosition]:
        return [
            OpenPosition(
                market_name=market,
                token_symbol=self.coins[market][0],
                side=Side.LONG if net > 0 else Side.SHORT,
                size=abs(net) * self._multiplier(market),
            )
            for (owner, market), net in self.net.items()
            if owner == account and net
        ]

    def fills(self, account: str, since: datetime) -> Sequence[AccountFill]:
        own = [t for t in self.trades if t.account == account and t.at >= since]
        return [self._told(trade) for trade in own]

    # The adapter

    def quote(self, market: Market, now: datetime) -> Quote:
        price = self.prices[market.name]
        return Quote(bid=price, ask=price, at=now)

    def account(self, order: Order) -> Account:
        return Account(free_collateral_usd=self.free_usd)

    def next_action(self, order: Order, market: Market, quote: Quote) -> Wanted:
        held = self.held(order.account, order.market_name)
        if order.purpose is not Purpose.ENTRY and held * order.side.sign >= 0:
            raise VenueRejected(self.id, "there is nothing", code=Refusal.NOTHING_TO_CLOSE)
        if order.purpose is Purpose.ENTRY and held * order.side.sign < 0:
            raise VenueRejected(self.id, "it would close", code=Refusal.OPPOSITE_POSITION)
        return Wanted(ActionKind.ORDER, {"order": str(order.id), "size": str(order.size)})

    def send(self, order: Order, action: Action) -> Settled | Standing | None:
        if action.kind is ActionKind.CANCEL:
            known = self.orders[order.id]
            known.status = "canceled" if known.status == "open" else known.status
            return Standing(detail="ok")
        known = Known(order, next(self._refs), "open")
        self.orders[order.id] = known
        if order.trigger_price is None:
            assert order.size is not None
            size = self._in_coins(order.market_name, order.size)
            if order.purpose is not Purpose.ENTRY:
                size = min(size, abs(self.net[order.account, order.market_name]))
            self._fill(known, size)
        if self.forgetful:
            del self.orders[order.id]
            raise OutcomeUnknown(self.id, "no answer")
        return Standing(venue_ref=str(known.ref))

    def cancel(self, order: Order, actions: Sequence[Action]) -> Wanted | None:
        return Wanted(ActionKind.CANCEL, {"cancel": str(order.id)})

    def settle(self, order: Order, actions: Sequence[Action]) -> Settled | Standing | None:
        known = self.orders.get(order.id)
        if known is None:
            return Settled(status=OrderStatus.EXPIRED, detail="the venue knows nothing of it")
        if known.trades:
            fills = tuple(self._told(trade).fill for trade in known.trades)
            return Settled(status=OrderStatus.FILLED, fills=fills)
        if known.status == "canceled":
            return Settled(status=OrderStatus.REJECTED, code="CANCELED", detail="taken back")
        return Standing(venue_ref=str(known.ref))

    # Within

    def _fill(self, known: Known, coins: Decimal) -> None:
        known.status = "filled"
        order = known.order
        trade = self._execute(
            order.account,
            order.market_name,
            order.side,
            coins,
            ref=known.ref,
            client_id=f"0x{order.id.hex}",
        )
        known.trades.append(trade)

    def _execute(
        self,
        account: str,
        market: str,
        side: Side,
        coins: Decimal,
        *,
        cause: Cause = Cause.ORDER,
        ref: int | None = None,
        client_id: str | None = None,
    ) -> Trade:
        before = self.net[account, market]
        self.net[account, market] = before + coins * side.sign
        trade = Trade(
            account=account,
            coin=market,
            side=side,
            size=coins,
            price=self.prices[market] * self._multiplier(market),
            held_before=before,
            ref=ref or next(self._refs),
            id=next(self._trade_ids),
            at=datetime.now(UTC),
            cause=cause,
            client_id=client_id,
        )
        self.trades.append(trade)
        return trade

    def _told(self, trade: Trade) -> AccountFill:
        multiplier = self._multiplier(trade.coin)
        return AccountFill(
            fill=Fill(
                venue_fill_id=f"{trade.ref}:{trade.id}",
                size=trade.size * multiplier,
                price=trade.price / multiplier,
                fee_usd=trade.fee,
                at=trade.at,
            ),
            market_name=trade.coin,
            token_symbol=self.coins[trade.coin][0],
            side=trade.side,
            venue_ref=str(trade.ref),
            client_order_id=trade.client_id,
            held_before=trade.held_before * multiplier,
            direction=CLOSES[trade.side],
            closed_pnl_usd=Decimal(0),
            cause=trade.cause,
        )

    def _in_coins(self, market: str, tokens: Decimal) -> Decimal:
        return tokens / self._multiplier(market)

    def _multiplier(self, market: str) -> Decimal:
        return self.coins[market][1]


@dataclass(frozen=True)
class Key:
    """Signs nothing: the venue here asks for no signature, but the ledger for an address."""

    address: str

    def sign_digest(self, digest: bytes) -> Signature:
        raise NotImplementedError


class NettingWorld(World):
    """World trading for real at a venue that nets."""

    def __init__(
        self,
        dsn: str,
        queues: MemoryQueues | None = None,
        database: Database | None = None,
        place: NettingVenue | None = None,
    ) -> None:
        super().__init__(dsn, queues, database)
        self.place = place or NettingVenue()
        self.deps = replace(
            self.deps,
            executor=self.executor,
            supported=frozenset({VENUE}),
            mode=Mode.LIVE,
            holdings=lambda venue: self.place if venue == VENUE else None,
        )

    def another_worker(self, database: Database | None = None) -> "NettingWorld":
        return NettingWorld(self.dsn, self.queues, database, self.place)

    def venue(self, venue: VenueId, mode: Mode = Mode.LIVE) -> Venue:
        return self.place

    def executor(self) -> Executor:
        return Executor(
            self.store,
            self.venue,
            supported=self.deps.supported,
            max_age=MAX_AGE,
            signer_of=lambda key_ref: Key(key_ref.removeprefix("env:").lower()),
            sleep=self.sleeps.append,
            clock=lambda: sum(self.sleeps),
        )

    # Setting up

    def listed(
        self, token: str = "BTC", price: str = "100", multiplier: int = 1, step: str = "0.001"
    ) -> str:
        """List a market, and return its name."""
        name = f"{'k' if multiplier > 1 else ''}{token}/USD"
        self.place.coins[name] = (token, Decimal(multiplier))
        self.place.prices[name] = Decimal(price)
        self.market(
            VENUE,
            token,
            name=name,
            price_usd=Decimal(price),
            multiplier=multiplier,
            size_step=Decimal(step),
        )
        return name

    def user(self) -> str:
        """A wallet whose key is approved at the venue."""
        wallet = f"0x{uuid4().hex}{'0' * 8}"
        self.rows(
            "INSERT INTO venue_accounts (account, venue, signer_address, key_ref, approved_until)"
            " VALUES (:account, 'HYPERLIQUID', :signer, :key, now() + interval '90 days')"
            " RETURNING account",
            account=wallet,
            signer=f"key{wallet}",
            key=f"env:KEY{wallet}",
        )
        return wallet

    def follower(self, wallet: str) -> UUID:
        """An agent that the wallet follows; returns the agent's id."""
        agent = self.agent()
        self.follow(agent, wallet)
        return agent

    def buy(self, agent: UUID, size: str, token: str = "BTC", **changes: object) -> UUID:
        """Open so many tokens at leverage 1, and return the position's id."""
        (market,) = [each for each in self._markets(VENUE) if each.token_symbol == token]
        usd = Decimal(size) * self.place.prices[market.name]
        model = {"type": "fixed-usdc", "value": str(usd), "leverage": "1"}
        before = {row["id"] for row in self.positions()}
        self.open(agent, token, sizeModel=model, **changes)
        self.work()
        (opened,) = {row["id"] for row in self.positions()} - before
        return UUID(str(opened))

    # Acting

    def pass_time(self, seconds: int = 60, hand: Database | None = None) -> None:
        """So long ago is now all that has happened, at the venue and in the ledger.

        `hand`: a superuser's connection; None: the world's own is one.
        """
        by = f"- make_interval(secs => {seconds})"
        self.place.pass_time(seconds)
        (hand or self.database).run_together(
            ("SET LOCAL session_replication_role = replica", {}),
            (f"UPDATE venue_orders SET sent_at = sent_at {by}, settled_at = settled_at {by}", {}),
            (f"UPDATE positions SET opened_at = opened_at {by}, closed_at = closed_at {by}", {}),
            (f"UPDATE venue_fills SET at = at {by}", {}),
            (f"UPDATE venue_closures SET at = at {by}, booked_at = booked_at {by}", {}),
            (f"UPDATE venue_accounts SET agreed_at = agreed_at {by}", {}),
            (f"UPDATE venue_accounts SET compared_at = compared_at {by}", {}),
        )

    def compare(self, seconds: float = 30) -> Compared:
        """A minute later, compare."""
        self.pass_time()
        return compare(self.deps, seconds=seconds)

    def come_due(self) -> None:
        """What waits for its next try is due, and done."""
        self.rows(
            "UPDATE venue_orders SET due_at = now()"
            " WHERE status = 'PLANNED' AND due_at > now() RETURNING id"
        )
        self.queues.send_orders(self.store.enqueue_due_orders(100), again=True)
        self.work()

    def take_back_bounds(self) -> None:
        """Do what is on the queue, then what reconcile finds to do."""
        self.work()
        reconcile(self.deps, seconds=30)
        self.work()

    # Looking

    def position(self, id_: UUID) -> Row:
        return self.rows("SELECT * FROM positions WHERE id = :id", id=id_)[0]

    def closures(self) -> list[Row]:
        return self.rows("SELECT * FROM venue_closures ORDER BY at, venue_fill_id, position_id")

    def account_row(self, wallet: str) -> Row:
        return self.rows("SELECT * FROM venue_accounts WHERE account = :a", a=wallet)[0]

    def ledger_net(self, wallet: str, token: str = "BTC") -> Decimal:
        """What the ledger says that an account holds of a token, below zero where short."""
        (row,) = self.rows(
            "SELECT coalesce(sum(open_qty * CASE side WHEN 'LONG' THEN 1 ELSE -1 END), 0) AS net"
            " FROM positions WHERE account = :a AND token_symbol = :t AND status = 'OPEN'",
            a=wallet,
            t=token,
        )
        return Decimal(row["net"])


@contextmanager
def netting_world(dsn: str, place: NettingVenue | None = None) -> Iterator[NettingWorld]:
    """A world with BTC listed."""
    world = NettingWorld(dsn, place=place)
    world.listed()
    try:
        yield world
    finally:
        world.dispose()
