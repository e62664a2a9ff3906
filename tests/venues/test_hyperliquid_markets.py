"""Hyperliquid's universe, read."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from agent_where.domain import Market, Side
from agent_where.errors import VenueUnavailable
from agent_where.venues.hyperliquid.markets import HyperliquidMarkets, parse
from agent_where.venues.hyperliquid.tokens import NOT_COINS, THOUSANDS, token_of
from agent_where.venues.ostium.tokens import TOKENS
from tests.patience import PATIENCE_SECONDS
from tests.venues.recorded import HYPERLIQUID_MAIN, HYPERLIQUID_XYZ, recorded
from tests.venues.server import Behaviour, Misbehaving, says
from tests.venues.sources import TRADING_HOURS, simulated_hyperliquid

CONTEXT = {"midPx": "2.5", "markPx": "2.4"}


def asset(name: str, **more: object) -> dict[str, object]:
    return {"name": name, "szDecimals": 1, "maxLeverage": 5, "marginTableId": 5, **more}


def answer(*assets: dict[str, object], contexts: list[Any] | None = None) -> list[Any]:
    return [{"universe": list(assets)}, contexts or [CONTEXT for _ in assets]]


def reader(url: str) -> HyperliquidMarkets:
    return HyperliquidMarkets(url, timeout_seconds=PATIENCE_SECONDS)


def by_token(markets: tuple[Market, ...]) -> Mapping[str, Market]:
    return {market.token_symbol: market for market in markets}


def test_a_market_is_told_in_canonical_units() -> None:
    (market,) = parse(
        answer(asset("kPEPE", szDecimals=0), contexts=[{"midPx": "0.003665", "markPx": "1"}])
    )

    assert market == Market(
        venue="HYPERLIQUID",
        token_symbol="PEPE",
        name="kPEPE/USD",
        index=0,
        multiplier=Decimal(1000),
        min_notional_usd=Decimal(10),
        max_leverage=Decimal(5),
        group="crypto",
        price_usd=Decimal("0.000003665"),
        taker_fee_bps=Decimal("4.5"),
        size_step=Decimal(1000),
        sides=(Side.LONG, Side.SHORT),
        netting=True,
    )


def test_a_delisted_market_stays_in_its_place_and_is_inactive() -> None:
    markets = parse(answer(asset("A"), asset("B", isDelisted=True), asset("C")))

    assert [(market.name, market.index, market.is_active) for market in markets] == [
        ("A/USD", 0, True),
        ("B/USD", 1, False),
        ("C/USD", 2, True),
    ]
    assert not markets[1].is_open


@pytest.mark.parametrize(
    ("context", "price"),
    [
        ({"midPx": "2.5", "markPx": "2.4"}, Decimal("2.5")),
        ({"midPx": None, "markPx": "2.4"}, Decimal("2.4")),
        ({"midPx": "0.0", "markPx": "2.4"}, Decimal("2.4")),
        ({"midPx": None, "markPx": "0.0"}, None),
        ({}, None),
    ],
)
def test_the_price_is_the_mid_else_the_mark_else_absent(
    context: dict[str, str | None], price: Decimal | None
) -> None:
    (market,) = parse(answer(asset("A"), contexts=[context]))

    assert market.price_usd == price


def test_keys_that_come_and_go_do_no_harm() -> None:
    grown = [
        {
            "universe": [asset("A", growthMode="enabled", isDelisted=None, onlyIsolated=True)],
            "marginTables": [],
            "collateralToken": 0,
            "new": {"deep": [1]},
        },
        [{**CONTEXT, "funding": "0.1", "impactPxs": None}],
    ]

    assert parse(grown) == parse(answer(asset("A")))


@pytest.mark.parametrize(
    ("told", "fault"),
    [
        (None, "the answer"),
        ([], "the answer|Field required|0"),
        ({"error": "nope"}, "the answer"),
        ([{"universe": []}, []], "no market"),
        ([{"universe": [asset("A")]}, []], "1 markets with 0 contexts"),
        ([{"universe": [asset("A")]}, [CONTEXT, CONTEXT]], "1 markets with 2 contexts"),
        ([{"markets": []}, []], "universe"),
        (answer({"szDecimals": 1, "maxLeverage": 5}), "name"),
        (answer(asset("A", szDecimals="x")), "szDecimals"),
        (answer(asset("A", szDecimals=-1)), "szDecimals"),
        (answer(asset("A", maxLeverage=0)), "maxLeverage"),
        (answer(asset("A"), contexts=[{"midPx": "cheap"}]), "midPx"),
        (answer(asset("A"), contexts=[{"markPx": "NaN"}]), "markPx"),
        (answer(asset("A"), contexts=[{"markPx": "1e999999"}]), "markPx"),
        (answer(asset("A"), contexts=[None]), "1.0"),
    ],
)
def test_an_answer_of_another_shape_is_refused_and_says_where(told: object, fault: str) -> None:
    with pytest.raises(VenueUnavailable, match=fault) as refused:
        parse(told)

    assert refused.value.venue == "HYPERLIQUID"


def test_of_two_coins_that_are_one_token_the_active_one_is_kept_and_it_is_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    old, new = asset("PEPE", isDelisted=True), asset("kPEPE")

    for told in (answer(old, new), answer(new, old)):
        (market,) = parse(told)
        assert market.name == "kPEPE/USD"
    assert "PEPE/USD" in caplog.text

    (first,) = parse(answer(asset("PEPE"), asset("kPEPE")))
    assert first.name == "PEPE/USD"


@pytest.mark.parametrize("name", ["xyz:GOLD", "币安人生", "A\ud800", "A\x00", "", "ß", "A B"])
def test_a_market_that_no_signal_could_name_is_left_out_and_keeps_its_place(name: str) -> None:
    (market,) = parse(answer(asset(name), asset("B")))

    assert (market.token_symbol, market.index) == ("B", 1)


def test_names_are_upper_case_and_no_multiplier_is_ever_guessed() -> None:
    assert token_of("kBONK") == ("BONK", 1000)
    assert token_of("kNEW") == ("KNEW", 1)
    assert token_of("1000CAT") == ("1000CAT", 1)
    assert token_of("Foo") == ("FOO", 1)
    assert len(THOUSANDS) == 7


def test_a_coin_named_like_a_share_or_a_currency_is_another_token() -> None:
    assert token_of("CVX") == ("CVX-COIN", 1)
    assert token_of("EUR") == ("EUR-COIN", 1)


def test_every_token_that_ostium_has_and_is_no_coin_is_kept_from_coins() -> None:
    coins = {"BTC", "ETH", "SOL", "BNB", "XRP", "TRX", "HYPE", "LINK", "ADA"}

    assert set(TOKENS.values()) - coins <= NOT_COINS


def test_the_universe_of_the_simulator_has_the_facts_of_the_venue() -> None:
    with simulated_hyperliquid(TRADING_HOURS) as (source, _):
        markets = source.markets()
        found = by_token(tuple(markets))

    assert len(markets) == 228
    assert sum(not market.is_active for market in markets) == 38
    assert found["BTC"].index == 0
    assert found["BTC"].max_leverage == 40
    assert found["BTC"].size_step == Decimal("0.00001")
    assert found["PEPE"].multiplier == 1000
    assert found["PEPE"].index == 15
    assert {market.token_symbol for market in markets if market.multiplier == 1000} == {
        *THOUSANDS.values()
    }
    assert not found["DOGS"].is_active


def test_the_recorded_universe_is_read_whole() -> None:
    markets = parse(recorded(HYPERLIQUID_MAIN))

    assert len(markets) == 228
    assert sum(not market.is_active for market in markets) == 38
    assert by_token(markets)["BTC"].price_usd == Decimal("66371.5")
    assert by_token(markets)["NEIRO"].size_step == Decimal(100)
    assert all(market.price_usd is not None for market in markets)


def test_a_dex_of_other_names_has_no_market_for_us() -> None:
    with pytest.raises(VenueUnavailable, match="no market"):
        parse(recorded(HYPERLIQUID_XYZ))


@pytest.mark.parametrize(
    "behaviour", [says(b"null", "500 X"), says(b"null"), says(b"<html>"), says(b"[]", "429 X")]
)
def test_a_venue_that_does_not_answer_as_documented_is_unavailable(behaviour: Behaviour) -> None:
    with Misbehaving(behaviour) as server, pytest.raises(VenueUnavailable):
        HyperliquidMarkets(
            f"http://127.0.0.1:{server.port}", timeout_seconds=PATIENCE_SECONDS
        ).markets()


def test_one_request_asks_for_everything() -> None:
    with Misbehaving(says(b'[{"universe":[]},[]]')) as server, pytest.raises(VenueUnavailable):
        HyperliquidMarkets(
            f"http://127.0.0.1:{server.port}/", timeout_seconds=PATIENCE_SECONDS
        ).markets()

    (request,) = server.requests
    assert request.startswith(b"POST /info HTTP/1.1\r\n")
    assert request.endswith(b'{"type":"metaAndAssetCtxs"}')
