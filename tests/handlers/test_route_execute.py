"""route_execute: one message to its end, whatever is in it and whatever is away."""

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import boto3
import pytest
from moto import mock_aws

from agent_where.store.connection import Database
from local.postgres import Postgres
from tests.handlers.gateway import MULTI_AGENT, SIGNAL, cases, event, seed
from tests.handlers.workers import Worker, working
from tests.store.proxies import Proxy
from tests.world import World

PASSED: dict[str, list[object]] = {"batchItemFailures": []}
MESSAGE = "19dd0b57-b21e-4ac1-bd88-01bbb068cb78"
FAILED = {"batchItemFailures": [{"itemIdentifier": MESSAGE}]}


@pytest.fixture
def world(database_dsn: str, connections: list[Database]) -> Iterator[World]:
    """A database with the event files' agent, one follower and both venues' markets."""
    made = World(database_dsn)
    seed(made.database)
    made.rows("UPDATE agent_deployments SET max_notional_usd = NULL RETURNING id")
    made.both_markets()
    yield made
    made.dispose()


@pytest.fixture
def worker(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    with working("route_execute", world.dsn, monkeypatch, world.queues) as made:
        yield made


def carry_out_orders(worker: Worker) -> list[dict[str, Any]]:
    """Every order on the queue, as a message of its own."""
    answers = []
    while worker.queues.orders:
        body = json.dumps({"orderId": str(worker.queues.orders.popleft().id)})
        answers.append(worker.run("order", {"body": body}))
    return answers


def test_a_signal_is_decided_traded_and_closed_message_by_message(
    worker: Worker, world: World
) -> None:
    assert worker.run("open") == PASSED
    assert carry_out_orders(worker) == [PASSED]
    assert [row["status"] for row in world.positions()] == ["OPEN"]

    assert worker.run("close") == PASSED
    assert carry_out_orders(worker) == [PASSED]

    assert [row["status"] for row in world.positions()] == ["CLOSED"]
    assert (worker.queues.dead, worker.queues.delays) == ([], [])


def test_the_id_of_a_stored_signal_is_enough(worker: Worker, world: World) -> None:
    worker.run("open")
    worker.queues.orders.clear()

    assert worker.run("signal_of_a_row") == PASSED
    assert len(worker.queues.orders) == 1
    assert len(world.history()) == 1


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("not_json", "BAD_JSON: the body is not JSON"),
        ("unknown_agent", "UNKNOWN_AGENT: agentId a0000000"),
        ("negative_size", "BAD_INPUT: bad input: sizeModel.value: Input should be greater than 0"),
        ("lone_surrogate", "BAD_TEXT: tokenSymbol: a lone surrogate or NUL cannot be stored"),
        ("control_character_in_a_key", "BAD_INPUT: bad input: "),
        ("order", "UNKNOWN_ORDER: there is no order 0d000000"),
        ("signal_of_a_row", f"UNKNOWN_SIGNAL: there is no signal {SIGNAL}"),
    ],
)
def test_poison_is_buried_with_its_reason_and_holds_up_nobody(
    worker: Worker, case: str, reason: str
) -> None:
    assert worker.run(case) == PASSED

    (buried,) = worker.queues.dead
    assert buried.body == event("route_execute", case)["Records"][0]["body"]
    assert buried.reason.startswith(reason)
    assert worker.queues.delays == []


@pytest.mark.parametrize(
    ("case", "reason"),
    [
        ("leverage_over_every_market", "ABOVE_MAX_LEVERAGE: Leverage 999 is over the 40"),
        ("expired", "SIGNAL_EXPIRED: it expired at 2026-01-31 12:05:00+00:00"),
        ("unknown_token", "No venue available for NOSUCH. Checked: HYPERLIQUID (NOT_LISTED"),
    ],
)
def test_a_signal_that_cannot_be_traded_is_skipped_aloud_and_is_no_failure(
    worker: Worker, world: World, case: str, reason: str
) -> None:
    assert worker.run(case) == PASSED

    assert reason in world.signal_row(SIGNAL)["skipped_reason"]
    (told,) = world.history()
    assert told["selected_venue"] is None
    assert (worker.queues.dead, list(worker.queues.orders)) == ([], [])


def test_a_paused_agent_opens_nothing_and_says_so(worker: Worker, world: World) -> None:
    world.rows("UPDATE agents SET status = 'PAUSED' RETURNING id")

    assert worker.run("open") == PASSED
    assert world.signal_row(SIGNAL)["skipped_reason"] == "AGENT_NOT_ACTIVE: the agent is PAUSED"


