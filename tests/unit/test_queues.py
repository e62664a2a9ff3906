"""What is put on the queues: ids alone, in the right group, told apart, refused aloud."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from agent_where.errors import QueueUnavailable
from agent_where.queues import Queues
from agent_where.store.records import OrderTicket, SignalTicket

SIGNALS, ORDERS, DEAD = "http://127.0.0.1:1/s", "http://127.0.0.1:1/o", "http://127.0.0.1:1/d"
AGENT = UUID(int=7)
NOT_TEXT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Sqs:
    """As much of SQS as is used: refuses what the real one refuses, or whatever it is told to."""

    def __init__(self, *, fails: Exception | None = None, refuses: Sequence[str] = ()) -> None:
        self.sent: list[tuple[str, list[dict[str, Any]]]] = []
        self.visibility: list[tuple[str, int]] = []
        self._fails = fails
        self._refuses = refuses

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> Any:  # noqa: N803 boto3's words
        self._answer()
        assert 1 <= len(Entries) <= 10
        for entry in Entries:
            texts = [entry["MessageBody"]]
            texts += [each["StringValue"] for each in entry.get("MessageAttributes", {}).values()]
            if any(not text or NOT_TEXT.search(text) for text in texts):
                raise ClientError(
                    {"Error": {"Code": "InvalidMessageContents", "Message": "not text"}}, "Send"
                )
        self.sent.append((QueueUrl, Entries))
        return {"Failed": [{"Id": id_, "Code": "InternalError"} for id_ in self._refuses]}

    def change_message_visibility(
        self,
        *,
        QueueUrl: str,  # noqa: N803 boto3's words
        ReceiptHandle: str,  # noqa: N803 boto3's words
        VisibilityTimeout: int,  # noqa: N803 boto3's words
    ) -> None:
        self._answer()
        self.visibility.append((ReceiptHandle, VisibilityTimeout))

    def get_queue_attributes(self, *, QueueUrl: str, AttributeNames: Sequence[str]) -> Any:  # noqa: N803 boto3's words
        self._answer()
        return {"Attributes": dict.fromkeys(AttributeNames, "3")}

    def _answer(self) -> None:
        if self._fails:
            raise self._fails

    def entries(self) -> list[Mapping[str, Any]]:
        return [entry for _, batch in self.sent for entry in batch]


def queues(sqs: Sqs, **urls: str | None) -> Queues:
    known: dict[str, Any] = {"signals_url": SIGNALS, "orders_url": ORDERS, "dead_letters_url": DEAD}
    return Queues(**(known | urls), client=cast("Any", sqs))


def tickets(count: int) -> list[OrderTicket]:
    return [OrderTicket(id=uuid4(), account="0xabc", venue="FIRST") for _ in range(count)]


def test_a_signal_s_message_is_its_id_in_the_group_of_its_agent() -> None:
    sqs, signal = Sqs(), uuid4()

    queues(sqs).send_signals([SignalTicket(id=signal, agent_id=AGENT)])

    assert sqs.sent == [
        (
            SIGNALS,
            [
                {
                    "Id": "0",
                    "MessageBody": json.dumps({"signalId": str(signal)}),
                    "MessageGroupId": str(AGENT),
                    "MessageDeduplicationId": str(signal),
                }
            ],
        )
    ]


def test_orders_go_in_batches_of_ten_each_in_a_group_of_its_own() -> None:
    sqs, orders = Sqs(), tickets(23)

    queues(sqs).send_orders(orders)

    assert [(url, len(batch)) for url, batch in sqs.sent] == [
        (ORDERS, 10),
        (ORDERS, 10),
        (ORDERS, 3),
    ]
    bodies = [json.loads(entry["MessageBody"]) for entry in sqs.entries()]
    assert bodies == [{"orderId": str(order.id)} for order in orders]
    assert [entry["MessageGroupId"] for entry in sqs.entries()] == [str(each.id) for each in orders]


def test_no_orders_are_no_call() -> None:
    queues(Sqs(fails=AssertionError("called"))).send_orders([])


def test_what_is_sent_again_is_no_duplicate_for_the_queue() -> None:
    sqs, (order,), signal = Sqs(), tickets(1), uuid4()

    queues(sqs).send_orders([order])
    queues(sqs).send_orders([order], again=True)
    queues(sqs).send_orders([order], again=True)
    for again in (1, 2):
        queues(sqs).send_signals([SignalTicket(id=signal, agent_id=AGENT, again=again)])

    assert len({entry["MessageDeduplicationId"] for entry in sqs.entries()}) == 5


@pytest.mark.parametrize("reason", ["a sentence", "x" * 5_000, "\x01: unknown key", "💥", "\ufffe"])
def test_a_message_is_buried_with_any_reason_at_all(reason: str) -> None:
    sqs = Sqs()

    queues(sqs).bury("the body", "the group", reason, SIGNALS)

    (entry,) = sqs.entries()
    assert (entry["MessageBody"], entry["MessageGroupId"]) == ("the body", "the group")
    assert entry["MessageAttributes"]["source"]["StringValue"] == SIGNALS


@pytest.mark.parametrize(
    "error",
    [
        EndpointConnectionError(endpoint_url=ORDERS),
        ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "later"}}, "Send"),
    ],
)
def test_a_queue_that_is_away_is_told_as_such(error: Exception) -> None:
    away = queues(Sqs(fails=error))

    for call in (
        lambda: away.send_signals([SignalTicket(id=uuid4(), agent_id=AGENT)]),
        lambda: away.send_orders(tickets(1)),
        lambda: away.bury("body", "group", "reason", SIGNALS),
        lambda: away.delay(SIGNALS, "receipt", 2),
        away.depths,
    ):
        with pytest.raises(QueueUnavailable, match=r"^http://127\.0\.0\.1:1/"):
            call()


def test_an_entry_that_the_queue_did_not_take_is_a_failure() -> None:
    with pytest.raises(QueueUnavailable, match="InternalError"):
        queues(Sqs(refuses=["1"])).send_orders(tickets(2))


def test_a_queue_without_a_url_cannot_be_sent_to_and_is_not_measured() -> None:
    some = queues(Sqs(), dead_letters_url=None)

    with pytest.raises(QueueUnavailable, match="no URL"):
        some.bury("body", "group", "reason", SIGNALS)
    assert some.depths() == {"signalQueueDepth": 6, "orderQueueDepth": 6}


def test_a_delay_changes_the_visibility_of_that_message() -> None:
    sqs = Sqs()

    queues(sqs).delay(SIGNALS, "receipt", 32)

    assert sqs.visibility == [("receipt", 32)]
