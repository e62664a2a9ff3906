"""Prices that move and can be told again: a function of name, seed and clock, with no state."""

import hashlib
import math
from datetime import datetime
from decimal import Decimal

REACH = Decimal("0.005")
"""How far from the table's price it ever goes, as a fraction."""
_PERIOD_SECONDS = (97, 701, 4999)
_STEPS = Decimal(10) ** 9


def wander(name: str, seed: int, at: datetime) -> Decimal:
    """The factor on the table's price: within 1 plus or minus REACH, the same for the same input.

    Three waves of primes for periods and hashed phases: it looks like a walk, and it is bounded.
    """
    digest = hashlib.sha256(f"{seed}:{name}".encode()).digest()
    seconds = at.timestamp()
    waves = (
        math.sin(2 * math.pi * (seconds / period + digest[place] / 256))
        for place, period in enumerate(_PERIOD_SECONDS)
    )
    mean = round(sum(waves) / len(_PERIOD_SECONDS) * int(_STEPS))
    return 1 + REACH * Decimal(mean) / _STEPS
