"""Cursors: what one page tells, the next takes, and nothing else."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_where.paging import PAGE_ROWS, Cursor, page


@given(st.datetimes(timezones=st.just(UTC)), st.uuids())
def test_a_cursor_comes_back_as_it_was(at: datetime, id_: UUID) -> None:
    cursor = Cursor(at=at, id=id_)

    assert Cursor.parse(str(cursor)) == cursor


@given(st.text())
def test_any_other_text_is_refused_in_one_way(text: str) -> None:
    with pytest.raises(ValueError, match="nextCursor"):
        Cursor.parse(text)


def test_a_time_before_the_calendar_is_refused() -> None:
    early = Cursor.model_validate({"at": "0001-01-01T00:00:00+14:00", "id": uuid4()})

    with pytest.raises(ValueError, match="nextCursor"):
        Cursor.parse(str(early))


@pytest.mark.parametrize(("rows", "shown"), [(0, 0), (PAGE_ROWS, PAGE_ROWS)])
def test_a_list_that_fits_has_no_next_page(rows: int, shown: int) -> None:
    found, cursor = page(_rows(rows), "at")

    assert (len(found), cursor) == (shown, None)


def test_the_next_page_begins_after_the_last_row_shown() -> None:
    rows = _rows(PAGE_ROWS + 1)

    found, cursor = page(rows, "at")

    assert found == rows[:PAGE_ROWS]
    assert Cursor.parse(cursor or "").id == rows[PAGE_ROWS - 1]["id"]


def _rows(count: int) -> list[dict[str, Any]]:
    return [{"at": datetime(2026, 1, 1, tzinfo=UTC), "id": uuid4()} for _ in range(count)]
