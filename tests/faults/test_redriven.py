"""Letters that were received too often are traded once when an operator puts them back."""

import json
import random
from typing import Any
from uuid import UUID

import pytest
from botocore.exceptions import EndpointConnectionError

from agent_where.errors import QueueUnavailable
from tests.faults.faulting import NoFaults
from tests.faults.house import VENUES
from tests.faults.lockstep import Director
from tests.faults.producing import Producer
from tests.faults.scenarios import ended, set_priority
from tests.faults.stage import DEAD, SIGNALS, Stage, wallet


class DiesBeforeDeleting:
    """A client of the queues that is cut off before its first letter is deleted."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def delete_message(self, **_: object) -> None:
        raise EndpointConnectionError(endpoint_url="the queue")


def orders(stage: Stage) -> list[tuple[UUID, str, str]]:
    """The signal, the venue and the end of each."""
    rows = stage.rows("SELECT signal_id, venue, status FROM venue_orders")
    return [(row["signal_id"], row["venue"], row["status"]) for row in rows]


def buried(stage: Stage) -> Director:
    """One signal whose message lies with the dead letters, since the database was away."""
    set_priority(stage, VENUES)
    agent = stage.agent("one")
    stage.follow(agent, wallet("user 0"))
    stage.queues[SIGNALS].max_receives = 2
    producer = Producer(stage)
    producer.send(producer.opens(agent))
    director = Director(stage, random.Random(1), NoFaults(), workers=1)
    stage.house.server.line.go_away()
    while not stage.queues[DEAD].messages:
        director._step()
    stage.house.server.line.come_back()
    return director


def test_what_is_received_too_often_is_traded_once_it_is_redriven(stage: Stage) -> None:
    director = buried(stage)
    letter = json.loads(stage.queues[DEAD].messages[0].body)

    stage.redrive()
    verdict = ended(director)

    assert orders(stage) == [(UUID(letter["signalId"]), "HYPERLIQUID", "FILLED")]
    assert set(verdict.violations) == {still_open(stage)}


def test_a_letter_is_traded_once_though_its_redrive_stops_in_the_middle(stage: Stage) -> None:
    director = buried(stage)
    letters, signals = stage.queues[DEAD], stage.queues[SIGNALS]

    with pytest.raises(QueueUnavailable):
        stage.redrive(client=DiesBeforeDeleting(stage.house.sqs))
    sent_again = [each.body for each in signals.messages]
    stage.move_clock(stage.clock.now + 130)
    stage.redrive()

    assert [each.body for each in signals.messages] == sent_again * 2
    assert letters.messages == []
    assert set(ended(director).violations) == {still_open(stage)}
    letter = json.loads(sent_again[0])
    assert orders(stage) == [(UUID(letter["signalId"]), "HYPERLIQUID", "FILLED")]


def still_open(stage: Stage) -> str:
    """What the judges say of a position that nobody closed."""
    (row,) = stage.rows("SELECT id, venue, open_qty FROM positions")
    return f"nothing open: position {row['id']} at {row['venue']} still has {row['open_qty']} open"
