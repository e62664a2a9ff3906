"""Keccak-256, the hash of Ethereum: of addresses, of what a wallet signs. Not SHA-3."""

from sha3 import keccak_256


def keccak256(data: bytes) -> bytes:
    """The 32 bytes."""
    return bytes(keccak_256(data).digest())
