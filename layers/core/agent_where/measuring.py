"""Figures of our own as CloudWatch's metrics, under the names that alarms watch.

They leave as log lines that CloudWatch reads. What they mean and what to do: docs/alarms.md.
"""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit, single_metric

from agent_where.domain import OrderStatus
from agent_where.execution.executor import Outcome
from agent_where.pipeline import SignalOutcome, SignalStatus
from agent_where.venues._calls import calls
from agent_where.venues.tally import Tally

NAMESPACE = "AgentWhere"
WATCHED = (
    "positionsUnexpected",
    "positionsUnexplained",
    "positionsUnprotected",
    "stopLossesGivenUp",
    "boundsNotTakenBack",
    "ordersHeldUp",
    "closesOverdue",
    "ordersCannotEnd",
    "accountsUsedUp",
    "signersLowOnGas",
)
"""The figures of the read side that have an alarm."""

_SHOWN = (
    ("undecidedSignals", "UndecidedSignals", MetricUnit.Count),
    ("plannedOrdersDue", "PlannedOrdersDue", MetricUnit.Count),
    ("unsettledOrders", "UnsettledOrders", MetricUnit.Count),
    ("oldestUnsettledSeconds", "OldestUnsettledSeconds", MetricUnit.Seconds),
    ("openPositions", "OpenPositions", MetricUnit.Count),
)
"""The others, which the dashboard shows."""

_DECIDED = frozenset({SignalStatus.ROUTED, SignalStatus.SKIPPED})
_UNTRADED = frozenset({OrderStatus.REJECTED, OrderStatus.EXPIRED})
_VALUES = 99  # a log line may hold 100 of one name, with which Powertools ends it by itself


def tell_message(metrics: Metrics, outcome: SignalOutcome | Outcome | None) -> None:
    """One message that was carried out, or that never can be."""
    metrics.add_metric("DeadLetters", MetricUnit.Count, int(outcome is None))
    if isinstance(outcome, SignalOutcome):
        _tell_signal(metrics, outcome)
    elif outcome is not None:
        count("Orders", status=outcome.status)
        passed_on = outcome.status in _UNTRADED and bool(outcome.due)
        metrics.add_metric("Failovers", MetricUnit.Count, int(passed_on))


def _tell_signal(metrics: Metrics, outcome: SignalOutcome) -> None:
    count("Signals", status=outcome.status)
    if outcome.status in _DECIDED:
        count("Decisions", venue=outcome.venue or "NONE")
    if outcome.routing_us:
        metrics.add_metric("RoutingTime", MetricUnit.Microseconds, outcome.routing_us)


def count(name: str, times: int = 1, **kind: str) -> None:
    """Something that comes in kinds, in a line of its own."""
    with single_metric(name, MetricUnit.Count, times, namespace=NAMESPACE) as metric:
        for key, value in kind.items():
            metric.add_dimension(key, value)


def tell_figures(metrics: Metrics, figures: Mapping[str, Any]) -> None:
    """Each watched figure of the row that the read side shows."""
    for figure in WATCHED:
        name = f"{figure[0].upper()}{figure[1:]}"
        metrics.add_metric(name, MetricUnit.Count, figures[figure])
    for figure, name, unit in _SHOWN:
        metrics.add_metric(name, unit, figures[figure] or 0)


def tell_venues(tally: Tally) -> None:
    """What venues said since it was told last: one line for each that said something."""
    for (venue, said), times in tally.take().items():
        count(said, times, venue=venue)
    tell_calls()


def tell_calls() -> None:
    """How long each host took since it was told last, and how often in vain."""
    for host, asked in calls().take().items():
        line = EphemeralMetrics(namespace=NAMESPACE)
        line.add_dimension("host", host)
        line.add_metric("VenueFaults", MetricUnit.Count, asked.faults)
        for took in asked.milliseconds[-_VALUES:]:
            line.add_metric("VenueLatency", MetricUnit.Milliseconds, took)
        line.flush_metrics()
