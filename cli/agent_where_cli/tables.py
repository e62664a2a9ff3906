"""Answers as a person reads them: tables and facts, made from JSON by columns.

Numbers stand to the right, and only sentences are ever folded. What the API says may have been
written by a stranger (an agent's name), so no character of it controls the terminal.
"""

import re
import sys
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum, auto
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from agent_where_cli.answers import at

NONE = "-"
_UNBOUNDED = 10_000
_SECONDS_OF_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z")


class Kind(Enum):
    """How a column stands: only prose may be folded."""

    TEXT = auto()
    NUMBER = auto()
    PROSE = auto()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table.

    Args:
        path: where its value stands in a row, such as `market.venue`.
    """

    heading: str
    path: str
    kind: Kind = Kind.TEXT

    def value(self, row: object) -> str:
        """The cell of a row."""
        return cell(at(row, self.path))


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of what is shown: a heading over a table, or over nothing."""

    table: Table
    heading: str = ""
    is_empty: bool = False


def text(heading: str, path: str) -> Column:
    """A column of words, ids and times: read and copied whole, so never broken."""
    return Column(heading, path)


def prose(heading: str, path: str) -> Column:
    """A column of sentences: what gives way on a narrow terminal."""
    return Column(heading, path, Kind.PROSE)


def number(heading: str, path: str) -> Column:
    """A column of numbers."""
    return Column(heading, path, Kind.NUMBER)


def grid(columns: Sequence[Column], rows: Iterable[object], heading: str = "") -> Part:
    """A table with a line a row."""
    table = _plain_table(shows_header=True)
    lines = [[column.value(row) for column in columns] for row in rows]
    for place, column in enumerate(columns):
        title, is_whole = Text(printable(column.heading)), column.kind is not Kind.PROSE
        longest = max((cell_len(line[place]) for line in lines), default=0)
        table.add_column(
            title,
            justify="right" if column.kind is Kind.NUMBER else "left",
            width=max(title.cell_len, longest) if is_whole else None,
            no_wrap=is_whole,
            overflow="fold",
        )
    for line in lines:
        table.add_row(*map(Text, line))
    return Part(table, heading, is_empty=not lines)


def facts(columns: Sequence[Column], row: object, heading: str = "") -> Part:
    """One thing, a line a fact."""
    are_numbers = all(column.kind is Kind.NUMBER for column in columns)
    table = _plain_table(shows_header=False)
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold", justify="right" if are_numbers else "left")
    for column in columns:
        table.add_row(column.heading, Text(column.value(row)))
    return Part(table, heading)


def show(parts: Iterable[Part], stream: TextIO | None = None) -> None:
    """Print them, a blank line between two; colours only on a terminal.

    A line is as long as it must be where nobody's screen ends.
    """
    out = stream or sys.stdout
    is_terminal = out.isatty()
    console = Console(
        file=out,
        force_terminal=is_terminal,
        width=None if is_terminal else _UNBOUNDED,
        highlight=False,
        markup=False,
        emoji=False,
    )
    blocks = [_rendered(console, part) for part in parts]
    said = "\n\n".join(blocks) + "\n"
    encoding = out.encoding or "utf-8"
    out.write(said.encode(encoding, "backslashreplace").decode(encoding))
    out.flush()


def cell(value: object) -> str:
    """A value as one line of text; `-` where there is none."""
    match value:
        case None | "":
            return NONE
        case bool():
            return "yes" if value else "no"
        case Decimal():
            return format(value, "f")
        case str():
            return printable(_without_fractions(value))
        case Mapping():
            told = (f"{printable(str(key))} {cell(each)}" for key, each in value.items())
            return ", ".join(told) or NONE
        case list():
            return ", ".join(cell(each) for each in value) or NONE
        case _:
            return str(value)


def printable(told: str) -> str:
    """The same without what moves a cursor, changes a colour or turns the writing around."""
    return "".join(
        " " if sign.isspace() else "�" if unicodedata.category(sign)[0] == "C" else sign
        for sign in told
    )


def _without_fractions(told: str) -> str:
    time = _SECONDS_OF_TIME.fullmatch(told)
    return f"{time[1]}Z" if time else told


def _plain_table(*, shows_header: bool) -> Table:
    return Table(
        box=None,
        pad_edge=False,
        padding=(0, 2, 0, 0),
        show_header=shows_header,
        header_style="bold",
    )


def _rendered(console: Console, part: Part) -> str:
    screen = console.width
    wide = console.options.update(max_width=_UNBOUNDED)
    with console.capture() as captured:
        if part.heading:
            console.print(Text(part.heading, style="bold"))
        if part.is_empty:
            console.print("none")
        else:
            console.width = max(screen, Measurement.get(console, wide, part.table).minimum)
            console.print(part.table)
            console.width = screen
    return "\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n"))
