"""A chain with a venue on it, and a world that trades for real there.

An order is a transaction with a counted nonce; a keeper carries it out afterwards, or cancels it,
or is silent. Each position stands for itself under the venue's name for it. The node may lag, lose
answers and drop what it was sent; strangers may use the same key, and users close by hand.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from decimal import Decimal
from hashlib import sha256
from itertools import count
from threading import RLock
from typing import Any
from uuid import UUID, uuid4

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
from agent_where.errors import OutcomeUnknown, VenueRejected, VenueUnavailable
from agent_where.execution.executor import Executor
from agent_where.reconciling import Reconciled, reconcile
from agent_where.store.connection import Database, Row
from agent_where.store.records import OpenOrder
from agent_where.store.store import Store
from agent_where.venues.base import (
    Action,
    ActionKind,
    Cause,
    Exit,
    FoundExits,
    Held,
    Stamp,
    Standing,
    Venue,
)
from tests.netting import Key
from tests.world import MAX_AGE, MemoryQueues, World

VENUE = "OSTIUM"
ORACLE_FEE = Decimal("0.1")


@dataclass(frozen=True)
class Wanted:
    """A transaction before it is signed."""

    kind: ActionKind
    body: dict[str, Any]
    sequence: int | None = None
    nonce: int | None = None

    def sealed(self, stamp: Stamp) -> Action:
        said = self.body | {"signer": stamp.signer.address, "nonce": stamp.nonce}
        payload = json.dumps(said, sort_keys=True).encode()
        return Action(
            kind=self.kind,
            payload=payload,
            nonce=stamp.nonce,
            signer_address=stamp.signer.address,
            tx_hash=hash_of(payload),
        )


@dataclass
class Request:
    """What the keeper has been asked for. `result`: None while nobody has answered."""

    id: int
    body: dict[str, Any]
    result: str | None = None
    exit_id: str | None = None


@dataclass
class Trade:
    """A position at the venue."""

    ref: str
    account: str
    side: Side
    size: Decimal
    price: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None


@dataclass
class Closed:
    """One close, at a block."""

    block: int
    told: Exit


@dataclass
class Chain:
    """Blocks, nonces and the venue's contract.

    `mines`: whether what is sent is mined at once. `keeper`: what it does with a request: `fill`,
    `cancel` or nothing. `lag`: by how many transactions the node is behind.
    """

    price: Decimal = Decimal(100)
    mines: bool = True
    keeper: str = "fill"
    lag: int = 0
    block: int = 100
    used: dict[str, int] = field(default_factory=dict)
    pending: dict[tuple[str, int], bytes] = field(default_factory=dict)
    receipts: dict[str, bool] = field(default_factory=dict)
    requests: dict[str, Request] = field(default_factory=dict)
    trades: dict[str, Trade] = field(default_factory=dict)
    closes: list[Closed] = field(default_factory=list)
    sent: list[bytes] = field(default_factory=list)
    executed: list[str] = field(default_factory=list)
    lock: RLock = field(default_factory=RLock)
    ids: Any = field(default_factory=lambda: count(1))

    def next_nonce(self, signer: str) -> int:
        """As the node tells it."""
        return max(self.used.get(signer, 0) - self.lag, 0)

    def stranger(self, signer: str, transactions: int) -> None:
        """Somebody else uses the same key."""
        self.used[signer] = self.used.get(signer, 0) + transactions

    def submit(self, payload: bytes) -> None:
        with self.lock:
            self.sent.append(payload)
            said = json.loads(payload)
            if said["nonce"] < self.used.get(said["signer"], 0):
                raise VenueRejected(VENUE, "nonce too low")
            self.pending[said["signer"], said["nonce"]] = payload
            if self.mines:
                self.mine()

    def mine(self) -> None:
        """Everything whose turn it is, in the order of its nonces."""
        with self.lock:
            for signer, nonce in sorted(self.pending):
                if nonce == self.used.get(signer, 0):
                    payload = self.pending.pop((signer, nonce))
                    self.used[signer] = nonce + 1
                    self.block += 1
                    self._carry_out(hash_of(payload), json.loads(payload))

    def answer(self) -> None:
        """The keeper comes to the requests that nobody has answered."""
        with self.lock:
            for request in [each for each in self.requests.values() if each.result is None]:
                self._answer(request)

    def close(self, ref: str, cause: Cause, size: Decimal | None = None) -> Exit:
        """A position is closed, or so much of it, by somebody else than us."""
        with self.lock:
            return self._close(ref, size, cause, f"a{next(self.ids)}")

    def _carry_out(self, tx_hash: str, said: dict[str, Any]) -> None:
        self.receipts[tx_hash] = True
        match said["do"]:
            case "open" | "close":
                self.requests[tx_hash] = Request(next(self.ids), said)
                self.answer()
            case "timeout":
                request = self.requests[said["of"]]
                if request.result is None:
                    request.result = "timeout"

    def _answer(self, request: Request) -> None:
        if self.keeper == "cancel" or (
            request.body["do"] == "close" and request.body["ref"] not in self.trades
        ):
            request.result = "cancel"
        elif self.keeper == "fill" and request.body["do"] == "open":
            request.result = "fill"
            self._open(request)
        elif self.keeper == "fill":
            request.result = "fill"
            size = Decimal(request.body["size"])
            told = self._close(request.body["ref"], size, Cause.ORDER, str(request.id))
            request.exit_id = told.fill.venue_fill_id

    def _open(self, request: Request) -> None:
        said = request.body
        self.executed.append(said["order"])
        self.trades[str(request.id)] = Trade(
            ref=str(request.id),
            account=said["account"],
            side=Side(said["side"]),
            size=Decimal(said["size"]),
            price=self.price,
            stop_loss=Decimal(said["stop_loss"]) if said["stop_loss"] else None,
            take_profit=Decimal(said["take_profit"]) if said["take_profit"] else None,
        )

    def _close(self, ref: str, size: Decimal | None, cause: Cause, by: str) -> Exit:
        trade = self.trades[ref]
        closing = trade.size if size is None else min(size, trade.size)
        trade.size -= closing
        if not trade.size:
            del self.trades[ref]
        self.block += 1
        told = Exit(
            position_ref=ref,
            fill=Fill(
                venue_fill_id=f"{self.block}:{by}",
                size=closing,
                price=self.price,
                fee_usd=ORACLE_FEE,
                at=datetime.now(UTC),
            ),
            cause=cause,
            venue_ref=by,
        )
        self.closes.append(Closed(self.block, told))
        return told


class OnchainVenue:
    """The adapter.

    `at_sending`: what the node does with what it is sent next, once each. `unexplained`: positions
    of which less is there, and no log says why.
    """

    id: VenueId = VENUE
    takes_bounds = True

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.at_sending: list[str] = []
        self.unexplained: list[str] = []
        self.reverts: str | None = None
        self.replaces = False
        self.times_out = False
        self.seen: list[Order] = []

    def quote(self, market: Market, now: datetime) -> Quote:
        return Quote(bid=self.chain.price, ask=self.chain.price, at=now)

    def account(self, order: Order) -> Account:
        return Account(free_collateral_usd=Decimal(1_000_000))

    def next_action(self, order: Order, market: Market, quote: Quote) -> Wanted:
        self.seen.append(order)
        assert order.signer_address is not None
        if self.reverts:
            raise VenueRejected(self.id, self.reverts)
        if order.purpose is Purpose.ENTRY:
            said = {"do": "open", "stop_loss": order.stop_loss, "take_profit": order.take_profit}
        elif order.position_ref in self.chain.trades:
            said = {"do": "close", "ref": order.position_ref}
        else:
            raise VenueRejected(self.id, "no such trade", code=Refusal.NOTHING_TO_CLOSE)
        told = {"order": order.id, "account": order.account, "side": order.side, "size": order.size}
        body = {name: value and str(value) for name, value in (said | told).items()}
        return Wanted(ActionKind.ORDER, body, self.chain.next_nonce(order.signer_address))

    def send(self, order: Order, action: Action) -> Standing:
        fate = self.at_sending.pop(0) if self.at_sending else ""
        match fate:
            case "unreachable":
                raise VenueUnavailable(self.id, "connection refused")
            case "dropped":
                raise OutcomeUnknown(self.id, "no answer")
        self.chain.submit(action.payload)
        if fate == "lost":
            raise OutcomeUnknown(self.id, "no answer")
        return Standing(detail="broadcast")

    def cancel(self, order: Order, actions: Sequence[Action]) -> None:
        return None

    def settle(
        self, order: Order, actions: Sequence[Action]
    ) -> Settled | Standing | Wanted | Action | None:
        (stored,) = [each for each in actions if each.kind is ActionKind.ORDER]
        assert stored.tx_hash is not None
        assert stored.signer_address is not None
        assert stored.nonce is not None
        if stored.tx_hash in self.chain.requests:
            request = self.chain.requests[stored.tx_hash]
            return self._held_up(request, actions) or self._asked(order, request, stored)
        if self.chain.next_nonce(stored.signer_address) > stored.nonce:
            detail = f"nonce {stored.nonce} is used, and {stored.tx_hash} has no receipt"
            return Settled(status=OrderStatus.EXPIRED, detail=detail)
        if (stored.signer_address, stored.nonce) not in self.chain.pending:
            return stored
        if self.replaces and not any(each.kind is ActionKind.REPLACE for each in actions):
            return Wanted(ActionKind.REPLACE, {"do": "nothing"}, nonce=stored.nonce)
        return None

    def exits(self, account: str, held: Sequence[Held], since: int | None) -> FoundExits:
        refs = {each.position_ref for each in held}
        told = [
            each.told
            for each in self.chain.closes
            if each.told.position_ref in refs and (since is None or each.block > since)
        ]
        lost = [ref for ref in self.unexplained if ref in refs]
        return FoundExits(told, None if lost else self.chain.block, lost)

    def _held_up(self, request: Request, actions: Sequence[Action]) -> Standing | Action | None:
        """What the order's end has to wait for: a take-back of it that is in no block."""
        for each in actions:
            if each.kind is not ActionKind.TIMEOUT or request.result is None:
                continue
            assert each.signer_address is not None
            assert each.nonce is not None
            if self.chain.next_nonce(each.signer_address) <= each.nonce:
                waits = (each.signer_address, each.nonce) in self.chain.pending
                return Standing(detail="ended, while its take-back waits") if waits else each
        return None

    def _asked(self, order: Order, request: Request, stored: Action) -> Settled | Standing | Wanted:
        match request.result:
            case "fill":
                return self._filled(order, request)
            case "cancel":
                return Settled(
                    status=OrderStatus.REJECTED,
                    code="CANCELED",
                    detail="the keeper cancelled it: SLIPPAGE",
                    fee_usd=ORACLE_FEE,
                )
            case "timeout":
                detail = "the keeper never answered, and it was taken back"
                return Settled(status=OrderStatus.REJECTED, code="CANCELED", detail=detail)
        if self.times_out:
            assert stored.signer_address is not None
            body = {"do": "timeout", "of": stored.tx_hash}
            return Wanted(
                ActionKind.TIMEOUT, body, sequence=self.chain.next_nonce(stored.signer_address)
            )
        return Standing(venue_ref=str(request.id), detail="waits for the keeper")

    def _filled(self, order: Order, request: Request) -> Settled:
        if request.body["do"] == "close":
            (told,) = [
                each.told
                for each in self.chain.closes
                if each.told.fill.venue_fill_id == request.exit_id
            ]
            return Settled(status=OrderStatus.FILLED, fills=(told.fill,))
        said = request.body
        fill = Fill(
            venue_fill_id=f"open:{request.id}",
            size=Decimal(said["size"]),
            price=self.chain.price,
            fee_usd=ORACLE_FEE,
            at=datetime.now(UTC),
        )
        return Settled(
            status=OrderStatus.FILLED,
            fills=(fill,),
            position_ref=str(request.id),
            stop_loss=Decimal(said["stop_loss"]) if said["stop_loss"] else None,
            take_profit=Decimal(said["take_profit"]) if said["take_profit"] else None,
        )


