"""What travels on the queue and comes in over HTTP, parsed once into the domain's models.

Three messages: a signal with its body, a reference to a signal that already stands in the
database, and a reference to an order. Whatever cannot be parsed raises `BadInput` with a sentence
for every bad field.
"""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, Self, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic.alias_generators import to_camel

from agent_where.domain import (
    RiskModel,
    Side,
    Signal,
    SignalAction,
    SizeModel,
    SizeType,
    VenueId,
)
from agent_where.parsing import parse_object, validate
from agent_where.values import Id, Number, Time, TokenSymbol, VenueName, upper

DEFAULT_LIFETIME = timedelta(minutes=5)


class Body(BaseModel):
    """A request: camelCase keys, and no key it does not know."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        defer_build=True,
    )


class SizeBody(Body):
    """`sizeModel`: see the domain's `SizeModel`."""

    type: SizeType
    value: Annotated[Number, Field(gt=0, le=1_000_000_000)]
    leverage: Annotated[Number, Field(ge=1, le=1000)] = Decimal(1)

    @model_validator(mode="after")
    def percent_is_at_most_100(self) -> Self:
        if self.type is SizeType.BALANCE_PERCENTAGE and self.value > 100:
            raise ValueError("value: a balance-percentage is at most 100")
        return self


class RiskBody(Body):
    """`riskModel`: see the domain's `RiskModel`."""

    stop_loss: Annotated[Number, Field(gt=0, lt=1)] | None = None
    take_profit: Annotated[Number, Field(gt=0, le=100)] | None = None
    max_slippage: Annotated[Number, Field(gt=0, le=Decimal("0.5"))] = Decimal("0.01")


class SignalMessage(Body):
    """A whole signal, as the contract's example shows it."""

    signal_id: Id
    agent_id: Id
    token_symbol: TokenSymbol
    side: Annotated[Side, BeforeValidator(upper)] | None = None
    action: Annotated[SignalAction, BeforeValidator(upper)] = SignalAction.OPEN
    venue: VenueName | None = None
    size_model: SizeBody | None = None
    risk_model: RiskBody = RiskBody()
    created_at: Time | None = None
    expires_at: Time | None = None

    @model_validator(mode="after")
    def an_open_says_what(self) -> Self:
        if self.action is SignalAction.CLOSE:
            return self
        if self.side is None:
            raise ValueError("side: an OPEN needs LONG or SHORT")
        if self.size_model is None:
            raise ValueError("sizeModel: an OPEN needs one")
        if self.side is Side.SHORT and (self.risk_model.take_profit or 0) >= 1:
            raise ValueError("riskModel.takeProfit: a SHORT cannot gain all of its entry price")
        return self

    @property
    def body_hash(self) -> str:
        """Tells one body from another under the same id; what was left out counts as left out."""
        told = self.model_dump(mode="json", exclude_unset=True, by_alias=True)
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()

    def expiry(self, now: datetime) -> datetime | None:
        """When an OPEN is too old to trade: as told, else five minutes after it was made."""
        if self.action is SignalAction.CLOSE:
            return None
        return self.expires_at or (self.created_at or now) + DEFAULT_LIFETIME


class SignalRef(Body):
    """The id of a signal that already stands in the database."""

    signal_id: Id


class OrderRef(Body):
    """The id of an order to execute."""

    order_id: Id


Message = SignalMessage | SignalRef | OrderRef
M = TypeVar("M", bound=BaseModel)


def parse(raw: str) -> Message:
    """Read one queue message.

    Raises:
        BadInput: it is no JSON object, or a field is missing, unknown or out of range.
    """
    body = parse_object(raw)
    if body.keys() == {"signalId"}:
        return validate(SignalRef, body)
    if body.keys() == {"orderId"}:
        return validate(OrderRef, body)
    return validate(SignalMessage, body)


def parse_signal(raw: str) -> SignalMessage:
    """Read the body of POST /api/signals. Raises BadInput as `parse` does."""
    return validate(SignalMessage, parse_object(raw))


def signal_from_row(row: dict[str, Any]) -> Signal:
    """The signal that stands in a database row, whoever wrote it.

    Raises:
        BadInput: its token, side, size or risk model is not one this system can trade.
    """
    is_open = row["action"] != SignalAction.CLOSE  # when a CLOSE was made never matters
    message = validate(
        SignalMessage,
        {
            "signalId": row["id"],
            "agentId": row["agent_id"],
            "tokenSymbol": row["token_symbol"],
            "side": row["side"],
            "action": row["action"],
            "venue": row["requested_venue"] or row["venue"],
            "sizeModel": row["size_model"],
            "riskModel": row["risk_model"] or {},
            "createdAt": row["created_at"] if is_open else None,
            "expiresAt": row["expires_at"] if is_open else None,
        },
    )
    return to_signal(message, row["requested_venue"] or row["venue"], row["created_at"])


def to_signal(message: SignalMessage, venue: VenueId, now: datetime | None = None) -> Signal:
    """The domain's signal. `venue` is the agent's where the message names none."""
    size, risk = message.size_model, message.risk_model
    return Signal(
        id=message.signal_id,
        agent_id=message.agent_id,
        token_symbol=message.token_symbol,
        venue=message.venue or venue,
        action=message.action,
        side=message.side,
        size=SizeModel(**dict(size)) if size else None,
        risk=RiskModel(**dict(risk)),
        expires_at=message.expiry(now or datetime.now(UTC)),
    )
