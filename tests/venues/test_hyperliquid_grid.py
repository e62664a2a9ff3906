"""Prices and sizes on the venue's grid, for every market that was ever recorded."""

import re
from dataclasses import dataclass
from decimal import Decimal, localcontext
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_where.domain import Side
from agent_where.execution.sizing import limit_price
from agent_where.venues.hyperliquid.grid import (
    MIN_NOTIONAL_USD,
    is_under_minimum,
    largest_order_usd,
    price_bound,
    size_within,
    trigger_bound,
)
from agent_where.venues.hyperliquid.ids import asset_id, asset_ids, client_order_id
from agent_where.venues.hyperliquid.wire import number
from tests.unit.shapes import SIGNAL_ID, quote
from tests.venues.recorded import HYPERLIQUID_MAIN, HYPERLIQUID_XYZ, recorded

TESTNET = "hyperliquid/info_meta_main_testnet_2025-08-23.json"
BOOK = "hyperliquid/info_l2Book_BTC_nSigFigs5_2026-06-22.json"
EXACT = 200

sides = st.sampled_from(Side)
prices = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent),
    st.integers(1, 10**12),
    st.integers(-14, 3),
)
size_decimals = st.integers(0, 6)


@dataclass(frozen=True)
class Coin:
    """A recorded market: its name, the decimals of its sizes, a price in USD."""

    name: str
    size_decimals: int
    price: Decimal


def is_valid_price(price: Decimal, size_decimals: int) -> bool:
    """The documented rule, read off the digits that would be sent."""
    whole, _, fraction = number(price).partition(".")
    if not fraction:
        return True
    significant = len((whole + fraction).lstrip("0"))
    return significant <= 5 and len(fraction) <= 6 - size_decimals


def is_valid_size(size: Decimal, size_decimals: int) -> bool:
    _, _, fraction = number(size).partition(".")
    return len(fraction) <= size_decimals


@cache
def universe() -> tuple[Coin, ...]:
    """Every market of 2026-02-06 that trades, of the main dex and of another."""
    coins = []
    for name in (HYPERLIQUID_MAIN, HYPERLIQUID_XYZ):
        meta, contexts = recorded(name)
        coins += [
            Coin(asset["name"], asset["szDecimals"], Decimal(context["midPx"]))
            for asset, context in zip(meta["universe"], contexts, strict=True)
            if not asset.get("isDelisted") and context["midPx"] is not None
        ]
    return tuple(coins)


notionals = st.one_of(
    st.decimals(10, 1_000_000, places=2), st.sampled_from([Decimal(10), Decimal(1_000_000)])
)


@settings(max_examples=200, deadline=None)
@given(
    notional=notionals,
    slippage=st.decimals(Decimal("0.0001"), Decimal("0.5"), places=4),
    side=sides,
)
def test_the_whole_universe_quantises_to_valid_prices_and_sizes(
    notional: Decimal, slippage: Decimal, side: Side
) -> None:
    for coin in universe():
        mid = quote(coin.price, coin.price)
        worst = coin.price * (1 + side.sign * slippage)

        limit = price_bound(limit_price(mid, side, slippage), side, coin.size_decimals)
        size = size_within(notional / coin.price, coin.size_decimals)

        assert is_valid_price(limit, coin.size_decimals), (coin, limit)
        assert is_valid_size(size, coin.size_decimals), (coin, size)
        assert (limit - worst) * side.sign <= 0, (coin, limit, worst)
        assert size * coin.price <= notional
        assert (notional / coin.price) - size < Decimal(1).scaleb(-coin.size_decimals)
        step = Decimal(1).scaleb(-coin.size_decimals) * coin.price
        if (notional - step) * min(limit, coin.price) / coin.price >= MIN_NOTIONAL_USD:
            assert not is_under_minimum(size, limit), (coin, size, limit)


def test_the_universe_that_is_tested_is_whole() -> None:
    coins = universe()

    assert len([coin for coin in coins if ":" not in coin.name]) == 228 - 38
    assert any(coin.name.startswith("xyz:") for coin in coins)
    assert {coin.size_decimals for coin in coins} == {0, 1, 2, 3, 4, 5}


@given(price=prices, side=sides, size_decimals=size_decimals)
def test_a_bound_is_valid_and_never_worse_than_asked(
    price: Decimal, side: Side, size_decimals: int
) -> None:
    bound = price_bound(price, side, size_decimals)

    assert bound == 0 or is_valid_price(bound, size_decimals)
    assert bound <= price if side is Side.LONG else bound >= price


@given(price=prices, side=sides, size_decimals=size_decimals)
def test_a_bound_is_the_nearest_valid_price_on_its_side(
    price: Decimal, side: Side, size_decimals: int
) -> None:
    bound = price_bound(price, side, size_decimals)

    with localcontext(prec=EXACT):
        coarse = Decimal(1).scaleb(max(price.adjusted() - 4, size_decimals - 6))
        step = min(coarse, Decimal(1))
        assert abs(bound - price) < step
        assert bound % step == 0


@given(price=prices, side=sides, size_decimals=size_decimals)
def test_a_valid_price_stays_as_it_is(price: Decimal, side: Side, size_decimals: int) -> None:
    bound = price_bound(price, side, size_decimals)
    if bound:
        assert price_bound(bound, Side.LONG, size_decimals) == bound
        assert price_bound(bound, Side.SHORT, size_decimals) == bound


