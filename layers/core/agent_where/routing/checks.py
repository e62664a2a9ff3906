"""The checks a market must pass before a signal may trade there, in the order they are made.

Pure: figures in, the first refusal out. The router makes them when it decides, the executor makes
them again right before an order is sent.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from functools import cached_property

from agent_where.domain import ControlState, Market, Refusal, Signal
from agent_where.routing.candidates import Candidate


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A check that failed, and the figures it failed on."""

    code: Refusal
    detail: str


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a signal asks of every market alike. `max_age` is how old a sync may be."""

    signal: Signal
    now: datetime
    max_age: timedelta

    @cached_property
    def notional_usd(self) -> Decimal | None:
        """USD; None where the signal does not tell it yet."""
        size = self.signal.size
        return size.notional_usd() if size else None


Check = Callable[[Terms, Market], str | None]


def refusal_of(terms: Terms, candidate: Candidate) -> Refused | None:
    """The first check that `candidate` fails, or None when it may trade."""
    if candidate.control is not ControlState.ACTIVE:
        return Refused(
            code=Refusal(candidate.control.value),
            detail=f"Trading is {candidate.control} here",
        )
    if not candidate.supported:
        return Refused(code=Refusal.VENUE_NOT_SUPPORTED, detail="No adapter trades here yet")
    if candidate.market is None:
        return Refused(code=Refusal.NOT_LISTED, detail=f"{terms.signal.token_symbol} is not listed")
    return next(market_failures(terms, candidate.market), None)


def market_failures(terms: Terms, market: Market) -> Iterator[Refused]:
    """Every check of the market itself that fails, in order."""
    for code, check in _MARKET_CHECKS:
        detail = check(terms, market)
        if detail is not None:
            yield Refused(code=code, detail=detail)


def _inactive(_: Terms, market: Market) -> str | None:
    return None if market.is_active else f"Market {market.name} is delisted or inactive"


def _closed(_: Terms, market: Market) -> str | None:
    return None if market.is_open else f"Market {market.name} is closed at this hour"


def _stale(terms: Terms, market: Market) -> str | None:
    if market.last_synced is None:
        return f"Market {market.name} was never synced"
    age = terms.now - market.last_synced
    if age <= terms.max_age:
        return None
    limit = _minutes(terms.max_age)
    return f"Market {market.name} was last synced {_minutes(age)} minutes ago, over {limit}"


def _no_price(_: Terms, market: Market) -> str | None:
    return None if market.price_usd else f"Market {market.name} has no price"


def _side(terms: Terms, market: Market) -> str | None:
    side = terms.signal.side
    if side is None or side in market.sides:
        return None
    offered = ", ".join(market.sides) or "no side"
    return f"Market {market.name} takes {offered} now, not {side}"


def _leverage(terms: Terms, market: Market) -> str | None:
    size = terms.signal.size
    if size is None or size.leverage <= market.max_leverage:
        return None
    return f"Leverage {size.leverage:f} is over the {market.max_leverage:f} of market {market.name}"


def _notional(terms: Terms, market: Market) -> str | None:
    notional = terms.notional_usd
    if notional is None or notional >= market.min_notional_usd:
        return None
    least = f"{market.min_notional_usd:f} USD of market {market.name}"
    return f"Notional {notional:f} USD is under the {least}"


_MARKET_CHECKS: Sequence[tuple[Refusal, Check]] = (
    (Refusal.MARKET_INACTIVE, _inactive),
    (Refusal.MARKET_CLOSED, _closed),
    (Refusal.MARKET_STALE, _stale),
    (Refusal.NO_PRICE, _no_price),
    (Refusal.SIDE_NOT_SUPPORTED, _side),
    (Refusal.ABOVE_MAX_LEVERAGE, _leverage),
    (Refusal.BELOW_MIN_POSITION, _notional),
)


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds() // 60)
