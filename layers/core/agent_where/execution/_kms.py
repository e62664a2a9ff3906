"""The three things that are asked of KMS: make a key, give its public half, sign a digest.

Keys and signatures are DER, as KMS has them; what they are on the curve is for `_secp256k1`.
"""

from base64 import b64decode, b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Protocol

from agent_where.errors import BadSetting, SignerUnavailable
from agent_where.execution._aws import Away, AwsService, Refused

_KEY_SPEC: Final = "ECC_SECG_P256K1"
_KEY_USAGE: Final = "SIGN_VERIFY"
_PASSES: Final = frozenset({"KMSInvalidStateException"})
"""A key that is being created, or was changed a moment ago."""


class Service(Protocol):
    """KMS, as `AwsService.call` says."""

    def call(
        self, operation: str, parameters: Mapping[str, object], *, again: bool = True
    ) -> Mapping[str, object]: ...


def kms() -> AwsService:
    """KMS of this process's region."""
    return AwsService("kms", "TrentService", passes=_PASSES)


class KmsKeys:
    """Keys of secp256k1 in KMS, each named by its id.

    Every method raises SignerUnavailable where KMS gives no answer or one that may soon be
    another, and BadSetting where it refuses for good.
    """

    def __init__(self, service: Service) -> None:
        self._service = service

    def create(self, tags: Mapping[str, str]) -> str:
        """Make a key that can sign and nothing else; its id. Asked for once: it costs money."""
        wanted = {
            "KeySpec": _KEY_SPEC,
            "KeyUsage": _KEY_USAGE,
            "Tags": [{"TagKey": name, "TagValue": value} for name, value in tags.items()],
        }
        with _asking("a new key"):
            match self._service.call("CreateKey", wanted, again=False):
                case {"KeyMetadata": {"KeyId": str(key_id)}}:
                    return key_id
                case _:
                    raise Away("a key without an id")

    def public_key(self, key_id: str) -> bytes:
        """The key's SubjectPublicKeyInfo."""
        with _asking(key_id):
            match self._service.call("GetPublicKey", {"KeyId": key_id}):
                case {"KeySpec": str(spec), "KeyUsage": str(usage), "PublicKey": str(key)}:
                    if (spec, usage) != (_KEY_SPEC, _KEY_USAGE):
                        raise Refused(f"it is {spec} for {usage}, not {_KEY_SPEC} for {_KEY_USAGE}")
                    return _bytes(key)
                case _:
                    raise Away("no public key in the answer")

    def sign(self, key_id: str, digest: bytes) -> bytes:
        """An ECDSA signature of the digest as it is, with whichever s."""
        wanted = {
            "KeyId": key_id,
            "Message": b64encode(digest).decode(),
            "MessageType": "DIGEST",
            "SigningAlgorithm": "ECDSA_SHA_256",
        }
        with _asking(key_id):
            match self._service.call("Sign", wanted):
                case {"Signature": str(signature)}:
                    return _bytes(signature)
                case _:
                    raise Away("no signature in the answer")


@contextmanager
def _asking(key: str) -> Iterator[None]:
    try:
        yield
    except Away as fault:
        raise SignerUnavailable(f"{key}: KMS: {fault}") from fault
    except Refused as fault:
        raise BadSetting(f"{key}: KMS refused it: {fault}") from fault


def _bytes(text: str) -> bytes:
    try:
        return b64decode(text, validate=True)
    except ValueError as fault:
        raise Away("an answer that is not base64") from fault
