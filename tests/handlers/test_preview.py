"""POST /venue-routing/preview: the answer's shape, and who may preview what."""

from collections.abc import Iterator, Mapping

import pytest

from agent_where.contract import routes
from agent_where.store.connection import Database
from tests.handlers.calling import ask
from tests.handlers.gateway import (
    CREATOR,
    MULTI_AGENT,
    NOBODY,
    SPOT_AGENT,
    STATIC_AGENT,
    WALLET,
    Answer,
    Function,
    assert_failure,
    token,
)
from tests.world import World

KEYS = {
    "tokenSymbol",
    "requestedVenue",
    "selectedVenue",
    "routingReason",
    "checkedVenues",
    "venueAvailability",
    "strategy",
    "configId",
    "failoverEnabled",
    "skippedReason",
    "candidates",
}
MINE = token("routing:read", wallet=CREATOR)


@pytest.fixture
def reader(api_database: Database, database_dsn: str) -> Iterator[Function]:
    world = World(database_dsn)
    world.both_markets()
    yield Function("stats_api")
    world.dispose()


def preview(function: Function, **told: object) -> Answer:
    body = {"tokenSymbol": "btc", "side": "long", **told}
    return ask(function, routes.POST_PREVIEW, body=body)


def test_a_preview_has_the_documented_keys(reader: Function, api_database: Database) -> None:
    answer = preview(reader.called_by(MINE), agentId=str(MULTI_AGENT), notionalUsd="100")

    assert answer.status == 200
    assert answer.body.keys() == {"success", "decision"}
    decision = answer.body["decision"]
    assert decision.keys() == KEYS
    assert decision["selectedVenue"] == "HYPERLIQUID"
    assert decision["routingReason"] == "HYPERLIQUID: Market BTC/USD available (Index: 0)"
    assert [each["venue"] for each in decision["candidates"]] == ["HYPERLIQUID", "OSTIUM"]
    assert api_database.run("SELECT id FROM signals") == []


def test_a_notional_may_be_a_number(reader: Function) -> None:
    refused = preview(reader, notionalUsd=9.5).body["decision"]

    assert {each["refusal"] for each in refused["candidates"]} == {"BELOW_MIN_POSITION"}
    assert refused["skippedReason"] == refused["routingReason"]


@pytest.mark.parametrize(
    ("caller", "told", "status", "code"),
    [
        (MINE, {"agentId": str(NOBODY)}, 404, "UNKNOWN_AGENT"),
        (token("routing:read", wallet=WALLET), {"agentId": str(MULTI_AGENT)}, 404, "UNKNOWN_AGENT"),
        (token("routing:read"), {"agentId": str(STATIC_AGENT)}, 404, "UNKNOWN_AGENT"),
        (MINE, {"agentId": str(SPOT_AGENT)}, 400, "VENUE_NOT_SUPPORTED"),
        (token("routing:write", wallet=CREATOR), {}, 403, "FORBIDDEN"),
        (None, {}, 401, "UNAUTHORIZED"),
        (MINE, {"side": "UP"}, 400, "BAD_INPUT"),
        (MINE, {"tokenSymbol": "\N{ROCKET}"}, 400, "BAD_INPUT"),
        (MINE, {"notionalUsd": "-1"}, 400, "BAD_INPUT"),
        (MINE, {"leverage": "3"}, 400, "BAD_INPUT"),
    ],
)
def test_what_is_not_the_caller_s_or_not_right_is_refused(
    reader: Function,
    caller: Mapping[str, str] | None,
    told: dict[str, object],
    status: int,
    code: str,
) -> None:
    assert_failure(preview(reader.called_by(caller), **told), status, code)
