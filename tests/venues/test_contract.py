"""The contract of contract.py, over both adapters, on recorded and on simulated answers."""

from collections.abc import Iterator

import pytest

from agent_where.venues.base import MarketSource
from tests.venues.contract import RULES, Rule
from tests.venues.sources import (
    RECORDED_AT,
    TRADING_HOURS,
    recorded_hyperliquid,
    recorded_ostium,
    simulated_hyperliquid,
    simulated_ostium,
)


@pytest.fixture(
    scope="module",
    params=[
        "HYPERLIQUID recorded",
        "OSTIUM recorded",
        "HYPERLIQUID simulated",
        "OSTIUM simulated by day",
        "OSTIUM simulated by night",
    ],
)
def source(request: pytest.FixtureRequest) -> Iterator[MarketSource]:
    match request.param:
        case "HYPERLIQUID recorded":
            yield recorded_hyperliquid()
        case "OSTIUM recorded":
            yield recorded_ostium()
        case "HYPERLIQUID simulated":
            with simulated_hyperliquid(TRADING_HOURS) as (source, _):
                yield source
        case "OSTIUM simulated by day":
            with simulated_ostium(TRADING_HOURS) as (source, _):
                yield source
        case _:
            with simulated_ostium(RECORDED_AT) as (source, _):
                yield source


@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_contract(source: MarketSource, rule: Rule) -> None:
    rule(source)


def test_the_rules_are_numbered_without_a_gap() -> None:
    numbers = [int(rule.__name__[1:3]) for rule in RULES]
    assert numbers == list(range(1, len(RULES) + 1))


def test_what_two_venues_call_by_one_token_is_one_thing() -> None:
    with (
        simulated_hyperliquid(TRADING_HOURS) as (first, _),
        simulated_ostium(TRADING_HOURS) as (second, _),
    ):
        coins = {market.token_symbol: market.name for market in first.markets()}
        shared = {
            market.token_symbol: market
            for market in second.markets()
            if market.token_symbol in coins
        }

    assert set(shared) == {"BTC", "ETH", "SOL", "BNB", "XRP", "TRX", "HYPE", "LINK", "ADA"}
    assert {market.group for market in shared.values()} == {"crypto"}
    assert all(coins[token] == market.name for token, market in shared.items())
