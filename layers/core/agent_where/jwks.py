"""What a JSON Web Key Set (RFC 7517) holds that a token may be verified with. Pure.

A key counts if it is public, named, of a kind that is strong enough, and meant for signatures:
RSA of 2048 bits or more for RS256, or a point on P-256 for ES256. All others are passed over, as
the RFC says; tokens that name one of them are refused like those that name no key at all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from jwt import PyJWK
from jwt.exceptions import PyJWTError

MIN_RSA_BITS = 2048
MAX_RSA_BITS = 16_384  # what OpenSSL verifies with


class NoKeySet(Exception):
    """The document is no key set."""


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """A public key that signs nothing but with its one algorithm."""

    id: str
    algorithm: str
    public: RSAPublicKey | EllipticCurvePublicKey


def verifying_keys(document: object) -> Mapping[str, VerifyingKey]:
    """The keys of a set that count, by their id; of several with one id, the first.

    An empty answer is an answer: the issuer vouches for no key.

    Raises:
        NoKeySet: it has no list of keys.
    """
    if not isinstance(document, dict) or not isinstance(document.get("keys"), list):
        raise NoKeySet("a key set is an object with a list of keys")
    found: dict[str, VerifyingKey] = {}
    for entry in document["keys"]:
        key = _verifying_key(entry)
        if key is not None:
            found.setdefault(key.id, key)
    return found


def _verifying_key(entry: object) -> VerifyingKey | None:
    parameters: tuple[str, ...]
    match entry:
        case {"d": _}:
            return None  # a private key in public: anybody may sign with it
        case {"kid": str(kid), "kty": "RSA", "n": str(), "e": str()}:
            algorithm, parameters = "RS256", ("kty", "n", "e")
        case {"kid": str(kid), "kty": "EC", "crv": "P-256", "x": str(), "y": str()}:
            algorithm, parameters = "ES256", ("kty", "crv", "x", "y")
        case _:
            return None
    told = cast("dict[str, Any]", entry)
    if not kid or not _is_meant_for(told, algorithm):
        return None
    public = _public_key({name: told[name] for name in parameters}, algorithm)
    return None if public is None else VerifyingKey(kid, algorithm, public)


def _is_meant_for(entry: Mapping[str, Any], algorithm: str) -> bool:
    operations = entry.get("key_ops", ["verify"])
    return (
        entry.get("use", "sig") == "sig"
        and entry.get("alg", algorithm) == algorithm
        and isinstance(operations, list)
        and "verify" in operations
    )


def _public_key(
    parameters: dict[str, Any], algorithm: str
) -> RSAPublicKey | EllipticCurvePublicKey | None:
    try:
        key = PyJWK(parameters, algorithm).key
    except PyJWTError:
        return None
    if isinstance(key, RSAPublicKey):
        return key if MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS else None
    return key if isinstance(key, EllipticCurvePublicKey) else None
