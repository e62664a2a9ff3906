"""Ostium's pairs and prices, read."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from agent_where.domain import Market, Side
from agent_where.errors import VenueUnavailable
from agent_where.venues.hyperliquid.tokens import token_of as hyperliquid_token
from agent_where.venues.ostium.markets import OstiumMarkets, parse
from agent_where.venues.ostium.tokens import TOKENS, token_of
from tests.patience import PATIENCE_SECONDS
from tests.venues.recorded import OSTIUM, recorded
from tests.venues.server import Behaviour, Misbehaving, says
from tests.venues.sources import (
    RECORDED_AT,
    TRADING_HOURS,
    recorded_ostium,
    simulated_ostium,
)

NOW = RECORDED_AT
BOTH = (Side.LONG, Side.SHORT)


def pair(**changed: object) -> dict[str, object]:
    return {
        "id": "7",
        "from": "CL",
        "to": "USD",
        "feed": "0xAB",
        "maxLeverage": "5000",
        "overnightMaxLeverage": "0",
        "takerFeeP": "50000",
        "longOI": "1000000000000000000",
        "shortOI": "0",
        "maxOI": "20000000000000",
        "lastTradePrice": "58000000000000000000",
        "group": {"name": "commodities", "maxLeverage": "15000"},
        "fee": {"minLevPos": "4500000"},
        **changed,
    }


def row(**changed: object) -> dict[str, object]:
    return {
        "feed_id": "0xab",
        "from": "CL",
        "to": "USD",
        "mid": Decimal("59.25"),
        "isMarketOpen": True,
        "timestampSeconds": int(NOW.timestamp()),
        **changed,
    }


def read(*pairs: dict[str, object], prices: list[Any] | None = None) -> tuple[Market, ...]:
    return parse({"data": {"pairs": list(pairs)}}, [row()] if prices is None else prices, NOW)


def read_one(pair_: dict[str, object], **price: object) -> Market:
    (market,) = read(pair_, prices=[row(**price)])
    return market


def test_a_pair_and_its_price_are_one_market() -> None:
    assert read_one(pair()) == Market(
        venue="OSTIUM",
        token_symbol="WTI",
        name="CL/USD",
        index=7,
        min_notional_usd=Decimal("4.5"),
        max_leverage=Decimal(50),
        group="commodities",
        price_usd=Decimal("59.25"),
        taker_fee_bps=Decimal(5),
        order_fee_usd=Decimal("0.10"),
    )


@pytest.mark.parametrize(
    ("overnight", "own", "group", "leverage"),
    [("0", "0", "10000", 100), ("0", "5000", "10000", 50), ("1000", "0", "10000", 10)],
)
def test_leverage_is_the_overnight_cap_else_the_pairs_else_the_groups(
    overnight: str, own: str, group: str, leverage: int
) -> None:
    told = pair(
        overnightMaxLeverage=overnight,
        maxLeverage=own,
        group={"name": "stocks", "maxLeverage": group},
    )

    assert read_one(told).max_leverage == leverage


@pytest.mark.parametrize(
    ("seconds_old", "open_"),
    [(0, True), (299, True), (301, False), (36_000, False), (-299, True), (-301, False)],
)
def test_a_market_is_open_only_on_a_fresh_price(seconds_old: int, open_: bool) -> None:
    market = read_one(pair(), timestampSeconds=int(NOW.timestamp()) - seconds_old)

    assert market.is_open is open_


def test_a_closed_market_stays_active_with_its_last_price() -> None:
    market = read_one(pair(), isMarketOpen=False)

    assert (market.is_active, market.is_open) == (True, False)
    assert market.price_usd == Decimal("59.25")


@pytest.mark.parametrize("mid", [0, Decimal("0.0"), Decimal("-37.63")])
def test_a_price_of_nothing_or_less_is_none_and_closes(mid: Decimal) -> None:
    market = read_one(pair(), mid=mid)

    assert (market.price_usd, market.is_open) == (None, False)


def test_a_pair_without_a_price_has_none_and_is_closed() -> None:
    market = read_one(pair(), **{"feed_id": "0xother", "from": "BABA"})

    assert (market.price_usd, market.is_open) == (None, False)


def test_a_price_is_found_by_feed_and_else_by_name() -> None:
    assert read_one(pair(), **{"from": "OIL"}).price_usd == Decimal("59.25")
    assert read_one(pair(), feed_id="0xother").price_usd == Decimal("59.25")


@pytest.mark.parametrize(
    ("changed", "sides"),
    [
        ({}, BOTH),
        ({"maxOI": "0"}, ()),
        ({"maxOI": "59250000"}, (Side.SHORT,)),
        ({"maxOI": "59250001"}, BOTH),
        ({"shortOI": "999000000000000000000000", "longOI": "-5"}, (Side.LONG,)),
    ],
)
def test_a_side_whose_open_interest_is_used_up_is_not_offered(
    changed: dict[str, str], sides: tuple[Side, ...]
) -> None:
    assert read_one(pair(**changed)).sides == sides


def test_without_a_price_the_last_trade_tells_how_much_is_used_up() -> None:
    market = read_one(pair(maxOI="58000000"), mid=0)

    assert market.sides == (Side.SHORT,)


@pytest.mark.parametrize(
    ("graph", "prices", "fault"),
    [
        ({"data": {"pairs": []}}, [row()], "0 pairs and 1 prices"),
        ({"data": {"pairs": [pair()]}}, [], "1 pairs and 0 prices"),
        ({"errors": [{"message": "indexing\ud800"}]}, [row()], "the subgraph says"),
        ({"data": None}, [row()], "data"),
        (None, [row()], "the answer"),
        ({"data": {"pairs": [pair()]}}, {"error": "x"}, "the answer"),
        ({"data": {"pairs": [pair()]}}, [row(mid=None)], "mid"),
        ({"data": {"pairs": [pair()]}}, [row(isMarketOpen="maybe")], "isMarketOpen"),
        ({"data": {"pairs": [pair(maxOI="lots")]}}, [row()], "maxOI"),
        ({"data": {"pairs": [pair(fee=None)]}}, [row()], "fee"),
        ({"data": {"pairs": [pair(takerFeeP="-1")]}}, [row()], "takerFeeP"),
        ({"data": {"pairs": [pair(group={"name": "\x00", "maxLeverage": "1"})]}}, [row()], "name"),
        ({"data": {"pairs": [pair(group={"name": "g", "maxLeverage": "0"})]}}, [row()], "maxLev"),
    ],
)
def test_an_answer_of_another_shape_is_refused_and_says_where(
    graph: object, prices: object, fault: str
) -> None:
    with pytest.raises(VenueUnavailable, match=fault) as refused:
        parse(graph, prices, NOW)

    assert refused.value.venue == "OSTIUM"


def test_a_pair_listed_again_is_one_market_still() -> None:
    (market,) = read(pair(id="90"), pair(id="7"))

    assert market.index == 7


def test_the_sp500_and_the_coin_spx_never_share_a_token() -> None:
    assert token_of("SPX", "USD") == "US500"
    assert hyperliquid_token("SPX") == ("SPX", 1)
    assert "SPX" not in TOKENS.values()


@pytest.mark.parametrize(
    ("base", "quote", "token"),
    [
        ("EUR", "USD", "EUR"),
        ("USD", "JPY", "USDJPY"),
        ("XAU", "USD", "XAU"),
        ("HG", "USD", "XCU"),
        ("CL", "USD", "WTI"),
        ("NIK", "JPY", "JP225"),
        ("URA", "USD", "URA"),
        ("FOO", "USD", "FOOUSD"),
        ("SPX", "EUR", "SPXEUR"),
    ],
)
def test_tokens_come_from_the_table_and_a_new_pair_is_called_by_both_halves(
    base: str, quote: str, token: str
) -> None:
    assert token_of(base, quote) == token


def test_the_table_names_each_pair_once() -> None:
    assert len(TOKENS) == 53
    assert len(set(TOKENS.values())) == 53


def test_the_simulators_universe_has_the_facts_of_the_venue() -> None:
    with simulated_ostium(TRADING_HOURS) as (source, _):
        found = {market.token_symbol: market for market in source.markets()}

    assert len(found) == 52
    assert set(found) == set(TOKENS.values()) - {"URA"}
    assert {token for token, market in found.items() if not market.is_open} == {"HK50"}
    assert found["BTC"].index == 0
    assert found["EUR"].max_leverage == 200
    assert found["XAU"].taker_fee_bps == Decimal("1.5")
    assert found["NVDA"].max_leverage == 10
    assert found["MSTR"].sides == (Side.SHORT,)


def test_the_recorded_pairs_are_read_whole() -> None:
    markets = recorded_ostium().markets()
    found = {market.token_symbol: market for market in markets}

    assert [market.index for market in markets] == list(range(52))
    assert {market.token_symbol for market in markets if not market.is_open} == {
        market.token_symbol for market in markets if market.group == "stocks"
    }
    assert found["EUR"].price_usd == Decimal("1.16138")
    assert found["MSTR"].sides == (Side.SHORT,)


def test_a_recorded_answer_ten_minutes_later_has_nothing_open() -> None:
    answer = recorded(OSTIUM)
    later = RECORDED_AT + timedelta(minutes=10)

    markets = parse({"data": {"pairs": answer["pairs"]}}, answer["prices"], later)

    assert not any(market.is_open for market in markets)


@pytest.mark.parametrize(
    "behaviour", [says(b"null", "500 X"), says(b"null"), says(b"<html>"), says(b"[]", "429 X")]
)
def test_a_venue_that_does_not_answer_as_documented_is_unavailable(behaviour: Behaviour) -> None:
    with Misbehaving(behaviour) as server:
        url = f"http://127.0.0.1:{server.port}"
        with pytest.raises(VenueUnavailable):
            OstiumMarkets(f"{url}/subgraph", url, timeout_seconds=PATIENCE_SECONDS).markets()
