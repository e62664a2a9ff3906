"""The words of the system as frozen models: signals, markets, decisions, orders, positions.

Money is Decimal. Sizes are per canonical token (base units), prices USD per base unit, fractions
plain (0.05 is five percent), times aware UTC. A venue's own units never leave its adapter.
"""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

VenueId = str
MULTI: VenueId = "MULTI"
TRADABLE_VENUES: tuple[VenueId, ...] = ("SPOT", "GMX", "HYPERLIQUID", "OSTIUM")
DEFAULT_PRIORITY: tuple[VenueId, ...] = ("HYPERLIQUID", "OSTIUM")

ZERO = Decimal(0)
BPS = Decimal(10_000)

Positive = Annotated[Decimal, Field(gt=0, allow_inf_nan=False)]
NotNegative = Annotated[Decimal, Field(ge=0, allow_inf_nan=False)]


class Model(BaseModel):
    """A value: compared by content, never changed, no key it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Side(StrEnum):
    LONG = "LONG"
    SHORT = "SHORT"

    @property
    def sign(self) -> int:
        """1 for LONG, -1 for SHORT: the direction in which a rising price pays."""
        return 1 if self is Side.LONG else -1

    @property
    def opposite(self) -> "Side":
        return Side.SHORT if self is Side.LONG else Side.LONG


class SignalAction(StrEnum):
    OPEN = "OPEN"
    CLOSE = "CLOSE"


class ControlScope(StrEnum):
    GLOBAL = "global"
    VENUE = "venue"
    AGENT = "agent"
    DEPLOYMENT = "deployment"


class ControlState(StrEnum):
    ACTIVE = "ACTIVE"
    CLOSE_ONLY = "CLOSE_ONLY"
    HALTED = "HALTED"


class Mode(StrEnum):
    PAPER = "PAPER"
    LIVE = "LIVE"


class Purpose(StrEnum):
    ENTRY = "ENTRY"
    CLOSE = "CLOSE"
    TAKE_PROFIT = "TAKE_PROFIT"
    STOP_LOSS = "STOP_LOSS"


class OrderStatus(StrEnum):
    """The states of an order; the database allows only the moves of the design's table."""

    PLANNED = "PLANNED"
    SENT = "SENT"
    ACCEPTED = "ACCEPTED"
    FILLED = "FILLED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"

    @property
    def is_end(self) -> bool:
        return self in (OrderStatus.FILLED, OrderStatus.REJECTED, OrderStatus.EXPIRED)


class SizeType(StrEnum):
    BALANCE_PERCENTAGE = "balance-percentage"
    FIXED_USDC = "fixed-usdc"


class SizeModel(Model):
    """How much to stake.

    `value` is percent of the account's free collateral, or collateral in USDC. The notional is
    collateral times leverage.
    """

    type: SizeType
    value: Positive
    leverage: Annotated[Decimal, Field(ge=1, le=1000)] = Decimal(1)

    def notional_usd(self) -> Decimal | None:
        """What would be traded, in USD, where that is known before the account is read."""
        return self.value * self.leverage if self.type is SizeType.FIXED_USDC else None


class RiskModel(Model):
    """Bounds as fractions of the entry price; None is: no such exit."""

    stop_loss: Annotated[Decimal, Field(gt=0, lt=1)] | None = None
    take_profit: Annotated[Decimal, Field(gt=0, le=100)] | None = None
    max_slippage: Annotated[Decimal, Field(gt=0, le=Decimal("0.5"))] = Decimal("0.01")


class Signal(Model):
    """What an agent wants. `venue` is what it asked for; MULTI leaves the choice to the router."""

    id: UUID
    agent_id: UUID
    token_symbol: str
    venue: VenueId
    action: SignalAction
    side: Side | None
    size: SizeModel | None
    risk: RiskModel = RiskModel()
    expires_at: datetime | None

    def is_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at


class Market(Model):
    """One token at one venue, as last synced, in canonical units."""

    venue: VenueId
    token_symbol: str
    name: str
    index: int | None
    is_active: bool = True
    is_open: bool = True
    multiplier: Positive = Decimal(1)
    """How many canonical tokens the venue's own unit holds (1000 for a k-market)."""
    min_notional_usd: NotNegative = ZERO
    max_leverage: Positive
    group: str | None = None
    price_usd: Positive | None = None
    taker_fee_bps: NotNegative = ZERO
    last_synced: datetime | None = None
    """Database time of the sync that last saw it; None before it was ever stored."""
    size_step: Positive = Decimal("1e-18")
    """The grid of order sizes, in base units."""
    sides: tuple[Side, ...] = (Side.LONG, Side.SHORT)
    order_fee_usd: NotNegative = ZERO
    """Flat fee of each order, in USD, beside the taker fee (an oracle's fee)."""
    netting: bool = False
    """Whether the venue nets all orders of an account here into one position."""


