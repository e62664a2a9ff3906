"""Named parameters in SQL text: finds `:name` and turns it into PostgreSQL's `$1`.

Quoted text, quoted names, dollar quotes, `--` and `/* */` comments and `::` casts are left alone.
Not a parser: block comments do not nest, and a slice `a[lo:hi]` must be written `a[lo : hi]`.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

_TOKEN = re.compile(
    r"""
      --[^\n]*
    | /\*.*?\*/
    | (?<!\w)[eE]'(?:[^'\\]|\\.|'')*'
    | '(?:[^']|'')*'
    | "(?:[^"]|"")*"
    | (?<![\w$])\$(?P<tag>[^\W\d]\w*|)\$.*?\$(?P=tag)\$
    | ::
    | :(?P<name>[^\W\d]\w*)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Template:
    """SQL as the server takes it, and the names behind `$1`, `$2`, ... in that order."""

    sql: bytes
    names: tuple[str, ...]

    def check(self, params: Mapping[str, Any]) -> None:
        """Raise TypeError when a parameter is missing or not in the SQL: the code is wrong."""
        if len(params) == len(self.names) and all(name in params for name in self.names):
            return
        missing = [name for name in self.names if name not in params]
        surplus = [name for name in params if name not in self.names]
        told = [f"parameter {name!r} is missing" for name in missing]
        told += [f"parameter {name!r} is not in the SQL" for name in surplus]
        raise TypeError("; ".join(told))


@lru_cache(maxsize=512)
def template(sql: str) -> Template:
    """Parse SQL text once; the same text is never parsed again."""
    if "\0" in sql:
        raise TypeError("SQL text must not hold a NUL character")
    numbers: dict[str, int] = {}

    def numbered(token: re.Match[str]) -> str:
        name = token["name"]
        return token[0] if name is None else f"${numbers.setdefault(name, len(numbers) + 1)}"

    text = _TOKEN.sub(numbered, sql)
    return Template(text.encode(), tuple(numbers))
