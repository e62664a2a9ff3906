"""A trader and his agent at the local venue, and what tests read there. Keys are test vectors."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any, TypeVar

import pytest
from eth_abi.abi import decode
from eth_account import Account
from eth_utils.crypto import keccak

from local.chain.build import artefacts
from local.chain.keeper import CancelReason
from local.chain.rpc import RpcError
from local.chain.venue import LocalVenue

T = TypeVar("T")

USER_KEY = "0x" + "11" * 32
AGENT_KEY = "0x" + "22" * 32
STRANGER_KEY = "0x" + "33" * 32
USER: str = Account.from_key(USER_KEY).address
AGENT: str = Account.from_key(AGENT_KEY).address
STRANGER: str = Account.from_key(STRANGER_KEY).address
NOBODY = "0x" + "00" * 20
BTC, EUR, NVDA = 0, 2, 18
WEI = 10**18
ORACLE_FEE = Decimal("0.1")
_SECONDS = 10


@dataclass(frozen=True)
class Ticket:
    """The arguments of openTrade, in the venue's units."""

    price: int
    collateral: int = 100 * 10**6
    tp: int = 0
    sl: int = 0
    leverage: int = 1000
    pair: int = BTC
    buy: bool = True
    is_day_trade: bool = False
    builder: str = NOBODY
    builder_fee: int = 0
    order_type: int = 0
    slippage: int = 200

    def arguments(self) -> tuple[object, ...]:
        bounds = (self.collateral, self.price, self.tp, self.sl, NOBODY, self.leverage)
        trade = (*bounds, self.pair, 0, self.buy, self.is_day_trade)
        return (trade, (self.builder, self.builder_fee), self.order_type, self.slippage)


@dataclass
class Desk:
    venue: LocalVenue
    usdc: Decimal = Decimal(1000)

    def __post_init__(self) -> None:
        self.venue.keeper.fill(exits=False)
        self.venue.fund(USER, usdc=self.usdc, eth=1)
        self.venue.fund(AGENT, eth=1)
        self.venue.approve(USER_KEY, usdc=self.usdc)
        self.venue.delegate(USER_KEY, AGENT)

    def price(self, name: str = "BTCUSD") -> int:
        """A market's middle in 1e18."""
        return int(self.venue.prices._moment(name).price * WEI)

    def set_price(self, price: int, name: str = "BTCUSD") -> None:
        """In 1e18."""
        self.venue.prices.control.prices[name] = Decimal(price).scaleb(-18)

    def ticket(self, **changes: Any) -> Ticket:
        """A long of 1,000 USD of bitcoin at its price."""
        return replace(Ticket(self.price()), **changes)

    def ask(self, ticket: Ticket) -> int:
        """The number of an order to open, which the keeper has not answered yet or has."""
        before = self.last_order()
        self.send("openTrade", *ticket.arguments())
        assert self.last_order() == before + 1
        return before + 1

    def open(self, **changes: Any) -> int:
        """The number of a trade that is open."""
        order = self.ask(self.ticket(**changes))
        assert self.settlement(order)[0] == "MarketOpenExecuted"
        return order

    def ask_to_close(
        self, *, pair: int = BTC, index: int = 0, percent: int = 10_000, **more: int
    ) -> int:
        """The number of an order to close at the market's price."""
        wanted, slippage = more.get("price", self.price()), more.get("slippage", 200)
        self.send("closeTradeMarket", pair, index, percent, wanted, slippage)
        return self.last_order()

    def send(self, function: str, *arguments: object, key: str = USER_KEY) -> str:
        """A mined call to Trading; its transaction."""
        return self.venue.call(key, self.venue.deployed.trading, function, *arguments)

    def last_order(self) -> int:
        return int(self.venue.deployed.price_up_keep.read("lastOrderId"))

    def settlement(self, order: int) -> tuple[str, Mapping[str, Any]]:
        """The event that settles an order, and what it tells, once it is there."""
        names = ("MarketOpen", "MarketClose", "LimitOpen", "LimitClose", "Automation")
        return until(
            lambda: next(
                (one for one in self.events("Callbacks", order) if one[0].startswith(names)), None
            )
        )

    def events(self, contract: str, first_topic: int) -> list[tuple[str, Mapping[str, Any]]]:
        """What a contract logged about an order or a trade, by name."""
        addresses = {"Callbacks": self.venue.callbacks, "Trading": self.venue.trading}
        topics = [None, f"0x{first_topic:064x}"]
        asked = {"address": addresses[contract], "fromBlock": "0x0", "topics": topics}
        logs = self.venue.node.ask("eth_getLogs", asked)
        return [read_log(contract, log) for log in logs]

    def trade(self, *, pair: int = BTC, index: int = 0, trader: str = USER) -> Any:
        """The open trade's tuple; its leverage, at 5, is 0 where there is none."""
        return self.venue.deployed.trading_storage.read("getOpenTrade", trader, pair, index)

    def trade_id(self, *, pair: int = BTC, index: int = 0) -> int:
        told = self.venue.deployed.trading_storage.read("getOpenTradeInfo", USER, pair, index)
        return int(told[0])

    def balance(self) -> Decimal:
        return self.venue.balance(USER)

    def refused(self, function: str, *arguments: object, sender: str = USER) -> str:
        """Why Trading refuses a call: its error by name with its arguments, or a plain reason."""
        with pytest.raises(RpcError) as fault:
            self.venue.deployed.trading.acting(sender).read(function, *arguments)
        return why(fault.value)


def reason_of(settled: tuple[str, Mapping[str, Any]]) -> CancelReason:
    assert settled[0].endswith("Canceled"), settled
    return CancelReason(settled[1]["cancelReason"])


def until(asked: Callable[[], T | None]) -> T:
    """What is there at last."""
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        if (found := asked()) is not None:
            return found
        time.sleep(0.01)
    raise AssertionError(f"not within {_SECONDS} s")


def why(fault: RpcError) -> str:
    data = bytes.fromhex(fault.data.removeprefix("0x"))
    if not data:
        return "nothing"
    for one in artefacts()["Trading"].abi:
        if one["type"] == "error" and identity(one)[:4] == data[:4]:
            told = decode([kind(each) for each in one["inputs"]], data[4:])
            return f"{one['name']}({', '.join(str(each) for each in told)})"
    assert data[:4].hex() == "08c379a0", fault
    return str(decode(["string"], data[4:])[0])


def identity(entry: Mapping[str, Any]) -> bytes:
    """The hash of a signature: a topic, or a selector in its first four bytes."""
    return keccak(text=signature(entry))


def signature(entry: Mapping[str, Any]) -> str:
    return f"{entry['name']}({','.join(kind(one) for one in entry['inputs'])})"


def kind(told: Mapping[str, Any]) -> str:
    if not told["type"].startswith("tuple"):
        return str(told["type"])
    parts = ",".join(kind(one) for one in told["components"])
    return f"({parts}){told['type'].removeprefix('tuple')}"


def read_log(contract: str, log: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    entry = next(
        one
        for one in artefacts()[contract].abi
        if one["type"] == "event" and identity(one).hex() == log["topics"][0][2:]
    )
    plain = [one for one in entry["inputs"] if not one["indexed"]]
    marked = [one for one in entry["inputs"] if one["indexed"]]
    told = decode([kind(one) for one in plain], bytes.fromhex(log["data"][2:]))
    values = {one["name"]: value for one, value in zip(plain, told, strict=True)}
    for one, topic in zip(marked, log["topics"][1:], strict=True):
        values[one["name"]] = decode([kind(one)], bytes.fromhex(topic[2:]))[0]
    return entry["name"], values
