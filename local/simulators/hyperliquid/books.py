"""The liquidity that nobody's order is: levels around the mark, the same for the same input.

Sizes change every second, and what was taken comes back with them. A level is a function of seed,
coin, second, side and place; only what was taken, and what a test set, is kept.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from local.simulators.hyperliquid.figures import ZERO
from local.simulators.hyperliquid.universe import Coin

DEPTH = 20
"""How many levels a side an answer shows."""
LEVELS = 200
"""How many there are."""
_SHARE_OF_DAY = 20_000


class Level(NamedTuple):
    """A price, what is to be had there, and how many orders that is."""

    price: Decimal
    size: Decimal
    orders: int


@dataclass(frozen=True)
class Moment:
    """A coin's mark in one second, which its levels are around."""

    coin: Coin
    mark: Decimal
    second: int


@dataclass
class Books:
    """The levels of all coins.

    Args:
        seed: another seed, other sizes.
        sizes: for a coin, its only levels' sizes from the best price outward, on both sides.
    """

    seed: int
    sizes: dict[str, tuple[Decimal, ...]] = field(default_factory=dict)
    _taken: dict[tuple[str, bool, Decimal], Decimal] = field(default_factory=dict)
    _taken_at: dict[str, tuple[Decimal, int]] = field(default_factory=dict)

    def asks(self, moment: Moment) -> Iterator[Level]:
        """What is offered, cheapest first."""
        return self._left(moment, is_ask=True)

    def bids(self, moment: Moment) -> Iterator[Level]:
        """What is asked for, dearest first."""
        return self._left(moment, is_ask=False)

    def take(self, moment: Moment, price: Decimal, size: Decimal, *, is_ask: bool) -> None:
        """Somebody traded against a level: so much less is there until the next second."""
        key = (moment.coin.name, is_ask, price)
        self._forget_if_over(moment)
        self._taken[key] = self._taken.get(key, ZERO) + size

    def _left(self, moment: Moment, *, is_ask: bool) -> Iterator[Level]:
        self._forget_if_over(moment)
        for level in self._whole(moment, is_ask=is_ask):
            left = level.size - self._taken.get((moment.coin.name, is_ask, level.price), ZERO)
            if left > 0:
                yield level._replace(size=left)

    def _whole(self, moment: Moment, *, is_ask: bool) -> Iterator[Level]:
        coin, price = moment.coin, moment.mark
        set_sizes = self.sizes.get(coin.name)
        for place in range(LEVELS if set_sizes is None else len(set_sizes)):
            tick = coin.tick(price)
            price = price + tick if is_ask else price - tick
            if price <= 0:
                return
            if set_sizes is None:
                yield self._level(moment, price, place, is_ask=is_ask)
            else:
                yield Level(price, set_sizes[place], 1)

    def _level(self, moment: Moment, price: Decimal, place: int, *, is_ask: bool) -> Level:
        """Half to one and a half of a twenty-thousandth of a day, and more the further out."""
        coin = moment.coin
        name = f"{self.seed}:{coin.name}:{moment.second}:{is_ask}:{place}"
        digest = hashlib.sha256(name.encode()).digest()
        share = Decimal(128 + digest[0]) / 256 * (20 + place) / 20
        size = (coin.day_volume_usd / _SHARE_OF_DAY / price * share).quantize(coin.lot)
        return Level(price, max(size, coin.lot), 1 + digest[1] % 9)

    def _forget_if_over(self, moment: Moment) -> None:
        now = (moment.mark, moment.second)
        if self._taken_at.get(moment.coin.name) == now:
            return
        self._taken_at[moment.coin.name] = now
        for key in [key for key in self._taken if key[0] == moment.coin.name]:
            del self._taken[key]
