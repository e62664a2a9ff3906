"""A node in this process, for what asks one over the adapters' own HTTP client."""

import json
from collections.abc import Callable
from typing import Any

from agent_where.venues._evm.limits import CoolDown
from agent_where.venues._evm.rpc import Rpc
from agent_where.venues._http import HttpFault, JsonHttp

VENUE = "OSTIUM"
URL = "http://node.invalid/secret-key"

Reply = Callable[[dict[str, Any]], dict[str, Any]]


def echo(row: dict[str, Any]) -> dict[str, Any]:
    return {"result": row["method"]}


class Node(JsonHttp):
    """A node in this process. `faults` come first, one a call."""

    def __init__(self, reply: Reply = echo, *, batches: bool = True) -> None:
        super().__init__()
        self.reply = reply
        self.batches = batches
        self.faults: list[HttpFault] = []
        self.asked: list[Any] = []

    def post(self, url: str, body: bytes) -> object:
        assert url == URL
        asked = json.loads(body)
        self.asked.append(asked)
        if self.faults:
            raise self.faults.pop(0)
        if not isinstance(asked, list):
            return self._one(asked)
        if not self.batches:
            return {"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "no"}}
        return [self._one(row) for row in reversed(asked)]

    def _one(self, row: dict[str, Any]) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "id": row["id"], **self.reply(row)}


class Clock:
    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def rpc(node: Node, clock: Clock | None = None) -> Rpc:
    return Rpc(VENUE, URL, node, CoolDown(VENUE, "the node", clock=clock or Clock()))
