"""The tables of facts beside this module: one line a market, tabs between."""

import csv
from functools import cache
from pathlib import Path


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """The lines of `name`.tsv, by the names in its head."""
    path = Path(__file__).with_name(f"{name}.tsv")
    with path.open(encoding="ascii", newline="") as lines:
        return tuple(csv.DictReader(lines, delimiter="\t"))
