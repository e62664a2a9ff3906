"""Cursors: what one page tells, the next of the same list takes, and nothing else."""

import base64
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_where.paging import AGENTS, POSITIONS, Cursor, page

CURSORS = st.builds(
    Cursor, of=st.just(AGENTS), at=st.datetimes(timezones=st.just(UTC)), id=st.uuids()
)


@given(CURSORS)
def test_a_cursor_comes_back_as_it_was(cursor: Cursor) -> None:
    assert Cursor.parse(str(cursor), AGENTS) == cursor


@given(CURSORS, st.data())
def test_a_cursor_with_one_changed_bit_is_refused(cursor: Cursor, data: st.DataObject) -> None:
    told = bytearray(base64.urlsafe_b64decode(str(cursor)))
    bit = data.draw(st.integers(0, len(told) * 8 - 1))
    told[bit // 8] ^= 1 << bit % 8

    with pytest.raises(ValueError, match="nextCursor"):
        Cursor.parse(base64.urlsafe_b64encode(told).decode(), AGENTS)


@given(CURSORS, st.data())
def test_a_cursor_with_one_changed_character_is_refused(
    cursor: Cursor, data: st.DataObject
) -> None:
    told = str(cursor)
    place = data.draw(st.integers(0, len(told) - 1))
    other = data.draw(st.characters().filter(lambda char: char != told[place]))

    with pytest.raises(ValueError, match="nextCursor"):
        Cursor.parse(told[:place] + other + told[place + 1 :], AGENTS)


def test_a_cursor_of_another_list_is_refused() -> None:
    cursor = Cursor(of=POSITIONS, at=datetime(2026, 1, 1, tzinfo=UTC), id=uuid4())

    with pytest.raises(ValueError, match="same list"):
        Cursor.parse(str(cursor), AGENTS)


@given(st.text())
def test_any_other_text_is_refused_in_one_way(text: str) -> None:
    with pytest.raises(ValueError, match="nextCursor"):
        Cursor.parse(text, AGENTS)


def test_a_time_before_the_calendar_is_refused_even_with_its_check_sum() -> None:
    early = Cursor.model_validate({"of": AGENTS, "at": "0001-01-01T00:00:00+14:00", "id": uuid4()})

    with pytest.raises(ValueError, match="nextCursor"):
        Cursor.parse(str(early), AGENTS)


@pytest.mark.parametrize(("rows", "shown"), [(0, 0), (3, 3)])
def test_a_list_that_fits_has_no_next_page(rows: int, shown: int) -> None:
    found, cursor = page(_rows(rows), "at", of=AGENTS, limit=3)

    assert (len(found), cursor) == (shown, None)


def test_the_next_page_begins_after_the_last_row_shown() -> None:
    rows = _rows(4)

    found, cursor = page(rows, "at", of=AGENTS, limit=3)

    assert found == rows[:3]
    assert Cursor.parse(cursor or "", AGENTS).id == rows[2]["id"]


def _rows(count: int) -> list[dict[str, Any]]:
    return [{"at": datetime(2026, 1, 1, tzinfo=UTC), "id": uuid4()} for _ in range(count)]
