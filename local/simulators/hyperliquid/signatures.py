"""Who signed a request: the address that its signature recovers to.

Written from the venue's documents with msgpack and eth-account alone; it shares no line with
what signs in this project, and so it can judge it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgpack
from eth_account import Account
from eth_account.messages import encode_typed_data
from eth_keys.exceptions import BadSignature
from eth_utils.crypto import keccak
from eth_utils.exceptions import ValidationError

from local.simulators.hyperliquid.wire import Signature

_ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_NOBODY = "0x" + "00" * 20
_DOMAIN = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]
_AGENT = [{"name": "source", "type": "string"}, {"name": "connectionId", "type": "bytes32"}]


class NoSigner(Exception):
    """Nobody can have signed this."""


def signer_of_l1(
    action: Mapping[str, Any],
    nonce: int,
    vault: str | None,
    expires_after: int | None,
    signature: Signature,
    *,
    is_mainnet: bool,
) -> str:
    """Who signed an action in its canonical form, as this network reads it.

    Raises:
        NoSigner: the signature is none, its s is in the upper half, or its v is not 27 or 28.
    """
    hashed = bytearray(msgpack.packb(action))
    hashed += nonce.to_bytes(8, "big")
    hashed += b"\x00" if vault is None else b"\x01" + bytes.fromhex(vault[2:])
    if expires_after is not None:
        hashed += b"\x00" + expires_after.to_bytes(8, "big")
    told = {"source": "a" if is_mainnet else "b", "connectionId": keccak(bytes(hashed))}
    return _recovered("Exchange", 1337, "Agent", _AGENT, told, signature)


def signer_of_typed(
    primary_type: str,
    fields: Sequence[tuple[str, str]],
    message: Mapping[str, Any],
    chain: str,
    signature: Signature,
    *,
    is_mainnet: bool,
) -> str:
    """Who signed an action that only an account's own key may sign.

    Args:
        fields: names and types behind `hyperliquidChain`, which is always this network's.
        chain: the signer's chain id in hexadecimal; any will do.

    Raises:
        NoSigner: as above.
    """
    types = [("hyperliquidChain", "string"), *fields]
    network = "Mainnet" if is_mainnet else "Testnet"
    return _recovered(
        "HyperliquidSignTransaction",
        int(chain, 16),
        f"HyperliquidTransaction:{primary_type}",
        [{"name": name, "type": kind} for name, kind in types],
        {**message, "hyperliquidChain": network},
        signature,
    )


def _recovered(
    name: str,
    chain_id: int,
    primary_type: str,
    fields: list[dict[str, str]],
    message: Mapping[str, Any],
    signature: Signature,
) -> str:
    domain = {"name": name, "version": "1", "chainId": chain_id, "verifyingContract": _NOBODY}
    signed = encode_typed_data(
        full_message={
            "domain": domain,
            "types": {"EIP712Domain": _DOMAIN, primary_type: fields},
            "primaryType": primary_type,
            "message": dict(message),
        }
    )
    try:
        r, s = int(signature.r, 16), int(signature.s, 16)
        if s > _ORDER // 2 or signature.v not in (27, 28):
            raise NoSigner
        return str(Account.recover_message(signed, vrs=(signature.v, r, s))).lower()
    except (BadSignature, ValidationError, ValueError) as fault:
        raise NoSigner from fault