@given(price=prices, position=sides, size_decimals=size_decimals, gains=st.booleans())
def test_an_exit_is_never_triggered_further_from_the_entry_than_asked(
    price: Decimal, position: Side, size_decimals: int, gains: bool
) -> None:
    trigger = trigger_bound(price, position, size_decimals, gains=gains)

    away_is_up = (position is Side.LONG) == gains
    assert trigger <= price if away_is_up else trigger >= price
    assert trigger == 0 or is_valid_price(trigger, size_decimals)


@given(
    size=st.decimals(Decimal("1e-9"), Decimal("1e12"), allow_nan=False),
    size_decimals=size_decimals,
)
def test_a_size_is_rounded_down_to_the_venues_step(size: Decimal, size_decimals: int) -> None:
    kept = size_within(size, size_decimals)

    with localcontext(prec=EXACT):
        assert 0 <= size - kept < Decimal(1).scaleb(-size_decimals)
    assert is_valid_size(kept, size_decimals)


@pytest.mark.parametrize(
    ("price", "side", "size_decimals", "bound"),
    [
        ("97123.456", Side.LONG, 5, "97123"),
        ("97123.456", Side.SHORT, 5, "97124"),
        ("123456.7", Side.LONG, 5, "123456"),  # a whole number may have more than five digits
        ("99999.9", Side.SHORT, 5, "100000"),
        ("9.99996", Side.SHORT, 0, "10"),
        ("2345.678", Side.LONG, 4, "2345.6"),
        ("1.23456789", Side.LONG, 2, "1.2345"),
        ("0.0012345678", Side.LONG, 0, "0.001234"),  # six decimals, fewer than five digits
        ("0.0012345678", Side.SHORT, 1, "0.00124"),
        ("0.00000012", Side.LONG, 0, "0"),
        ("0.00000012", Side.SHORT, 0, "0.000001"),
    ],
)
def test_a_price_is_whole_or_of_five_digits_within_its_decimals(
    price: str, side: Side, size_decimals: int, bound: str
) -> None:
    assert number(price_bound(Decimal(price), side, size_decimals)) == bound


def test_every_recorded_book_stands_on_the_grid() -> None:
    levels = [level for side in recorded(BOOK)["levels"] for level in side]

    assert len(levels) == 40
    for level in levels:
        price, size = Decimal(level["px"]), Decimal(level["sz"])
        assert price_bound(price, Side.LONG, 5) == price == price_bound(price, Side.SHORT, 5)
        assert size_within(size, 5) == size


@pytest.mark.parametrize(
    ("size", "limit", "is_under"),
    [("0.1", "100", False), ("0.0999", "100", True), ("45", "0.1233", True), ("0", "1", True)],
)
def test_the_minimum_is_reckoned_by_the_limit_price(size: str, limit: str, is_under: bool) -> None:
    """45 at 0.1233 is what the venue is recorded to have refused."""
    assert is_under_minimum(Decimal(size), Decimal(limit)) is is_under


@pytest.mark.parametrize(
    ("max_leverage", "millions"),
    [
        ("50", "30"),
        ("40", "30"),
        ("25", "30"),
        ("24", "5"),
        ("20", "5"),
        ("19", "2"),
        ("10", "2"),
        ("5", "0.5"),
        ("3", "0.5"),
    ],
)
def test_the_largest_order_hangs_on_the_markets_leverage(max_leverage: str, millions: str) -> None:
    assert largest_order_usd(Decimal(max_leverage)) == Decimal(millions) * 1_000_000


def test_asset_ids_count_delisted_markets() -> None:
    meta, _ = recorded(HYPERLIQUID_MAIN)
    coins = [asset["name"] for asset in meta["universe"]]

    ids = asset_ids(coins)

    assert ids["BTC"] == 0
    assert next(asset for asset in meta["universe"] if asset["name"] == "MATIC")["isDelisted"]
    assert (ids["ATOM"], ids["MATIC"], ids["DYDX"], ids["kPEPE"]) == (2, 3, 4, 15)
    assert len(ids) == 228
    assert [coins[position] for position in ids.values()] == coins


def test_asset_ids_of_another_dex_hang_on_its_place_among_the_dexes() -> None:
    dexes = [dex and dex["name"] for dex in recorded("hyperliquid/info_perpDexs_2026-06-22.json")]
    meta, _ = recorded(HYPERLIQUID_XYZ)

    ids = asset_ids([asset["name"] for asset in meta["universe"]], dex=dexes.index("xyz"))

    assert (ids["xyz:XYZ100"], ids["xyz:GOLD"], ids["xyz:EUR"]) == (110_000, 110_003, 110_025)


def test_testnet_has_other_ids() -> None:
    meta = recorded(TESTNET)

    ids = asset_ids([asset["name"] for asset in meta["universe"]])

    assert (ids["SOL"], ids["BTC"], ids["ETH"]) == (0, 3, 4)


@pytest.mark.parametrize(("index", "dex"), [(-1, 0), (10_000, 0), (10_000, 1), (0, -1)])
def test_an_id_that_would_name_another_asset_is_never_made(index: int, dex: int) -> None:
    with pytest.raises(ValueError, match="no asset"):
        asset_id(index, dex=dex)


def test_a_client_order_id_is_the_orders_own_id() -> None:
    told = client_order_id(SIGNAL_ID)

    assert re.fullmatch("0x[0-9a-f]{32}", told)
    assert told == f"0x{SIGNAL_ID.hex}"
