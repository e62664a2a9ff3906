"""What stands between the project and the local chain: a public RPC endpoint, as good or as bad.

Refusals at HTTP (down, 429, an answer dropped before or after the node had the request) are the
simulators' own, by the method's name. What only JSON-RPC knows is here: errors with and without
the request carried out, a limit on ranges of logs, a node that lags behind. And in health too it
does what Arbitrum's sequencer does and anvil does not: a nonce that leaves a gap is refused.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import urllib3
from eth_account import Account
from eth_account.typed_transactions.typed_transaction import TypedTransaction
from hexbytes import HexBytes
from rlp.exceptions import RLPException

from local.chain.rpc import Rpc
from local.simulators.control import BadControl, Command, Control, Report
from local.simulators.server import Reply, Request, json_reply

_SECONDS: Final = 30
_SERVER_ERROR: Final = -32000
_LIMIT_EXCEEDED: Final = -32005
_BLOCK_PLACES: Final = {
    "eth_call": 1,
    "eth_estimateGas": 1,
    "eth_getBalance": 1,
    "eth_getCode": 1,
    "eth_getTransactionCount": 1,
    "eth_getBlockByNumber": 0,
}
"""Where a method's parameters name the block it reads at."""
_BY_HASH: Final = frozenset({"eth_getTransactionReceipt", "eth_getTransactionByHash"})
_NEWEST: Final = frozenset({"latest", "pending", "safe", "finalized"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error that a method is answered.

    Args:
        processed: the node carries the request out all the same.
        times: so many, None is all.
    """

    method: str
    message: str
    code: int
    processed: bool
    times: int | None

    def told(self) -> dict[str, Any]:
        """As JSON would have it."""
        return {
            "method": self.method,
            "message": self.message,
            "code": self.code,
            "processed": self.processed,
            "times": self.times,
        }


class RpcProxy:
    """Answers JSON-RPC at `POST /`.

    Args:
        commands: what else `/simulator/...` can be told here, by path.
        reports: what else can be asked there.
        on_reset: ends what those commands told.
    """

    def __init__(
        self,
        node: Rpc,
        commands: Mapping[str, Command],
        reports: Mapping[str, Report],
        on_reset: Callable[[], None],
    ) -> None:
        self._node = node
        self._http = urllib3.PoolManager(maxsize=8, retries=False, timeout=_SECONDS)
        self._on_reset = on_reset
        self.refusals: list[Refusal] = []
        self.log_range: int | None = None
        self.lag = 0
        self.calls: dict[str, int] = {}
        own: Mapping[str, Command] = {
            "/simulator/rpc/refuse": self._told_refusal,
            "/simulator/rpc/log-range": self._told_log_range,
            "/simulator/rpc/lag": self._told_lag,
        }
        self.control = Control(
            frozenset(),
            commands={**own, **commands},
            reports={"/simulator/rpc": self.told, **reports},
            on_reset=self.reset,
        )

    def close(self) -> None:
        """Let go of the connections to the node."""
        self._http.clear()

    def answer(self, request: Request) -> Reply:
        """What the endpoint answers, in health or as told."""
        try:
            asked = json.loads(request.body)
            method, params = str(asked["method"]), list(asked.get("params") or [])
        except (ValueError, KeyError, TypeError):
            return json_reply(
                {"jsonrpc": "2.0", "id": None, "error": _error(-32700, "parse error")}
            )
        self.calls[method] = self.calls.get(method, 0) + 1
        refusal = self._met(method)
        if refusal is not None and not refusal.processed:
            return _refused(asked, refusal.code, refusal.message)
        if method == "eth_getLogs" and self._is_too_wide(params):
            return _refused(asked, _LIMIT_EXCEEDED, f"block range exceeds {self.log_range}")
        if method == "eth_sendRawTransaction" and self._is_ahead(params):
            return _refused(asked, _SERVER_ERROR, "nonce too high")
        reply = self._forward({**asked, "params": self._as_of_then(method, params)})
        if refusal is not None:
            return _refused(asked, refusal.code, refusal.message)
        return self._known_by_then(method, asked, reply)

    def reset(self) -> None:
        """A good endpoint again."""
        self.refusals.clear()
        self.log_range = None
        self.lag = 0
        self._on_reset()

    def told(self) -> dict[str, Any]:
        """How it is told to answer, and how often each method was asked."""
        return {
            "refusals": [one.told() for one in self.refusals],
            "log_range": self.log_range,
            "lag": self.lag,
            "calls": dict(self.calls),
        }

    def _forward(self, asked: Mapping[str, Any]) -> Reply:
        answer = self._http.request(
            "POST",
            self._node.url,
            body=json.dumps(asked).encode(),
            headers={"Content-Type": "application/json"},
        )
        return Reply(answer.status, answer.data)

    def _met(self, method: str) -> Refusal | None:
        found = next((one for one in self.refusals if one.method == method), None)
        if found is not None and found.times is not None:
            place = self.refusals.index(found)
            self.refusals[place] = replace(found, times=found.times - 1)
            self.refusals = [one for one in self.refusals if one.times != 0]
        return found

    def _head(self) -> int:
        return self._node.number("eth_blockNumber") - self.lag

    def _is_too_wide(self, params: list[Any]) -> bool:
        if self.log_range is None or not params or "blockHash" in params[0]:
            return False
        first = self._height(params[0].get("fromBlock", "latest"))
        last = self._height(params[0].get("toBlock", "latest"))
        return last - first + 1 > self.log_range

    def _is_ahead(self, params: list[Any]) -> bool:
        raw = HexBytes(str(params[0]))
        try:
            sender = Account.recover_transaction(raw)
            nonce = int(TypedTransaction.from_bytes(raw).as_dict()["nonce"])
        except (ValueError, TypeError, IndexError, RLPException):
            return False  # of the old kind, or no transaction: what is wrong with it the node knows
        return nonce > self._node.number("eth_getTransactionCount", sender, "pending")

    def _height(self, block: str) -> int:
        if block in _NEWEST:
            return self._head()
        return 0 if block == "earliest" else int(block, 16)

    def _as_of_then(self, method: str, params: list[Any]) -> list[Any]:
        """The parameters, with the newest block where a lagging node believes it to be."""
        if self.lag == 0:
            return params
        if method == "eth_getLogs":
            last = min(self._height(params[0].get("toBlock", "latest")), self._head())
            first = self._height(params[0].get("fromBlock", "latest"))
            return [{**params[0], "fromBlock": hex(min(first, last)), "toBlock": hex(last)}]
        place = _BLOCK_PLACES.get(method)
        if place is None:
            return params
        named = params[place] if len(params) > place else "latest"
        if named not in _NEWEST:
            return params
        return [*params[:place], hex(self._head()), *params[place + 1 :]]

    def _known_by_then(self, method: str, asked: Mapping[str, Any], reply: Reply) -> Reply:
        """An answer, without what a lagging node has not seen yet."""
        if self.lag == 0:
            return reply
        if method == "eth_blockNumber":
            return _answered(asked, hex(self._head()))
        if method in _BY_HASH:
            told = json.loads(reply.body).get("result")
            if told and told["blockNumber"] and int(told["blockNumber"], 16) > self._head():
                return _answered(asked, None)
        return reply

    def _told_refusal(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        if asked.get("method") is None:
            self.refusals.clear()
            return self.told()
        times, processed = asked.get("times"), asked.get("processed", False)
        if not isinstance(processed, bool):
            raise BadControl("processed is true or false")
        self.refusals.append(
            Refusal(
                str(asked["method"]),
                str(asked.get("message", "internal error")),
                whole(asked, "code", least=-99_999) or _SERVER_ERROR,
                processed,
                None if times is None else whole(asked, "times", least=1),
            )
        )
        return self.told()

    def _told_log_range(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self.log_range = None if asked.get("blocks") is None else whole(asked, "blocks", least=1)
        return self.told()

    def _told_lag(self, asked: Mapping[str, Any]) -> dict[str, Any]:
        self.lag = whole(asked, "blocks")
        return self.told()


def whole(asked: Mapping[str, Any], name: str, *, least: int = 0) -> int:
    """A whole number; absent is 0. Raises BadControl."""
    value = asked.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or value < least:
        raise BadControl(f"{name} is a whole number from {least}, not {value!r}")
    return value


def _error(code: int, message: str) -> dict[str, Any]:
    return {"code": code, "message": message}


def _refused(asked: Mapping[str, Any], code: int, message: str) -> Reply:
    return json_reply({"jsonrpc": "2.0", "id": asked.get("id"), "error": _error(code, message)})


def _answered(asked: Mapping[str, Any], result: object) -> Reply:
    return json_reply({"jsonrpc": "2.0", "id": asked.get("id"), "result": result})
