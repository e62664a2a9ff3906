"""The original system's documented answers, held against ours: each key, each kind of value."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from agent_where.store.connection import Database
from tests.handlers.gateway import MULTI_AGENT, Function
from tests.world import World

DOCUMENT = Path(__file__).parents[3] / "shared" / "reference" / "agent_where_original.md"
NEW = {"failovers", "p50RoutingTimeMs", "p99RoutingTimeMs"}
"""Keys that this system adds to the documented ones."""
NAMES_OF_THINGS = {"byVenue", "byToken", "venues", "venueAvailability"}
"""What is keyed by venues or tokens: whichever there are."""


def documented(endpoint: str) -> Any:
    """The example of an endpoint's response."""
    if not DOCUMENT.exists():
        pytest.skip("the original system's document is not beside the project")
    text = DOCUMENT.read_text(encoding="utf-8")
    section = text.split(f"**Endpoint:** `{endpoint}`", 1)[1].split("\n---", 1)[0]
    example = re.search(r"\*\*Response:\*\*\s*```json\n(.*?)```", section, re.DOTALL)
    assert example is not None, f"no response is documented for {endpoint}"
    return json.loads(re.sub(r"\{ \.\.\. \}", "{}", example.group(1)))


@pytest.fixture
def world(api_database: Database, database_dsn: str) -> Iterator[World]:
    """Two decisions: BTC goes to the first venue, HYPE is listed at the second alone."""
    made = World(database_dsn)
    made.both_markets("BTC")
    made.market("OSTIUM", "HYPE")
    made.open(MULTI_AGENT, "BTC")
    made.open(MULTI_AGENT, "HYPE")
    yield made
    made.dispose()


def assert_like(told: object, example: object, path: str = "answer") -> None:
    """The same keys with the same kinds of values, but for what is named `NEW`."""
    if isinstance(example, Mapping):
        assert isinstance(told, Mapping), path
        if path.rsplit(".", 1)[-1] in NAMES_OF_THINGS:
            for name, value in told.items():
                assert_like(value, next(iter(example.values())), f"{path}[{name}]")
            return
        assert set(told) - NEW == set(example), path
        for name, value in example.items():
            assert_like(told[name], value, f"{path}.{name}")
    elif isinstance(example, list):
        assert isinstance(told, list), path
        assert told, f"{path} is empty: nothing was compared"
        for each in told:
            assert_like(each, example[0], f"{path}[]")
    elif isinstance(example, int | float) and not isinstance(example, bool):
        assert isinstance(told, int | float), path
        assert not isinstance(told, bool), path
    else:
        assert type(told) is type(example), path


def test_the_config_is_answered_as_documented(world: World) -> None:
    written = Function("config_api").post("set_config", agentId=str(MULTI_AGENT))
    read = Function("stats_api").ask("get_config", agentId=str(MULTI_AGENT))

    assert_like(read.body, documented("GET /api/venue-routing/config"))
    assert list(read.body["config"]) == list(documented("GET /api/venue-routing/config")["config"])
    assert written.body == read.body
    assert set(written.body) == set(documented("POST /api/venue-routing/config"))


def test_the_documented_request_is_taken_as_it_is(world: World) -> None:
    asked = {"venuePriority": ["HYPERLIQUID", "OSTIUM"], "routingStrategy": "FIRST_AVAILABLE"}

    answer = Function("config_api").post(
        "set_config", **asked, agentId=str(MULTI_AGENT), failoverEnabled=True
    )

    assert answer.status == 200
    assert answer.body["config"]["venue_priority"] == asked["venuePriority"]


def test_the_statistics_are_answered_as_documented(world: World) -> None:
    example = documented("GET /api/venue-routing/stats")

    told = Function("stats_api").ask("get_stats", timeWindow="day").body

    assert_like(told, example)
    assert set(told["stats"]) - set(example["stats"]) == NEW
    assert told["stats"]["byVenue"] == {"HYPERLIQUID": 1, "OSTIUM": 1}
    assert told["stats"]["byToken"]["HYPE"] == {
        "total": 1,
        "venues": {"HYPERLIQUID": 0, "OSTIUM": 1},
    }
    assert told["stats"]["successRate"] == 100
