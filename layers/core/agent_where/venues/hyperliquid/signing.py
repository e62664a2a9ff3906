"""Signing an action as the venue checks it, and the bytes that carry it there.

The signature is over the action's encoding, nonce, sub-account and expiry, so one body can
execute at most once. The network is part of it, and never guessed from a URL. What users sign in
their own wallets is `approval`.
"""

import json
import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import msgpack

from agent_where.execution.signers import Signature, Signer
from agent_where.keccak import keccak256
from agent_where.venues._eip712 import Domain, Value, digest
from agent_where.venues.hyperliquid.wire import WireAction

Network: TypeAlias = Literal["mainnet", "testnet"]

_DOMAIN: Final = Domain(name="Exchange", version="1", chain_id=1337)
_AGENT: Final = {"source": "string", "connectionId": "bytes32"}
_SOURCE: Final[dict[Network, str]] = {"mainnet": "a", "testnet": "b"}
_ADDRESS: Final = re.compile(r"0x[0-9a-f]{40}")
_U64_BYTES: Final = 8


@dataclass(frozen=True)
class Request:
    """An action and what else its signature covers.

    Args:
        nonce: milliseconds of the epoch, used once by each signer.
        expires_after: milliseconds of the epoch after which the venue refuses it; None: never.
        vault: the sub-account it is for; an agent of an account itself leaves it out.
    """

    action: WireAction
    nonce: int
    expires_after: int | None = None
    vault: str | None = None

    def __post_init__(self) -> None:
        if self.vault is not None and not _ADDRESS.fullmatch(self.vault):
            raise ValueError("an address is 0x and 40 hexadecimal digits in lower case")


def connection_id(request: Request) -> bytes:
    """The hash under which the venue knows the request: 32 bytes.

    Raises:
        OverflowError: nonce or expiry is negative or over 64 bits.
    """
    told = msgpack.packb(request.action) + request.nonce.to_bytes(_U64_BYTES, "big")
    told += b"\0" if request.vault is None else b"\1" + bytes.fromhex(request.vault[2:])
    if request.expires_after is not None:
        told += b"\0" + request.expires_after.to_bytes(_U64_BYTES, "big")
    return keccak256(told)


def request_digest(request: Request, network: Network) -> bytes:
    """What the agent signs: 32 bytes. Raises as `connection_id`."""
    agent: dict[str, Value] = {
        "source": _SOURCE[network],
        "connectionId": connection_id(request),
    }
    return digest(_DOMAIN, "Agent", _AGENT, agent)


def signed_body(request: Request, network: Network, signer: Signer) -> bytes:
    """The bytes to store, and then to send as they are. Raises as `Signer`."""
    return body(request, signer.sign_digest(request_digest(request, network)))


def body(request: Request, signature: Signature) -> bytes:
    """A signed request as JSON, byte for byte as the venue's own client writes it."""
    told = {
        "action": request.action,
        "nonce": request.nonce,
        "signature": {"r": hex(signature.r), "s": hex(signature.s), "v": signature.v},
        "vaultAddress": request.vault,
        "expiresAfter": request.expires_after,
    }
    return json.dumps(told).encode()
