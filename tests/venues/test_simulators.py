"""The simulators against what they stand for, and what they can be told to do."""

import json
from decimal import Decimal
from typing import Any

import pytest

from agent_where.domain import Market
from local.simulators.hyperliquid import HyperliquidSimulator
from local.simulators.ostium import OstiumSimulator
from local.simulators.prices import REACH
from local.simulators.server import Request
from tests.venues.recorded import HYPERLIQUID_MAIN, OSTIUM, Payload, recorded
from tests.venues.sources import (
    RECORDED_AT,
    TRADING_HOURS,
    ask,
    recorded_hyperliquid,
    recorded_ostium,
    simulated_hyperliquid,
    simulated_ostium,
)

MOVING_PAIR = {"longOI", "shortOI", "lastTradePrice", "totalOpenTrades", "totalOpenLimitOrders"}
MOVING_PAIR |= {"hillInflectionPoint", "hillPosScale", "hillNegScale", "maxFundingFeePerBlock"}
MOVING_PAIR |= {"curFundingLong", "curFundingShort", "curRollover", "rolloverFeePerBlock"}
MOVING_PAIR |= {"accFundingLong", "accFundingShort", "accRollover", "lastFundingRate"}
MOVING_PAIR |= {"lastFundingBlock", "lastRolloverBlock"}
MOVING_GROUP = {"longCollateral", "shortCollateral"}


def shape(value: Payload) -> Payload:
    """Keys and types alone, all the way down; a list is a list."""
    if isinstance(value, dict):
        return {key: shape(below) for key, below in value.items()}
    return "number" if type(value) in (int, float, Decimal) else type(value).__name__


def still(market: Market) -> Market:
    """A market without what the clock moves."""
    return market.model_copy(update={"price_usd": None})


def test_hyperliquids_universe_is_the_recorded_one_key_by_key() -> None:
    meta, contexts = recorded(HYPERLIQUID_MAIN)
    simulator = HyperliquidSimulator(lambda: TRADING_HOURS)

    told_meta, told_contexts = ask(simulator, "POST", "/info", {"type": "metaAndAssetCtxs"})

    assert told_meta == meta
    assert [shape(context) for context in told_contexts] == [shape(context) for context in contexts]


def test_hyperliquids_prices_stay_within_reach_of_the_recorded_ones() -> None:
    _, contexts = recorded(HYPERLIQUID_MAIN)
    simulator = HyperliquidSimulator(lambda: TRADING_HOURS)

    _, told = ask(simulator, "POST", "/info", {"type": "metaAndAssetCtxs"})

    for ours, theirs in zip(told, contexts, strict=True):
        ratio = Decimal(ours["markPx"]) / Decimal(theirs["markPx"])
        coarse = Decimal("0.000001") / Decimal(theirs["markPx"])
        assert abs(ratio - 1) <= REACH + coarse + Decimal("0.0001")


def test_hyperliquids_simulated_and_recorded_markets_are_the_same_but_for_the_price() -> None:
    with simulated_hyperliquid(TRADING_HOURS) as (source, _):
        assert [*map(still, source.markets())] == [*map(still, recorded_hyperliquid().markets())]


def test_hyperliquids_books_obey_the_tick_rule() -> None:
    simulator = HyperliquidSimulator(lambda: TRADING_HOURS)
    meta = ask(simulator, "POST", "/info", {"type": "meta"})

    for asset in meta["universe"]:
        book = ask(simulator, "POST", "/info", {"type": "l2Book", "coin": asset["name"]})
        bids, asks = book["levels"]
        assert bool(bids) is bool(asks) is not asset.get("isDelisted", False)
        for level in bids + asks:
            price, size = Decimal(level["px"]), Decimal(level["sz"])
            decimals = -int(price.normalize().as_tuple().exponent)
            whole = decimals <= 0
            assert whole or len(price.normalize().as_tuple().digits) <= 5
            assert whole or decimals <= 6 - asset["szDecimals"]
            assert size > 0
            assert size == round(size, asset["szDecimals"])
        prices = [Decimal(level["px"]) for level in [*reversed(asks), *bids]]
        assert prices == sorted(prices, reverse=True)


