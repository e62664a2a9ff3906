"""Both queues: decide one signal, or carry out one order."""

from functools import cache
from typing import Any

from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import SqsFifoPartialProcessor, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from aws_lambda_powertools.utilities.typing import LambdaContext

from agent_where import wiring
from agent_where.consuming import Delivery, consume
from agent_where.measuring import tell_message, tell_venues
from agent_where.pipeline import Deps
from agent_where.settings import RouteExecuteSettings
from agent_where.venues.registry import tally

logger = Logger()
tracer = Tracer(auto_patch=False)  # nothing of AWS is loaded before it is used
metrics = Metrics(namespace="AgentWhere")
processor = SqsFifoPartialProcessor()
processor.raise_on_entire_batch_failure = False  # a batch is one message


@cache
def settings() -> RouteExecuteSettings:
    return RouteExecuteSettings.from_environment()


@cache
def deps() -> Deps:
    return wiring.deps(settings())


@tracer.capture_method(capture_response=False)
def carry_out(record: SQSRecord) -> None:
    """One message; its outcome is one log line and its figures."""
    metrics.add_metric("Messages", MetricUnit.Count, 1)
    delivery = Delivery(
        body=record.body,
        group=record.attributes.message_group_id or "",
        receipt_handle=record.receipt_handle,
        receive_count=int(record.attributes.approximate_receive_count),
        queue_url=settings().queue_url(record.event_source_arn),
    )
    outcome = consume(delivery, wiring.queues(settings()), deps)
    tell_message(metrics, outcome)
    told = outcome.model_dump(mode="json", exclude={"due"}) if outcome else "dead letter"
    logger.info("message ended", outcome=told)


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event: dict[str, Any], context: LambdaContext) -> Any:  # noqa: ANN401 Powertools' partial response
    answer = process_partial_response(event, carry_out, processor, context)
    tell_venues(tally())
    return answer
