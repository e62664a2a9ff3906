"""One message to its end: buried with its reason, or back on the queue a little later each time."""

import json
import logging
from collections.abc import Callable
from itertools import pairwise

import pytest

from agent_where.consuming import Delivery, consume, delay_seconds
from agent_where.errors import (
    AgentWhereError,
    BadInput,
    BadSetting,
    DatabaseRefused,
    DatabaseUnavailable,
    LeaseHeld,
    Overtaken,
    QueueUnavailable,
    VenueUnavailable,
)
from agent_where.pipeline import Deps
from agent_where.queues import Queues

HERE = "http://127.0.0.1:1/signals.fifo"
A_SIGNAL = json.dumps({"signalId": "0b0e8a52-6c1f-4a57-9d7e-0c9ae3a1f001"})


class Recording(Queues):
    """Queues that remember what they were told, or are away."""

    def __init__(self, *, away: bool = False) -> None:
        super().__init__()
        self.buried: list[tuple[str, str, str, str]] = []
        self.delayed: list[tuple[str, str, int]] = []
        self._away = away

    def bury(self, body: str, group: str, reason: str, source: str) -> None:
        self._here()
        self.buried.append((body, group, reason, source))

    def delay(self, queue_url: str, receipt_handle: str, seconds: int) -> None:
        self._here()
        self.delayed.append((queue_url, receipt_handle, seconds))

    def _here(self) -> None:
        if self._away:
            raise QueueUnavailable("the queue is away")


def delivery(body: str = A_SIGNAL, *, times: int = 1) -> Delivery:
    return Delivery(
        body=body, group="agent", receipt_handle="receipt", receive_count=times, queue_url=HERE
    )


def failing(error: Exception) -> Callable[[], Deps]:
    """What the pipeline works with cannot be had."""

    def deps() -> Deps:
        raise error

    return deps


PASSING = [
    DatabaseUnavailable("away"),
    QueueUnavailable("away"),
    LeaseHeld("held"),
    Overtaken("overtaken"),
    VenueUnavailable("FIRST", "away"),
    BadSetting("the database is not set up"),
]


def test_delays_grow_from_two_seconds_to_a_minute() -> None:
    delays = [delay_seconds(times) for times in range(1, 40)]

    assert delays[:7] == [2, 4, 8, 16, 32, 60, 60]
    assert all(earlier <= later for earlier, later in pairwise(delays))
    assert max(delays) == 60


def test_twenty_retries_outlast_a_ten_minute_outage() -> None:
    assert sum(delay_seconds(times) for times in range(1, 21)) > 600


@pytest.mark.parametrize("body", ["not json", "{}", '{"signalId": "x"}', "[]", '"\\ud800"'])
def test_what_can_never_succeed_is_buried_at_once_with_its_reason(
    body: str, caplog: pytest.LogCaptureFixture
) -> None:
    queues = Recording()

    outcome = consume(delivery(body, times=3), queues, failing(AssertionError("not needed")))

    assert outcome is None
    ((buried, group, reason, source),) = queues.buried
    assert (buried, group, source) == (body, "agent", HERE)
    assert reason.startswith(("BAD_JSON: ", "BAD_INPUT: "))
    assert queues.delayed == []
    (logged,) = caplog.records
    assert logged.levelno == logging.ERROR
    assert logged.getMessage().startswith("message refused: ")


def test_bad_input_found_later_is_buried_too() -> None:
    queues = Recording()

    outcome = consume(delivery(), queues, failing(BadInput("no such agent", code="UNKNOWN_AGENT")))

    assert outcome is None
    assert [reason for _, _, reason, _ in queues.buried] == ["UNKNOWN_AGENT: no such agent"]


@pytest.mark.parametrize("error", PASSING, ids=lambda error: type(error).__name__)
def test_a_passing_failure_is_delayed_and_raised(error: AgentWhereError) -> None:
    queues = Recording()

    with pytest.raises(type(error)) as caught:
        consume(delivery(times=4), queues, failing(error))

    assert caught.value is error
    assert queues.delayed == [(HERE, "receipt", 16)]
    assert queues.buried == []


def test_a_delay_that_fails_does_not_hide_why_the_message_failed() -> None:
    with pytest.raises(DatabaseUnavailable, match="away"):
        consume(delivery(), Recording(away=True), failing(DatabaseUnavailable("away")))


def test_a_message_that_cannot_be_buried_stays_on_its_queue() -> None:
    with pytest.raises(QueueUnavailable):
        consume(delivery("not json"), Recording(away=True), failing(AssertionError("not needed")))


def test_an_unforeseen_failure_is_delayed_like_any_other() -> None:
    queues = Recording()

    with pytest.raises(ZeroDivisionError):
        consume(delivery(times=2), queues, failing(ZeroDivisionError("a fault of ours")))

    assert queues.delayed == [(HERE, "receipt", 4)]


def test_what_the_database_refuses_is_tried_once_more_and_then_buried() -> None:
    queues, refused = Recording(), DatabaseRefused("violates a rule", sqlstate="23514")

    with pytest.raises(DatabaseRefused):
        consume(delivery(times=1), queues, failing(refused))
    outcome = consume(delivery(times=2), queues, failing(refused))

    assert outcome is None
    assert [reason for _, _, reason, _ in queues.buried] == ["REFUSED: violates a rule"]


def test_a_refusal_that_is_not_about_the_data_is_never_buried() -> None:
    queues, refused = Recording(), DatabaseRefused("no such table", sqlstate="42P01")

    with pytest.raises(DatabaseRefused):
        consume(delivery(times=9), queues, failing(refused))

    assert queues.buried == []