def hash_of(payload: bytes) -> str:
    return f"0x{sha256(payload).hexdigest()}"


class AtOnce(Store):
    """A store to which everything sent looks old enough to be asked about."""

    def unsettled_orders(self, older_than_seconds: int, at_most: int) -> list[OpenOrder]:
        return super().unsettled_orders(0, at_most)


class OnchainWorld(World):
    """World trading for real on a chain. `elsewhere`: another venue, of another kind."""

    def __init__(
        self,
        dsn: str,
        queues: MemoryQueues | None = None,
        database: Database | None = None,
        place: OnchainVenue | None = None,
        elsewhere: Venue | None = None,
    ) -> None:
        super().__init__(dsn, queues, database)
        self.elsewhere = elsewhere
        self.store = AtOnce(self.database)
        self.place = place or OnchainVenue(Chain())
        self.chain = self.place.chain
        self.deps = replace(
            self.deps,
            store=self.store,
            executor=self.executor,
            supported=frozenset({VENUE, elsewhere.id} if elsewhere else {VENUE}),
            mode=Mode.LIVE,
            exits=lambda venue: self.place if venue == VENUE else None,
        )

    def another_worker(self, database: Database | None = None) -> "OnchainWorld":
        return OnchainWorld(self.dsn, self.queues, database, self.place, self.elsewhere)

    def venue(self, venue: VenueId, mode: Mode = Mode.LIVE) -> Venue:
        return self.elsewhere if self.elsewhere and venue == self.elsewhere.id else self.place

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

    def listed(self, token: str = "XAU") -> None:
        self.market(VENUE, token, price_usd=self.chain.price)

    def user(self) -> str:
        """A wallet whose key is approved at the venue."""
        wallet = f"0x{uuid4().hex}{'0' * 8}"
        self.rows(
            "INSERT INTO venue_accounts (account, venue, signer_address, key_ref, approved_until)"
            " VALUES (:account, 'OSTIUM', :signer, :key, now() + interval '90 days')"
            " RETURNING account",
            account=wallet,
            signer=f"key{wallet}",
            key=f"env:KEY{wallet}",
        )
        return wallet

    def follower(self, wallet: str) -> UUID:
        """An agent that the wallet follows; returns the agent's id."""
        agent = self.agent(VENUE)
        self.follow(agent, wallet)
        return agent

    def trader(self) -> tuple[str, UUID]:
        """A wallet, and an agent that it follows, at a listed market."""
        self.listed()
        wallet = self.user()
        return wallet, self.follower(wallet)

    def buy(self, agent: UUID, **changes: object) -> Row:
        """Open a position, and return it."""
        before = {row["id"] for row in self.positions()}
        self.open(agent, "XAU", **changes)
        self.work()
        (opened,) = [row for row in self.positions() if row["id"] not in before]
        return opened

    # Acting

    def reconcile(self) -> Reconciled:
        """One run, and what is on the queue because of it."""
        done = reconcile(self.deps, seconds=30)
        self.work()
        return done

    def come_due(self) -> None:
        """What waits for its next try is due, and done."""
        self.rows(
            "UPDATE venue_orders SET due_at = now()"
            " WHERE status = 'PLANNED' AND due_at > now() RETURNING id"
        )
        self.queues.send_orders(self.store.enqueue_due_orders(100), again=True)
        self.work()

    def minutes_pass(self, minutes: int = 2) -> None:
        """Leases run out, and what is not settled is old."""
        by = f"- interval '{minutes} minutes'"
        self.database.run_together(
            ("SET LOCAL session_replication_role = replica", {}),
            (f"UPDATE venue_orders SET enqueued_at = enqueued_at {by}", {}),
            (f"UPDATE positions SET opened_at = opened_at {by}", {}),
            ("UPDATE venue_accounts SET lease_token = NULL, lease_until = NULL", {}),
        )

    # Looking

    def position(self, id_: UUID) -> Row:
        return self.rows("SELECT * FROM positions WHERE id = :id", id=id_)[0]

    def closures(self) -> list[Row]:
        return self.rows("SELECT * FROM venue_closures ORDER BY at, venue_fill_id, position_id")

    def account_row(self, wallet: str) -> Row:
        return self.rows("SELECT * FROM venue_accounts WHERE account = :a", a=wallet)[0]

    def actions(self) -> list[Row]:
        return self.rows("SELECT * FROM venue_actions ORDER BY created_at")
