"""One queue message, to its end or back on the queue: nothing is dropped in silence.

What can never succeed goes to the dead-letter queue at once, with its reason, so that it holds up
nobody behind it. What may pass is seen again soon, and later each time.
"""

import logging
from collections.abc import Callable

from agent_where import pipeline
from agent_where.domain import Model
from agent_where.errors import AgentWhereError, BadInput, QueueUnavailable
from agent_where.execution.executor import Outcome
from agent_where.messages import parse
from agent_where.pipeline import Deps, SignalOutcome
from agent_where.queues import Queues

_logger = logging.getLogger(__name__)

_LONGEST_DELAY_SECONDS = 60


class Delivery(Model):
    """One delivery of one message. `receive_count` is 1 the first time."""

    body: str
    group: str
    receipt_handle: str
    receive_count: int
    queue_url: str


def consume(
    delivery: Delivery, queues: Queues, deps: Callable[[], Deps]
) -> SignalOutcome | Outcome | None:
    """Carry out one message. None: it can never succeed and was put on the dead-letter queue.

    Raises:
        AgentWhereError: it may succeed later; the message is seen again after some seconds.
    """
    try:
        return pipeline.run(parse(delivery.body), deps())
    except BadInput as error:
        _logger.error("message refused: %s", error, extra={"code": error.code})  # noqa: TRY400 its cause is in the message
        queues.bury(delivery.body, delivery.group, f"{error.code}: {error}", delivery.queue_url)
        return None
    except AgentWhereError as error:
        seconds = delay_seconds(delivery.receive_count)
        _logger.warning("message failed for now, again in %s s: %s", seconds, error)
        _delay(delivery, queues, seconds)
        raise


def delay_seconds(receive_count: int) -> int:
    """How long a message that failed is out of sight: 2 s at first, a minute at most."""
    return min(1 << min(receive_count, 6), _LONGEST_DELAY_SECONDS)


def _delay(delivery: Delivery, queues: Queues, seconds: int) -> None:
    try:
        queues.delay(delivery.queue_url, delivery.receipt_handle, seconds)
    except QueueUnavailable as error:
        _logger.warning("the queue's own visibility time-out applies: %s", error)
