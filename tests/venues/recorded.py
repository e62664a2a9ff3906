"""Payloads recorded from the venues, read where they lie beside the repository."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

Payload = Any  # a recorded answer: whatever JSON it is, tests take apart
_FOLDER = Path(__file__).parents[3] / "shared" / "recorded"
HYPERLIQUID_MAIN = "hyperliquid/info_metaAndAssetCtxs_main_2026-02-06.json"
HYPERLIQUID_XYZ = "hyperliquid/info_metaAndAssetCtxs_xyz_2026-02-06.json"
OSTIUM = "ostium/pairs_and_prices_2026-01-16.json"


def recorded(name: str) -> Payload:
    """The payload as the adapters' client would hand it over; skips the test where it is absent."""
    path = _FOLDER / name
    if not path.exists():
        pytest.skip(f"{name} is not beside the repository: only where payloads were recorded")
    return json.loads(path.read_bytes(), parse_float=Decimal)
