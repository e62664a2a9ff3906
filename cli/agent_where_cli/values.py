"""What options and arguments hold, read once; the API judges what is allowed.

Numbers stay the text they were typed as: what is sent is what was written.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from typer import BadParameter

NO_LIMIT = "none"

_NUMBER = re.compile(r"\d{1,30}(\.\d{1,18})?", re.ASCII)
_SPAN = re.compile(r"(\d{1,5})([smh])", re.ASCII)
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours"}


class Names(tuple[str, ...]):
    """Venues in the order they were told."""

    __slots__ = ()


class Side(StrEnum):
    """Which way a position gains."""

    LONG = "LONG"
    SHORT = "SHORT"


class Window(StrEnum):
    """How far back the statistics look."""

    HOUR = "hour"
    DAY = "day"
    WEEK = "week"


class AgentStatus(StrEnum):
    """Only an ACTIVE agent's signals open anything."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


class DeploymentStatus(StrEnum):
    """Only an ACTIVE follower takes part in what his agent opens."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


class PositionStatus(StrEnum):
    """Whether something is still held."""

    OPEN = "OPEN"
    CLOSED = "CLOSED"


class Scope(StrEnum):
    """How far a control reaches."""

    GLOBAL = "global"
    VENUE = "venue"
    AGENT = "agent"
    DEPLOYMENT = "deployment"


class ControlState(StrEnum):
    """What a control lets through."""

    ACTIVE = "ACTIVE"
    CLOSE_ONLY = "CLOSE_ONLY"
    HALTED = "HALTED"


def number(typed: str) -> str:
    """Plain digits, as they were typed. Raises BadParameter."""
    if not _NUMBER.fullmatch(typed):
        raise BadParameter(f"{typed!r} is not a number in plain digits, like 50 or 0.05.")
    return typed


def limit(typed: str) -> str:
    """A number, or `none`. Raises BadParameter."""
    return NO_LIMIT if typed.lower() == NO_LIMIT else number(typed)


def venues(typed: str) -> Names:
    """Names parted by commas. Raises BadParameter."""
    names = Names(name.strip().upper() for name in typed.split(","))
    if not all(names):
        raise BadParameter(f"{typed!r} is not a list of venues, like HYPERLIQUID,OSTIUM.")
    return names


def span(typed: str) -> timedelta:
    """30s, 5m or 2h. Raises BadParameter."""
    found = _SPAN.fullmatch(typed)
    if not found or not int(found[1]):
        raise BadParameter(f"{typed!r} is not a span of time, like 30s, 5m or 2h.")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def moment(typed: str) -> datetime:
    """ISO 8601 with a time zone, as UTC. Raises BadParameter."""
    try:
        found = datetime.fromisoformat(typed)
        if found.tzinfo is None:
            raise BadParameter(f"{typed!r} names no time zone; end it with Z for UTC.")
        return found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise BadParameter(f"{typed!r} is not a time, like 2026-01-31T12:05:00Z.") from error


def given(body: Mapping[str, object]) -> dict[str, object]:
    """A body without what was not told."""
    return {key: value for key, value in body.items() if value is not None}


def iso(at: datetime) -> str:
    """A UTC time as the API takes it."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
