"""Everything the simulated venue remembers, in memory and in one place."""

from collections import Counter, deque
from copy import deepcopy
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from local.simulators.hyperliquid.accounts import Account
from local.simulators.hyperliquid.figures import ZERO
from local.simulators.hyperliquid.fills import Fills
from local.simulators.hyperliquid.markets import Markets
from local.simulators.hyperliquid.nonces import Nonces
from local.simulators.hyperliquid.orders import Orders

_LOGGED = 10_000
_KEPT = 100


@dataclass
class Lag:
    """How late reads learn of what has happened, in milliseconds."""

    order_status_ms: int = 0
    fills_ms: int = 0
    positions_ms: int = 0


@dataclass
class Ledger:
    """What accounts have done; a new one is an empty venue.

    Args:
        users: the account that each agent's key may trade for.
        agents_ever: every address that was ever an agent: none may be one again.
        actions: what was admitted and how it was answered, oldest first, the latest of them.
        past: by address, accounts as they stood before each of their latest trades, and when.
        requests: how many came, by path and type.
    """

    accounts: dict[str, Account] = field(default_factory=dict)
    orders: Orders = field(default_factory=Orders)
    fills: Fills = field(default_factory=Fills)
    nonces: Nonces = field(default_factory=Nonces)
    users: dict[str, str] = field(default_factory=dict)
    agents_ever: set[str] = field(default_factory=set)
    actions: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_LOGGED))
    requests: Counter[str] = field(default_factory=Counter)
    past: dict[str, deque[tuple[int, Account]]] = field(default_factory=dict)

    def account(self, address: str) -> Account:
        """Open it where it is not there yet."""
        return self.accounts.setdefault(address, Account(address))

    def remember(self, account: Account, now_ms: int) -> None:
        """Keep an account as it is, for reads that are late to know what follows."""
        kept = self.past.setdefault(account.address, deque(maxlen=_KEPT))
        kept.append((now_ms, deepcopy(account)))

    def as_of(self, address: str, at_ms: int) -> Account | None:
        """An account as it stood then, as far as trades have changed it. None: it has none."""
        later = (was for changed_ms, was in self.past.get(address, ()) if changed_ms > at_ms)
        return next(later, self.accounts.get(address))

    def held_by_orders(self, account: Account) -> Decimal:
        """The margin that resting orders bind, in USD."""
        return sum(
            (
                order.remaining * order.limit / account.leverage(order.coin).value
                for order in self.orders.open_of(account.address)
                if order.rests and not order.reduce_only
            ),
            ZERO,
        )


@dataclass
class State:
    """The venue: its markets, and what accounts have done in them.

    Args:
        is_mainnet: which signatures count.
    """

    markets: Markets
    is_mainnet: bool
    ledger: Ledger = field(default_factory=Ledger)
    lag: Lag = field(default_factory=Lag)

    def now_ms(self) -> int:
        return self.markets.clock.milliseconds()
