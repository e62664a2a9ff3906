"""The harness's queue behaves as SQS FIFO queues do: the same cases against it and a local AWS."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError

from local.environment import ROOT, program
from tests.faults.fifo import Fifo
from tests.faults.sqs import QueueServer

MINISTACK = ROOT / ".venv" / "ministack" / "bin" / "python"


def client_of(endpoint: str) -> Any:
    return boto3.client(
        "sqs",
        "us-east-1",
        endpoint_url=endpoint,
        aws_access_key_id="local",
        aws_secret_access_key="local",
    )


class Queue:
    """One queue with a dead-letter queue, by way of boto3."""

    def __init__(self, client: Any, url: str, dead: str) -> None:
        self.client, self.url, self.dead = client, url, dead

    def send(self, body: str, group: str = "a", key: str | None = None) -> str:
        entry = {
            "Id": "0",
            "MessageBody": body,
            "MessageGroupId": group,
            "MessageDeduplicationId": key or uuid4().hex,
        }
        told = self.client.send_message_batch(QueueUrl=self.url, Entries=[entry])
        return str(told["Successful"][0]["MessageId"])

    def receive(self, url: str | None = None) -> dict[str, Any] | None:
        told = self.client.receive_message(
            QueueUrl=url or self.url, AttributeNames=["All"], MaxNumberOfMessages=1
        )
        return next(iter(told.get("Messages", [])), None)

    def body(self) -> str | None:
        found = self.receive()
        return str(found["Body"]) if found else None

    def delete(self, message: dict[str, Any]) -> None:
        self.client.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])

    def show(self, message: dict[str, Any], seconds: int = 0) -> None:
        self.client.change_message_visibility(
            QueueUrl=self.url,
            ReceiptHandle=message["ReceiptHandle"],
            VisibilityTimeout=seconds,
        )


@pytest.fixture(scope="session")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A local AWS with nothing in it."""
    if not MINISTACK.exists():
        pytest.skip("the local AWS is not installed: make e2e installs it")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("ministack")
    child = subprocess.Popen(
        [program("ministack", "python"), "-m", "ministack"],
        env=bare(port, folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        child.terminate()
        child.wait(10)


def bare(port: int, folder: Path) -> dict[str, str]:
    return {
        "PATH": os.defpath,
        "HOME": str(folder),
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "S3_DATA_DIR": str(folder / "s3"),
        "STATE_DIR": str(folder / "state"),
    }


def wait_for(port: int) -> None:
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError("the local AWS does not answer")


def ours() -> Iterator[Queue]:
    dead = Fifo("dead.fifo", time.monotonic)
    queue = Fifo("some.fifo", time.monotonic, dead_letters=dead, max_receives=2)
    server = QueueServer({queue.name: queue, dead.name: dead})
    try:
        yield Queue(client_of(server.url), server.url_of(queue.name), server.url_of(dead.name))
    finally:
        server.close()


def theirs(endpoint: str) -> Iterator[Queue]:
    client, name = client_of(endpoint), uuid4().hex
    fifo = {"FifoQueue": "true"}
    dead = client.create_queue(QueueName=f"dead-{name}.fifo", Attributes=fifo)["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])
    where = arn["Attributes"]["QueueArn"]
    policy = f'{{"deadLetterTargetArn": "{where}", "maxReceiveCount": 2}}'
    made = client.create_queue(
        QueueName=f"{name}.fifo",
        Attributes={
            **fifo,
            "VisibilityTimeout": "60",
            "RedrivePolicy": policy,
            "DeduplicationScope": "messageGroup",
            "FifoThroughputLimit": "perMessageGroupId",
        },
    )
    yield Queue(client, made["QueueUrl"], dead)


@pytest.fixture(params=["ours", "local AWS"])
def queue(request: pytest.FixtureRequest) -> Iterator[Queue]:
    if request.param == "ours":
        yield from ours()
    else:
        yield from theirs(request.getfixturevalue("ministack"))


def test_a_group_is_delivered_in_order_and_one_at_a_time(queue: Queue) -> None:
    queue.send("first")
    queue.send("second")

    first = queue.receive()
    assert first is not None
    assert first["Body"] == "first"
    assert queue.receive() is None
    queue.delete(first)

    assert queue.body() == "second"


def test_groups_do_not_wait_for_each_other(queue: Queue) -> None:
    queue.send("first", group="a")
    queue.send("second", group="b")

    assert {queue.body(), queue.body()} == {"first", "second"}


def test_several_at_once_come_in_order_and_hold_back_what_is_behind_them(queue: Queue) -> None:
    for number in range(3):
        queue.send(f"a{number}", group="a")
    queue.send("b0", group="b")

    told = queue.client.receive_message(
        QueueUrl=queue.url, AttributeNames=["All"], MaxNumberOfMessages=2, VisibilityTimeout=30
    )

    assert [each["Body"] for each in told["Messages"]] == ["a0", "a1"]
    assert all(int(each["Attributes"]["SentTimestamp"]) > 0 for each in told["Messages"])
    assert queue.body() == "b0"
    assert queue.receive() is None


def test_a_key_counts_once_in_its_group(queue: Queue) -> None:
    first = queue.send("first", key="k")
    assert queue.send("again", key="k") == first
    queue.send("elsewhere", group="b", key="k")

    assert {queue.body(), queue.body()} == {"first", "elsewhere"}
    assert queue.receive() is None


def test_a_message_that_is_shown_again_comes_first_and_is_counted(queue: Queue) -> None:
    queue.send("first")
    queue.send("second")
    first = queue.receive()
    assert first is not None
    queue.show(first)

    again = queue.receive()

    assert again is not None
    assert again["Body"] == "first"
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    assert again["Attributes"]["MessageGroupId"] == "a"


def test_what_is_received_too_often_is_a_dead_letter_and_holds_up_nobody(queue: Queue) -> None:
    queue.send("poison")
    queue.send("second")
    for _ in range(2):
        message = queue.receive()
        assert message is not None
        queue.show(message)

    assert queue.body() == "second"
    letter = queue.receive(queue.dead)
    assert letter is not None
    assert letter["Body"] == "poison"


def test_depths_tell_what_waits_and_what_is_in_flight(queue: Queue) -> None:
    queue.send("first")
    queue.send("second")
    queue.receive()

    told = queue.client.get_queue_attributes(
        QueueUrl=queue.url,
        AttributeNames=[
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
        ],
    )["Attributes"]

    assert sorted(told.values()) == ["1", "1"]


def test_a_receipt_of_an_earlier_delivery_leaves_the_message_where_it_is() -> None:
    for queue in ours():
        queue.send("first")
        early = queue.receive()
        assert early is not None
        queue.show(early)
        assert queue.receive() is not None

        with pytest.raises(ClientError, match="earlier delivery"):
            queue.delete(early)
