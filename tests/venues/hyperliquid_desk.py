"""Our adapter at a simulated venue: one account, one approved key, and what an executor does.

Actions are sealed, kept and sent as the executor does it, with nothing behind it but a list.
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

from agent_where.domain import Market, Mode, Order, OrderStatus, Purpose, Settled, Side
from agent_where.errors import VenueError
from agent_where.execution.signers import Signer, Signers
from agent_where.venues._http import JsonHttp
from agent_where.venues.base import Action, ActionKind, Stamp, Standing
from agent_where.venues.hyperliquid.markets import HyperliquidMarkets
from agent_where.venues.hyperliquid.orders import Unsent
from agent_where.venues.hyperliquid.signing import Network
from agent_where.venues.hyperliquid.trading import HyperliquidVenue
from local.simulators.hyperliquid import HyperliquidSimulator
from local.simulators.server import Server
from tests.patience import PATIENCE_SECONDS, Patient

NOW = datetime(2026, 2, 6, 12, 0, tzinfo=UTC)
USER = "0x" + "a1" * 20
KEYS = {"FIRST": "11" * 32, "SECOND": "22" * 32}


def signer(name: str = "FIRST") -> Signer:
    """One of two keys of a laptop's environment."""
    return Signers(allow_env=True, environment=KEYS).signer(f"env:{name}")


class Told(JsonHttp):
    """A client that is told its answers: by the type of what is asked, else by an empty one."""

    def __init__(self, answers: Mapping[str, object]) -> None:
        super().__init__()
        self._answers = answers

    def post(self, url: str, body: bytes) -> object:
        asked = json.loads(body)["type"]
        return self._answers[asked if asked in self._answers else ""]


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def seconds(self) -> float:
        return self.now.timestamp()

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


def order(
    purpose: Purpose = Purpose.ENTRY,
    side: Side = Side.LONG,
    *,
    size: str = "0.01",
    limit: str = "60600",
    trigger: str | None = None,
    leverage: str = "20",
    coin: str = "BTC",
    number: int | None = None,
) -> Order:
    """An order as it is when it has been sized. BTC stands at 60,000, at leverage 20."""
    return Order(
        id=uuid4() if number is None else UUID(int=number),
        signal_id=UUID(int=2),
        deployment_id=UUID(int=3),
        position_id=UUID(int=4),
        purpose=purpose,
        leg=purpose.value,
        attempt=1,
        venue="HYPERLIQUID",
        account=USER,
        mode=Mode.LIVE,
        token_symbol=coin.removeprefix("k"),
        market_name=f"{coin}/USD",
        side=side,
        leverage=Decimal(leverage),
        status=OrderStatus.SENT,
        size=Decimal(size),
        limit_price=Decimal(limit),
        trigger_price=None if trigger is None else Decimal(trigger),
    )


def status(settled: object) -> OrderStatus:
    """How an order ended, which has to have an end."""
    assert isinstance(settled, Settled), settled
    return settled.status


@dataclass
class Desk:
    """The adapter, the venue behind it, and what was stored of each order."""

    venue: HyperliquidVenue
    http: Patient
    simulator: HyperliquidSimulator
    time: Time
    url: str
    markets: dict[str, Market]
    key: Signer = field(default_factory=signer)
    stored: dict[UUID, list[Action]] = field(default_factory=dict)
    _nonce: int = 0

    def another_worker(self) -> HyperliquidVenue:
        """The adapter in a process that remembers nothing."""
        return HyperliquidVenue(
            "testnet",
            self.url,
            timeout_seconds=PATIENCE_SECONDS,
            clock=self.time,
            http=self.http,
            monotonic=self.time.seconds,
        )

    def tell(self, what: str, **body: object) -> Any:
        """A control request of the simulator's."""
        self.http.hear(body.get("mode"))
        sent = json.dumps(body, default=str).encode()
        return self.simulator.control.apply(f"/simulator/{what}", sent)

    def books(self) -> Any:
        """What the simulator thinks of the account."""
        return self.simulator.control.report("/simulator/books")["accounts"][USER]

    def actions(self) -> list[Any]:
        """What the simulator admitted, oldest first."""
        told = self.simulator.control.report("/simulator/books")["actions"]
        return [each["action"] for each in told]

    def requests(self, kind: str) -> int:
        """How often the simulator was asked something."""
        told = self.simulator.control.report("/simulator/books")["requests"]
        return int(sum(count for name, count in told.items() if name.endswith(f" {kind}")))

    def size(self, coin: str = "BTC") -> Decimal:
        """What the account holds, as the simulator knows it."""
        held = self.books()["positions"].get(coin)
        return Decimal(held["size"]) if held else Decimal(0)

    def stamp(self) -> Stamp:
        """What the database would give."""
        self._nonce = max(self._nonce + 1, int(self.time.now.timestamp() * 1000))
        return Stamp(signer=self.key, nonce=self._nonce, now=self.time.now)

    def store(self, what: Order, unsent: Unsent) -> Action:
        """Seal it and keep it."""
        action = unsent.sealed(self.stamp())
        self.stored.setdefault(what.id, []).append(action)
        return action

    def prepared(self, what: Order) -> Action:
        """The order's action, stored; leverage is set on the way where it has to be."""
        market = self.markets[what.market_name]
        for _ in range(3):
            unsent = self.venue.next_action(what, market, self.venue.quote(market, self.time()))
            action = self.store(what, unsent)
            if action.kind is ActionKind.ORDER:
                return action
            self.venue.send(what, action)
        raise AssertionError("the leverage is never what it should be")

    def trade(self, what: Order) -> Settled | Standing | None:
        """Prepare, send and settle one order."""
        self.venue.send(what, self.prepared(what))
        return self.settle(what)

    def settle(self, what: Order) -> Settled | Standing | None:
        """Ask once, and do what is asked for."""
        told = self.venue.settle(what, self.stored[what.id])
        if not isinstance(told, Unsent):
            return told
        action = self.store(what, told)
        self.stored[what.id][-1] = action.model_copy(update={"outcome": self.outcome(what, action)})
        return self.venue.settle(what, self.stored[what.id])  # type: ignore[return-value]

    def outcome(self, what: Order, action: Action) -> str:
        """What sending something that is no order meant."""
        try:
            return self.venue.send(what, action).detail
        except VenueError as fault:
            return fault.code

    def settled(self, what: Order, seconds: int = 120) -> Settled:
        """Ask as reconcile does until the order has ended."""
        for _ in range(0, seconds, 5):
            try:
                told = self.settle(what)
            except VenueError:
                told = None
            if isinstance(told, Settled):
                return told
            self.time.pass_seconds(5)
        raise AssertionError(f"{what.purpose} has no end after {seconds} s")


@contextmanager
def desk(
    *, network: Network = "testnet", usd: int = 10_000, approved: bool = True
) -> Iterator[Desk]:
    """A desk at a testnet of its own."""
    time = Time()
    simulator = HyperliquidSimulator(time, is_mainnet=False)
    http = Patient()
    with Server(simulator) as server:
        venue = HyperliquidVenue(
            network,
            server.url,
            timeout_seconds=PATIENCE_SECONDS,
            clock=time,
            http=http,
            monotonic=time.seconds,
        )
        listed = HyperliquidMarkets(server.url, timeout_seconds=PATIENCE_SECONDS).markets()
        made = Desk(venue, http, simulator, time, server.url, {each.name: each for each in listed})
        made.tell("price", coin="BTC", price="60000")
        made.tell("deposit", user=USER, usd=usd)
        if approved:
            made.tell("agent", user=USER, agent=made.key.address, name="agentwhere")
        yield made
