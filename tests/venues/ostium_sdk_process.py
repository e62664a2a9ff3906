"""What the venue's own client signs: a JSON list of calls in, a JSON list of raw transactions out.

Runs in the client's own environment, so it imports nothing of the project. Nothing is sent: in
place of a broadcast the signed bytes are kept.
"""

import json
import sys
from contextlib import redirect_stdout
from decimal import Decimal
from typing import Any

from ostium_python_sdk.ostium import Ostium  # type: ignore[import-not-found]
from web3 import Web3  # type: ignore[import-not-found]


class Kept(Exception):
    """The client came to its broadcast."""


class Offline(Ostium):  # type: ignore[misc]
    """The client without its questions to the chain."""

    raw = b""
    nonce = 0

    def get_nonce(self, _: str) -> int:
        return self.nonce

    def _check_allowance(self, *_: object) -> None:
        """The allowance is there."""

    def _Ostium__approve(self, *_: object, nonce: int) -> int:  # noqa: N802 (the client's own name)
        return nonce

    def _send_signed(self, signed: Any) -> None:
        self.raw = bytes(signed.raw_transaction)
        raise Kept


def client_of(setting: dict[str, Any]) -> Offline:
    return Offline(
        Web3(),
        *(Web3.to_checksum_address(setting[name]) for name in ("usdc", "storage", "trading")),
        setting["key"],
        use_delegation=True,
        chain_id=setting["chain_id"],
    )


def signed(client: Offline, asked: dict[str, Any]) -> str:
    """The raw transaction of one call."""
    client.raw, client.nonce = b"", asked["nonce"]
    client.set_slippage_percentage(Decimal(asked.get("slippage", 2)))
    try:
        getattr(client, asked["what"])(**asked["given"])
    except Exception as fault:  # the client wraps all it meets
        if not client.raw:
            raise SystemExit(str(fault)) from fault
    return client.raw.hex()


def main() -> None:
    told = json.loads(sys.stdin.read())
    with redirect_stdout(sys.stderr):
        client = client_of(told["setting"])
        raws = [signed(client, asked) for asked in told["calls"]]
    sys.stdout.write(json.dumps(raws))


if __name__ == "__main__":
    main()
