"""Who trades here: balances, positions, leverage, fee rates, and the agents that sign for them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from local.simulators.hyperliquid.figures import ZERO
from local.simulators.hyperliquid.universe import Coin

TAKER_RATE = Decimal("0.00045")
MAKER_RATE = Decimal("0.00015")


class Mode(StrEnum):
    """Where an account's collateral lies, in the words of `userAbstraction`."""

    UNIFIED = "unifiedAccount"
    PORTFOLIO = "portfolioMargin"
    DISABLED = "disabled"
    DEFAULT = "default"
    DEX = "dexAbstraction"

    @property
    def is_unified(self) -> bool:
        """Whether spot USDC is what perpetuals are margined with."""
        return self in (Mode.UNIFIED, Mode.PORTFOLIO)


@dataclass(frozen=True)
class Leverage:
    """How an account trades one coin."""

    value: int
    is_cross: bool


@dataclass
class Position:
    """One coin's position, netted.

    Args:
        size: in coins; below zero is short.
        cost_usd: what was paid for all of it, of the size's sign: the entry price is cost / size.
        margin_usd: what an isolated position has to itself, without its unrealised pnl.
    """

    coin: Coin
    leverage: Leverage
    size: Decimal = ZERO
    cost_usd: Decimal = ZERO
    margin_usd: Decimal = ZERO

    def unrealised_usd(self, mark: Decimal) -> Decimal:
        return self.size * mark - self.cost_usd

    def notional_usd(self, mark: Decimal) -> Decimal:
        return abs(self.size) * mark


@dataclass(frozen=True)
class Agent:
    """A key that may trade for an account. The unnamed one has an empty name."""

    address: str
    name: str
    valid_until_ms: int


@dataclass
class Account:
    """A user or a sub-account.

    Args:
        cash_usd: USDC of the perpetuals' side, isolated margins included.
        spot_usd: USDC of the spot side, which margins nothing unless the mode unifies both; where
            it does, all is in `cash_usd` and this is nought.
        master: for a sub-account, the user whose keys sign for it.
        removal_ms: when an agent was last removed.
    """

    address: str
    cash_usd: Decimal = ZERO
    spot_usd: Decimal = ZERO
    mode: Mode = Mode.DEFAULT
    taker_rate: Decimal = TAKER_RATE
    maker_rate: Decimal = MAKER_RATE
    master: str | None = None
    volume_usd: Decimal = ZERO
    requests_used: int = 0
    deposited_usd: Decimal = ZERO
    removal_ms: int = 0
    positions: dict[str, Position] = field(default_factory=dict)
    leverages: dict[str, Leverage] = field(default_factory=dict)
    agents: list[Agent] = field(default_factory=list)

    def leverage(self, coin: Coin) -> Leverage:
        """What it has set for a coin, or has by default."""
        default = Leverage(coin.default_leverage, is_cross=not coin.is_isolated)
        return self.leverages.get(coin.name, default)

    def size(self, coin: Coin) -> Decimal:
        """Its position in coins, below zero where short."""
        held = self.positions.get(coin.name)
        return held.size if held else ZERO

    def open_positions(self) -> Iterator[Position]:
        return (held for held in self.positions.values() if held.size)

    def withdraw(self, usd: Decimal) -> None:
        """Take cash out for good."""
        self.cash_usd -= usd
        self.deposited_usd -= usd

    def deposit(self, usd: Decimal) -> None:
        """Put cash in."""
        self.cash_usd += usd
        self.deposited_usd += usd
