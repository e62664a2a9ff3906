"""On a schedule: send what was lost again, settle what is open, compare with the venues, tell."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_where import wiring
from agent_where.measuring import tell_figures, tell_venues
from agent_where.onboarding import Tending
from agent_where.pipeline import Deps
from agent_where.reconciling import reconcile, write_figures
from agent_where.settings import ReconcileSettings
from agent_where.venues.registry import tally

logger = Logger()
tracer = Tracer(auto_patch=False)  # nothing of AWS is loaded before it is used
metrics = Metrics(namespace="AgentWhere")

SECONDS_TO_TEND = 6.0  # for the keys that are to be made and asked about
SECONDS_TO_SPARE = 8.0  # to end what is under way and write the figures


@cache
def deps() -> Deps:
    return wiring.deps(ReconcileSettings.from_environment())


@cache
def tending() -> Tending:
    return wiring.tending(ReconcileSettings.from_environment())


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    done = reconcile(deps(), seconds=_left(context) - SECONDS_TO_TEND)
    figures = write_figures(deps(), done)
    metrics.add_metric(name="OrdersStillOpen", unit=MetricUnit.Count, value=done.still_open)
    is_waiting = bool(done.restore_waits_for)
    metrics.add_metric(name="RestoresOpen", unit=MetricUnit.Count, value=int(is_waiting))
    tell_figures(metrics, figures)
    tell = logger.error if done.queue_fault else logger.info
    tell("reconciled", done=done.model_dump())
    tended = tending().tend(seconds=min(_left(context), SECONDS_TO_TEND))
    logger.info("tended", done=tended.model_dump())
    tell_venues(tally())
    return {"success": done.queue_fault is None, **done.model_dump()}


def _left(context: LambdaContext) -> float:
    return context.get_remaining_time_in_millis() / 1000 - SECONDS_TO_SPARE
