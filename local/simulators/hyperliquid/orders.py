"""Orders with their states, and where they are found: by id, by client id, by who placed them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from local.simulators.hyperliquid.figures import ZERO
from local.simulators.hyperliquid.universe import Coin


class Status(StrEnum):
    """An order's state, in the words of `orderStatus`."""

    OPEN = "open"
    FILLED = "filled"
    CANCELED = "canceled"
    SELF_TRADE_CANCELED = "selfTradeCanceled"
    REDUCE_ONLY_CANCELED = "reduceOnlyCanceled"
    SIBLING_FILLED_CANCELED = "siblingFilledCanceled"
    DELISTED_CANCELED = "delistedCanceled"
    LIQUIDATED_CANCELED = "liquidatedCanceled"
    MIN_TRADE_REJECTED = "minTradeNtlRejected"
    MARGIN_REJECTED = "perpMarginRejected"
    REDUCE_ONLY_REJECTED = "reduceOnlyRejected"
    POST_ONLY_REJECTED = "badAloPxRejected"
    IOC_REJECTED = "iocCancelRejected"
    TRIGGER_REJECTED = "badTriggerPxRejected"
    NO_LIQUIDITY_REJECTED = "marketOrderNoLiquidityRejected"
    INCREASE_AT_CAP_REJECTED = "positionIncreaseAtOpenInterestCapRejected"
    FLIP_AT_CAP_REJECTED = "positionFlipAtOpenInterestCapRejected"
    MAX_POSITION_REJECTED = "perpMaxPositionRejected"


IMMEDIATE = frozenset({"Ioc", "FrontendMarket"})
"""The times in force that never rest."""


@dataclass(frozen=True)
class Trigger:
    """When an order comes to life: the mark at or beyond a price in USD."""

    price: Decimal
    is_market: bool
    is_take_profit: bool

    def is_above(self, *, is_buy: bool) -> bool:
        """Whether the mark has to rise to it."""
        return self.is_take_profit is not is_buy

    def is_reached(self, mark: Decimal, *, is_buy: bool) -> bool:
        return mark >= self.price if self.is_above(is_buy=is_buy) else mark <= self.price


@dataclass
class Order:
    """One order of one account.

    Args:
        limit: USD per coin.
        size: in coins, as placed; `remaining` is what may still trade.
        tif: when it has no trigger.
        is_waiting: a trigger that has not been reached, or whose parent has not filled.
        parent: the order that has to fill before this one lives.
        is_position_tpsl: sized to the position, whatever that is when it fires.
    """

    oid: int
    user: str
    coin: Coin
    is_buy: bool
    limit: Decimal
    size: Decimal
    reduce_only: bool
    placed_ms: int
    tif: str | None = None
    cloid: str | None = None
    trigger: Trigger | None = None
    is_waiting: bool = False
    is_position_tpsl: bool = False
    parent: int | None = None
    status: Status = Status.OPEN
    status_ms: int = 0
    remaining: Decimal = ZERO
    filled: Decimal = ZERO
    filled_usd: Decimal = ZERO

    def __post_init__(self) -> None:
        self.remaining = self.size
        self.status_ms = self.placed_ms
        self.is_waiting = self.trigger is not None

    @property
    def sign(self) -> int:
        return 1 if self.is_buy else -1

    @property
    def is_open(self) -> bool:
        return self.status is Status.OPEN

    @property
    def is_immediate(self) -> bool:
        """Whether what does not trade at once is dropped."""
        return self.trigger.is_market if self.trigger else self.tif in IMMEDIATE

    @property
    def rests(self) -> bool:
        """Whether others can trade against it."""
        return self.is_open and not self.is_waiting

    def allows(self, price: Decimal) -> bool:
        """Whether its limit lets it trade at a price."""
        return price <= self.limit if self.is_buy else price >= self.limit

    def end(self, status: Status, at_ms: int) -> None:
        """It is over, or has changed its state."""
        self.status = status
        self.status_ms = at_ms


@dataclass
class Orders:
    """All orders ever placed; the open ones are found without looking at the rest."""

    by_oid: dict[int, Order] = field(default_factory=dict)
    _by_cloid: dict[tuple[str, str], Order] = field(default_factory=dict)
    _open: dict[int, Order] = field(default_factory=dict)
    _next: int = 41_545_810_396

    def next_oid(self) -> int:
        """An id nobody has had."""
        self._next += 1
        return self._next

    def add(self, order: Order) -> None:
        """Keep it; the latest with a client id owns the look-up by it."""
        self.by_oid[order.oid] = order
        self._open[order.oid] = order
        if order.cloid is not None:
            self._by_cloid[order.user, order.cloid] = order

    def with_oid(self, user: str, oid: int) -> Order | None:
        found = self.by_oid.get(oid)
        return found if found and found.user == user else None

    def with_cloid(self, user: str, cloid: str) -> Order | None:
        return self._by_cloid.get((user, cloid))

    def open(self) -> Iterator[Order]:
        """Those not over, oldest first; safe while some of them end."""
        for oid, order in list(self._open.items()):
            if order.is_open:
                yield order
            else:
                self._open.pop(oid, None)  # a caller further out may have been here

    def open_of(self, user: str) -> Iterator[Order]:
        return (order for order in self.open() if order.user == user)

    def resting(self, coin: Coin, *, is_buy: bool) -> list[Order]:
        """What can be traded against on one side, best price first and oldest first within it."""
        found = [o for o in self.open() if o.rests and o.coin is coin and o.is_buy is is_buy]
        return sorted(found, key=lambda order: (-order.sign * order.limit, order.oid))

    def of(self, user: str) -> list[Order]:
        """All of an account's, oldest first."""
        return [order for order in self.by_oid.values() if order.user == user]
