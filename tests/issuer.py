"""An issuer of tokens for tests: its own keys, a key set on loopback, any fault in either."""

import json
import socket
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum, auto
from functools import cache
from typing import Any, Self

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import get_default_algorithms
from jwt.utils import base64url_encode

from tests.venues.server import Behaviour, Misbehaving, says, says_and_hangs_up

AUDIENCE = "agent-where"
SUBJECT = "someone"
WALLET = f"0x{'Ab' * 20}"
_ALGORITHMS = get_default_algorithms()
_CURVES: Mapping[str, type[ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1,
    "P-384": ec.SECP384R1,
    "secp256k1": ec.SECP256K1,
}


@dataclass(frozen=True)
class SigningKey:
    """A private key under an id, and what it is used with when nothing else is said."""

    id: str
    algorithm: str
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    def jwk(self, **changes: object) -> dict[str, Any]:
        """Its public half as an entry of a key set; a change to None takes a member away."""
        kind = "RS256" if isinstance(self.private, rsa.RSAPrivateKey) else "ES256"
        public = _ALGORITHMS[kind].to_jwk(self.private.public_key(), as_dict=True)
        told = {**public, "kid": self.id, "use": "sig", "alg": self.algorithm}
        told.pop("key_ops", None)
        return _changed(told, changes)

    def pem(self) -> bytes:
        """Its public half, as anybody can have it."""
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def sign(self, text: bytes, algorithm: str) -> bytes:
        """A signature with any algorithm, the public half being the secret of an HMAC."""
        if algorithm == "none":
            return b""
        secret = self.pem() if algorithm.startswith("HS") else self.private
        return _ALGORITHMS[algorithm].sign(text, secret)


@cache
def rsa_key(id_: str, bits: int = 2048) -> SigningKey:
    """The same key for the same id, as long as the process lives."""
    return SigningKey(id_, "RS256", rsa.generate_private_key(65537, bits))


@cache
def ec_key(id_: str, curve: str = "P-256") -> SigningKey:
    """The same key for the same id, as long as the process lives."""
    return SigningKey(id_, "ES256", ec.generate_private_key(_CURVES[curve]()))


def good_claims(issuer: str, now: float, **changes: object) -> dict[str, Any]:
    """What a good token says; a change to None takes a claim away."""
    claims = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": SUBJECT,
        "iat": int(now),
        "exp": int(now) + 3600,
        "scope": "routing:read routing:write",
        "wallet": WALLET,
    }
    return _changed(claims, changes)


def mint(key: SigningKey, claims: object, algorithm: str = "", /, **header: object) -> str:
    """A token, signed with the key however wrong the rest is.

    Args:
        claims: JSON; bytes stand as they are.
        algorithm: what it is signed with and says so; not given: the key's.
        header: changes to the header; None takes a member away.
    """
    used = algorithm or key.algorithm
    head = _changed({"typ": "JWT", "alg": used, "kid": key.id}, header)
    body = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    text = base64url_encode(json.dumps(head).encode()) + b"." + base64url_encode(body)
    return (text + b"." + base64url_encode(key.sign(text, used))).decode()


class Mode(StrEnum):
    """How the issuer answers when asked for its keys."""

    WELL = auto()
    SILENT = auto()
    DRIPPING = auto()
    SERVER_ERROR = auto()
    REDIRECT = auto()
    GARBAGE = auto()
    NO_KEY_SET = auto()
    HUGE = auto()
    CUT = auto()


@dataclass
class Issuer:
    """Serves its key set from `start` until `close`, and may be told to fail.

    Attributes:
        key: what tokens are signed with.
        published: the entries of the key set.
    """

    key: SigningKey = field(default_factory=lambda: rsa_key("first"))
    mode: Mode = Mode.WELL
    published: Sequence[object] = ()
    _server: Misbehaving = field(init=False, repr=False)
    _closing: threading.Event = field(default_factory=threading.Event, repr=False)
    _rotations: int = 0

    def __post_init__(self) -> None:
        self.published = self.published or [self.key.jwk()]
        self._server = Misbehaving(self._answer)

    def close(self) -> None:
        self._closing.set()
        self._server.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def url(self) -> str:
        """What its tokens call it."""
        return f"http://127.0.0.1:{self._server.port}/"

    @property
    def jwks_url(self) -> str:
        return f"{self.url}.well-known/jwks.json"

    @property
    def asked(self) -> int:
        """How often it was asked for anything."""
        return len(self._server.requests)

    @property
    def paths(self) -> set[str]:
        """What it was asked for."""
        return {request.split()[1].decode() for request in self._server.requests}

    def rotate(self) -> SigningKey:
        """Sign with a new key from now on, and publish that one alone."""
        self._rotations += 1
        self.key = rsa_key(f"rotated-{self._rotations}")
        self.published = [self.key.jwk()]
        return self.key

    def token(self, now: float, **changes: object) -> str:
        """A good token, but for changes to its claims."""
        return mint(self.key, good_claims(self.url, now, **changes))

    def _answer(self, connection: socket.socket) -> None:
        keys = json.dumps({"keys": self.published}).encode()
        answers: Mapping[Mode, Behaviour] = {
            Mode.WELL: says(keys),
            Mode.SILENT: self._hang,
            Mode.DRIPPING: self._drip,
            Mode.SERVER_ERROR: says(keys, "500 Internal Server Error"),
            Mode.REDIRECT: says(keys, "302 Found", f"Location: {self.url}elsewhere"),
            Mode.GARBAGE: says(b"<html>bad gateway</html>"),
            Mode.NO_KEY_SET: says(b'{"keys": {"first": "RS256"}}'),
            Mode.HUGE: says(keys + b" " * 1024 * 1024),
            Mode.CUT: says_and_hangs_up(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n" + keys),
        }
        answers[self.mode](connection)

    def _hang(self, _: socket.socket) -> None:
        self._closing.wait(10)

    def _drip(self, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n")
        while not self._closing.wait(0.1):
            connection.sendall(b" ")


def _changed(members: Mapping[str, Any], changes: Mapping[str, object]) -> dict[str, Any]:
    return {name: value for name, value in {**members, **changes}.items() if value is not None}
