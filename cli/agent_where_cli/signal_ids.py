"""Ids for signals that carry the time they were made (UUID version 7, RFC 9562).

The body of a signal is derived from its id: the same command with the same id is the same request,
whenever it is repeated, and an old one has expired.
"""

import secrets
import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = timedelta(days=365 * 1000)
_VERSION = 7 << 76
_VARIANT = 0b10 << 62


def new_id() -> UUID:
    """One that nobody else makes, of this moment."""
    milliseconds = time.time_ns() // 1_000_000
    return UUID(
        int=milliseconds << 80
        | _VERSION
        | secrets.randbits(12) << 64
        | _VARIANT
        | secrets.randbits(62)
    )


def made_at(signal_id: UUID) -> datetime | None:
    """When an id was made, to the millisecond; None where it does not say, or nothing sensible."""
    made = timedelta(milliseconds=signal_id.int >> 80)
    return _EPOCH + made if signal_id.version == 7 and made < _LONGEST else None
