"""Drives the venue's own client, unmodified: a JSON object a line in, one a line out.

Runs in the client's own environment, so it imports nothing of the project.
"""

import asyncio
import json
import sys
from contextlib import redirect_stdout
from typing import Any

from ostium_python_sdk.config import NetworkConfig  # type: ignore[import-not-found]
from ostium_python_sdk.sdk import OstiumSDK  # type: ignore[import-not-found]


def client(setting: dict[str, Any], key: str, *, delegates: bool) -> Any:
    """The client of one wallet. All it sends and reads goes to the endpoint it is told."""
    network = NetworkConfig(setting["subgraph_url"], setting["contracts"], False)
    return OstiumSDK(
        network,
        private_key=key,
        rpc_url=setting["rpc_url"],
        use_delegation=delegates,
        submit_rpc_url=setting["rpc_url"],
    )


def carry_out(sdk: Any, asked: dict[str, Any]) -> Any:
    """What the client's own method returns, as JSON takes it."""
    given = asked["given"]
    match asked["what"]:
        case "perform_trade" | "close_trade" | "open_market_timeout" | "close_market_timeout":
            return ended(getattr(sdk.ostium, asked["what"])(**given))
        case "track_order_and_trade":
            tracked = sdk.ostium.track_order_and_trade(sdk.subgraph, **given)
            return asyncio.run(tracked)
        case "get_pairs":
            return asyncio.run(sdk.subgraph.get_pairs())
        case "balance":
            return [str(one) for one in sdk.balance.get_balance(given["address"], refresh=True)]
    raise ValueError(asked["what"])


def ended(told: dict[str, Any]) -> dict[str, Any]:
    """The order's number and what became of its transaction."""
    receipt = told["receipt"]
    return {
        "order_id": told["order_id"],
        "status": receipt["status"],
        "block": receipt["blockNumber"],
        "hash": "0x" + bytes(receipt["transactionHash"]).hex(),
    }


def main() -> None:
    setting = json.loads(sys.stdin.readline())
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            with redirect_stdout(sys.stderr):
                sdk = client(setting, asked["key"], delegates=asked["delegates"])
                told = {"told": carry_out(sdk, asked)}
        except Exception as fault:  # noqa: BLE001 (the client raises bare exceptions)
            told = {"fault": str(fault)}
        print(json.dumps(told), flush=True)  # noqa: T201 (its output is its answer)


if __name__ == "__main__":
    main()
