"""A preview is the decision that the same signal gets then, and leaves nothing behind."""

import json
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from agent_where.callers import EVERYTHING, Reach
from agent_where.contract.bodies import PreviewBody
from agent_where.contract.decisions import DecisionView
from agent_where.errors import BadInput
from agent_where.parsing import validate
from agent_where.previewing import Previewing, preview
from agent_where.store.connection import Database, DatabaseSettings, Json
from agent_where.store.previews import Previews
from agent_where.store.store import Store
from tests.world import MAX_AGE, SUPPORTED, World, signal

VENUES = ("HYPERLIQUID", "OSTIUM", "GMX")
STATES = st.sampled_from(["ACTIVE", "ACTIVE", "ACTIVE", "CLOSE_ONLY", "HALTED"])
CREATOR = f"0x{'c' * 40}"
KEYS = (
    "token_symbol",
    "requested_venue",
    "selected_venue",
    "routing_reason",
    "checked_venues",
    "venue_availability",
    "strategy",
    "config_id",
    "failover_enabled",
    "skipped_reason",
    "candidates",
)
MARKET = """
INSERT INTO venue_markets (venue, token_symbol, market_name, market_index, is_active, is_open,
                           min_position, max_leverage, current_price, last_synced, metadata)
SELECT CAST(:venue AS venue_t), 'BTC', :venue || ' BTC', 3, m.is_active, m.is_open, m.min_position,
       m.max_leverage, m.current_price, now() - make_interval(secs => m.age), m.metadata
FROM jsonb_to_record(CAST(:market AS jsonb)) AS m (
    is_active boolean, is_open boolean, min_position numeric, max_leverage numeric,
    current_price numeric, age float, metadata jsonb)
"""
CONFIG = """
INSERT INTO venue_routing_config (agent_id, venue_priority, routing_strategy, failover_enabled)
VALUES (CAST(:agent AS uuid), :priority, :strategy, :failover)
ON CONFLICT (agent_id) DO UPDATE
SET venue_priority = excluded.venue_priority, routing_strategy = excluded.routing_strategy,
    failover_enabled = excluded.failover_enabled
"""


def usually(value: object, *others: object) -> st.SearchStrategy[Any]:
    return st.sampled_from([value] * 5 + list(others))


MARKETS = st.fixed_dictionaries(
    {
        "is_active": usually(True, False),
        "is_open": usually(True, False),
        "min_position": st.sampled_from([None, 0, 10, 100]),
        "max_leverage": st.sampled_from([None, 1, 40]),
        "current_price": usually(100, None, 0),
        "age": usually(30, 7230),
        "metadata": usually({"netting": True}, None, {"sides": ["SHORT"]}, {"sides": []}),
    }
)
CONFIGS = st.fixed_dictionaries(
    {
        "priority": st.lists(st.sampled_from(VENUES), min_size=1, max_size=3, unique=True),
        "strategy": usually("FIRST_AVAILABLE", "A_LATER_ONE"),
        "failover": st.booleans(),
    }
)
ASKED = st.fixed_dictionaries(
    {
        "side": st.sampled_from(["LONG", "SHORT"]),
        "notionalUsd": st.sampled_from([None, "9.99", "10", "100", "1000000", "0.5"]),
    }
)
WORLDS = st.fixed_dictionaries(
    {
        "markets": st.fixed_dictionaries({}, optional=dict.fromkeys(VENUES, MARKETS)),
        "controls": st.fixed_dictionaries(
            {"global": STATES, "agent": STATES, **dict.fromkeys(VENUES, STATES)}
        ),
        "global_config": CONFIGS,
        "agent_config": st.none() | CONFIGS,
        "status": usually("ACTIVE", "PAUSED", "DRAFT"),
        "followed": st.booleans(),
        "closed_before": st.booleans(),
        "asked": ASKED,
    }
)
HEALTHY = {
    "is_active": True,
    "is_open": True,
    "min_position": 10,
    "max_leverage": 40,
    "current_price": 100,
    "age": 30,
    "metadata": None,
}
PLAIN = {
    "markets": dict.fromkeys(VENUES, HEALTHY),
    "controls": dict.fromkeys(("global", "agent", *VENUES), "ACTIVE"),
    "global_config": {"priority": list(VENUES), "strategy": "FIRST_AVAILABLE", "failover": True},
    "agent_config": None,
    "status": "ACTIVE",
    "followed": True,
    "closed_before": True,
    "asked": {"side": "LONG", "notionalUsd": "100"},
}


