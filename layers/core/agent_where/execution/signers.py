"""Who signs: a key in KMS that never leaves it, or on a laptop a key of the environment.

A reference names a key and is all that is stored: `kms:<key id>` or `env:<VARIABLE>`. Keys come
from the server, never from a caller. Where a signer is away, SignerUnavailable comes before
anything was stored or sent. No key is ever part of a message, an error or a repr.
"""

import os
import re
from collections.abc import Mapping
from functools import cached_property
from typing import NamedTuple, Protocol

from coincurve import PrivateKey

from agent_where.errors import BadSetting, SignerUnavailable
from agent_where.execution._kms import KmsKeys, Service, kms
from agent_where.execution._secp256k1 import (
    DIGEST_BYTES,
    Signature,
    address_of,
    from_compact,
    from_der,
    point_of,
    recover_address,
)

__all__ = ("CreatedKey", "Signature", "Signer", "Signers", "recover_address")

_KMS_KEY = re.compile(
    r"(arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key/)?"
    r"(mrk-[0-9a-f]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})"
)
"""A key's id or ARN. An alias is none: it may name another key tomorrow."""
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*")
_PRIVATE_KEY = re.compile(r"(0x)?[0-9a-fA-F]{64}")


class Signer(Protocol):
    """One key. Both members raise SignerUnavailable where the key cannot be asked now, and
    BadSetting where it does not exist, is of another kind or may not be used.
    """

    @property
    def address(self) -> str:
        """The key's address, in lower case."""
        ...

    def sign_digest(self, digest: bytes) -> Signature:
        """Sign 32 bytes as they are, with low s."""
        ...


class CreatedKey(NamedTuple):
    """A new key: the reference to store, and the address it signs as."""

    key_ref: str
    address: str


class Signers:
    """The signers of this process. Each key's public half is read once.

    Args:
        allow_env: whether the environment's keys may sign: only where the database is on loopback.
        service: KMS; None is AWS's own.
        environment: where `env:` looks; None is the process's.
    """

    def __init__(
        self,
        *,
        allow_env: bool,
        service: Service | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._allow_env = allow_env
        self._keys = KmsKeys(service or kms())
        self._environment = environment
        self._known: dict[str, Signer] = {}

    def signer(self, key_ref: str) -> Signer:
        """The signer that a stored reference names. KMS is not asked yet.

        Raises:
            BadSetting: there can be no such key, or the environment's keys may not sign here.
        """
        if key_ref not in self._known:
            self._known[key_ref] = self._found(key_ref)
        return self._known[key_ref]

    def create_key(self, tags: Mapping[str, str]) -> CreatedKey:
        """Make a key in KMS.

        Args:
            tags: what the policies of those who may use it look for.

        Raises:
            SignerUnavailable: KMS gave no answer, or made the key and could not yet show it; the
                message then names the key.
            BadSetting: this process may not make keys.
        """
        key_ref = f"kms:{self._keys.create(tags)}"
        return CreatedKey(key_ref, self.signer(key_ref).address)

    def _found(self, key_ref: str) -> Signer:
        kind, _, name = key_ref.partition(":")
        if kind == "kms" and _KMS_KEY.fullmatch(name):
            return _KmsSigner(name, self._keys)
        if kind == "env" and _VARIABLE.fullmatch(name):
            if not self._allow_env:
                raise BadSetting(f"env:{name} signs only where the database is on loopback")
            known = os.environ if self._environment is None else self._environment
            return _EnvSigner(name, known.get(name, ""))
        # What is stored in the wrong place may be a key itself: it is not repeated.
        raise BadSetting("a key reference is kms:<key id> or env:<VARIABLE>, and this is neither")


class _EnvSigner:
    """A private key in an environment variable, in hexadecimal digits."""

    def __init__(self, variable: str, value: str) -> None:
        if not _PRIVATE_KEY.fullmatch(value):
            raise BadSetting(f"{variable} does not hold a private key of 64 hexadecimal digits")
        try:
            self._key = PrivateKey(bytes.fromhex(value[-64:]))
        except ValueError:
            raise BadSetting(f"{variable} holds no private key of secp256k1") from None
        self.address = address_of(self._key.public_key.format(compressed=False))

    def sign_digest(self, digest: bytes) -> Signature:
        compact = self._key.sign_recoverable(_checked(digest), hasher=None)
        return from_compact(compact[:64], compact[64])


class _KmsSigner:
    """A key in KMS."""

    def __init__(self, key_id: str, keys: KmsKeys) -> None:
        self._key_id = key_id
        self._keys = keys

    @property
    def address(self) -> str:
        return address_of(self._public_key)

    def sign_digest(self, digest: bytes) -> Signature:
        public_key = self._public_key
        der = self._keys.sign(self._key_id, _checked(digest))
        try:
            return from_der(der, digest, public_key)
        except ValueError as fault:
            raise SignerUnavailable(f"{self._key_id}: KMS: {fault}") from fault

    @cached_property
    def _public_key(self) -> bytes:
        try:
            return point_of(self._keys.public_key(self._key_id))
        except ValueError as fault:
            raise BadSetting(f"{self._key_id}: {fault}") from fault


def _checked(digest: bytes) -> bytes:
    if len(digest) != DIGEST_BYTES:
        raise ValueError(f"a digest has {DIGEST_BYTES} bytes, not {len(digest)}")
    return digest
