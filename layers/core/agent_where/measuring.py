"""Figures of our own as CloudWatch's metrics, under the names that alarms watch.

They leave as log lines that CloudWatch reads. What they mean and what to do: docs/alarms.md.
"""

from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit, single_metric

from agent_where.execution.executor import Outcome
from agent_where.pipeline import SignalOutcome
from agent_where.venues.tally import Tally

NAMESPACE = "AgentWhere"
WATCHED = (
    "positionsUnexpected",
    "positionsUnexplained",
    "positionsUnprotected",
    "stopLossesGivenUp",
    "boundsNotTakenBack",
    "ordersHeldUp",
    "ordersCannotEnd",
    "accountsUsedUp",
)
"""The figures of the read side that have an alarm."""


def tell_message(metrics: Metrics, outcome: SignalOutcome | Outcome | None) -> None:
    """One message that was carried out, or that never can be."""
    metrics.add_metric("DeadLetters", MetricUnit.Count, int(outcome is None))
    if isinstance(outcome, SignalOutcome) and outcome.routing_us:
        metrics.add_metric("RoutingTime", MetricUnit.Microseconds, outcome.routing_us)


def tell_figures(metrics: Metrics, figures: Mapping[str, Any]) -> None:
    """Each watched figure of the row that the read side shows."""
    for figure in WATCHED:
        name = f"{figure[0].upper()}{figure[1:]}"
        metrics.add_metric(name, MetricUnit.Count, figures[figure])


def tell_venues(tally: Tally) -> None:
    """What venues said since it was told last: one line for each that said something."""
    for (venue, said), times in tally.take().items():
        with single_metric(said, MetricUnit.Count, times, namespace=NAMESPACE) as metric:
            metric.add_dimension("venue", venue)
