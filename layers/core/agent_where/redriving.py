"""Dead letters back to where they came from: in the order of each group, as messages never sent.

A message is put on its queue before it leaves the dead letters, so one that is in both after a
crash comes twice, and finds its work done. What is left goes to the end of the dead letters, since
a FIFO queue tells nothing of a group behind a message that somebody holds.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING
from uuid import uuid4

from agent_where.domain import Model
from agent_where.errors import QueueUnavailable
from agent_where.queues import sqs_client

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageAttributeValueTypeDef, MessageTypeDef

_BATCH = 10
_HELD_SECONDS = 120
_SHOWN = 500


class Letter(Model):
    """A dead letter. `id` is the queue's; `names` what its body is about; `to` the queue it is for.

    `to` None: nobody can tell, so it is left. `left`: not to be sent, or not sent.
    """

    id: str
    group: str
    body: str
    names: str
    reason: str
    sent_at_ms: int
    to: str | None
    left: bool


class Redriven(Model):
    """What was found, in the order of the queue, and what was done about it.

    `sent`: whether it was done at all. `depth`: dead letters before. Without sending only the first
    ten of a group can be seen.
    """

    sent: bool
    depth: int
    moved: int
    letters: tuple[Letter, ...]


class DeadLetters:
    """The dead-letter queue, and the queues by what a body names: `orderId`, else `signalId`."""

    def __init__(
        self,
        *,
        dead_letters_url: str,
        signals_url: str,
        orders_url: str,
        client: "SQSClient | None" = None,
    ) -> None:
        self._dead_letters_url = dead_letters_url
        self._signals_url = signals_url
        self._orders_url = orders_url
        self._client = client

    def redrive(self, *, send: bool, leave: Collection[str] = ()) -> Redriven:
        """Put dead letters back, those that are there now.

        Args:
            send: False only looks, and hides them from others for a moment.
            leave: ids of messages, orders or signals that stay.

        Raises:
            QueueUnavailable: what was not moved yet is where it was, in its order.
        """
        depth, moved, seen = self._depth(), 0, list[Letter]()
        for message, letter in self._letters(depth, leave, stays=not send):
            seen.append(letter)
            if send:
                self._move(message, letter)
                moved += not letter.left
        return Redriven(sent=send, depth=depth, moved=moved, letters=tuple(seen[:_SHOWN]))

    def _letters(
        self, depth: int, leave: Collection[str], *, stays: bool
    ) -> "Iterator[tuple[MessageTypeDef, Letter]]":
        """As many as there were, the oldest of each group first; what was left comes once."""
        held: list[MessageTypeDef] = []
        left: set[tuple[str, str]] = set()
        count = 0
        try:
            while count < depth and (batch := self._receive()):
                held += batch if stays else []
                known = count
                for message in batch:
                    letter = self._letter(message, leave)
                    key = letter.group, message["Body"]
                    if count == depth or key in left:  # under another id of the queue's
                        held += [] if stays else [message]
                        continue
                    left |= {key} if letter.left else set()
                    count += 1
                    yield message, letter
                if count == known:
                    return
        finally:
            for message in held:
                self._show(message)

    def _letter(self, message: "MessageTypeDef", leave: Collection[str]) -> Letter:
        body, attributes = message["Body"], message["Attributes"]
        told = _object(body)
        names = told.get("orderId") or told.get("signalId") or ""
        to = self._orders_url if "orderId" in told else self._signals_url
        to_known = to if names else None
        stays = to_known is None or bool({message["MessageId"], str(names)} & {*leave})
        attached = message.get("MessageAttributes", {})
        reason = attached["reason"].get("StringValue", "") if "reason" in attached else ""
        return Letter(
            id=message["MessageId"],
            group=attributes["MessageGroupId"],
            body=body[:1000],
            names=str(names),
            reason=reason or "it was received too often",
            sent_at_ms=int(attributes["SentTimestamp"]),
            to=to_known,
            left=stays,
        )

    def _move(self, message: "MessageTypeDef", letter: Letter) -> None:
        told = message.get("MessageAttributes", {}) if letter.left else {}
        where = self._dead_letters_url if letter.left or letter.to is None else letter.to
        kept: Mapping[str, MessageAttributeValueTypeDef] = {
            name: {"DataType": value["DataType"], "StringValue": value.get("StringValue", "")}
            for name, value in told.items()
        }
        with _told(where):
            self._sqs().send_message(
                QueueUrl=where,
                MessageBody=message["Body"],
                MessageGroupId=letter.group,
                MessageDeduplicationId=str(uuid4()),
                MessageAttributes=kept,
            )
            self._sqs().delete_message(
                QueueUrl=self._dead_letters_url, ReceiptHandle=message["ReceiptHandle"]
            )

    def _receive(self) -> "list[MessageTypeDef]":
        with _told(self._dead_letters_url):
            answer = self._sqs().receive_message(
                QueueUrl=self._dead_letters_url,
                MaxNumberOfMessages=_BATCH,
                MessageSystemAttributeNames=["MessageGroupId", "SentTimestamp"],
                MessageAttributeNames=["All"],
                VisibilityTimeout=_HELD_SECONDS,
                WaitTimeSeconds=1,
            )
        return answer.get("Messages", [])

    def _show(self, message: "MessageTypeDef") -> None:
        with _told(self._dead_letters_url):
            self._sqs().change_message_visibility(
                QueueUrl=self._dead_letters_url,
                ReceiptHandle=message["ReceiptHandle"],
                VisibilityTimeout=0,
            )

    def _depth(self) -> int:
        with _told(self._dead_letters_url):
            told = self._sqs().get_queue_attributes(
                QueueUrl=self._dead_letters_url,
                AttributeNames=["ApproximateNumberOfMessages"],
            )
        return int(told["Attributes"]["ApproximateNumberOfMessages"])

    def _sqs(self) -> "SQSClient":
        if self._client is None:
            self._client = sqs_client()
        return self._client


def _object(body: str) -> Mapping[str, object]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


@contextmanager
def _told(url: str) -> Iterator[None]:
    """A queue that is away is told as such."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 loads boto3

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise QueueUnavailable(f"{url}: {error}") from error
