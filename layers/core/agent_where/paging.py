"""Pages of a list that is read newest first: a cursor says after which row the next one begins.

It names the last row by its time and id, so what is written meanwhile neither repeats nor hides a
row that was there before.
"""

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import BeforeValidator

from agent_where.domain import Model

PAGE_ROWS = 100

_BETWEEN = "~"
R = TypeVar("R", bound=Mapping[str, Any])


class Cursor(Model):
    """The last row of a page."""

    at: datetime
    id: UUID

    def __str__(self) -> str:
        told = f"{self.at.isoformat()}{_BETWEEN}{self.id}"
        return base64.urlsafe_b64encode(told.encode()).decode().rstrip("=")

    @classmethod
    def parse(cls, text: str) -> "Cursor":
        """The other way. Raises ValueError for what no page has told."""
        try:
            told = base64.b64decode(text + "=" * (-len(text) % 4), altchars="-_", validate=True)
            at, _, id_ = told.decode().partition(_BETWEEN)
            made = cls(at=datetime.fromisoformat(at).astimezone(UTC), id=UUID(id_))
        except (ValueError, OverflowError) as error:
            raise ValueError("a cursor is what nextCursor was, as it is") from error
        if str(made) != text:
            raise ValueError("a cursor is what nextCursor was, as it is")
        return made


CursorText = Annotated[Cursor, BeforeValidator(Cursor.parse)]


def page(rows: Sequence[R], at: str) -> tuple[Sequence[R], str | None]:
    """The rows of one page and the cursor of the next, from a read of `PAGE_ROWS + 1` rows.

    Args:
        rows: newest first.
        at: the column with a row's time.
    """
    if len(rows) <= PAGE_ROWS:
        return rows, None
    last = rows[PAGE_ROWS - 1]
    return rows[:PAGE_ROWS], str(Cursor.model_validate({"at": last[at], "id": last["id"]}))
