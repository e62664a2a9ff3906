"""The keeper of the local venue: answers price requests, and ends trades whose bounds are crossed.

What it has to answer it reads from the chain each time, so that it may be silent, late or
overtaken by a reorganisation and still knows what is open.
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final, Literal, Self

import urllib3

from local.chain.deploy import Deployment
from local.chain.feeds import Feeds, NoPrices, Price
from local.chain.rpc import RpcError

Mode = Literal["fill", "cancel", "silent"]

_TICK_SECONDS: Final = 0.05
_TICKS_BETWEEN_EXITS: Final = 5


class CancelReason(IntEnum):
    """Why the venue cancels an order."""

    NONE = 0
    PAUSED = 1
    MARKET_CLOSED = 2
    SLIPPAGE = 3
    TP_REACHED = 4
    SL_REACHED = 5
    EXPOSURE_LIMITS = 6
    PRICE_IMPACT = 7
    MAX_LEVERAGE = 8
    NO_TRADE = 9
    UNDER_LIQUIDATION = 10
    NOT_HIT = 11
    GAIN_LOSS = 12
    DAY_TRADE_NOT_ALLOWED = 13
    CLOSE_DAY_TRADE_NOT_ALLOWED = 14
    WRONG_TRADE = 15


class Automation(IntEnum):
    """What a keeper does of itself. The numbers are the local contracts', unverified elsewhere."""

    TAKE_PROFIT = 0
    STOP_LOSS = 1
    LIQUIDATION = 2
    LIMIT_OPEN = 3
    DAY_TRADE = 4


@dataclass(frozen=True, slots=True)
class Manner:
    """How the keeper answers.

    Args:
        mode: `fill` as the market has it, `cancel` with the reason, or stay `silent`.
        seconds: how long it lets a request wait.
        times: so many answers, then it fills again; None is until told otherwise.
        exits: whether it ends trades by itself when a price has crossed their bounds.
    """

    mode: Mode = "fill"
    reason: CancelReason = CancelReason.SLIPPAGE
    seconds: float = 0
    times: int | None = None
    exits: bool = True

    def told(self) -> dict[str, Any]:
        """As JSON would have it."""
        return {
            "mode": self.mode,
            "reason": self.reason.name,
            "seconds": self.seconds,
            "times": self.times,
            "exits": self.exits,
        }


class Keeper:
    """Answers from a thread of its own, from construction until `close`.

    Args:
        account: the node signs for it.
        prices_url: the base of the price service.
        by_itself: whether there is a thread; else it acts with each `keep` and `end_what_is_due`.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        deployed: Deployment,
        account: str,
        prices_url: str,
        *,
        by_itself: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.manner = Manner()
        self._feeds = Feeds(prices_url)
        self._oracle = deployed.price_up_keep.acting(account)
        self._trading = deployed.trading.acting(account)
        self._storage = deployed.trading_storage
        self._pairs = deployed.pairs_storage
        self._callbacks = deployed.callbacks
        self._clock = clock
        self._seen: dict[int, float] = {}
        self._ticks = 0
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._work, name="keeper", daemon=True)
        if by_itself:
            self._thread.start()

    def close(self) -> None:
        """Answer nothing more; a second call does nothing."""
        self._closing.set()
        if self._thread.is_alive():
            self._thread.join()
        self._feeds.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def fill(self, *, seconds: float = 0, exits: bool = True) -> None:
        """Execute orders at the service's price, or cancel them as the venue's rules say."""
        self.behave(Manner(seconds=seconds, exits=exits))

    def cancel(self, reason: CancelReason, *, times: int | None = None) -> None:
        """Cancel what is asked from now on, whatever the market is."""
        self.behave(Manner("cancel", reason, times=times))

    def silent(self) -> None:
        """Answer nothing, until told to fill; what waits is answered then."""
        self.behave(Manner("silent"))

    def behave(self, manner: Manner) -> None:
        """Behave so from now on; an answer that has begun is ended first."""
        with self._lock:
            self.manner = manner
            self._seen.clear()

    def unanswered(self) -> list[int]:
        """The orders that wait for an answer. Raises RpcError."""
        return sorted(self._oracle.read("unanswered"))

    def answer(self, order_id: int) -> None:
        """Answer one order now at the service's price, whatever the manner.

        Raises:
            NoPrices: the price service does not answer.
            RpcError: the contracts refuse.
        """
        with self._lock:
            self._oracle.send("answer", self._price_of(order_id).answer(order_id))

    def refuse(self, order_id: int, reason: CancelReason) -> None:
        """Cancel one order now. Raises RpcError."""
        with self._lock:
            self._oracle.send("refuse", order_id, int(reason))

    def exit(self, trader: str, pair_index: int, index: int, why: Automation) -> None:
        """Ask for the end of a trade, or the fill of a limit order, and answer at once.

        The contracts cancel it where the price does not bear it out. Raises NoPrices, RpcError.
        """
        with self._lock:
            asked = self._trading.send(
                "executeAutomationOrder", int(why), trader, pair_index, index, int(time.time())
            )
            self.answer(self._requested(asked))

    def keep(self) -> None:
        """Treat what waits, as the manner says. Raises NoPrices, RpcError."""
        with self._lock:
            waiting = self.unanswered()
            self._seen = {one: self._seen.get(one, self._clock()) for one in waiting}
            for order_id in waiting:
                if self._clock() - self._seen[order_id] >= self.manner.seconds:
                    self._treat(order_id)

    def end_what_is_due(self) -> None:
        """End the trades whose bounds the price has crossed. Raises NoPrices, RpcError."""
        with self._lock:
            if self.manner.exits:
                self._end_what_is_due()

    def _work(self) -> None:
        while not self._closing.wait(_TICK_SECONDS):
            try:
                self._tick()
            except (RpcError, NoPrices, urllib3.exceptions.HTTPError):
                continue  # the next tick tries again

    def _tick(self) -> None:
        self._ticks += 1
        self.keep()
        if self._ticks % _TICKS_BETWEEN_EXITS == 0:
            self.end_what_is_due()

    def _treat(self, order_id: int) -> None:
        match self.manner.mode:
            case "silent":
                return
            case "cancel":
                self.refuse(order_id, self.manner.reason)
            case "fill":
                self.answer(order_id)
        self._count()

    def _count(self) -> None:
        told = self.manner
        if told.times is None:
            return
        rest = told.times - 1
        self.manner = (
            Manner(told.mode, told.reason, told.seconds, rest, told.exits) if rest else Manner()
        )

    def _end_what_is_due(self) -> None:
        trades = self._storage.read("everyOpenTrade")
        if not trades:
            return
        prices = self._feeds.prices()
        for *_, trader, _, pair_index, index, is_buy, _ in trades:
            price = prices.get(self._pairs.read("feedOf", pair_index))
            if price is None or not price.is_open:
                continue
            given = price.bid if is_buy else price.ask
            is_due, why = self._callbacks.read("reached", trader, pair_index, index, given)
            if is_due:
                self.exit(trader, pair_index, index, Automation(why))

    def _requested(self, receipt: Mapping[str, Any]) -> int:
        """The number of the order that a transaction asked a price for."""
        topics = next(
            log["topics"]
            for log in receipt["logs"]
            if log["address"].lower() == self._oracle.address.lower()
        )
        return int(topics[1], 16)

    def _price_of(self, order_id: int) -> Price:
        feed = self._oracle.read("requestFeed", order_id)
        found = self._feeds.prices().get(feed)
        if found is None:
            raise NoPrices(f"no price of the feed 0x{feed.hex()}")
        return found
