"""Someone who trades on the simulated Hyperliquid: signs as the official client does, by its code.

Nothing of the layer's own signing is in here, and no HTTP: requests go straight to the simulator.
"""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from eth_account import Account

from local.simulators.hyperliquid import HyperliquidSimulator
from local.simulators.server import Reply, Request

signing = pytest.importorskip(
    "hyperliquid.utils.signing", reason="hyperliquid-python-sdk is not in this environment"
)

NOW = datetime(2026, 2, 6, 12, 0, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1000)
BTC, ETH, ATOM = 0, 1, 2
MARK = "60000"


class Time:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_seconds(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


class Place:
    """A simulator with BTC at 60,000 USD, and what a test tells and asks it."""

    def __init__(self, *, is_mainnet: bool = False) -> None:
        self.time = Time()
        self.simulator = HyperliquidSimulator(self.time, is_mainnet=is_mainnet)
        self.tell("price", coin="BTC", price=MARK)

    def tell(self, what: str, **body: object) -> Any:
        sent = json.dumps(body).encode()
        return self.simulator.control.apply(f"/simulator/{what}", sent)

    def books(self) -> Any:
        return self.simulator.control.report("/simulator/books")

    def post(self, path: str, body: object) -> Reply:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.simulator.answer(Request("POST", path, {}, sent))

    def ask(self, kind: str, **what: object) -> Any:
        return json.loads(self.post("/info", {"type": kind, **what}).body)

    def trader(self, usd: int = 100_000) -> "Trader":
        trader = Trader(self, Account.create())
        if usd:
            self.tell("deposit", user=trader.address, usd=usd)
        return trader


class Trader:
    """A key, and the account it trades for: its own unless it is an agent's."""

    nonces = NOW_MS

    def __init__(self, place: Place, wallet: Any, user: str | None = None) -> None:
        self.place = place
        self.wallet = wallet
        self.address = str(wallet.address).lower()
        self.user = user or self.address

    def send(
        self,
        action: Any,
        *,
        nonce: int | None = None,
        vault: str | None = None,
        expires: int | None = None,
        is_mainnet: bool = False,
    ) -> Any:
        body = self.signed(action, nonce, vault, expires, is_mainnet=is_mainnet)
        reply = self.place.post("/exchange", body)
        assert reply.status == 200, reply
        return json.loads(reply.body)

    def signed(
        self,
        action: Any,
        nonce: int | None = None,
        vault: str | None = None,
        expires: int | None = None,
        *,
        is_mainnet: bool = False,
    ) -> dict[str, Any]:
        nonce = self.next_nonce() if nonce is None else nonce
        signature = signing.sign_l1_action(self.wallet, action, vault, nonce, expires, is_mainnet)
        return {
            "action": action,
            "nonce": nonce,
            "signature": signature,
            "vaultAddress": vault,
            "expiresAfter": expires,
        }

    @classmethod
    def next_nonce(cls) -> int:
        Trader.nonces += 1
        return Trader.nonces

    def place_all(self, *orders: dict[str, Any], grouping: str = "na", **rest: Any) -> Any:
        return self.send(signing.order_wires_to_order_action(list(orders), None, grouping), **rest)

    def order(self, *args: Any, **kwargs: Any) -> Any:
        """Place one; returns its status."""
        rest = {key: kwargs.pop(key) for key in ("nonce", "expires") if key in kwargs}
        answer = self.place_all(order(*args, **kwargs), **rest)
        assert answer["status"] == "ok", answer
        (status,) = answer["response"]["data"]["statuses"]
        return status

    def leverage(self, asset: int, value: int, *, is_cross: bool = True) -> Any:
        return self.send(
            {"type": "updateLeverage", "asset": asset, "isCross": is_cross, "leverage": value}
        )

    def approve(self, agent: str, name: str | None = None) -> Any:
        nonce = self.next_nonce()
        action: dict[str, Any] = {"type": "approveAgent", "agentAddress": agent}
        action |= {"agentName": name or "", "nonce": nonce}
        signature = signing.sign_agent(self.wallet, action, False)
        if name is None:
            del action["agentName"]
        body = {"action": action, "nonce": nonce, "signature": signature}
        return json.loads(self.place.post("/exchange", body).body)

    def agent(self, name: str | None = None) -> "Trader":
        made = Account.create()
        assert self.approve(made.address, name)["status"] == "ok"
        return Trader(self.place, made, self.user)

    def ask(self, kind: str, **what: object) -> Any:
        return self.place.ask(kind, user=self.user, **what)

    def told(self) -> Any:
        return self.place.books()["accounts"][self.user]

    def position(self, coin: str = "BTC") -> Decimal:
        held = self.told()["positions"].get(coin)
        return Decimal(held["size"]) if held else Decimal(0)

    def status(self, which: int | str) -> str:
        return str(self.ask("orderStatus", oid=which)["order"]["status"])


def order(
    size: str,
    price: str = "",
    *,
    asset: int = BTC,
    is_buy: bool = True,
    tif: str = "Ioc",
    reduce_only: bool = False,
    cloid: str | None = None,
    trigger: tuple[str, str] | None = None,
) -> dict[str, Any]:
    """An order as it goes over the wire; the price is five percent off the mark by default."""
    price = price or ("63000" if is_buy else "57000")
    kind: dict[str, Any] = {"limit": {"tif": tif}}
    if trigger:
        kind = {"trigger": {"isMarket": True, "triggerPx": trigger[1], "tpsl": trigger[0]}}
    made = {"a": asset, "b": is_buy, "p": price, "s": size, "r": reduce_only, "t": kind}
    return made | ({"c": cloid} if cloid else {})


def sell(size: str, price: str = "", **rest: Any) -> dict[str, Any]:
    return order(size, price, is_buy=False, **rest)


def stop(size: str, trigger: str, **rest: Any) -> dict[str, Any]:
    """A stop-loss of a long position, sold at the market."""
    price = str(int(Decimal(trigger) * Decimal("0.9")))
    return sell(size, price, reduce_only=True, trigger=("sl", trigger), **rest)


def profit(size: str, trigger: str, **rest: Any) -> dict[str, Any]:
    """A take-profit of a long position, sold at the market."""
    price = str(int(Decimal(trigger) * Decimal("0.9")))
    return sell(size, price, reduce_only=True, trigger=("tp", trigger), **rest)


def cloid(number: int) -> str:
    return f"0x{number:032x}"
