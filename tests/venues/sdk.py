"""The venue's own client, unmodified, writing the requests that ours are compared with.

What it would post is caught where it leaves the client, and nothing is sent. It computes in
pure Python, so that the library our own signatures come from does not vouch for itself.
"""

import importlib
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

pytest.importorskip("hyperliquid", reason="hyperliquid-python-sdk is not in this environment")

import requests

MAINNET_URL = "https://api.hyperliquid.xyz"
ANOTHER_URL = "http://127.0.0.1:1"
KEY = "0x0123456789012345678901234567890123456789012345678901234567890123"
COIN = "BTC"

exchange = importlib.import_module("hyperliquid.exchange")
signing = importlib.import_module("hyperliquid.utils.signing")
accounts = importlib.import_module("eth_account").Account
types = importlib.import_module("hyperliquid.utils.types")


@contextmanager
def pure_python() -> Iterator[pytest.MonkeyPatch]:
    """eth-account computes in Python, and not with the library that it finds installed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ECC_BACKEND_CLASS", "eth_keys.backends.NativeECCBackend")
        yield patch


class _Caught(requests.adapters.BaseAdapter):
    """Keeps what would be posted, and answers that all is well."""

    def __init__(self) -> None:
        super().__init__()
        self.bodies: list[bytes] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        assert isinstance(request.body, bytes)
        self.bodies.append(request.body)
        answer = requests.Response()
        answer.status_code = 200
        answer._content = json.dumps({"status": "ok"}).encode()
        return answer

    def close(self) -> None:
        pass


class Sdk:
    """The client of one wallet. `asset` is the id of the one coin it knows."""

    def __init__(
        self, *, network: str, vault: str | None = None, expires_after: int | None = None
    ) -> None:
        with pure_python():
            self.wallet = accounts.from_key(KEY)
        self._caught = _Caught()
        self._client = exchange.Exchange(
            self.wallet,
            base_url=MAINNET_URL if network == "mainnet" else ANOTHER_URL,
            meta={"universe": [{"name": COIN, "szDecimals": 5}]},
            spot_meta={"universe": [], "tokens": []},
            vault_address=vault,
        )
        self._client.set_expires_after(expires_after)
        self._client.session.adapters.clear()  # so that nothing can be sent
        self._client.session.mount("http", self._caught)

    def body(self, asset: int, nonce: int, call: Callable[[Any], object]) -> bytes:
        """What the client posts when `call` uses it, at the time that makes this nonce."""
        self._client.info.coin_to_asset[COIN] = asset
        with pure_python() as patch:
            patch.setattr(exchange, "get_timestamp_ms", lambda: nonce)
            call(self._client)
        return self._caught.bodies.pop()


def recovered(body: bytes, network: str) -> str:
    """Whose signature a body carries, by the client's own reckoning; in lower case."""
    told: Mapping[str, Any] = json.loads(body)
    with pure_python():
        address: str = signing.recover_agent_or_user_from_l1_action(
            told["action"],
            told["signature"],
            told["vaultAddress"],
            told["nonce"],
            told["expiresAfter"],
            network == "mainnet",
        )
    return address.lower()
