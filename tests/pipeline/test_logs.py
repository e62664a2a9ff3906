"""What the logs never hold, whatever happens: keys, signatures, signed bytes, logins."""

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.live_world import KEYS, LiveWorld, live_world

BOUNDS: dict[str, Any] = {"riskModel": {"stopLoss": "0.05", "takeProfit": "0.1"}}
FAULTS = ("500", "drop", "cut", "garbage")


@pytest.fixture
def live(database_dsn: str) -> Iterator[LiveWorld]:
    with live_world(database_dsn) as made:
        yield made


def secrets(live: LiveWorld) -> set[str]:
    """Every key, every signature that was made, every signed payload, the database's password."""
    found = set(KEYS.values())
    for row in live.rows("SELECT payload FROM venue_actions"):
        body = json.loads(bytes(row["payload"]))
        found |= {str(body["signature"][part]).removeprefix("0x") for part in ("r", "s")}
        found.add(bytes(row["payload"]).decode())
    password = urlsplit(live.dsn).password
    assert password
    return found | {password}


def test_no_log_of_a_trade_holds_what_could_trade(
    live: LiveWorld, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        agent = live.live()
        live.open(agent, **BOUNDS)
        live.come_to_rest()
        live.close(agent)
        live.come_to_rest()

    assert len(secrets(live)) > 6
    assert [secret for secret in secrets(live) if secret in caplog.text] == []


@pytest.mark.parametrize("mode", FAULTS)
def test_no_log_of_a_venue_that_misbehaves_holds_what_was_sent_to_it(
    live: LiveWorld, caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    agent = live.live()
    live.tell("fail", mode=mode, type="order", processed=True, times=1)

    with caplog.at_level(logging.DEBUG):
        live.open(agent)
        live.come_to_rest(300)

    assert live.order()["status"] in ("FILLED", "EXPIRED")
    assert [secret for secret in secrets(live) if secret in caplog.text] == []
