"""The curve of Ethereum's signatures: forms of signatures and keys, recovery, addresses.

libsecp256k1 computes and parses; this only turns what it takes and gives into the forms that
wallets, venues and KMS use. No key is kept here.
"""

from typing import Final, NamedTuple

from coincurve import PublicKey
from coincurve.ecdsa import der_to_cdata, serialize_compact, signature_normalize

from agent_where.keccak import keccak256

DIGEST_BYTES: Final = 32
_V_OF_RECOVERY_0: Final = 27
_SPKI_HEADER: Final = bytes.fromhex("3056301006072a8648ce3d020106052b8104000a034200")
"""What stands before the point in a DER public key of this curve, and of no other."""


class Signature(NamedTuple):
    """A recoverable signature with low s. `v` is 27 or 28."""

    r: int
    s: int
    v: int


def from_compact(compact: bytes, recovery: int) -> Signature:
    """The signature of 64 bytes and a recovery id.

    Raises:
        ValueError: the recovery id is not 0 or 1, for which 27 and 28 have no room.
    """
    if recovery not in {0, 1}:
        raise ValueError("a recovery id over 1")
    r, s = int.from_bytes(compact[:32], "big"), int.from_bytes(compact[32:], "big")
    return Signature(r, s, recovery + _V_OF_RECOVERY_0)


def from_der(der: bytes, digest: bytes, public_key: bytes) -> Signature:
    """A DER signature as a recoverable one: s made low, v found by whose key it recovers.

    Args:
        public_key: 65 bytes, as `point_of` gives it.

    Raises:
        ValueError: it is no DER signature, or not this key's of this digest.
    """
    _, low = signature_normalize(der_to_cdata(der))
    compact = serialize_compact(low)
    for recovery in (0, 1):
        if _recovered(compact, recovery, digest) == public_key:
            return from_compact(compact, recovery)
    raise ValueError("the signature is not this key's")


def point_of(spki: bytes) -> bytes:
    """The 65 bytes of the point in a DER SubjectPublicKeyInfo.

    Raises:
        ValueError: it is no public key of this curve.
    """
    if not spki.startswith(_SPKI_HEADER):
        raise ValueError("no DER public key of secp256k1")
    return PublicKey(spki[len(_SPKI_HEADER) :]).format(compressed=False)


def address_of(public_key: bytes) -> str:
    """The address of a 65 byte public key, in lower case."""
    return f"0x{keccak256(public_key[1:])[-20:].hex()}"


def recover_address(digest: bytes, signature: Signature) -> str:
    """Whose signature of the digest it is: an address in lower case.

    Raises:
        ValueError: it is nobody's.
    """
    try:
        compact = signature.r.to_bytes(32, "big") + signature.s.to_bytes(32, "big")
    except OverflowError as fault:
        raise ValueError("r and s are 32 bytes each") from fault
    key = _recovered(compact, signature.v - _V_OF_RECOVERY_0, digest)
    if key is None:
        raise ValueError("the signature recovers no key")
    return address_of(key)


def _recovered(compact: bytes, recovery: int, digest: bytes) -> bytes | None:
    if recovery not in {0, 1} or len(digest) != DIGEST_BYTES:
        return None
    try:
        key = PublicKey.from_signature_and_message(compact + bytes([recovery]), digest, hasher=None)
    except ValueError:
        return None
    return key.format(compressed=False)
