"""The routing statistics: what the counted rows say, in the contract's words. Pure."""

from collections.abc import Mapping, Sequence
from decimal import ROUND_DOWN, ROUND_HALF_UP, Decimal
from typing import Any

from agent_where.contract.decisions import RoutingView, StatsAnswer, StatsView, TokenStats
from agent_where.domain import DEFAULT_PRIORITY

MOST_TOKENS = 1000
"""The most tokens told apart: whoever sends signals may make up as many as he likes."""

_US_PER_MS = 1000
_PERCENT = Decimal(100)


def shape(row: Mapping[str, Any], time_window: str) -> StatsAnswer:
    """From the row of `read_stats.sql` and the newest decisions."""
    counts: Sequence[Mapping[str, Any]] = row["counts"]
    total = sum(count["decisions"] for count in counts)
    routed = sum(count["decisions"] for count in counts if count["venue"])
    return StatsAnswer(
        time_window=time_window,
        stats=StatsView(
            total=total,
            by_venue=_by_venue(counts),
            by_token=_by_token(counts, row["venue_priority"] or DEFAULT_PRIORITY),
            avg_routing_time_ms=_ms(row["avg_us"]),
            success_rate=success_rate(routed, total),
            failovers=row["failovers"],
            p50_routing_time_ms=row["p50_ms"] or 0,
            p99_routing_time_ms=row["p99_ms"] or 0,
        ),
        recent_routing=tuple(RoutingView.model_validate(each) for each in row["recent"]),
    )


def success_rate(routed: int, total: int) -> int | float:
    """Percent of the decisions that found a venue; 100 of none. Only all of them are 100."""
    if total == 0:
        return 100
    return _number((_PERCENT * routed / total).quantize(Decimal("0.01"), ROUND_DOWN))


def _by_venue(counts: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    seen: dict[str, int] = {}
    for count in counts:
        if count["venue"]:
            seen[count["venue"]] = seen.get(count["venue"], 0) + count["decisions"]
    return dict(sorted(seen.items()))


def _by_token(
    counts: Sequence[Mapping[str, Any]], priority: Sequence[str]
) -> dict[str, TokenStats]:
    venues = [*priority, *(venue for venue in _by_venue(counts) if venue not in priority)]
    tokens: dict[str, dict[str | None, int]] = {}
    for count in counts:
        tokens.setdefault(count["token"], {})[count["venue"]] = count["decisions"]
    most = sorted(tokens, key=lambda token: (-sum(tokens[token].values()), token))[:MOST_TOKENS]
    return {
        token: TokenStats(
            total=sum(found.values()), venues={venue: found.get(venue, 0) for venue in venues}
        )
        for token, found in sorted((token, tokens[token]) for token in most)
    }


def _ms(microseconds: Decimal | int | None) -> int | float:
    told = Decimal(microseconds or 0) / _US_PER_MS
    return _number(told.quantize(Decimal("0.001"), ROUND_HALF_UP))


def _number(value: Decimal) -> int | float:
    """A JSON number, whole where it is: a time or a share, never money."""
    return int(value) if value == value.to_integral_value() else float(value)
