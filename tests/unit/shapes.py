"""Markets, quotes and signals for pure tests: healthy ones, but for what a test changes."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from agent_where.domain import Market, Quote, Signal
from agent_where.routing.candidates import Candidate

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
MAX_AGE = timedelta(minutes=60)
SIGNAL_ID = UUID("00000000-0000-4000-8000-000000000001")
AGENT_ID = UUID("00000000-0000-4000-8000-000000000002")


def market(**changes: Any) -> Market:
    """A healthy market at 100 USD that takes any size."""
    healthy = {
        "venue": "FIRST",
        "token_symbol": "BTC",
        "name": "BTC/USD",
        "index": 0,
        "max_leverage": Decimal(40),
        "min_notional_usd": Decimal(10),
        "price_usd": Decimal(100),
        "last_synced": NOW,
    }
    return Market.model_validate(healthy | changes)


def candidate(venue: str = "FIRST", **changes: Any) -> Candidate:
    """A venue that lists the healthy market."""
    return Candidate(venue=venue, market=market(venue=venue, **changes))


def quote(bid: Decimal | str, ask: Decimal | str) -> Quote:
    return Quote(bid=Decimal(bid), ask=Decimal(ask), at=NOW)


def signal(**changes: Any) -> Signal:
    """An OPEN LONG of 100 USDC at leverage 3."""
    wanted = {
        "id": SIGNAL_ID,
        "agent_id": AGENT_ID,
        "token_symbol": "BTC",
        "venue": "MULTI",
        "action": "OPEN",
        "side": "LONG",
        "size": {"type": "fixed-usdc", "value": Decimal(100), "leverage": Decimal(3)},
        "expires_at": NOW + timedelta(minutes=5),
    }
    return Signal.model_validate(wanted | changes)
