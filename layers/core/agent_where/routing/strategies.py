"""How candidates that passed every check are ranked: a key function each, lower is better."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType

from agent_where.domain import Signal
from agent_where.routing.candidates import Candidate, RoutingConfig

Strategy = Callable[[Signal, RoutingConfig, Candidate], Decimal]


def first_available(_: Signal, config: RoutingConfig, candidate: Candidate) -> Decimal:
    """The place in the priority list, counted from 0."""
    return Decimal(config.venue_priority.index(candidate.venue))


STRATEGIES: Mapping[str, Strategy] = MappingProxyType({"FIRST_AVAILABLE": first_available})
