"""Which venue should trade a signal. Pure: no clock, no I/O, no venue's name."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from agent_where.domain import Market, Refusal, Signal
from agent_where.routing.candidates import Candidate, RoutingConfig, Verdict
from agent_where.routing.checks import Refused, Terms, refusal_of
from agent_where.routing.decision import Decision
from agent_where.routing.strategies import STRATEGIES


def route(
    signal: Signal,
    config: RoutingConfig,
    candidates: Sequence[Candidate],
    now: datetime,
    *,
    max_age: timedelta,
    refused: Refused | None = None,
) -> Decision:
    """Judge every candidate and rank those that pass.

    Args:
        candidates: one for each venue of the priority list, listed there or not.
        now: database time.
        max_age: how old a market's last sync may be.
        refused: why the signal is turned down as a whole, whatever its candidates. Then, as
            when it has expired, none of them is looked at.
    """
    refused = refused or expired(signal, now)
    terms = Terms(signal=signal, now=now, max_age=max_age)
    verdicts = (
        () if refused else tuple(_judge_and_score(terms, config, each) for each in candidates)
    )
    return Decision(
        signal_id=signal.id,
        token_symbol=signal.token_symbol,
        requested_venue=signal.venue,
        config=config,
        verdicts=tuple(sorted(verdicts, key=lambda verdict: _rank(config, verdict))),
        refused=refused,
    )


def expired(signal: Signal, now: datetime) -> Refused | None:
    """Whether the signal is too old to open anything."""
    if not signal.is_expired(now):
        return None
    return Refused(code=Refusal.SIGNAL_EXPIRED, detail=f"it expired at {signal.expires_at}")


def _judge_and_score(terms: Terms, config: RoutingConfig, candidate: Candidate) -> Verdict:
    verdict = judge(terms, candidate)
    if verdict.refusal is not None:
        return verdict
    score = STRATEGIES[config.routing_strategy](terms.signal, config, candidate)
    return verdict.model_copy(update={"score": score})


def judge(terms: Terms, candidate: Candidate) -> Verdict:
    """Whether the candidate may trade now, not yet how it ranks."""
    refused = refusal_of(terms, candidate)
    if refused:
        return Verdict(candidate=candidate, refusal=refused.code, detail=refused.detail)
    assert candidate.market is not None
    return Verdict(candidate=candidate, detail=_available(candidate.market))


def _available(market: Market) -> str:
    at = "" if market.index is None else f" (Index: {market.index})"
    return f"Market {market.name} available{at}"


def _rank(config: RoutingConfig, verdict: Verdict) -> tuple[bool, Decimal, int]:
    place = config.venue_priority.index(verdict.venue)
    return verdict.refusal is not None, verdict.score or Decimal(0), place
