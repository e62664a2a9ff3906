"""What is signed is what the venue's own client signs, byte for byte, for equal input.

The client (3.3.1) runs in an environment of its own; where that is not installed, these skip.
"""

import json
import random
import subprocess
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from eth_account import Account
from eth_utils.address import to_checksum_address

from agent_where.domain import Market, Mode, Order, OrderStatus, Purpose, Quote, Side
from agent_where.execution.signers import Signers
from agent_where.venues._evm.sealing import Unsent
from agent_where.venues._evm.transaction import Fees
from agent_where.venues.base import ActionKind, Stamp
from agent_where.venues.ostium import orders
from agent_where.venues.ostium.contracts import Trade
from agent_where.venues.ostium.facts import CloseFacts, EntryFacts, Open, Standing
from local.environment import ROOT

PYTHON = ROOT / ".venv" / "ostium" / "bin" / "python"
PROCESS = Path(__file__).with_name("ostium_sdk_process.py")
KEY = f"0x{7:064x}"
SIGNER = str(Account.from_key(KEY).address).lower()
TRADER = "0x" + "c1" * 20
PLACES = {"usdc": "0x" + "a5" * 20, "storage": "0x" + "a3" * 20, "trading": "0x" + "a1" * 20}
CHAIN_ID = 42_161
NOW = datetime(2026, 2, 6, tzinfo=UTC)
RICH = Standing(
    is_paused=False,
    is_done=False,
    delegate=SIGNER,
    balance=10**15,
    allowance=10**15,
    oracle_fee=100_000,
)
TRIALS = 200


