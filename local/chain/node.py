"""A chain on this machine: anvil on loopback, with the chain id and the fees of Arbitrum One.

It differs from the real one: a transaction whose nonce leaves a gap waits for ever, where
Arbitrum's sequencer, and the endpoint of proxy.py, refuse it; and blocks come when there is
something in them.
"""

import platform
from datetime import datetime
from pathlib import Path
from typing import Final

import urllib3

from local.chain.rpc import Rpc, RpcError
from local.environment import LOOPBACK, ROOT, Home, free_port, without_aws
from local.processes import Child, StepFailed, start, wait_until

CHAIN_ID: Final = 42161
ARB_SYS: Final = "0x0000000000000000000000000000000000000064"
_BLOCK_NUMBER_CODE: Final = "0x435f5260205ff3"
"""Answers NUMBER to anything: on this chain the rollup's block is the block."""
_BASE_FEE_WEI: Final = 10_000_000
_START_SECONDS: Final = 20
_MODULES: Final = ROOT / ".venv" / "chain" / "node_modules" / "@foundry-rs"
_ARCHITECTURES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def start_node(home: Home, *, begins_at: datetime | None = None) -> tuple[Child, Rpc]:
    """Start an empty chain on a free port, which mines a block for each transaction at once.

    Args:
        begins_at: the first block's time; None is now.

    Raises:
        StepFailed: it is not installed, or does not answer.
    """
    port = free_port()
    first = [] if begins_at is None else ["--timestamp", str(int(begins_at.timestamp()))]
    child = start(
        "anvil",
        [
            *(str(_program()), "--host", LOOPBACK, "--port", str(port), "--silent"),
            *("--chain-id", str(CHAIN_ID), "--block-base-fee-per-gas", str(_BASE_FEE_WEI)),
            *("--balance", "1000000", "--order", "fifo", *first),
        ],
        environment=without_aws(),
        log=home.log("anvil"),
        notes=home.running,
    )
    rpc = Rpc(f"http://{LOOPBACK}:{port}")
    try:
        wait_until(child, lambda: _chain_id(rpc), seconds=_START_SECONDS)
        rpc.ask("anvil_setCode", ARB_SYS, _BLOCK_NUMBER_CODE)
    except BaseException:
        rpc.close()
        child.stop()
        raise
    return child, rpc


def mine_every(rpc: Rpc, seconds: int | None) -> None:
    """Mine a block every so many seconds, or none by itself with 0; None for each transaction."""
    if seconds is None:
        rpc.ask("evm_setAutomine", True)  # noqa: FBT003 (JSON-RPC names no parameters)
    else:
        rpc.ask("evm_setIntervalMining", seconds)


def _program() -> Path:
    machine = _ARCHITECTURES.get(platform.machine().lower(), platform.machine())
    found = _MODULES / f"anvil-{platform.system().lower()}-{machine}" / "bin" / "anvil"
    if not found.exists():
        raise StepFailed("anvil is not installed: make .venv/chain/node_modules/.installed")
    return found


def _chain_id(rpc: Rpc) -> int | None:
    try:
        return rpc.number("eth_chainId")
    except (urllib3.exceptions.HTTPError, RpcError):
        return None
