"""What goes out over HTTP: one model an answer, made from the database's rows.

Config, agents and deployments keep their columns' names, as the contract has them; everything else
is camelCase. Money, sizes and prices are strings in plain digits; times are UTC with a Z. What a
model does not name never leaves: no key, no payload, no lease.
"""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer
from pydantic.alias_generators import to_camel


def plain(number: Decimal) -> str:
    """All digits and none too many: no exponent, no trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


Amount = Annotated[Decimal, PlainSerializer(plain, return_type=str)]


class RowView(BaseModel):
    """A row under its columns' names."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class View(RowView):
    """A row, or a part of one, under camelCase names."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Answer(View):
    """A whole body."""

    success: Literal[True] = True


class ConfigView(RowView):
    """The routing config that applies. No `id`: the built-in default."""

    id: UUID | None = None
    agent_id: UUID | None = None
    venue_priority: tuple[str, ...]
    routing_strategy: str
    failover_enabled: bool
    created_at: datetime | None = None
    updated_at: datetime | None = None
    is_default: bool = Field(default=False, serialization_alias="isDefault")


class ConfigAnswer(Answer):
    config: ConfigView


class AgentView(RowView):
    id: UUID
    name: str
    venue: str
    status: str
    creator_wallet: str
    profit_receiver_address: str
    weights: tuple[int, ...] | None
    created_at: datetime


class AgentAnswer(Answer):
    agent: AgentView


class AgentsAnswer(Answer):
    agents: tuple[AgentView, ...]
    next_cursor: str | None


class AccountView(RowView):
    """A user's account at a venue. No signer: it trades on paper alone."""

    venue: str
    account: str
    signer_address: str | None
    approved_until: datetime | None


class DeploymentView(RowView):
    """One user following one agent. `venues` None: every venue."""

    id: UUID
    agent_id: UUID
    user_wallet: str
    status: str
    sub_active: bool
    venues: tuple[str, ...] | None
    max_notional_usd: Amount | None = Field(serialization_alias="maxNotionalUsd")
    max_leverage: Amount | None = Field(serialization_alias="maxLeverage")
    created_at: datetime
    accounts: tuple[AccountView, ...]


class DeploymentAnswer(Answer):
    deployment: DeploymentView


class DeploymentsAnswer(Answer):
    deployments: tuple[DeploymentView, ...]
    next_cursor: str | None


class TokenStats(View):
    total: int
    venues: dict[str, int]


class StatsView(View):
    """Times in milliseconds, `success_rate` in percent."""

    total: int
    by_venue: dict[str, int]
    by_token: dict[str, TokenStats]
    avg_routing_time_ms: int | float
    success_rate: int | float
    failovers: int
    p50_routing_time_ms: int | float
    p99_routing_time_ms: int | float


class RoutingView(View):
    """One decision, without its figures. `selected_venue` None: no venue could trade it."""

    id: UUID
    token_symbol: str
    selected_venue: str | None
    routing_reason: str
    checked_venues: tuple[str, ...]
    venue_availability: dict[str, bool]
    routing_duration_ms: int
    created_at: datetime


class StatsAnswer(Answer):
    time_window: str
    stats: StatsView
    recent_routing: tuple[RoutingView, ...]


class DecisionView(RoutingView):
    """One decision with every candidate. `deployment_id` None: it is the signal's own."""

    attempt: int
    deployment_id: UUID | None
    requested_venue: str
    strategy: str | None
    config_id: UUID | None
    failover_enabled: bool | None
    skipped_reason: str | None
    candidates: list[dict[str, Any]] | None


class SignalView(View):
    signal_id: UUID = Field(validation_alias="id")
    agent_id: UUID
    token_symbol: str
    side: str | None
    action: str
    requested_venue: str | None
    venue: str
    size_model: dict[str, Any] | None
    risk_model: dict[str, Any] | None
    created_at: datetime
    expires_at: datetime | None
    received_at: datetime | None
    decided_at: datetime | None
    skipped_reason: str | None


class OrderView(View):
    """Sizes in base units, prices USD per base unit, collateral and fee in USD."""

    id: UUID
    signal_id: UUID
    deployment_id: UUID
    position_id: UUID
    purpose: str
    leg: str
    attempt: int
    after_order_id: UUID | None
    venue: str
    account: str
    mode: str
    market_name: str
    side: str
    reduce_only: bool
    leverage: Amount
    collateral_usd: Amount | None
    size: Amount | None
    limit_price: Amount | None
    trigger_price: Amount | None
    client_order_id: str
    status: str
    filled_size: Amount | None
    average_price: Amount | None
    fee_usd: Amount | None = Field(validation_alias="fee")
    refusal: str | None
    detail: str
    venue_ref: str | None
    created_at: datetime
    sent_at: datetime | None
    settled_at: datetime | None


class FillView(View):
    """Size in base units, price USD per base unit, fee in `fee_token`."""

    order_id: UUID
    venue: str
    venue_fill_id: str
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
    venue: str
    token_symbol: str
    side: str
    mode: str | None
    status: str
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

    venue: str
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
