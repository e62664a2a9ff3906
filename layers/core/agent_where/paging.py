"""Pages of a list that is read newest first: a cursor says after which row the next one begins.

It names the last row by its time and id, so what is written meanwhile neither repeats nor hides a
row that was there before. It carries a check sum over both and its list's name: one that was
changed, or belongs to another list, is refused instead of leading anywhere.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import blake2b
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import BeforeValidator

from agent_where.domain import Model

PAGE_ROWS = 100
"""The most rows of one page."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_TIME_BYTES, _ID_BYTES, _SUM_BYTES = 8, 16, 6  # a multiple of three: base64 has no spare bits
_NOT_A_CURSOR = "a cursor is what nextCursor of the same list was, as it is"
R = TypeVar("R", bound=Mapping[str, Any])


class Cursor(Model):
    """The last row of a page of the list `of`."""

    of: str
    at: datetime
    id: UUID

    def __str__(self) -> str:
        since = (self.at - _EPOCH) // _MICROSECOND
        row = since.to_bytes(_TIME_BYTES, "big", signed=True) + self.id.bytes
        return base64.urlsafe_b64encode(row + _sum(self.of, row)).decode()

    @classmethod
    def parse(cls, text: object, of: str) -> "Cursor":
        """The other way. Raises ValueError for what no page of this list has told."""
        try:
            told = base64.b64decode(str(text), altchars="-_", validate=True)
        except ValueError as error:
            raise ValueError(_NOT_A_CURSOR) from error
        row = told[: _TIME_BYTES + _ID_BYTES]
        if told != row + _sum(of, row) or not {"+", "/"}.isdisjoint(str(text)):
            raise ValueError(_NOT_A_CURSOR)
        since = int.from_bytes(row[:_TIME_BYTES], "big", signed=True)
        try:
            at = _EPOCH + since * _MICROSECOND
        except OverflowError as error:
            raise ValueError(_NOT_A_CURSOR) from error
        return cls(of=of, at=at, id=UUID(bytes=row[_TIME_BYTES:]))


def _sum(of: str, row: bytes) -> bytes:
    return blake2b(row, digest_size=_SUM_BYTES, person=of.encode()).digest()


def _reads(of: str) -> BeforeValidator:
    return BeforeValidator(partial(Cursor.parse, of=of))


AGENTS, CONTROLS, DEPLOYMENTS, HISTORY, POSITIONS = (
    "agents",
    "controls",
    "deployments",
    "history",
    "positions",
)
AgentsCursor = Annotated[Cursor, _reads(AGENTS)]
ControlsCursor = Annotated[Cursor, _reads(CONTROLS)]
DeploymentsCursor = Annotated[Cursor, _reads(DEPLOYMENTS)]
HistoryCursor = Annotated[Cursor, _reads(HISTORY)]
PositionsCursor = Annotated[Cursor, _reads(POSITIONS)]


def page(rows: Sequence[R], at: str, *, of: str, limit: int) -> tuple[Sequence[R], str | None]:
    """The rows of one page and the cursor of the next, from a read of `limit + 1` rows.

    Args:
        rows: newest first.
        at: the column with a row's time.
        of: the list's name.
    """
    if len(rows) <= limit:
        return rows, None
    last = rows[limit - 1]
    return rows[:limit], str(Cursor.model_validate({"of": of, "at": last[at], "id": last["id"]}))
