"""Putting ids on the queues: signals in groups of their agent, each order in one of its own.

Messages carry ids and nothing else; the truth is in the database. boto3 is loaded when a queue is
first used.
"""

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING
from uuid import uuid4

from agent_where.errors import QueueUnavailable
from agent_where.store.records import OrderTicket, SignalTicket

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import SendMessageBatchRequestEntryTypeDef

_BATCH = 10
_AT_ONCE = 16  # batches under way together
_LONGEST_REASON = 1000


class Queues:
    """The two FIFO queues and their dead-letter queue, by URL. A URL may be None where a function
    has no business with that queue.
    """

    def __init__(
        self,
        *,
        signals_url: str | None = None,
        orders_url: str | None = None,
        dead_letters_url: str | None = None,
        client: "SQSClient | None" = None,
    ) -> None:
        self._signals_url = signals_url
        self._orders_url = orders_url
        self._dead_letters_url = dead_letters_url
        self._client = client

    def send_signals(self, signals: Sequence[SignalTicket]) -> None:
        """Put signals' ids on the queue, each in the group of its agent."""
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {
                "Id": str(place),
                "MessageBody": json.dumps({"signalId": str(signal.id)}),
                "MessageGroupId": str(signal.agent_id),
                "MessageDeduplicationId": f"{signal.id}-{signal.again}"
                if signal.again
                else str(signal.id),
            }
            for place, signal in enumerate(signals)
        ]
        for start in range(0, len(entries), _BATCH):
            self._send(self._signals_url, entries[start : start + _BATCH])

    def send_orders(self, orders: Sequence[OrderTicket], *, again: bool = False) -> None:
        """Put orders' ids on the queue, each in a group of its own.

        One that has to wait holds up nobody: what an account's orders have to keep apart, its lease
        does. `again`: even if the same was sent minutes ago.
        """
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {
                "Id": str(place),
                "MessageBody": json.dumps({"orderId": str(order.id)}),
                "MessageGroupId": str(order.id),
                "MessageDeduplicationId": _once(order, again=again or order.again),
            }
            for place, order in enumerate(orders)
        ]
        self._send_at_once(self._orders_url, entries)

    def bury(self, body: str, group: str, reason: str, source: str) -> None:
        """Put a message that can never succeed on the dead-letter queue, with its reason."""
        self._send(
            self._dead_letters_url,
            [
                {
                    "Id": "0",
                    "MessageBody": body,
                    "MessageGroupId": group,
                    "MessageDeduplicationId": str(uuid4()),
                    "MessageAttributes": {
                        "reason": {"DataType": "String", "StringValue": _printable(reason)},
                        "source": {"DataType": "String", "StringValue": source},
                    },
                }
            ],
        )

    def delay(self, queue_url: str, receipt_handle: str, seconds: int) -> None:
        """Let a message that failed be seen again after `seconds`."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 loads boto3

        try:
            self._sqs().change_message_visibility(
                QueueUrl=queue_url, ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
            )
        except (BotoCoreError, ClientError) as error:
            raise QueueUnavailable(f"{queue_url}: {error}") from error

    def depths(self) -> dict[str, int]:
        """How many messages wait on each queue, those in flight counted too."""
        urls = {
            "signalQueueDepth": self._signals_url,
            "orderQueueDepth": self._orders_url,
            "deadLetters": self._dead_letters_url,
        }
        return {name: self._depth(url) for name, url in urls.items() if url}

    def _depth(self, url: str) -> int:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 loads boto3

        try:
            told = self._sqs().get_queue_attributes(
                QueueUrl=url,
                AttributeNames=[
                    "ApproximateNumberOfMessages",
                    "ApproximateNumberOfMessagesNotVisible",
                ],
            )
        except (BotoCoreError, ClientError) as error:
            raise QueueUnavailable(f"{url}: {error}") from error
        return sum(int(count) for count in told["Attributes"].values())

    def _send_at_once(
        self, url: str | None, entries: "Sequence[SendMessageBatchRequestEntryTypeDef]"
    ) -> None:
        """Send batches side by side; all are tried, whichever fails."""
        batches = [entries[start : start + _BATCH] for start in range(0, len(entries), _BATCH)]
        if len(batches) <= 1:
            for batch in batches:
                self._send(url, batch)
            return
        self._sqs()  # made once: making a client is not for several threads
        with ThreadPoolExecutor(min(len(batches), _AT_ONCE)) as pool:
            sent = [pool.submit(self._send, url, batch) for batch in batches]
        for each in sent:
            each.result()

    def _send(
        self, url: str | None, entries: "Sequence[SendMessageBatchRequestEntryTypeDef]"
    ) -> None:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 loads boto3

        if url is None:
            raise QueueUnavailable("this function has no URL of the queue it should send to")
        try:
            answer = self._sqs().send_message_batch(QueueUrl=url, Entries=list(entries))
        except (BotoCoreError, ClientError) as error:
            raise QueueUnavailable(f"{url}: {error}") from error
        failed = answer.get("Failed", [])
        if failed:
            raise QueueUnavailable(f"{url}: {failed[0].get('Message', failed[0]['Code'])}")

    def _sqs(self) -> "SQSClient":
        if self._client is None:
            self._client = sqs_client()
        return self._client


def sqs_client() -> "SQSClient":
    """A client that does not wait for long."""
    import boto3  # noqa: PLC0415 150 ms, only where a queue is used
    from botocore.config import Config  # noqa: PLC0415

    patience = Config(
        connect_timeout=2,
        read_timeout=5,
        retries={"max_attempts": 2},
        max_pool_connections=_AT_ONCE,
    )
    return boto3.client("sqs", config=patience)


def _once(order: OrderTicket, *, again: bool) -> str:
    """The deduplication id: the order's own, or one that was never used."""
    return f"{order.id}-{uuid4()}" if again else str(order.id)


def _printable(reason: str) -> str:
    """What SQS takes as an attribute's value: it refuses control characters."""
    text = "".join(char if char.isprintable() else repr(char)[1:-1] for char in reason)
    return text.encode("ascii", "backslashreplace").decode()[:_LONGEST_REASON]
