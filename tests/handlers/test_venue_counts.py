"""What a venue says to the worker is a figure at once: the whole worker, at a simulated venue."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from agent_where.store.connection import Database
from agent_where.venues.registry import tally
from local.simulators.hyperliquid import HyperliquidSimulator
from local.simulators.server import Server
from tests.handlers.test_alarms import service, written
from tests.handlers.workers import Worker, working
from tests.live_world import KEYS, USER, Clock, LiveWorld

COUNTED = ("RequestsUsedUp", "TooManyRequests")


@pytest.fixture
def live(database_dsn: str, connections: list[Database]) -> Iterator[LiveWorld]:
    """On the testnet."""
    simulator = HyperliquidSimulator(clock := Clock(), is_mainnet=False)
    with Server(simulator) as server:
        made = LiveWorld(database_dsn, simulator, server.url, clock)
        made.database.run_together(
            ("SET LOCAL session_replication_role = replica", {}),
            ("UPDATE installation SET network = 'testnet'", {}),
        )
        made.tell("price", coin="BTC", price="60000")
        yield made
        made.dispose()


@pytest.fixture
def worker(live: LiveWorld, monkeypatch: pytest.MonkeyPatch) -> Iterator[Worker]:
    settings = {
        "EXECUTION_MODE": "live",
        "NETWORK": "testnet",
        "MAX_ORDER_NOTIONAL_USD": "100000",
        "HYPERLIQUID_API_URL": live.url,
        "POWERTOOLS_SERVICE_NAME": service("route_execute"),
        **KEYS,
    }
    with working("route_execute", live.dsn, monkeypatch, live.queues) as made:
        for name, value in settings.items():
            monkeypatch.setenv(name, value)
        yield made
    tally().take()


def carried_out(live: LiveWorld, worker: Worker) -> dict[str, Any]:
    """The order that is due, as a message."""
    body = json.dumps({"orderId": str(live.queues.orders.popleft().id)})
    return worker.run("order", {"body": body})


@pytest.mark.parametrize(
    ("what", "how", "metric"),
    [
        ("account", {"user": USER, "requestsUsed": 10_000}, "RequestsUsedUp"),
        (
            "fail",
            {"mode": "429", "type": "order", "processed": False, "times": 1},
            "TooManyRequests",
        ),
    ],
)
def test_it_is_counted_by_venue_in_the_message_s_own_run(
    live: LiveWorld,
    worker: Worker,
    capsys: pytest.CaptureFixture[str],
    what: str,
    how: dict[str, Any],
    metric: str,
) -> None:
    live.open(live.live())
    live.tell(what, **how)
    capsys.readouterr()

    carried_out(live, worker)

    here = frozenset({("service", "route_execute"), ("venue", "HYPERLIQUID")})
    found = {key: value for key, value in written(capsys.readouterr().out) if key[0] in COUNTED}
    assert found == {(metric, here): 1}
