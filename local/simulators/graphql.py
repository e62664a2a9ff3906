"""Just enough GraphQL to answer a listing: one root field with arguments, nested selections.

Unknown fields are refused, so a query that the real subgraph would refuse fails here too.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_LEXEME = re.compile(r'[{}()\[\]:$!=]|"[^"]*"|[A-Za-z0-9_.-]+')
_DEFAULT_FIRST = 100


class BadQuery(Exception):
    """A query that this subgraph cannot answer, in one sentence."""


@dataclass
class Selection:
    """A field with what is selected below it."""

    name: str
    arguments: dict[str, str] = field(default_factory=dict)
    below: list["Selection"] = field(default_factory=list)


def answer(query: str, roots: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, Any]:
    """The data of a query over lists of rows by root field.

    Raises:
        BadQuery: it cannot be read, or names what is not there.
    """
    data: dict[str, Any] = {}
    for root in _parsed(query):
        if root.name not in roots:
            raise BadQuery(f"Type `Query` has no field `{root.name}`")
        first = root.arguments.get("first", str(_DEFAULT_FIRST))
        if not first.isdecimal() or root.arguments.keys() - {"first"}:
            raise BadQuery(f"unsupported arguments of `{root.name}`")
        rows = roots[root.name][: int(first)]
        data[root.name] = [_picked(row, root) for row in rows]
    return data


def _picked(row: Mapping[str, Any], selection: Selection) -> dict[str, Any]:
    picked: dict[str, Any] = {}
    for wanted in selection.below:
        if wanted.name not in row:
            raise BadQuery(f"Type `{selection.name}` has no field `{wanted.name}`")
        value = row[wanted.name]
        if isinstance(value, Mapping) != bool(wanted.below):
            raise BadQuery(f"wrong selection below `{wanted.name}`")
        picked[wanted.name] = _picked(value, wanted) if wanted.below else value
    return picked


def _parsed(query: str) -> list[Selection]:
    lexemes = _LEXEME.findall(query)
    if "{" not in lexemes:
        raise BadQuery("no selection in the query")
    lexemes.reverse()
    while lexemes.pop() != "{":
        pass  # an operation's keyword and name say nothing here
    try:
        selections = _selections(lexemes)
    except IndexError as fault:
        raise BadQuery("the query ends too early") from fault
    if lexemes:
        raise BadQuery("only one operation at a time")
    return selections


def _selections(lexemes: list[str]) -> list[Selection]:
    """Up to the closing brace; what is next stands last in the list."""
    found: list[Selection] = []
    while (lexeme := lexemes.pop()) != "}":
        match lexeme:
            case "{" if found:
                found[-1].below = _selections(lexemes)
            case "(" if found:
                found[-1].arguments = _arguments(lexemes)
            case _ if lexeme.isidentifier():
                found.append(Selection(lexeme))
            case _:
                raise BadQuery(f"`{lexeme}` was not expected")
    return found


def _arguments(lexemes: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    while (name := lexemes.pop()) != ")":
        if lexemes.pop() != ":":
            raise BadQuery("an argument without a value")
        found[name] = lexemes.pop()
    return found
