"""The deployed API and the simulators as a test calls them."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import urllib3

from local.stack import Answer, Stack


class Client:
    """Creates what a signal needs and sends signals, as a caller would."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._http = urllib3.PoolManager(retries=False)

    def simulate(self, what: str, body: Mapping[str, object]) -> None:
        """Tell the simulated Ostium to change something."""
        venues = self.stack.venues
        assert venues is not None
        answer = self._http.request(
            "POST", f"{venues.ostium_prices}/simulator/{what}", body=json.dumps(body), timeout=5
        )
        assert answer.status == 200, answer.data

    def agent(self, name: str, venue: str = "MULTI") -> str:
        """Create an active agent; returns its id."""
        wallet = f"0x{uuid4().hex}{'0' * 8}"
        body = {
            "name": name,
            "venue": venue,
            "status": "ACTIVE",
            "creator_wallet": wallet,
            "profit_receiver_address": wallet,
        }
        return str(self._created("/agents", body)["agent"]["id"])

    def follow(self, agent: str) -> str:
        """A new user follows the agent; returns the deployment's id."""
        body = {"venues": ["HYPERLIQUID", "OSTIUM"], "user_wallet": f"0x{uuid4().hex}{'1' * 8}"}
        return str(self._created(f"/agents/{agent}/deployments", body)["deployment"]["id"])

    def signal(self, body: Mapping[str, Any]) -> Answer:
        return self.stack.call("POST", "/signals", dict(body))

    def send(self, body: Mapping[str, Any] | str, group: str, deduplication: str = "") -> None:
        """Put a message on the signal queue, as a producer of signals would."""
        raw = body if isinstance(body, str) else json.dumps(body)
        self.stack.send("Signal", raw, group=group, deduplication=deduplication or str(uuid4()))

    def _created(self, path: str, body: Mapping[str, object]) -> Any:
        answer = self.stack.call("POST", path, dict(body))
        assert answer.status in (200, 201), answer
        return answer.body


def signal(agent: str, token: str = "BTC", **changes: object) -> dict[str, Any]:
    """An OPEN LONG of 50 USDC at leverage 2, but for `changes`."""
    return {
        "signalId": str(uuid4()),
        "agentId": agent,
        "tokenSymbol": token,
        "side": "LONG",
        "sizeModel": {"type": "fixed-usdc", "value": "50", "leverage": "2"},
        **changes,
    }
