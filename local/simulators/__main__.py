"""Run the simulated venues: `python -m local.simulators --hyperliquid-port N --ostium-port M`.

Prints one line of JSON with the addresses when both listen, and ends at SIGTERM or Ctrl-C.
"""

import argparse
import json
import signal
import threading
from datetime import UTC, datetime

from local.simulators.hyperliquid import HyperliquidSimulator
from local.simulators.ostium import OstiumSimulator
from local.simulators.server import Server


def _utc_now() -> datetime:
    return datetime.now(UTC)


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
    parser.add_argument("--seed", type=int, default=1, help="another seed, other prices")
    options = parser.parse_args()
    stop = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stop.set())
    hyperliquid = HyperliquidSimulator(
        _utc_now, options.seed, is_mainnet=options.hyperliquid_network == "mainnet"
    )
    with (
        Server(hyperliquid, options.hyperliquid_port) as first,
        Server(OstiumSimulator(_utc_now, options.seed), options.ostium_port) as second,
    ):
        told = {
            "ready": True,
            "hyperliquid": first.url,
            "ostium_subgraph": f"{second.url}/subgraph",
            "ostium_prices": second.url,
        }
        print(json.dumps(told), flush=True)
        stop.wait()


if __name__ == "__main__":
    main()
