"""What a test or a demonstration can tell a simulator to do."""

import json
import socket
import subprocess
import sys
import urllib.request
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from agent_where.domain import Market
from agent_where.errors import VenueUnavailable
from agent_where.venues._http import BadAnswer, JsonHttp
from agent_where.venues.base import MarketSource
from local.simulators.server import Server
from tests.patience import PATIENCE_SECONDS
from tests.venues.recorded import Payload
from tests.venues.sources import (
    TRADING_HOURS,
    Simulated,
    simulated_hyperliquid,
    simulated_ostium,
)

ROOT = Path(__file__).parents[2]
NOTHING_TOLD: Payload = {"prices": {}, "open": {}, "mode": None, "rules": []}


def control(server: Server, what: str, **body: object) -> Payload:
    sent = json.dumps(body).encode()
    return JsonHttp().post(f"{server.url}/simulator/{what}", sent)


def found(source: MarketSource, token: str) -> Market:
    (market,) = (market for market in source.markets() if market.token_symbol == token)
    return market


def test_a_price_can_be_set_and_let_go() -> None:
    with simulated_hyperliquid(TRADING_HOURS) as (source, server):
        before = found(source, "PEPE").price_usd
        control(server, "price", coin="kPEPE", price="0.004")
        assert found(source, "PEPE").price_usd == Decimal("0.000004")
        control(server, "price", coin="kPEPE", price=None)
        assert found(source, "PEPE").price_usd == before

    with simulated_ostium(TRADING_HOURS) as (source, server):
        control(server, "price", coin="XAUUSD", price=5000)
        assert found(source, "XAU").price_usd == 5000


def test_a_market_can_be_closed_and_opened_against_its_clock() -> None:
    sunday = datetime(2026, 1, 18, 12, tzinfo=UTC)
    with simulated_ostium(sunday) as (source, server):
        assert not found(source, "EUR").is_open
        control(server, "market", coin="EURUSD", open=True)
        assert found(source, "EUR").is_open

    with simulated_ostium(TRADING_HOURS) as (source, server):
        control(server, "market", coin="NVDAUSD", open=False)
        assert not found(source, "NVDA").is_open
        assert control(server, "reset") == NOTHING_TOLD
        assert found(source, "NVDA").is_open

    with simulated_hyperliquid(TRADING_HOURS) as (source, server):
        control(server, "market", coin="BTC", open=False)
        assert not found(source, "BTC").is_active


@pytest.mark.parametrize("mode", ["500", "429", "hang", "cut", "garbage", "empty"])
@pytest.mark.parametrize("simulated", [simulated_hyperliquid, simulated_ostium])
def test_however_the_venue_fails_it_is_unavailable_and_then_back(
    simulated: Simulated, mode: str
) -> None:
    patience = 3 if mode == "hang" else PATIENCE_SECONDS
    with simulated(TRADING_HOURS, timeout_seconds=patience) as (source, server):
        control(server, "fail", mode=mode)
        with pytest.raises(VenueUnavailable):
            source.markets()
        control(server, "fail", mode=None)
        assert source.markets()


@pytest.mark.parametrize("simulated", [simulated_hyperliquid, simulated_ostium])
def test_half_a_universe_is_less_than_half_of_the_active_markets(simulated: Simulated) -> None:
    with simulated(TRADING_HOURS) as (source, server):
        whole = sum(market.is_active for market in source.markets())
        control(server, "fail", mode="half")
        assert 0 < sum(market.is_active for market in source.markets()) < whole / 2


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("price", {"coin": "NOPE", "price": "1"}),
        ("price", {"coin": "BTC", "price": "-1"}),
        ("price", {"coin": "BTC", "price": "much"}),
        ("market", {"coin": "BTC", "open": "yes"}),
        ("fail", {"mode": "sideways"}),
        ("nope", {}),
    ],
)
def test_a_control_that_makes_no_sense_is_refused_and_changes_nothing(
    what: str, body: dict[str, object]
) -> None:
    with simulated_hyperliquid(TRADING_HOURS) as (_, server):
        with pytest.raises(BadAnswer) as refused:
            control(server, what, **body)
        assert refused.value.status == 400
        told = JsonHttp().get(f"{server.url}/simulator")
    assert told == NOTHING_TOLD


def test_the_process_says_when_it_is_ready_listens_on_loopback_alone_and_ends_when_told() -> None:
    command = [sys.executable, "-m", "local.simulators", "--seed", "7"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            prices = f"{told['ostium_prices']}/PricePublish/latest-prices"
            with urllib.request.urlopen(prices, timeout=5) as response:
                assert len(json.load(response)) == 54
            port = int(told["hyperliquid"].rpartition(":")[2])
            with socket.socket() as outside:
                outside.bind(("127.0.0.2", port))
        finally:
            process.terminate()
        assert process.wait(5) == 0