def test_while_the_database_is_away_a_message_waits_and_the_same_process_recovers(
    world: World, postgres: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = False

    def welcome(client: socket.socket) -> socket.socket | None:
        return None if away else client

    port = int(world.dsn.rsplit(":", 1)[1].split("/")[0])
    with Proxy(port, welcome) as proxy:
        dsn = world.dsn.replace(f":{port}/", f":{proxy.port}/")
        with working("route_execute", dsn, monkeypatch, world.queues) as worker:
            away = True
            assert worker.run("open") == FAILED
            away = False
            assert worker.run("open") == PASSED
            away = True
            proxy.hang_up()
            body = json.dumps({"orderId": str(worker.queues.orders[0].id)})
            often = event("route_execute", "order")["Records"][0]["attributes"]
            often = often | {"ApproximateReceiveCount": "5"}
            assert worker.run("order", {"body": body, "attributes": often}) == FAILED
            away = False

            assert carry_out_orders(worker) == [PASSED]

    assert world.queues.delays == [2, 32]
    assert [row["status"] for row in world.positions()] == ["OPEN"]


def test_a_leased_account_makes_its_message_wait(worker: Worker, world: World) -> None:
    worker.run("open")
    world.rows(
        "UPDATE venue_accounts SET lease_token = :token,"
        " lease_until = clock_timestamp() + interval '1 minute' RETURNING account",
        token=UUID(int=1),
    )

    assert carry_out_orders(worker) == [FAILED]
    assert worker.queues.delays == [2]


def test_a_database_that_was_not_set_up_makes_messages_wait_and_loses_none(
    empty_database: str, connections: list[Database], monkeypatch: pytest.MonkeyPatch
) -> None:
    with working("route_execute", empty_database, monkeypatch) as worker:
        assert worker.run("open") == FAILED

    assert worker.queues.dead == []


def test_a_message_of_a_queue_that_no_setting_names_stays_where_it_is(worker: Worker) -> None:
    other = "arn:aws:sqs:eu-west-1:000000000000:another.fifo"

    assert worker.run("open", {"eventSourceARN": other}) == FAILED


@pytest.fixture
def real_queues(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """The three queues in moto's SQS, whose messages are out of sight for long once received."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    with mock_aws():
        made = boto3.client("sqs")
        yield {
            setting: made.create_queue(
                QueueName=f"{name}.fifo",
                Attributes={"FifoQueue": "true", "VisibilityTimeout": "600"},
            )["QueueUrl"]
            for setting, name in (
                ("SIGNAL_QUEUE_URL", "signals"),
                ("ORDER_QUEUE_URL", "orders"),
                ("DEAD_LETTER_QUEUE_URL", "dead"),
            )
        }


def received(url: str) -> list[dict[str, Any]]:
    told = boto3.client("sqs").receive_message(
        QueueUrl=url, AttributeNames=["All"], MessageAttributeNames=["All"]
    )
    return [dict(each) for each in told.get("Messages", [])]


def put(url: str, body: str) -> dict[str, Any]:
    """Send a message and receive it: what a worker is given."""
    boto3.client("sqs").send_message(
        QueueUrl=url, MessageBody=body, MessageGroupId="a", MessageDeduplicationId="1"
    )
    (message,) = received(url)
    return message


def test_on_real_queues_ids_are_passed_on_poison_is_buried_and_failures_come_back(
    real_queues: dict[str, str],
    world: World,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for setting, url in {**real_queues, "DATABASE_URL": world.dsn}.items():
        monkeypatch.setenv(setting, url)
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "1")
    worker = Worker("route_execute", world.queues)

    assert worker.run("open") == PASSED
    (order,) = received(real_queues["ORDER_QUEUE_URL"])
    (row,) = world.orders()
    assert json.loads(order["Body"]) == {"orderId": str(row["id"])}
    assert order["Attributes"]["MessageGroupId"] == str(row["id"])

    assert worker.run("not_json") == PASSED
    (dead,) = received(real_queues["DEAD_LETTER_QUEUE_URL"])
    assert dead["Body"] == "this is no signal"
    assert dead["Attributes"]["MessageGroupId"] == str(MULTI_AGENT)
    told = {name: each["StringValue"] for name, each in dead["MessageAttributes"].items()}
    assert told["reason"].startswith("BAD_JSON: ")
    assert told["source"] == real_queues["SIGNAL_QUEUE_URL"]

    world.rows(
        "UPDATE venue_accounts SET lease_token = :token,"
        " lease_until = clock_timestamp() + interval '1 minute' RETURNING account",
        token=UUID(int=1),
    )
    again = put(real_queues["SIGNAL_QUEUE_URL"], order["Body"])
    assert worker.run("open", {"body": again["Body"], "receiptHandle": again["ReceiptHandle"]}) == (
        FAILED
    )
    assert received(real_queues["SIGNAL_QUEUE_URL"]) == []
    time.sleep(2.1)
    assert len(received(real_queues["SIGNAL_QUEUE_URL"])) == 1


def test_every_event_file_is_used() -> None:
    text = Path(__file__).read_text(encoding="utf-8")

    assert [case for case in cases("route_execute") if f'"{case}"' not in text] == []


def test_an_outcome_is_one_line_in_the_log_with_the_signal_s_id(
    worker: Worker, caplog: pytest.LogCaptureFixture
) -> None:
    worker.run("open")

    (record,) = [each for each in caplog.records if each.getMessage() == "message ended"]
    told = vars(record)["outcome"]
    assert (told["signal_id"], told["status"], told["orders"]) == (str(SIGNAL), "ROUTED", 1)
