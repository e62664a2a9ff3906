"""Actions in the venue's own form: maps whose order of keys is part of what is signed.

Prices and sizes are in the venue's units and already on its grid: nothing is rounded here.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Final, TypeAlias

from pydantic import Field

from agent_where.domain import Model, Positive

WireValue: TypeAlias = "str | int | bool | Sequence[WireValue] | Mapping[str, WireValue]"
WireAction: TypeAlias = Mapping[str, WireValue]
"""An action as it is encoded, hashed and sent."""

_DECIMALS: Final = 8
_LONGEST: Final = 40

AssetId = Annotated[int, Field(ge=0)]
ClientId = Annotated[str, Field(pattern=r"^0x[0-9a-f]{32}$")]


class TimeInForce(StrEnum):
    """How long a limit order stands."""

    IOC = "Ioc"
    GTC = "Gtc"


class Exit(StrEnum):
    """What a trigger order is for."""

    TAKE_PROFIT = "tp"
    STOP_LOSS = "sl"


class Trigger(Model):
    """An order that waits for the mark price, in USD for one unit of the coin.

    As a market order it fills at its limit or better once it is triggered.
    """

    price: Positive
    exit: Exit
    is_market: bool = True


class OrderTerms(Model):
    """One order: size in units of the coin, prices in USD for one of them."""

    asset: AssetId
    is_buy: bool
    limit_price: Positive
    size: Positive
    reduce_only: bool = False
    kind: TimeInForce | Trigger = TimeInForce.IOC
    client_id: ClientId | None = None


def order(*orders: OrderTerms) -> WireAction:
    """Place orders, each on its own.

    Raises:
        ValueError: a figure has no form on the wire; see `number`.
    """
    return {"type": "order", "orders": [_order(each) for each in orders], "grouping": "na"}


def cancel(asset: int, order_id: int) -> WireAction:
    """Cancel by the venue's id."""
    return {"type": "cancel", "cancels": [{"a": asset, "o": order_id}]}


def cancel_by_client_id(asset: int, client_id: str) -> WireAction:
    """Cancel by ours."""
    return {"type": "cancelByCloid", "cancels": [{"asset": asset, "cloid": client_id}]}


def update_leverage(asset: int, leverage: int, *, is_cross: bool) -> WireAction:
    """Set the leverage of positions opened from now on."""
    return {
        "type": "updateLeverage",
        "asset": asset,
        "isCross": is_cross,
        "leverage": leverage,
    }


def noop() -> WireAction:
    """Do nothing, and so use up a nonce: an order that bears it can no longer execute."""
    return {"type": "noop"}


def number(value: Decimal) -> str:
    """A price or size as the venue wants it: no exponent, no trailing zeros, never rounded.

    Raises:
        ValueError: it is negative, no number, or has more than 8 decimals.
    """
    if not value.is_finite() or value < 0 or abs(value.adjusted()) > _LONGEST:
        raise ValueError(f"{value} has no form on the wire")
    whole, _, fraction = format(value.copy_abs(), "f").partition(".")
    fraction = fraction.rstrip("0")
    if len(fraction) > _DECIMALS:
        raise ValueError(f"{value} has more than {_DECIMALS} decimals")
    return f"{whole}.{fraction}" if fraction else whole


def _order(terms: OrderTerms) -> WireAction:
    told: dict[str, WireValue] = {
        "a": terms.asset,
        "b": terms.is_buy,
        "p": number(terms.limit_price),
        "s": number(terms.size),
        "r": terms.reduce_only,
        "t": _kind(terms.kind),
    }
    if terms.client_id is not None:
        told["c"] = terms.client_id
    return told


def _kind(kind: TimeInForce | Trigger) -> WireAction:
    if isinstance(kind, TimeInForce):
        return {"limit": {"tif": kind.value}}
    return {
        "trigger": {
            "isMarket": kind.is_market,
            "triggerPx": number(kind.price),
            "tpsl": kind.exit.value,
        }
    }
