"""JSON-RPC to a node on this machine, and contracts there: for deploying, keeping and testing.

Not what the project trades with: it sends from accounts that the node itself signs for.
"""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final

import urllib3
from eth_abi.abi import decode, encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from local.chain.build import Artefact

_SECONDS: Final = 30
_RECEIPT_SECONDS: Final = 10
_POLL_SECONDS: Final = 0.01
_GAS: Final = 12_000_000


class RpcError(Exception):
    """The node refused; `data` is what a contract reverted with, in hex."""

    def __init__(self, code: int, message: str, data: str) -> None:
        super().__init__(f"{code}: {message} {data}".strip())
        self.code = code
        self.message = message
        self.data = data


class Rpc:
    """One node.

    Args:
        url: its address.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = urllib3.PoolManager(maxsize=8, retries=False, timeout=_SECONDS)

    def close(self) -> None:
        """Let go of the connections."""
        self._http.clear()

    def ask(self, method: str, *params: object) -> Any:  # noqa: ANN401 (whatever JSON a node answers)
        """The result of a call. Raises RpcError."""
        asked = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        answer = self._http.request(
            "POST",
            self.url,
            body=json.dumps(asked).encode(),
            headers={"Content-Type": "application/json"},
        )
        return _result(json.loads(answer.data))

    def ask_all(self, method: str, each: Sequence[Sequence[object]]) -> list[Any]:
        """The results of one call with each of these parameters, in one trip. Raises RpcError."""
        asked = [
            {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
            for number, params in enumerate(each)
        ]
        if not asked:
            return []
        answer = self._http.request(
            "POST",
            self.url,
            body=json.dumps(asked).encode(),
            headers={"Content-Type": "application/json"},
        )
        told = sorted(json.loads(answer.data), key=lambda one: int(one["id"]))
        return [_result(one) for one in told]

    def number(self, method: str, *params: object) -> int:
        """A result that is a number. Raises RpcError."""
        return int(self.ask(method, *params), 16)

    def send(self, sender: str, to: str | None, data: bytes) -> Mapping[str, Any]:
        """The receipt of a transaction that the node signs.

        Raises:
            RpcError: it would revert, or did.
        """
        said = {"from": sender, "data": _hex(data), "gas": hex(_GAS)} | ({"to": to} if to else {})
        receipt = self.receipt(self.ask("eth_sendTransaction", said))
        if int(receipt["status"], 16) != 1:
            raise RpcError(3, "reverted", self._why(said, receipt["blockNumber"]))
        return receipt

    def receipt(self, transaction: str) -> Mapping[str, Any]:
        """The receipt, once it is mined. Raises RpcError when it is not in time."""
        deadline = time.monotonic() + _RECEIPT_SECONDS
        while time.monotonic() < deadline:
            told: Mapping[str, Any] | None = self.ask("eth_getTransactionReceipt", transaction)
            if told is not None:
                return told
            time.sleep(_POLL_SECONDS)
        raise RpcError(0, f"no receipt of {transaction}", "")

    def _why(self, said: Mapping[str, Any], block: str) -> str:
        try:
            self.ask("eth_call", said, block)
        except RpcError as fault:
            return fault.data
        return ""


class Contract:
    """A deployed contract.

    Args:
        address: with its checksum.
        sender: on whose behalf the node sends to it.
    """

    def __init__(self, rpc: Rpc, address: str, artefact: Artefact, sender: str) -> None:
        self.address = address
        self._rpc = rpc
        self._artefact = artefact
        self._sender = sender
        self._functions = {
            str(one["name"]): one for one in artefact.abi if one["type"] == "function"
        }

    def acting(self, sender: str) -> "Contract":
        """The same contract, on another's behalf."""
        return Contract(self._rpc, self.address, self._artefact, sender)

    def data(self, function: str, *arguments: object) -> bytes:
        """What calls a function."""
        kinds = [_kind(one) for one in self._functions[function]["inputs"]]
        return keccak(text=f"{function}({','.join(kinds)})")[:4] + encode(kinds, arguments)

    def read(self, function: str, *arguments: object, block: str = "latest") -> Any:  # noqa: ANN401 (by its ABI)
        """What a function tells: one value, or several. Raises RpcError."""
        said = {"from": self._sender, "to": self.address}
        said["data"] = _hex(self.data(function, *arguments))
        told = decode(
            [_kind(one) for one in self._functions[function]["outputs"]],
            bytes.fromhex(self._rpc.ask("eth_call", said, block)[2:]),
        )
        return told[0] if len(told) == 1 else told

    def send(self, function: str, *arguments: object) -> Mapping[str, Any]:
        """The receipt of a call. Raises RpcError."""
        return self._rpc.send(self._sender, self.address, self.data(function, *arguments))


def create(rpc: Rpc, artefact: Artefact, sender: str, *arguments: object) -> Contract:
    """A new contract. Raises RpcError."""
    made = (one["inputs"] for one in artefact.abi if one["type"] == "constructor")
    kinds = [_kind(one) for one in next(made, ())]
    receipt = rpc.send(sender, None, artefact.code + encode(kinds, arguments))
    address = to_checksum_address(receipt["contractAddress"])
    return Contract(rpc, address, artefact, sender)


def _result(told: Mapping[str, Any]) -> Any:  # noqa: ANN401 (whatever JSON a node answers)
    if "error" in told:
        fault = told["error"]
        raise RpcError(int(fault["code"]), str(fault["message"]), str(fault.get("data") or ""))
    return told["result"]


def _kind(told: Mapping[str, Any]) -> str:
    """A type as selectors spell it."""
    kind = str(told["type"])
    if not kind.startswith("tuple"):
        return kind
    parts: Sequence[Mapping[str, Any]] = told["components"]
    return f"({','.join(_kind(one) for one in parts)}){kind.removeprefix('tuple')}"


def _hex(data: bytes) -> str:
    return f"0x{data.hex()}"
