"""Every market at this moment: its mark, whether it is listed, and the levels around its mark."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from local.simulators.control import Control
from local.simulators.hyperliquid.books import Books, Level, Moment
from local.simulators.hyperliquid.clock import Clock
from local.simulators.hyperliquid.universe import Coin, coins
from local.simulators.prices import wander

_NOW = timedelta()


@dataclass
class Markets:
    """What the clock, the seed and a test make of the universe.

    Args:
        capped: the coins whose open interest may not grow.
    """

    clock: Clock
    control: Control
    books: Books
    seed: int
    capped: set[str] = field(default_factory=set)
    coins: tuple[Coin, ...] = field(default_factory=coins)

    def __post_init__(self) -> None:
        self._by_name = {coin.name: coin for coin in self.coins}

    def named(self, name: str) -> Coin | None:
        return self._by_name.get(name)

    def at(self, asset: int) -> Coin | None:
        """The coin that an order's asset id names, delisted or not."""
        return self.coins[asset] if 0 <= asset < len(self.coins) else None

    def mark(self, coin: Coin, ago: timedelta = _NOW) -> Decimal:
        """In USD, on the grid of prices; it moves once a second unless a test has set it."""
        price = self.control.prices.get(coin.name)
        if price is None:
            moves = not self.is_delisted(coin)
            at = (self.clock.now() - ago).replace(microsecond=0)
            price = coin.price * wander(coin.name, self.seed, at) if moves else coin.price
        return price.quantize(coin.tick(price)) or coin.tick(price)

    def is_delisted(self, coin: Coin) -> bool:
        """As the table has it, unless a test says otherwise."""
        return not self.control.is_open.get(coin.name, not coin.is_delisted)

    def moment(self, coin: Coin) -> Moment:
        """What the coin's levels are around now."""
        return Moment(coin, self.mark(coin), int(self.clock.now().timestamp()))

    def levels(self, coin: Coin, *, is_ask: bool) -> Iterator[Level]:
        """Nobody's orders, best price first; a delisted market has none."""
        if self.is_delisted(coin):
            return iter(())
        moment = self.moment(coin)
        return self.books.asks(moment) if is_ask else self.books.bids(moment)
