"""What a test or a demonstration has changed about a simulated venue, and how it is asked to."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any, TypeVar

_Row = TypeVar("_Row")


class Fault(StrEnum):
    """How the venue fails until told otherwise."""

    SERVER_ERROR = "500"
    TOO_MANY = "429"
    HANG = "hang"
    CUT = "cut"
    GARBAGE = "garbage"
    EMPTY = "empty"
    HALF = "half"


class BadControl(Exception):
    """A control request that cannot be carried out, in one sentence."""


@dataclass
class Control:
    """The overrides in force, by the venue's own name of a market."""

    names: frozenset[str]
    prices: dict[str, Decimal] = field(default_factory=dict)
    is_open: dict[str, bool] = field(default_factory=dict)
    fault: Fault | None = None

    def rows(self, rows: Sequence[_Row]) -> list[_Row]:
        """The rows that a listing shows: all of them, none, or less than half."""
        match self.fault:
            case Fault.EMPTY:
                return []
            case Fault.HALF:
                return list(rows[: len(rows) * 2 // 5])
            case _:
                return list(rows)

    def apply(self, path: str, body: bytes) -> dict[str, Any]:
        """Carry out a request under `/simulator` and tell the overrides that are now in force.

        `/simulator/price` takes `coin` and `price`, `/simulator/market` takes `coin` and `open`,
        `/simulator/fail` takes `mode`; null ends an override, `/simulator/reset` all of them.

        Raises:
            BadControl: an unknown path, coin or mode, or a value that makes no sense.
        """
        asked = _object(body)
        match path:
            case "/simulator/price":
                self._set(self.prices, asked, _price(asked.get("price")))
            case "/simulator/market":
                self._set(self.is_open, asked, _flag(asked.get("open")))
            case "/simulator/fail":
                self.fault = _fault(asked.get("mode"))
            case "/simulator/reset":
                self.prices.clear()
                self.is_open.clear()
                self.fault = None
            case _:
                raise BadControl(f"there is no {path}")
        return self.told()

    def told(self) -> dict[str, Any]:
        """The overrides in force, as JSON would have them."""
        prices = {name: str(price) for name, price in self.prices.items()}
        return {"prices": prices, "open": dict(self.is_open), "mode": self.fault}

    def _set(
        self, overrides: dict[str, _Row], asked: Mapping[str, Any], value: _Row | None
    ) -> None:
        name = asked.get("coin")
        if name not in self.names:
            raise BadControl(f"{name!r} is no market here")
        if value is None:
            overrides.pop(name, None)
        else:
            overrides[name] = value


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        asked = json.loads(body or b"{}", parse_float=Decimal)
    except ValueError as fault:
        raise BadControl("the body is no JSON") from fault
    if not isinstance(asked, dict):
        raise BadControl("the body is no JSON object")
    return asked


def _price(value: object) -> Decimal | None:
    if value is None:
        return None
    try:
        price = Decimal(str(value))
    except InvalidOperation as fault:
        raise BadControl(f"{value!r} is no price") from fault
    if not price.is_finite() or price <= 0:
        raise BadControl(f"{value!r} is no price")
    return price


def _flag(value: object) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise BadControl(f"open is true, false or null, not {value!r}")


def _fault(value: object) -> Fault | None:
    if value is None:
        return None
    try:
        return Fault(str(value))
    except ValueError as fault:
        raise BadControl(f"mode is one of {', '.join(Fault)}, or null") from fault