class Refusal(StrEnum):
    """Why a candidate, or an order on its way, was turned down."""

    HALTED = "HALTED"
    CLOSE_ONLY = "CLOSE_ONLY"
    ABOVE_LIMIT = "ABOVE_LIMIT"
    AGENT_NOT_ACTIVE = "AGENT_NOT_ACTIVE"
    DEPLOYMENT_NOT_ACTIVE = "DEPLOYMENT_NOT_ACTIVE"
    SUPERSEDED = "SUPERSEDED"
    SIGNAL_EXPIRED = "SIGNAL_EXPIRED"
    VENUE_NOT_SUPPORTED = "VENUE_NOT_SUPPORTED"
    NOT_LISTED = "NOT_LISTED"
    MARKET_INACTIVE = "MARKET_INACTIVE"
    MARKET_CLOSED = "MARKET_CLOSED"
    MARKET_STALE = "MARKET_STALE"
    SIDE_NOT_SUPPORTED = "SIDE_NOT_SUPPORTED"
    ABOVE_MAX_LEVERAGE = "ABOVE_MAX_LEVERAGE"
    BELOW_MIN_POSITION = "BELOW_MIN_POSITION"
    NO_PRICE = "NO_PRICE"
    NO_COLLATERAL = "NO_COLLATERAL"
    OPPOSITE_POSITION = "OPPOSITE_POSITION"
    NOTHING_TO_CLOSE = "NOTHING_TO_CLOSE"
    DUST = "DUST"
    BAD_SIGNAL = "BAD_SIGNAL"
    UNKNOWN_STRATEGY = "UNKNOWN_STRATEGY"
    VENUE_REFUSED = "VENUE_REFUSED"
    NOT_APPROVED = "NOT_APPROVED"


class Order(Model):
    """One intent at one venue, as the ledger has it."""

    id: UUID
    signal_id: UUID
    deployment_id: UUID
    position_id: UUID
    purpose: Purpose
    leg: str
    attempt: int
    venue: VenueId
    account: str
    mode: Mode
    token_symbol: str
    market_name: str
    side: Side
    """The direction of the order itself: a LONG position is closed by a SHORT order."""
    leverage: Positive
    status: OrderStatus
    collateral_usd: Decimal | None = None
    size: Decimal | None = None
    limit_price: Decimal | None = None
    trigger_price: Decimal | None = None
    signer_address: str | None = None
    """What signs for the account; None: on paper."""
    position_ref: str | None = None
    """What the venue calls the position that an exit closes, where each stands for itself."""
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    """Bounds that go with an entry where the venue takes them so, USD per base unit."""
    detail: str = ""


class Quote(Model):
    """What the venue would trade at, USD per base unit."""

    bid: Positive
    ask: Positive
    at: datetime

    @property
    def mid(self) -> Decimal:
        return (self.bid + self.ask) / 2

    def price_for(self, side: Side) -> Decimal:
        """The price that an order of this side takes."""
        return self.ask if side is Side.LONG else self.bid


class Account(Model):
    """A user's account at a venue."""

    free_collateral_usd: Decimal


class Fill(Model):
    """One execution, as the venue reports it, in canonical units. `fee_usd` is what it cost."""

    venue_fill_id: str
    size: Positive
    price: Positive
    fee_usd: Decimal
    at: datetime


class Settled(Model):
    """How an order ended: FILLED with its fills, or REJECTED or EXPIRED with none.

    `position_ref`, `stop_loss` and `take_profit`: what the venue calls the position that an entry
    opened, and the bounds that it confirmed with it, USD per base unit. `fee_usd`: what an order
    cost that ended without fills.
    """

    status: OrderStatus
    fills: tuple[Fill, ...] = ()
    code: str = ""
    detail: str = ""
    position_ref: str | None = None
    stop_loss: Decimal | None = None
    take_profit: Decimal | None = None
    fee_usd: Decimal = ZERO

    @model_validator(mode="after")
    def filled_means_fills(self) -> Self:
        if (self.status is OrderStatus.FILLED) != bool(self.fills):
            raise ValueError(f"{self.status} with {len(self.fills)} fills")
        return self

    @property
    def filled_size(self) -> Decimal:
        return sum((fill.size for fill in self.fills), ZERO)
