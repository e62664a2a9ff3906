"""What has traded, one row a price and an account, as `userFills` tells it."""

import hashlib
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from local.simulators.hyperliquid.figures import plain
from local.simulators.hyperliquid.orders import Order
from local.simulators.hyperliquid.positions import Effect


@dataclass(frozen=True)
class Liquidation:
    """Why a fill was forced. `mark` is in USD."""

    user: str
    mark: Decimal
    direction: str

    def told(self) -> dict[str, str]:
        return {"liquidatedUser": self.user, "markPx": plain(self.mark), "method": "market"}


@dataclass(frozen=True)
class Fill:
    """One trade of one account.

    Args:
        crossed: whether it took what was there; False is a maker's.
        liquidation: of a forced one.
    """

    order: Order
    price: Decimal
    size: Decimal
    at_ms: int
    tid: int
    crossed: bool
    effect: Effect
    liquidation: Liquidation | None = None

    def told(self) -> dict[str, Any]:
        """As `userFills` has it: a client id only where there is one."""
        effect = self.effect
        told: dict[str, Any] = {
            "coin": self.order.coin.name,
            "px": plain(self.price),
            "sz": plain(self.size),
            "side": "B" if self.order.is_buy else "A",
            "time": self.at_ms,
            "startPosition": plain(effect.start),
            "dir": effect.direction,
            "closedPnl": plain(effect.closed_pnl),
            "hash": _hash(self.order.oid, self.at_ms),
            "oid": self.order.oid,
            "crossed": self.crossed,
            "fee": plain(effect.fee),
            "tid": self.tid,
            "feeToken": "USDC",
            "twapId": None,
        }
        if self.order.cloid is not None:
            told["cloid"] = self.order.cloid
        if self.liquidation is not None:
            told["dir"] = self.liquidation.direction
            told["liquidation"] = self.liquidation.told()
        return told


@dataclass
class Fills:
    """All fills, oldest first; both sides of a trade share its id."""

    rows: list[Fill] = field(default_factory=list)
    _trades: int = 0

    def next_tid(self) -> int:
        """The id of a trade."""
        self._trades += 1
        return 1_070_455_000_000_000 + self._trades

    def of(self, user: str, known_by_ms: int) -> list[Fill]:
        """An account's, as far as they are known."""
        return [f for f in self.rows if f.order.user == user and f.at_ms <= known_by_ms]


def _hash(oid: int, at_ms: int) -> str:
    """Of the transaction: the same for all fills of one action's order."""
    return f"0x{hashlib.sha256(f'{oid}:{at_ms}'.encode()).hexdigest()}"
