"""One queue message, to its end or back on the queue: nothing is dropped in silence.

What can never succeed goes to the dead-letter queue at once, with its reason, so that it holds up
nobody behind it. What may pass is seen again soon, and later each time. An order that an operator
has to help is put off in the ledger, where it is counted; its message has done its part.
"""

import logging
from collections.abc import Callable

from agent_where import pipeline
from agent_where.domain import Model
from agent_where.errors import BadInput, BadSetting, DatabaseRefused, QueueUnavailable
from agent_where.execution.executor import Outcome
from agent_where.messages import OrderRef, SignalMessage, SignalRef, parse
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
        AgentWhereError: it may succeed later. Whatever is raised, foreseen or not, the message is
            seen again after some seconds.
    """
    is_done = False
    try:
        outcome = _carry_out(delivery, queues, deps)
        is_done = True
    finally:
        if not is_done:
            _delay(delivery, queues)
    return outcome


def _carry_out(
    delivery: Delivery, queues: Queues, deps: Callable[[], Deps]
) -> SignalOutcome | Outcome | None:
    try:
        message, ready = parse(delivery.body), deps()
        return _run(message, ready)
    except BadInput as error:
        _bury(delivery, queues, f"{error.code}: {error}")
    except DatabaseRefused as error:
        if not error.is_about_the_data or delivery.receive_count == 1:
            raise
        _bury(delivery, queues, f"REFUSED: {error}")
    return None


def _run(message: SignalMessage | SignalRef | OrderRef, deps: Deps) -> SignalOutcome | Outcome:
    """Carry it out. An order that lacks its key or a setting waits in the ledger, not here."""
    try:
        return pipeline.run(message, deps)
    except BadSetting as error:
        if not isinstance(message, OrderRef):
            raise
        _logger.error("order %s cannot be sent as things stand: %s", message.order_id, error)  # noqa: TRY400 its sentence says it all
        waits = pipeline.put_off(message.order_id, str(error), deps)
        if waits is None:
            raise
        return waits


def _bury(delivery: Delivery, queues: Queues, reason: str) -> None:
    _logger.error("message refused: %s", reason)
    queues.bury(delivery.body, delivery.group, reason, delivery.queue_url)


def delay_seconds(receive_count: int) -> int:
    """How long a message that failed is out of sight: 2 s at first, a minute at most."""
    return min(1 << min(receive_count, 6), _LONGEST_DELAY_SECONDS)


def _delay(delivery: Delivery, queues: Queues) -> None:
    seconds = delay_seconds(delivery.receive_count)
    _logger.warning("message failed for now, again in %s s", seconds)
    try:
        queues.delay(delivery.queue_url, delivery.receipt_handle, seconds)
    except QueueUnavailable as error:
        _logger.warning("the queue's own visibility time-out applies: %s", error)
