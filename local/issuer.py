"""The local deployment's issuer of tokens: one key per home, its public half served on loopback.

Not for anything that is reached by others: whoever can read the key file is an administrator.
"""

import hashlib
import json
import os
import tempfile
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from jwt.algorithms import RSAAlgorithm

from agent_where.callers import Scope
from local.environment import LOOPBACK, Home

ISSUER = "https://issuer.agent-where.invalid"
AUDIENCE = "agent-where-local"
SCOPES = tuple(str(scope) for scope in Scope)
JWKS_PATH = "/.well-known/jwks.json"
_IDLE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Issuer:
    """Signs tokens with the key of one home."""

    key: RSAPrivateKey

    @classmethod
    def of(cls, home: Home) -> "Issuer":
        """With the home's key, which is made where there is none yet."""
        path = home.issuer / "key.pem"
        if not path.exists():
            _make_key(path)
        key = serialization.load_pem_private_key(path.read_bytes(), password=None)
        assert isinstance(key, RSAPrivateKey)
        return cls(key)

    def token(
        self,
        *,
        scopes: Sequence[str] = ("admin",),
        wallet: str = "",
        seconds: float = 3600,
        subject: str = "local",
        **changes: object,
    ) -> str:
        """A token that the local deployment takes.

        Args:
            wallet: a 0x address; none leaves the claim out.
            seconds: how long it is valid; negative makes one that has expired.
            changes: claims in place of these or beside them.
        """
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": subject,
            "iat": now,
            "exp": now + int(seconds),
            "scope": " ".join(scopes),
        }
        if wallet:
            claims["wallet"] = wallet
        headers = {"kid": self.jwk()["kid"]}
        return jwt.encode(claims | changes, self.key, algorithm="RS256", headers=headers)

    def jwk(self) -> dict[str, Any]:
        """The public key as a JWKS has it; its id is its thumbprint (RFC 7638)."""
        known = RSAAlgorithm.to_jwk(self.key.public_key(), as_dict=True)
        needed = {name: known[name] for name in ("e", "kty", "n")}
        digest = hashlib.sha256(json.dumps(needed, separators=(",", ":")).encode()).digest()
        kid = urlsafe_b64encode(digest).rstrip(b"=").decode()
        return {**needed, "kid": kid, "use": "sig", "alg": "RS256"}


@contextmanager
def serving(issuer: Issuer) -> Iterator[str]:
    """Serve the issuer's keys from a thread of this process; yields their URL."""
    server = _KeyServer((LOOPBACK, 0), _KeyHandler)
    server.document = json.dumps({"keys": [issuer.jwk()]}).encode()
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True
    )
    thread.start()
    try:
        yield f"http://{LOOPBACK}:{server.server_address[1]}{JWKS_PATH}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _KeyServer(ThreadingHTTPServer):
    daemon_threads = True
    document: bytes = b""


class _KeyHandler(BaseHTTPRequestHandler):
    timeout = _IDLE_SECONDS
    server: _KeyServer

    def do_GET(self) -> None:
        found = self.path == JWKS_PATH
        body = self.server.document if found else b"null"
        self.send_response(200 if found else 404)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Say nothing: the run's output is for people."""


def _make_key(path: Path) -> None:
    """Make a key that its owner alone can read; of two that do so at once the first one's stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    descriptor, made = tempfile.mkstemp(dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        os.link(made, path)
    except FileExistsError:
        return
    finally:
        Path(made).unlink()
