"""Writes the API's documents into docs/: `python -m local.openapi`."""

import json
from collections.abc import Mapping
from pathlib import Path

from agent_where.openapi import document
from local.openapi_page import page

DOCS = Path(__file__).parents[1] / "docs"


def documents() -> Mapping[Path, str]:
    """What each file is to hold."""
    told = document()
    return {
        DOCS / "openapi.json": json.dumps(told, indent=2, sort_keys=True) + "\n",
        DOCS / "openapi.html": page(told),
    }


def main() -> None:
    """Write both."""
    for path, text in documents().items():
        path.write_text(text, encoding="utf-8")
        print(f"wrote docs/{path.name}")


if __name__ == "__main__":
    main()
