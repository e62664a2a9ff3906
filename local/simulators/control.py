"""What a test or a demonstration has changed about a simulated venue, and how it is asked to."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from local.simulators.faults import LISTINGS, BadControl, Fault, Rule, Rules, fault_of, rule_of

__all__ = ["BadControl", "Control", "Fault", "flag", "positive"]

_Row = TypeVar("_Row")
Command = Callable[[Mapping[str, Any]], Any]
Report = Callable[[], Any]


@dataclass
class Control:
    """The overrides in force, by the venue's own name of a market.

    Args:
        names: the markets that can be named.
        commands: what this venue alone can be told, by path; each answers JSON or raises
            BadControl.
        reports: what this venue alone can be asked with GET, by path.
        on_reset: ends what this venue alone was told.
        on_change: lets whatever was told take effect at once.
    """

    names: frozenset[str]
    commands: Mapping[str, Command] = field(default_factory=dict)
    reports: Mapping[str, Report] = field(default_factory=dict)
    on_reset: Callable[[], None] = lambda: None
    on_change: Callable[[], None] = lambda: None
    prices: dict[str, Decimal] = field(default_factory=dict)
    is_open: dict[str, bool] = field(default_factory=dict)
    fault: Fault | None = None
    rules: Rules = field(default_factory=Rules)

    def rows(self, rows: Sequence[_Row]) -> list[_Row]:
        """The rows that a listing shows: all of them, none, or less than half."""
        match self.fault:
            case Fault.EMPTY:
                return []
            case Fault.HALF:
                return list(rows[: len(rows) * 2 // 5])
            case _:
                return list(rows)

    def strike(self, path: str, body: bytes) -> Rule | None:
        """How a request is to fail, if it is: by its own rule, else as the whole venue does."""
        rule = self.rules.met(path, body)
        if rule is None and self.fault is not None and self.fault not in LISTINGS:
            rule = Rule(self.fault, processed=True)
        return rule

    def apply(self, path: str, body: bytes) -> Any:  # noqa: ANN401 (whatever JSON a command answers)
        """Carry out a request under `/simulator`; mostly told are the overrides now in force.

        `/simulator/price` takes `coin` and `price`, `/simulator/market` takes `coin` and `open`,
        `/simulator/fail` takes `mode` and what a rule is made of; null ends an override,
        `/simulator/reset` all of them.

        Raises:
            BadControl: an unknown path, coin or mode, or a value that makes no sense.
        """
        asked = _object(body)
        told = self._carry_out(path, asked)
        self.on_change()
        return told

    def report(self, path: str) -> Any:  # noqa: ANN401 (whatever JSON a report is)
        """What a GET under `/simulator` is answered. Raises BadControl for an unknown path."""
        if path == "/simulator":
            return self.told()
        if path not in self.reports:
            raise BadControl(f"there is no {path}")
        return self.reports[path]()

    def told(self) -> dict[str, Any]:
        """The overrides in force, as JSON would have them."""
        prices = {name: str(price) for name, price in self.prices.items()}
        rules = [rule.told() for rule in self.rules.in_force]
        return {"prices": prices, "open": dict(self.is_open), "mode": self.fault, "rules": rules}

    def named(self, asked: Mapping[str, Any]) -> str:
        """The market that a control request names. Raises BadControl."""
        name = asked.get("coin")
        if not isinstance(name, str) or name not in self.names:
            raise BadControl(f"{name!r} is no market here")
        return name

    def _carry_out(self, path: str, asked: Mapping[str, Any]) -> Any:  # noqa: ANN401 (as above)
        match path:
            case "/simulator/price":
                self._set(self.prices, asked, _price(asked.get("price")))
            case "/simulator/market":
                self._set(self.is_open, asked, flag(asked, "open"))
            case "/simulator/fail":
                self._fail(asked)
            case "/simulator/reset":
                self._reset()
            case _ if path in self.commands:
                return self.commands[path](asked)
            case _:
                raise BadControl(f"there is no {path}")
        return self.told()

    def _fail(self, asked: Mapping[str, Any]) -> None:
        if asked.get("mode") is None:
            self.fault = None
            self.rules = Rules()
        elif asked.keys() - {"mode"}:
            self.rules.add(rule_of(asked))
        else:
            fault = fault_of(asked["mode"])
            if fault is Fault.DELAY:
                raise BadControl("a delay needs its seconds")
            self.fault = fault

    def _reset(self) -> None:
        self.prices.clear()
        self.is_open.clear()
        self.fault = None
        self.rules = Rules()
        self.on_reset()

    def _set(
        self, overrides: dict[str, _Row], asked: Mapping[str, Any], value: _Row | None
    ) -> None:
        name = self.named(asked)
        if value is None:
            overrides.pop(name, None)
        else:
            overrides[name] = value


def flag(asked: Mapping[str, Any], name: str) -> bool | None:
    """A yes, a no or nothing. Raises BadControl."""
    value = asked.get(name)
    if value is None or isinstance(value, bool):
        return value
    raise BadControl(f"{name} is true, false or null, not {value!r}")


def positive(asked: Mapping[str, Any], name: str) -> Decimal:
    """A figure above zero. Raises BadControl."""
    value = asked.get(name)
    try:
        figure = Decimal(str(value))
    except InvalidOperation as fault:
        raise BadControl(f"{value!r} is no {name}") from fault
    if isinstance(value, bool) or not figure.is_finite() or figure <= 0:
        raise BadControl(f"{value!r} is no {name}")
    return figure


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        asked = json.loads(body or b"{}", parse_float=Decimal)
    except ValueError as fault:
        raise BadControl("the body is no JSON") from fault
    if not isinstance(asked, dict):
        raise BadControl("the body is no JSON object")
    return asked


def _price(value: object) -> Decimal | None:
    return None if value is None else positive({"price": value}, "price")