def clients(calls: list[dict[str, Any]]) -> list[bytes]:
    """What the client signs for these calls."""
    if not PYTHON.exists():
        pytest.skip("the venue's own client is not installed: make installs it")
    setting = {**PLACES, "key": KEY, "chain_id": CHAIN_ID}
    told = subprocess.run(
        [str(PYTHON), "-W", "ignore", str(PROCESS)],
        input=json.dumps({"setting": setting, "calls": calls}),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert told.returncode == 0, told.stderr[-2000:]
    return [bytes.fromhex(raw) for raw in json.loads(told.stdout)]


def ours(data: bytes, nonce: int) -> bytes:
    """What we sign for the same call, with the client's fees and gas."""
    unsent = Unsent(
        venue="OSTIUM",
        kind=ActionKind.ORDER,
        chain_id=CHAIN_ID,
        to=PLACES["trading"],
        data=data,
        gas=2_500_000,
        fees=Fees(most=500_000_000, tip=0),
        signer_address=SIGNER,
        waits=timedelta(minutes=2),
        sequence=nonce,
    )
    signer = Signers(allow_env=True, environment={"KEY": KEY}).signer("env:KEY")
    return unsent.sealed(Stamp(signer=signer, nonce=nonce, now=NOW)).payload


def market(pair: int) -> Market:
    return Market(
        venue="OSTIUM",
        token_symbol="BTC",
        name="BTC/USD",
        index=pair,
        max_leverage=Decimal(1000),
        taker_fee_bps=Decimal(0),
    )


def order(**changes: Any) -> Order:
    told: dict[str, Any] = {
        "id": UUID(int=1),
        "signal_id": UUID(int=1),
        "deployment_id": UUID(int=2),
        "position_id": UUID(int=3),
        "purpose": Purpose.ENTRY,
        "leg": "entry",
        "attempt": 1,
        "venue": "OSTIUM",
        "account": TRADER,
        "mode": Mode.LIVE,
        "token_symbol": "BTC",
        "market_name": "BTC/USD",
        "side": Side.LONG,
        "leverage": Decimal(10),
        "status": OrderStatus.PLANNED,
        "signer_address": SIGNER,
        "size": Decimal(1),
    }
    return Order.model_validate(told | changes)


def drawn(random: random.Random) -> dict[str, Any]:
    """Input that a float says exactly, since the client takes floats, within its five decimals."""
    price = Decimal(random.randrange(10**3, 10**9)).scaleb(-random.randrange(0, 4))
    side = random.choice(list(Side))
    return {
        "side": side,
        "price": price,
        "slippage": Decimal(random.randrange(1, 40)) / 2,
        "collateral": Decimal(random.randrange(5 * 10**2, 10**6)) / 100,
        "leverage": Decimal(random.randrange(4, 400)) / 4,
        "take_profit": random.choice([None, price * (1 + side.sign * Decimal("0.5"))]),
        "stop_loss": random.choice([None, price * (1 - side.sign * Decimal("0.25"))]),
        "pair": random.randrange(60),
        "nonce": random.randrange(10**5),
    }


def test_openings_are_byte_equal() -> None:
    draw = random.Random(5)
    inputs = [drawn(draw) for _ in range(TRIALS)]
    calls, made = [], []
    for each in inputs:
        stake = each["collateral"] + Decimal("0.1")
        given = {
            "collateral": float(stake),
            "leverage": float(each["leverage"]),
            "asset_type": each["pair"],
            "direction": each["side"] is Side.LONG,
            "tp": float(each["take_profit"] or 0),
            "sl": float(each["stop_loss"] or 0),
            "trader_address": checksum(TRADER),
        }
        calls.append(
            {
                "what": "perform_trade",
                "nonce": each["nonce"],
                "slippage": str(each["slippage"]),
                "given": {"trade_params": given, "at_price": float(each["price"])},
            }
        )
        made.append(ours(opening(each), each["nonce"]))

    assert clients(calls) == made


def test_closes_are_byte_equal() -> None:
    draw = random.Random(6)
    calls, made = [], []
    for each in [drawn(draw) for _ in range(TRIALS)]:
        share, slot = draw.randrange(1, 101), draw.randrange(4)
        calls.append(
            {
                "what": "close_trade",
                "nonce": each["nonce"],
                "slippage": str(each["slippage"]),
                "given": {
                    "pair_id": each["pair"],
                    "trade_index": slot,
                    "market_price": float(each["price"]),
                    "close_percentage": share,
                    "trader_address": checksum(TRADER),
                },
            }
        )
        made.append(ours(closing(each, share, slot), each["nonce"]))

    assert clients(calls) == made


def test_time_outs_are_byte_equal() -> None:
    calls, made = [], []
    for number in range(1, 40):
        given = {"order_id": number * 977, "trader_address": checksum(TRADER)}
        what = "open_market_timeout" if number % 2 else "close_market_timeout"
        if number % 2 == 0:
            given["retry"] = False
        calls.append({"what": what, "nonce": number, "given": given})
        data = orders.timeout(order(), number * 977, opens=bool(number % 2))
        made.append(ours(data, number))

    assert clients(calls) == made


def opening(told: dict[str, Any]) -> bytes:
    facts = EntryFacts(
        standing=RICH,
        is_listed=True,
        min_notional=4_500_000,
        max_collateral=10**15,
        interest=0,
        max_interest=10**30,
    )
    quote = Quote(bid=told["price"], ask=told["price"], at=NOW)
    asked = order(
        side=told["side"],
        collateral_usd=told["collateral"],
        leverage=told["leverage"],
        limit_price=limit(told, told["side"]),
        take_profit=told["take_profit"],
        stop_loss=told["stop_loss"],
    )
    return orders.entry(asked, market(told["pair"]), quote, facts)


def closing(told: dict[str, Any], share: int, slot: int) -> bytes:
    size = 10**21
    trade = Trade(10**8, 10**20, 0, 0, TRADER, 1000, told["pair"], slot, True, False)
    facts = CloseFacts(standing=RICH, held=Open(trade_id=9, size=size, trade=trade))
    asked = order(
        purpose=Purpose.CLOSE,
        side=Side.SHORT,
        position_ref=f"{told['pair']}:{slot}:9",
        size=Decimal(size).scaleb(-18) * share / 100,
        limit_price=limit(told, Side.SHORT),
    )
    quote = Quote(bid=told["price"], ask=told["price"], at=NOW)
    return orders.close(asked, quote, facts)


def limit(told: dict[str, Any], side: Side) -> Decimal:
    worst: Decimal = told["price"] * (1 + side.sign * told["slippage"] / 100)
    return worst


def checksum(address: str) -> str:

    return str(to_checksum_address(address))