@pytest.mark.parametrize(
    ("asked", "status", "body"),
    [
        ({"type": "l2Book", "coin": "NOPE"}, 200, b"null"),
        ({"type": "nope"}, 422, b"Failed to deserialize the JSON body into the target type"),
        ([], 422, b"Failed to deserialize the JSON body into the target type"),
    ],
)
def test_hyperliquid_refuses_in_the_venues_own_words(
    asked: object, status: int, body: bytes
) -> None:
    request = Request("POST", "/info", {}, json.dumps(asked).encode())

    reply = HyperliquidSimulator(lambda: TRADING_HOURS).answer(request)

    assert (reply.status, reply.body) == (status, body)


def all_fields(pair: dict[str, Any]) -> str:
    return " ".join(
        f"{key} {{ {all_fields(value)} }}" if isinstance(value, dict) else key
        for key, value in pair.items()
    )


def test_ostiums_pairs_are_the_recorded_ones_field_by_field() -> None:
    pairs = recorded(OSTIUM)["pairs"]
    query = f"query getPairs {{ pairs(first: 1000) {{ {all_fields(pairs[0])} }} }}"

    told = ask(OstiumSimulator(lambda: RECORDED_AT), "POST", "/subgraph", {"query": query})

    assert [pair["id"] for pair in told["data"]["pairs"]] == [pair["id"] for pair in pairs]
    for ours, theirs in zip(told["data"]["pairs"], pairs, strict=True):
        assert shape(ours) == shape(theirs)
        group = {key: ours["group"][key] for key in ours["group"].keys() - MOVING_GROUP}
        assert group.items() <= theirs["group"].items()
        fixed = {key: ours[key] for key in ours.keys() - MOVING_PAIR - {"group"}}
        assert fixed.items() <= theirs.items()
        for interest in ("longOI", "shortOI"):
            assert float(ours[interest]) == pytest.approx(float(theirs[interest]), rel=1e-5)


def test_ostiums_price_rows_are_the_recorded_ones_but_for_prices_and_time() -> None:
    theirs = {row["feed_id"]: row for row in recorded(OSTIUM)["prices"]}

    told = ask(OstiumSimulator(lambda: RECORDED_AT), "GET", "/PricePublish/latest-prices")

    assert {row["feed_id"] for row in told} == set(theirs)
    for ours in told:
        row = theirs[ours["feed_id"]]
        assert shape(ours) == shape(row)
        moving = {"bid", "mid", "ask", "timestampSeconds"}
        assert {k: v for k, v in ours.items() if k not in moving}.items() <= row.items()
        assert abs(ours["timestampSeconds"] - row["timestampSeconds"]) <= 1
        assert ours["bid"] <= ours["mid"] <= ours["ask"]


def test_ostiums_simulated_and_recorded_markets_are_the_same_but_for_the_price() -> None:
    with simulated_ostium(RECORDED_AT) as (source, _):
        assert [*map(still, source.markets())] == [*map(still, recorded_ostium().markets())]


def test_ostium_tells_the_price_of_one_asset() -> None:
    simulator = OstiumSimulator(lambda: RECORDED_AT)

    row = ask(simulator, "GET", "/PricePublish/latest-price", asset="EURUSD")

    assert row in ask(simulator, "GET", "/PricePublish/latest-prices")


@pytest.mark.parametrize(
    "query",
    ["{ pairs { id nope } }", "{ orders { id } }", "{ pairs { group } }", "{ pairs {", "", "{"],
)
def test_ostiums_subgraph_refuses_what_it_does_not_have(query: str) -> None:
    told = ask(OstiumSimulator(lambda: RECORDED_AT), "POST", "/subgraph", {"query": query})

    assert list(told) == ["errors"]
