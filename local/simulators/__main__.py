"""Run the simulated venues: `python -m local.simulators --hyperliquid-port N --ostium-port M`.

With `--chain FOLDER` Ostium trades too, on a chain whose log and pid are kept in that folder.
Prints one line of JSON with the addresses when both listen, and ends at SIGTERM or Ctrl-C.
"""

import argparse
import json
import signal
import threading
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from local.chain.venue import local_venue
from local.environment import Home
from local.simulators.hyperliquid import HyperliquidSimulator
from local.simulators.ostium import OstiumSimulator
from local.simulators.server import Server


def _utc_now() -> datetime:
    return datetime.now(UTC)


def _ostium(options: argparse.Namespace, stack: ExitStack) -> dict[str, str]:
    """Where its parts listen, from now to the end of the stack."""
    if options.chain is None:
        simulator = OstiumSimulator(_utc_now, options.seed)
        market = stack.enter_context(Server(simulator, options.ostium_port))
        return {"ostium_subgraph": f"{market.url}/subgraph", "ostium_prices": market.url}
    home = Home(Path(options.chain))
    venue = stack.enter_context(
        local_venue(home, clock=_utc_now, seed=options.seed, market_port=options.ostium_port)
    )
    return {
        "ostium_subgraph": venue.subgraph_url,
        "ostium_prices": venue.market_url,
        "ostium_rpc": venue.rpc_url,
        "ostium_registry": venue.registry,
    }


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(description="simulated venues on loopback")
    parser.add_argument("--hyperliquid-port", type=int, default=0, help="0 takes a free port")
    parser.add_argument("--ostium-port", type=int, default=0, help="0 takes a free port")
    parser.add_argument(
        "--hyperliquid-network",
        choices=("mainnet", "testnet"),
        default="testnet",
        help="whose signatures count",
    )
    parser.add_argument("--chain", help="the folder of a chain's log and pid; without, no chain")
    parser.add_argument("--seed", type=int, default=1, help="another seed, other prices")
    options = parser.parse_args()
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    hyperliquid = HyperliquidSimulator(
        _utc_now, options.seed, is_mainnet=options.hyperliquid_network == "mainnet"
    )
    with ExitStack() as stack:
        first = stack.enter_context(Server(hyperliquid, options.hyperliquid_port))
        told = {"ready": True, "hyperliquid": first.url, **_ostium(options, stack)}
        print(json.dumps(told), flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
