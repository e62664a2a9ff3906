"""Examples of every request and every good answer: a file for each operation, under its name.

The tests read each example with its model, and write the answers again.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent_where.domain import Model

_FILES = Path(__file__).parent / "examples"


class Examples(Model):
    """Of one operation: its path's id, its parameters, and its bodies under their titles."""

    id: str | None = None
    query: Mapping[str, str | int] = {}
    requests: Mapping[str, Mapping[str, Any]] = {}
    answers: Mapping[str, Mapping[str, Any]] = {}


def examples_of(operation: str) -> Examples:
    """The examples of an operation, by its name; none where there is no file."""
    path = _FILES / f"{operation}.json"
    return Examples.model_validate_json(path.read_bytes()) if path.exists() else Examples()
