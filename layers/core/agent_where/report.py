"""The readiness report: what was looked at, what was found, and what to do about it."""

from collections.abc import Sequence
from datetime import UTC, datetime

from pydantic import ConfigDict, JsonValue
from pydantic.alias_generators import to_camel

from agent_where.domain import Model

DEAD_LETTERS = "queue: dead letters"
ORDERS = "orders"
_WATCHED = frozenset({DEAD_LETTERS, ORDERS})  # to be looked after, but no reason not to trade


class Check(Model):
    """One thing that was looked at.

    Attributes:
        what: its figures, ages in minutes.
        todo: one sentence for each thing that is missing; empty when `ok`.
    """

    name: str
    ok: bool
    what: dict[str, JsonValue]
    todo: tuple[str, ...]


class Report(Model):
    """What was found, all of it.

    Attributes:
        success: whether what was asked for was done.
        fit: whether nothing is missing that trading needs.
        applied: the migrations that this run applied.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    success: bool
    fit: bool
    checked_at: datetime
    applied: tuple[str, ...]
    checks: tuple[Check, ...]

    def as_json(self) -> dict[str, JsonValue]:
        """The report as it is answered."""
        return self.model_dump(mode="json", by_alias=True)


def check(name: str, what: dict[str, JsonValue], *todo: str) -> Check:
    """A check that is `ok` when there is nothing to do."""
    return Check(name=name, ok=not todo, what=what, todo=todo)


def report(checks: Sequence[Check], *, success: bool, applied: Sequence[str] = ()) -> Report:
    """The checks as a report of this moment."""
    return Report(
        success=success,
        fit=all(one.ok for one in checks if one.name not in _WATCHED),
        checked_at=datetime.now(UTC),
        applied=tuple(applied),
        checks=tuple(checks),
    )
