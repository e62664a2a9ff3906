"""What was traded, as answered: a signal's trail, positions, and the markets they are in."""

from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

from pydantic import (
    AliasChoices,
    Field,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)

from agent_where.contract.decisions import DecisionView
from agent_where.contract.queries import PositionStatus
from agent_where.contract.shapes import (
    Amount,
    Answer,
    RefusalWord,
    SideWord,
    TradableVenue,
    Venue,
    View,
    words,
)
from agent_where.domain import Mode, OrderStatus, Purpose, SignalAction, SizeType

V = TypeVar("V", bound=View)


def _if_readable(told: object, read: ValidatorFunctionWrapHandler) -> object:
    try:
        return read(told)
    except ValidationError:
        return None


Readable = Annotated[V | None, WrapValidator(_if_readable)]
"""None where there is none, or none that this system can read."""


class SizeView(View):
    """`value` is percent of the free collateral, or collateral in USDC."""

    type: Annotated[str, words(*SizeType)] | None = None
    value: Amount | None = None
    leverage: Amount | None = None


class RiskView(View):
    """Fractions of the entry price."""

    stop_loss: Amount | None = None
    take_profit: Amount | None = None
    max_slippage: Amount | None = None


class SignalView(View):
    signal_id: UUID = Field(validation_alias=AliasChoices("id", "signalId"))
    agent_id: UUID
    token_symbol: str
    side: SideWord | None
    action: SignalAction
    requested_venue: Venue | None
    venue: Venue
    size_model: Readable[SizeView]
    risk_model: Readable[RiskView]
    created_at: datetime
    expires_at: datetime | None
    received_at: datetime | None
    decided_at: datetime | None
    skipped_reason: str | None


class OrderView(View):
    """Sizes in base units, prices USD per base unit, collateral and fee in USD.

    Whose it is stays its user's own: others read it with `account` and `venue_ref` None.
    """

    id: UUID
    signal_id: UUID
    deployment_id: UUID
    position_id: UUID
    purpose: Purpose
    leg: str
    attempt: int = Field(ge=1)
    after_order_id: UUID | None
    venue: TradableVenue
    account: str | None
    mode: Mode
    market_name: str
    side: SideWord
    reduce_only: bool
    leverage: Amount
    collateral_usd: Amount | None
    size: Amount | None
    limit_price: Amount | None
    trigger_price: Amount | None
    client_order_id: str
    status: OrderStatus
    filled_size: Amount | None
    average_price: Amount | None
    fee_usd: Amount | None = Field(validation_alias=AliasChoices("fee", "feeUsd"))
    refusal: RefusalWord | None
    detail: str
    venue_ref: str | None
    created_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None


class FillView(View):
    """Size in base units, price USD per base unit, fee in `fee_token`."""

    order_id: UUID
    venue: TradableVenue
    venue_fill_id: str | None
    size: Amount
    price: Amount
    fee: Amount
    fee_token: str
    at: datetime


class PositionView(View):
    """`qty` and `open_qty` in base units, prices USD per base unit, `pnl` in USD after all fees."""

    id: UUID
    agent_id: UUID
    deployment_id: UUID
    signal_id: UUID
    venue: Venue
    token_symbol: str
    side: SideWord
    mode: Mode | None
    status: Annotated[str, words(*PositionStatus)]
    qty: Amount
    open_qty: Amount | None
    entry_price: Amount
    leverage: Amount | None
    stop_loss: Amount | None
    take_profit: Amount | None
    opened_at: datetime
    closed_at: datetime | None
    exit_price: Amount | None
    exit_reason: str | None
    closed_by: str | None
    pnl: Amount | None
    fees_usd: Amount


class SignalAnswer(Answer):
    """Where a trade is. `truncated`: it has more than the lists hold."""

    signal: SignalView
    decisions: tuple[DecisionView, ...]
    orders: tuple[OrderView, ...]
    fills: tuple[FillView, ...]
    positions: tuple[PositionView, ...]
    truncated: bool


class PositionsAnswer(Answer):
    positions: tuple[PositionView, ...]
    next_cursor: str | None


class MarketView(View):
    """As last synced, per canonical token: `min_position` a notional in USD, the price in USD."""

    venue: TradableVenue
    token_symbol: str
    market_name: str
    market_index: int | None
    is_active: bool
    is_open: bool
    multiplier: Amount
    min_position: Amount | None
    max_leverage: Amount | None
    taker_fee_bps: Amount
    group: str | None
    current_price: Amount | None
    last_synced: datetime | None


class MarketsAnswer(Answer):
    markets: tuple[MarketView, ...]


class TakenIn(Answer):
    """A signal stands in the database; its id is, or will be, on the queue."""

    signal_id: UUID
