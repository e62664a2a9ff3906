"""What the readiness report says of the queues: whether each is there, and what waits in it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent_where.errors import QueueUnavailable
from agent_where.queues import Queues
from agent_where.report import DEAD_LETTERS, Check, check
from agent_where.settings import SetupSettings

if TYPE_CHECKING:
    from pydantic import JsonValue
    from types_boto3_sqs import SQSClient


def queue_checks(settings: SetupSettings, sqs: "SQSClient | None") -> Iterator[Check]:
    """One check a queue. `sqs` None opens a client where a queue's URL is set."""
    yield _queue("queue: signals", "SIGNAL_QUEUE_URL", settings.signal_queue_url, sqs)
    yield _queue("queue: orders", "ORDER_QUEUE_URL", settings.order_queue_url, sqs)
    dead = _queue(DEAD_LETTERS, "DEAD_LETTER_QUEUE_URL", settings.dead_letter_queue_url, sqs)
    depth = dead.what.get("depth")
    if depth:
        todo = f"Read the reasons of the {depth} dead letters; send again what can succeed now"
        dead = check(DEAD_LETTERS, dead.what, todo)
    yield dead


def _queue(name: str, setting: str, url: str | None, sqs: "SQSClient | None") -> Check:
    if url is None:
        return check(name, {"reachable": False}, f"Set {setting}: this function has no URL of it")
    try:
        (depth,) = Queues(signals_url=url, client=sqs).depths().values()
    except QueueUnavailable as away:
        what: dict[str, JsonValue] = {"reachable": False, "error": str(away)}
        return check(name, what, f"Make the queue reachable or correct {setting}: {away}")
    return check(name, {"reachable": True, "depth": depth})
