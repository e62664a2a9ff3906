"""Requests to /exchange as they come in, and the one form of an action that its hash is taken of.

The venue reads an action into its own types and hashes what it makes of them: fields in their
documented order, figures without trailing zeros, addresses and client ids in lower case with 0x.
So a client that signs another form recovers to somebody else, here as there.
"""

import re
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from local.simulators.hyperliquid.figures import wire

_DIGITS = re.compile(r"[0-9]+(\.[0-9]+)?")
_MOST_DECIMALS = 8
_MOST_DIGITS = 40
_UNSIGNED_64 = 2**64 - 1


def _figure(text: str) -> str:
    """Plain digits, at most eight of them behind the point that are not trailing zeros."""
    if not _DIGITS.fullmatch(text) or len(text) > _MOST_DIGITS:
        raise ValueError("no plain figure")
    shortest = wire(Decimal(text))
    if len(shortest.partition(".")[2]) > _MOST_DECIMALS:
        raise ValueError("too many decimals")
    return shortest


def _hexadecimal(digits: int, text: str) -> str:
    bare = text.removeprefix("0x").lower()
    if len(bare) != digits or not re.fullmatch("[0-9a-f]*", bare):
        raise ValueError(f"not {digits} hexadecimal digits")
    return f"0x{bare}"


def address(text: str) -> str:
    """Twenty bytes in lower case with 0x. Raises ValueError."""
    return _hexadecimal(40, text)


def client_id(text: str) -> str:
    """Sixteen bytes in lower case with 0x. Raises ValueError."""
    return _hexadecimal(32, text)


def _chain(text: str) -> str:
    if not re.fullmatch("0x[0-9a-fA-F]{1,16}", text):
        raise ValueError("no chain id")
    return text


Figure = Annotated[str, AfterValidator(_figure)]
Address = Annotated[str, AfterValidator(address)]
ClientId = Annotated[str, AfterValidator(client_id)]
Whole = Annotated[int, Field(ge=0, le=_UNSIGNED_64)]


class Part(BaseModel):
    """A piece of a request: fields in the order they are hashed in, unknown ones ignored."""

    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class Limit(Part):
    tif: Literal["Ioc", "Gtc", "Alo", "FrontendMarket"]


class TriggerWire(Part):
    is_market: bool = Field(alias="isMarket")
    price: Figure = Field(alias="triggerPx")
    tpsl: Literal["tp", "sl"]


class OrderType(Part):
    limit: Limit | None = None
    trigger: TriggerWire | None = None

    @model_validator(mode="after")
    def _one_of_them(self) -> "OrderType":
        if (self.limit is None) is (self.trigger is None):
            raise ValueError("a limit or a trigger")
        return self


class OrderWire(Part):
    a: Whole
    b: bool
    p: Figure
    s: Figure
    r: bool
    t: OrderType
    c: ClientId | None = None


class Builder(Part):
    b: Address
    f: Whole


class OrderAction(Part):
    type: Literal["order"]
    orders: list[OrderWire] = Field(min_length=1, max_length=1000)
    grouping: Literal["na", "normalTpsl", "positionTpsl"]
    builder: Builder | None = None


class CancelWire(Part):
    a: Whole
    o: Whole


class CancelAction(Part):
    type: Literal["cancel"]
    cancels: list[CancelWire] = Field(min_length=1, max_length=1000)


class CancelByCloidWire(Part):
    asset: Whole
    cloid: ClientId


class CancelByCloidAction(Part):
    type: Literal["cancelByCloid"]
    cancels: list[CancelByCloidWire] = Field(min_length=1, max_length=1000)


class ModifyWire(Part):
    oid: Whole | ClientId
    order: OrderWire


class ModifyAction(Part):
    type: Literal["modify"]
    oid: Whole | ClientId
    order: OrderWire


class BatchModifyAction(Part):
    type: Literal["batchModify"]
    modifies: list[ModifyWire] = Field(min_length=1, max_length=1000)


class UpdateLeverageAction(Part):
    type: Literal["updateLeverage"]
    asset: Whole
    is_cross: bool = Field(alias="isCross")
    leverage: Whole


class NoopAction(Part):
    type: Literal["noop"]


class ScheduleCancelAction(Part):
    type: Literal["scheduleCancel"]
    time: Whole | None = None


class UserSigned(Part):
    """What an account's own key signs as typed data of its own."""

    chain: Annotated[str, AfterValidator(_chain)] = Field(alias="signatureChainId")
    network: str = Field(alias="hyperliquidChain")


class ApproveAgentAction(UserSigned):
    type: Literal["approveAgent"]
    agent: Address = Field(alias="agentAddress")
    name: str = Field(default="", alias="agentName")
    nonce: Whole

    @model_validator(mode="before")
    @classmethod
    def _null_is_no_name(cls, asked: Any) -> Any:  # noqa: ANN401 (whatever JSON came in)
        if isinstance(asked, dict) and asked.get("agentName", "") is None:
            return {key: value for key, value in asked.items() if key != "agentName"}
        return asked


class TransferAction(UserSigned):
    type: Literal["usdSend", "withdraw3"]
    destination: str
    amount: str
    time: Whole

    @property
    def nonce(self) -> int:
        return self.time


L1Action = (
    OrderAction
    | CancelAction
    | CancelByCloidAction
    | ModifyAction
    | BatchModifyAction
    | UpdateLeverageAction
    | NoopAction
    | ScheduleCancelAction
)
UserAction = ApproveAgentAction | TransferAction


class Signature(Part):
    r: str
    s: str
    v: int


class Envelope(Part):
    """A whole request."""

    action: Annotated[L1Action | UserAction, Field(discriminator="type")]
    nonce: Whole
    signature: Signature
    vault: Address | None = Field(default=None, alias="vaultAddress")
    expires_after: Whole | None = Field(default=None, alias="expiresAfter")


def canonical(action: L1Action) -> dict[str, Any]:
    """The form that is hashed."""
    return action.model_dump(by_alias=True, exclude_none=True)
