"""Keccak-256, the hash of Ethereum: of addresses, of what a wallet signs. Not SHA-3."""

from Crypto.Hash import keccak


def keccak256(data: bytes) -> bytes:
    """The 32 bytes."""
    return keccak.new(data=data, digest_bits=256).digest()
