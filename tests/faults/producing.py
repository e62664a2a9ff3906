"""Signals as a producer within the account puts them on their queue."""

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID, uuid5

from tests.faults.house import COIN
from tests.faults.stage import SIGNALS, Stage

BOUNDS = {"stopLoss": "0.05", "takeProfit": "0.1"}


class Producer:
    """Makes signals, each with an id of its own, and sends them."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._sent = 0

    def body(self, agent: UUID, **told: object) -> dict[str, Any]:
        """A message of a new signal."""
        self._sent += 1
        return {
            "signalId": str(uuid5(agent, f"signal {self._sent}")),
            "agentId": str(agent),
            "tokenSymbol": COIN,
            **told,
        }

    def opens(self, agent: UUID, side: str = "LONG", **told: object) -> dict[str, Any]:
        """An OPEN of 100 USDC at leverage 3."""
        size = {"type": "fixed-usdc", "value": "100", "leverage": "3"}
        return self.body(agent, side=side, sizeModel=size, **told)

    def closes(self, agent: UUID) -> dict[str, Any]:
        """A CLOSE of everything."""
        return self.body(agent, action="CLOSE")

    def send(self, body: dict[str, Any], copy: int = 0) -> None:
        """`copy`: the same once more, as a producer sends that did not hear the answer."""
        self._stage.sent.add(body["signalId"])
        key = f"{body['signalId']}-{copy}"
        self._stage.queues[SIGNALS].send(body["agentId"], key, json.dumps(body), {})

    def close_all(self, agents: Sequence[UUID]) -> None:
        """Send each of them a CLOSE."""
        for agent in agents:
            self.send(self.closes(agent))
