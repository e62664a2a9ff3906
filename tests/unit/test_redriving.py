"""Dead letters back in order, against a queue that keeps groups as SQS does."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from agent_where.errors import QueueUnavailable
from agent_where.queues import Queues
from agent_where.redriving import DeadLetters

REGION = "eu-west-1"


@dataclass
class Place:
    """The three queues at a local AWS."""

    sqs: Any
    dead: str
    signals: str
    orders: str
    letters: DeadLetters = field(init=False)

    def __post_init__(self) -> None:
        self.letters = DeadLetters(
            dead_letters_url=self.dead,
            signals_url=self.signals,
            orders_url=self.orders,
            client=self.sqs,
        )

    def bury(self, group: str, reason: str = "a reason", **body: str) -> str:
        queues = Queues(dead_letters_url=self.dead, client=self.sqs)
        queues.bury(json.dumps(body), group, reason, self.orders)
        return next(iter(body.values()), "")

    def depth(self, url: str) -> int:
        told = self.sqs.get_queue_attributes(
            QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"]
        )
        return int(told["Attributes"]["ApproximateNumberOfMessages"])

    def bodies(self, url: str) -> list[tuple[str, str]]:
        """All of a queue, as group and id, taken from it in its order."""
        seen = []
        while messages := self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["All"]
        ).get("Messages", []):
            for each in messages:
                told = json.loads(each["Body"])
                seen.append((each["Attributes"]["MessageGroupId"], next(iter(told.values()))))
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return seen


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        sqs = boto3.client("sqs", region_name=REGION)
        urls = [
            sqs.create_queue(QueueName=f"{name}.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]
            for name in ("dead", "signals", "orders")
        ]
        yield Place(sqs, *urls)


def letters(place: Place, count: int, groups: int = 1) -> list[tuple[str, str]]:
    """So many orders, over so many groups in turn."""
    made = [(f"group-{number % groups}", str(uuid4())) for number in range(count)]
    for group, order in made:
        place.bury(group, orderId=order)
    return made


def of_group(told: list[tuple[str, str]], group: str) -> list[str]:
    return [id_ for of, id_ in told if of == group]


def test_all_go_back_each_group_in_its_order(place: Place) -> None:
    made = letters(place, 37, groups=3)

    done = place.letters.redrive(send=True)

    assert (done.sent, done.depth, done.moved) == (True, 37, 37)
    arrived = place.bodies(place.orders)
    for group in ("group-0", "group-1", "group-2"):
        assert of_group(arrived, group) == of_group(made, group)
    assert place.depth(place.dead) == 0


def test_a_dry_run_moves_nothing_and_hides_nothing(place: Place) -> None:
    made = letters(place, 5)

    first = place.letters.redrive(send=False)
    second = place.letters.redrive(send=False)

    assert first.moved == 0
    assert [letter.names for letter in first.letters] == [id_ for _, id_ in made]
    assert [each.id for each in second.letters] == [each.id for each in first.letters]
    assert (place.depth(place.dead), place.depth(place.orders)) == (5, 0)
    assert {letter.reason for letter in first.letters} == {"a reason"}


def test_each_goes_to_the_queue_that_its_body_is_for(place: Place) -> None:
    order = place.bury("a", orderId=str(uuid4()))
    signal = place.bury("a", signalId=str(uuid4()))

    place.letters.redrive(send=True)

    assert place.bodies(place.orders) == [("a", order)]
    assert place.bodies(place.signals) == [("a", signal)]


def test_a_poison_message_that_is_named_stays_and_those_behind_it_go(place: Place) -> None:
    made = letters(place, 12)
    poison = made[3][1]

    done = place.letters.redrive(send=True, leave=[poison])

    assert [letter.names for letter in done.letters if letter.left] == [poison]
    assert of_group(place.bodies(place.orders), "group-0") == [
        id_ for _, id_ in made if id_ != poison
    ]
    assert place.bodies(place.dead) == [("group-0", poison)]


def test_a_message_may_be_named_by_the_queue_s_own_id_and_keeps_its_reason(place: Place) -> None:
    letters(place, 2)
    (first, _) = place.letters.redrive(send=False).letters

    place.letters.redrive(send=True, leave=[first.id])

    (left,) = place.letters.redrive(send=False).letters
    assert (left.names, left.reason) == (first.names, "a reason")


def test_what_is_left_by_the_queue_s_id_stays_where_the_queue_counts_too_many(place: Place) -> None:
    """Its count is approximate; what is left comes again at the end, under another id."""
    made = letters(place, 3)
    first = place.letters.redrive(send=False).letters[0]

    class Counting:
        """The real queue, which believes that it has two more."""

        def __getattr__(self, name: str) -> Any:
            return getattr(place.sqs, name)

        def get_queue_attributes(self, **asked: Any) -> Any:
            told = place.sqs.get_queue_attributes(**asked)
            return {"Attributes": {name: int(n) + 2 for name, n in told["Attributes"].items()}}

    counting = DeadLetters(
        dead_letters_url=place.dead,
        signals_url=place.signals,
        orders_url=place.orders,
        client=Counting(),  # type: ignore[arg-type]
    )
    done = counting.redrive(send=True, leave=[first.id])

    assert done.moved == 2
    assert place.bodies(place.orders) == made[1:]
    assert place.bodies(place.dead) == made[:1]


@pytest.mark.parametrize("body", ["not json", "[1]", "{}", '{"orderId": ""}'])
def test_what_nobody_can_place_stays(place: Place, body: str) -> None:
    Queues(dead_letters_url=place.dead, client=place.sqs).bury(body, "g", "x", place.orders)
    order = place.bury("g", orderId=str(uuid4()))

    done = place.letters.redrive(send=True)

    assert [letter.left for letter in done.letters] == [True, False]
    assert done.letters[0].to is None
    assert place.bodies(place.orders) == [("g", order)]
    assert place.depth(place.dead) == 1


def test_what_was_sent_before_is_no_duplicate_for_the_queue(place: Place) -> None:
    order = str(uuid4())
    for _ in range(3):
        place.bury("g", orderId=order)
        place.letters.redrive(send=True)

    assert place.bodies(place.orders) == [("g", order)] * 3


def test_a_queue_that_goes_away_between_leaves_the_rest_where_it_was(place: Place) -> None:
    made = letters(place, 4)

    class Failing:
        """The real queue, until the third message is to be sent."""

        def __init__(self) -> None:
            self.sent = 0

        def __getattr__(self, name: str) -> Any:
            return getattr(place.sqs, name)

        def send_message(self, **told: Any) -> Any:
            self.sent += 1
            if self.sent == 3:
                raise ClientError({"Error": {"Code": "ServiceUnavailable"}}, "SendMessage")
            return place.sqs.send_message(**told)

    failing = DeadLetters(
        dead_letters_url=place.dead,
        signals_url=place.signals,
        orders_url=place.orders,
        client=Failing(),  # type: ignore[arg-type]
    )
    with pytest.raises(QueueUnavailable, match=r"orders\.fifo"):
        failing.redrive(send=True)

    assert of_group(place.bodies(place.orders), "group-0") == [id_ for _, id_ in made[:2]]
    told = place.sqs.get_queue_attributes(QueueUrl=place.dead, AttributeNames=["All"])["Attributes"]
    assert int(told["ApproximateNumberOfMessagesNotVisible"]) == 2


def test_no_dead_letters_are_no_work(place: Place) -> None:
    done = place.letters.redrive(send=True)

    assert (done.depth, done.moved, done.letters) == (0, 0, ())