@pytest.fixture
def read_only(world: World) -> Iterator[Previewing]:
    """What a preview works with, on a connection that cannot write."""
    name = world.dsn.rsplit("/", 1)[1]
    world.rows(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    connection = Database(DatabaseSettings.from_url(world.dsn))
    assert connection.run("SHOW transaction_read_only") == [{"transaction_read_only": "on"}]
    yield Previewing(
        store=Store(connection),
        previews=Previews(connection),
        supported=SUPPORTED,
        max_age=MAX_AGE,
    )
    connection.close()


def set_up(world: World, told: Mapping[str, Any]) -> UUID:
    """Make the world what is told; what an example before this one left is overwritten."""
    agent = world.agent(status=told["status"])
    world.rows("DELETE FROM venue_markets")
    for venue, market in told["markets"].items():
        world.rows(MARKET, venue=venue, market=Json(market))
    world.rows(CONFIG, agent=None, **told["global_config"])
    if told["agent_config"]:
        world.rows(CONFIG, agent=agent, **told["agent_config"])
    controls = told["controls"]
    world.control("global", None, controls["global"])
    world.control("agent", str(agent), controls["agent"])
    for venue in VENUES:
        world.control("venue", venue, controls[venue])
    if told["followed"]:
        world.follow(agent)
    if told["closed_before"]:
        world.close(agent)
    return agent


def contents(world: World) -> Mapping[str, Any]:
    """Every row of every table."""
    tables = world.rows("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
    return {
        table["name"]: world.rows(
            f"SELECT count(*) AS n, md5(string_agg(t::text, ' ' ORDER BY t::text)) AS all_rows"
            f" FROM {table['name']} t"
        )
        for table in tables
    }


def previewed(deps: Previewing, agent: UUID | None, **told: object) -> dict[str, Any]:
    """The decision as it is answered, under the names of the history's columns."""
    asked = {"tokenSymbol": "BTC", "side": "LONG", **told}
    if agent:
        asked["agentId"] = str(agent)
    answer = preview(validate(PreviewBody, asked), EVERYTHING, deps)
    decision: dict[str, Any] = json.loads(answer.decision.model_dump_json())
    assert set(decision) == set(KEYS)
    return decision


def size_of(notional_usd: str | None) -> dict[str, str]:
    if notional_usd is None:
        return {"type": "balance-percentage", "value": "5"}
    return {"type": "fixed-usdc", "value": notional_usd}


def written(world: World, signal_id: UUID) -> dict[str, Any]:
    """The decision as the pipeline wrote it, as the history answers it."""
    (row,) = world.rows(
        "SELECT to_jsonb(h) AS h FROM venue_routing_history h"
        " WHERE signal_id = :id AND deployment_id IS NULL",
        id=signal_id,
    )
    decision: dict[str, Any] = json.loads(DecisionView.model_validate(row["h"]).model_dump_json())
    return {key: decision[key] for key in KEYS}


@settings(
    max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@example(PLAIN)
@example({**PLAIN, "agent_config": {"priority": ["GMX"], "strategy": "X", "failover": False}})
@given(WORLDS)
def test_a_preview_is_the_decision_that_the_pipeline_then_writes(
    world: World, read_only: Previewing, told: Mapping[str, Any]
) -> None:
    agent = set_up(world, told)
    before = contents(world)

    foreseen = previewed(read_only, agent, **told["asked"])

    assert contents(world) == before
    sent = signal(
        agent, side=told["asked"]["side"], sizeModel=size_of(told["asked"]["notionalUsd"])
    )
    world.take(sent)
    assert foreseen == written(world, sent.signal_id)


def test_a_static_agent_s_preview_is_of_its_own_venue(world: World, read_only: Previewing) -> None:
    set_up(world, PLAIN)
    agent = world.agent("OSTIUM")
    world.follow(agent)

    foreseen = previewed(read_only, agent)
    outcome = world.open(agent)

    assert foreseen["checked_venues"] == ["OSTIUM"]
    assert (foreseen["requested_venue"], foreseen["selected_venue"]) == ("OSTIUM", outcome.venue)
    assert (foreseen["routing_reason"], foreseen["failover_enabled"]) == (outcome.detail, False)


def test_without_an_agent_the_global_config_decides_and_no_agent_s_state(
    world: World, read_only: Previewing
) -> None:
    set_up(world, PLAIN)
    world.rows("UPDATE agents SET status = 'PAUSED'")
    world.config(None, ["OSTIUM", "GMX"])

    foreseen = previewed(read_only, None, side="short")

    (row,) = world.rows("SELECT id FROM venue_routing_config WHERE agent_id IS NULL")
    assert foreseen["config_id"] == str(row["id"])
    assert (foreseen["requested_venue"], foreseen["selected_venue"]) == ("MULTI", "OSTIUM")
    assert foreseen["venue_availability"] == {"OSTIUM": True, "GMX": False}
    world.control("global", None, "HALTED")
    assert previewed(read_only, None)["skipped_reason"] == "HALTED: trading is HALTED"


def test_without_any_config_the_built_in_default_decides(
    world: World, read_only: Previewing
) -> None:
    world.rows("DELETE FROM venue_routing_config")

    foreseen = previewed(read_only, None)

    assert (foreseen["config_id"], foreseen["selected_venue"]) == (None, None)
    assert foreseen["checked_venues"] == ["HYPERLIQUID", "OSTIUM"]


def test_a_size_that_is_not_told_is_not_judged(world: World, read_only: Previewing) -> None:
    set_up(world, PLAIN)

    assert previewed(read_only, None)["selected_venue"] == "HYPERLIQUID"
    small = previewed(read_only, None, notionalUsd="9.5")
    assert [each["refusal"] for each in small["candidates"]][:2] == ["BELOW_MIN_POSITION"] * 2


def test_a_token_s_other_name_is_previewed_as_the_token(
    world: World, read_only: Previewing
) -> None:
    assert previewed(read_only, None, tokenSymbol="gold")["token_symbol"] == "XAU"


@pytest.mark.parametrize("wallet", [f"0x{'d' * 40}", None])
def test_another_s_agent_is_one_that_does_not_exist(
    world: World, read_only: Previewing, wallet: str | None
) -> None:
    for agent in (world.agent(), uuid4()):
        body = validate(PreviewBody, {"agentId": str(agent), "tokenSymbol": "BTC", "side": "LONG"})
        with pytest.raises(BadInput) as caught:
            preview(body, Reach(everything=False, wallet=wallet), read_only)

        assert caught.value.code == "UNKNOWN_AGENT"


def test_one_s_own_agent_is_previewed(world: World, read_only: Previewing) -> None:
    agent = world.agent()
    body = validate(PreviewBody, {"agentId": str(agent), "tokenSymbol": "BTC", "side": "LONG"})

    answer = preview(body, Reach(everything=False, wallet=CREATOR), read_only)

    assert answer.decision.requested_venue == "MULTI"


def test_an_agent_of_a_venue_without_adapter_is_refused(
    world: World, read_only: Previewing
) -> None:
    with pytest.raises(BadInput) as caught:
        previewed(read_only, world.agent("GMX"))

    assert caught.value.code == "VENUE_NOT_SUPPORTED"


def test_a_preview_is_two_round_trips_and_one_without_an_agent(
    world: World, read_only: Previewing
) -> None:
    connection = read_only.store._database
    before = connection.round_trips

    previewed(read_only, world.agent())
    previewed(read_only, None)

    assert connection.round_trips == before + 3


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        ({"notionalUsd": "0"}, "notionalUsd"),
        ({"notionalUsd": "1000000001"}, "notionalUsd"),
        ({"notionalUsd": "1e400"}, "notionalUsd"),
        ({"side": "UP"}, "side"),
        ({"tokenSymbol": "B T C"}, "tokenSymbol"),
        ({"venue": "OSTIUM"}, "venue"),
        ({"agentId": "7"}, "agentId"),
    ],
)
def test_what_is_wrong_is_named(told: dict[str, str], fault: str) -> None:
    with pytest.raises(BadInput, match=fault):
        validate(PreviewBody, {"tokenSymbol": "BTC", "side": "LONG", **told})


def test_the_largest_and_the_smallest_notional_are_previewed(
    world: World, read_only: Previewing
) -> None:
    set_up(world, PLAIN)
    for notional in ("1000000000", Decimal("0.000000000000000001"), "1e9"):
        assert previewed(read_only, None, notionalUsd=notional)["requested_venue"] == "MULTI"
