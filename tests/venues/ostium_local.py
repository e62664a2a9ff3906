"""A trader at the venue on a local chain: a user, the agent's key, and the adapter between them."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from eth_account import Account

from agent_where.domain import Market, Mode, Order, OrderStatus, Purpose, Settled, Side
from agent_where.errors import OutcomeUnknown
from agent_where.execution.signers import Signer, Signers
from agent_where.venues.base import Action, Held, Stamp, Standing
from agent_where.venues.ostium.markets import OstiumMarkets
from agent_where.venues.ostium.trading import OstiumVenue, Site
from local.chain.node import start_node
from local.chain.venue import LocalVenue, local_venue
from local.environment import Home
from local.processes import StepFailed

KEYS = iter(range(0x1000, 0x2000))


def key() -> str:
    """An obvious test vector: a small number."""
    return f"0x{next(KEYS):064x}"


@dataclass
class Desk:
    """What the core does with an adapter, without its ledger: seal, send, ask."""

    place: LocalVenue
    venue: OstiumVenue
    user_key: str = field(default_factory=key)
    agent_key: str = field(default_factory=key)
    late: timedelta = timedelta(0)

    @property
    def user(self) -> str:
        return str(Account.from_key(self.user_key).address).lower()

    @property
    def agent(self) -> str:
        return str(Account.from_key(self.agent_key).address).lower()

    @property
    def signer(self) -> Signer:
        keys = Signers(allow_env=True, environment={"KEY": self.agent_key})
        return keys.signer("env:KEY")

    def now(self) -> datetime:
        return datetime.now(UTC) + self.late

    def market(self, name: str = "BTC/USD") -> Market:
        source = OstiumMarkets(
            self.place.subgraph_url, self.place.market_url, timeout_seconds=5, clock=self.now
        )
        return next(market for market in source.markets() if market.name == name)

    def ready(self, *, usdc: int = 1_000) -> "Desk":
        self.place.fund(self.user, usdc=usdc)
        self.place.fund(self.agent, eth=1)
        self.allow(1_000_000)
        self.place.delegate(self.user_key, self.agent)
        self.mined(self.user)
        return self

    def allow(self, usdc: int) -> None:
        self.place.approve(self.user_key, usdc=usdc)
        self.mined(self.user)

    def mined(self, address: str) -> None:
        """Wait until all that an address sent is in blocks."""
        node, deadline = self.place.node, time.monotonic() + 5
        while node.number("eth_getTransactionCount", address, "pending") > node.number(
            "eth_getTransactionCount", address, "latest"
        ):
            assert time.monotonic() < deadline, f"{address} still waits"
            time.sleep(0.01)

    def order(self, **changes: Any) -> Order:
        told: dict[str, Any] = {
            "id": uuid4(),
            "signal_id": UUID(int=1),
            "deployment_id": UUID(int=2),
            "position_id": UUID(int=3),
            "purpose": Purpose.ENTRY,
            "leg": "entry",
            "attempt": 1,
            "venue": "OSTIUM",
            "account": self.user,
            "mode": Mode.LIVE,
            "token_symbol": "BTC",
            "market_name": "BTC/USD",
            "side": Side.LONG,
            "leverage": Decimal(10),
            "status": OrderStatus.PLANNED,
            "collateral_usd": Decimal(100),
            "signer_address": self.agent,
        }
        return Order.model_validate(told | changes)

    def sized(self, order: Order, slippage: str = "0.02") -> Order:
        """As the core would size it: limit from the mid, size from the collateral."""
        quote = self.venue.quote(self.market(order.market_name), self.now())
        limit = quote.mid * (1 + order.side.sign * Decimal(slippage))
        size = order.size or (order.collateral_usd or 0) * order.leverage / quote.mid
        return order.model_copy(update={"limit_price": limit, "size": Decimal(size)})

    def unsent(self, order: Order) -> Any:
        market = self.market(order.market_name)
        return self.venue.next_action(order, market, self.venue.quote(market, self.now()))

    def sealed(self, unsent: Any) -> Action:
        nonce = unsent.sequence if unsent.nonce is None else unsent.nonce
        sealed = unsent.sealed(Stamp(signer=self.signer, nonce=nonce, now=self.now()))
        assert isinstance(sealed, Action)
        return sealed

    def send(self, order: Order, action: Action) -> str:
        with pytest.raises(OutcomeUnknown) as told:
            self.venue.send(order, action)
        return told.value.code

    def trade(self, order: Order) -> tuple[Order, list[Action]]:
        """Sized and sent, as SENT with its stored bytes."""
        order = self.sized(order)
        action = self.sealed(self.unsent(order))
        sent = order.model_copy(update={"status": OrderStatus.SENT})
        self.send(sent, action)
        return sent, [action]

    def filled(self, order: Order) -> Settled:
        sent, actions = self.trade(order)
        settled = self.settled(sent, actions)
        assert settled.status is OrderStatus.FILLED, settled
        return settled

    def opened(self, **changes: Any) -> Settled:
        return self.filled(self.order(**changes))

    def close_of(self, opened: Settled, **changes: Any) -> Order:
        told: dict[str, Any] = {
            "purpose": Purpose.CLOSE,
            "leg": "close",
            "side": Side.SHORT,
            "collateral_usd": None,
            "size": opened.filled_size,
            "position_ref": opened.position_ref,
        }
        return self.order(**told | changes)

    def held(self, opened: Settled, **changes: Any) -> Held:
        told: dict[str, Any] = {
            "position_id": UUID(int=3),
            "position_ref": opened.position_ref,
            "market_name": "BTC/USD",
            "token_symbol": "BTC",
            "side": Side.LONG,
            "size": opened.filled_size,
        }
        return Held.model_validate(told | changes)

    def money(self) -> Decimal:
        return self.place.balance(self.user)

    def trades(self) -> int:
        """How many trades of the user are open, as the contracts count."""
        storage = self.place.deployed.trading_storage
        return sum(int(storage.read("openTradesCount", self.user, pair)) for pair in range(3))

    def stands(self, order: Order, actions: list[Action]) -> None:
        """The venue has it, and it has not ended; the node may take a moment to mine it."""
        deadline = time.monotonic() + 5
        told = self.venue.settle(order, actions)
        while told is None and time.monotonic() < deadline:
            time.sleep(0.02)
            told = self.venue.settle(order, actions)
        assert isinstance(told, Standing), told

    def settled(self, order: Order, actions: list[Action], *, turns: int = 60) -> Settled:
        """Asked until it ends; what the adapter wants sent is sent, and blocks pass."""
        told: object = None
        for _ in range(turns):
            told = self.venue.settle(order, actions)
            if isinstance(told, Settled):
                return told
            if isinstance(told, Action):
                self.send(order, told)
            elif told is not None and not isinstance(told, Standing):
                actions.append(self.sealed(told))
                self.send(order, actions[-1])
            self.place.mine()
        raise AssertionError(f"no end; the last word was {told!r}")


def site(place: LocalVenue, **changes: Any) -> Site:
    told = {
        "rpc_url": place.rpc_url,
        "price_url": place.market_url,
        "chain_id": place.chain_id,
        "registry": place.registry,
        "depth": 3,
    }
    return Site.model_validate(told | changes)


@contextmanager
def running(folder: Path) -> Iterator[LocalVenue]:
    """The local venue; the test is skipped with the reason where its tools are not installed."""
    home = Home(folder)
    try:
        child, node = start_node(home)
    except StepFailed as reason:
        pytest.skip(f"no local chain: {reason}")
    node.close()
    child.stop()
    with local_venue(home, clock=open_market) as place:
        yield place


def open_market() -> datetime:
    """Our own time: the markets of the tests trade all day."""
    return datetime.now(UTC)


def tell(place: LocalVenue, what: str, **body: object) -> Any:
    """A word to what stands before the node, as over HTTP."""
    return place.proxy.control.apply(f"/simulator/{what}", json.dumps(body).encode())


def set_price(place: LocalVenue, price: str | None, coin: str = "BTCUSD") -> None:
    place.prices.control.apply(
        "/simulator/price", json.dumps({"coin": coin, "price": price}).encode()
    )
