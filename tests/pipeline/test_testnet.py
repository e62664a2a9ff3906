"""`make testnet`, against a simulated testnet: one LONG, one CLOSE, and never the mainnet."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from agent_where.execution.signers import Signers
from local.environment import ROOT
from local.simulators.hyperliquid import HyperliquidSimulator
from local.simulators.server import Server
from local.testnet import KEY, Refused, settings

PRIVATE = "33" * 32


def environment(**more: str) -> dict[str, str]:
    return {KEY: PRIVATE, **more}


@pytest.fixture
def testnet() -> Iterator[tuple[HyperliquidSimulator, str]]:
    simulator = HyperliquidSimulator(lambda: datetime.now(UTC), is_mainnet=False)
    with Server(simulator) as server:
        yield simulator, server.url


def run(**more: str) -> subprocess.CompletedProcess[str]:
    path = f"{ROOT / 'layers' / 'core'}:{ROOT}"
    with tempfile.TemporaryDirectory(prefix="agent-where-tests-") as ledger:
        return subprocess.run(
            [sys.executable, "-m", "local.testnet"],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": path, "LEDGER": ledger, **more},
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"NETWORK": "mainnet"}, "never trades real money"),
        ({"HYPERLIQUID_API_URL": "https://api.hyperliquid.xyz"}, "never trades there"),
        ({KEY: ""}, "must hold the private key"),
    ],
)
def test_it_refuses_the_mainnet_and_a_missing_key(told: dict[str, str], why: str) -> None:
    with pytest.raises(Refused, match=why):
        settings(environment(**told))


def test_without_a_url_it_is_the_testnet_s_own() -> None:
    assert "testnet" in settings(environment()).hyperliquid_api_url


def test_it_opens_and_closes_and_leaves_nothing(
    testnet: tuple[HyperliquidSimulator, str],
) -> None:
    simulator, url = testnet
    account = Signers(allow_env=True, environment={KEY: PRIVATE}).signer(f"env:{KEY}").address
    simulator.control.apply("/simulator/deposit", f'{{"user": "{account}", "usd": 1000}}'.encode())

    done = run(**environment(HYPERLIQUID_API_URL=url))

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("FILLED") == 2
    assert PRIVATE not in done.stdout + done.stderr
    books = simulator.control.report("/simulator/books")["accounts"][account]
    assert (len(books["fills"]), books["positions"]) == (2, {})


def test_an_empty_account_is_told_so(testnet: tuple[HyperliquidSimulator, str]) -> None:
    _, url = testnet

    done = run(**environment(HYPERLIQUID_API_URL=url))

    assert done.returncode == 1
    assert "free" in done.stdout
