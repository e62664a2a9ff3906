"""One key of two homes, a laptop's environment and as much of KMS as is used, and its signers."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from typing import Any, cast

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import strategies as st

from agent_where.execution._aws import Refused
from agent_where.execution.signers import Signer, Signers
from agent_where.keccak import keccak256

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
KEY = "0123456789012345678901234567890123456789012345678901234567890123"
ADDRESS = "0x14791697260e4c9a71f18484c9f997b308e59325"
ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
REF = f"kms:{ID}"
DIGEST = keccak256(b"a digest")
digests = st.binary(min_size=32, max_size=32)


class Kms:
    """As much of KMS as is used, with real keys: it signs digests as they are, with either s."""

    def __init__(self, key: int | None = int(KEY, 16), *, spec: str = "ECC_SECG_P256K1") -> None:
        self._spec = spec
        self.keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self.tags: dict[str, dict[str, str]] = {}
        if key is not None:
            curve = ec.SECP256K1() if spec == "ECC_SECG_P256K1" else ec.SECP256R1()
            self.keys[ID] = ec.derive_private_key(key, curve)
        self.usage = "SIGN_VERIFY"
        self.fails: Exception | None = None
        self.asked: list[str] = []
        self.made: list[int] = []
        self.changes: dict[str, object] = {}

    def call(
        self, operation: str, parameters: Mapping[str, object], *, again: bool = True
    ) -> Mapping[str, object]:
        self.asked.append(operation)
        if self.fails is not None:
            raise self.fails
        told = cast("dict[str, Any]", parameters)
        match operation:
            case "CreateKey":
                assert not again, "a second key would be made, and paid for"
                return self._create(**told)
            case "GetPublicKey":
                return self._show(**told) | self.changes
            case "Sign":
                return self._sign(**told) | self.changes
            case _:
                raise AssertionError(f"{operation} is not asked of KMS")

    def _create(
        self,
        KeySpec: str,  # noqa: N803 KMS's words
        KeyUsage: str,  # noqa: N803 KMS's words
        Tags: list[dict[str, str]],  # noqa: N803 KMS's words
    ) -> dict[str, object]:
        assert (KeySpec, KeyUsage) == ("ECC_SECG_P256K1", "SIGN_VERIFY")
        key_id = f"00000000-0000-4000-8000-{len(self.keys):012d}"
        self.keys[key_id] = ec.generate_private_key(ec.SECP256K1())
        self.tags[key_id] = {tag["TagKey"]: tag["TagValue"] for tag in Tags}
        return {"KeyMetadata": {"KeyId": key_id, "Enabled": True}}

    def _show(self, KeyId: str) -> dict[str, object]:  # noqa: N803 KMS's words
        point = self._key(KeyId).public_key()
        spki = point.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return {
            "KeyId": KeyId,
            "PublicKey": b64encode(spki).decode(),
            "KeySpec": self._spec,
            "KeyUsage": self.usage,
        }

    def _sign(
        self,
        KeyId: str,  # noqa: N803 KMS's words
        Message: str,  # noqa: N803 KMS's words
        MessageType: str,  # noqa: N803 KMS's words
        SigningAlgorithm: str,  # noqa: N803 KMS's words
    ) -> dict[str, object]:
        assert (MessageType, SigningAlgorithm) == ("DIGEST", "ECDSA_SHA_256")
        signed = self._key(KeyId).sign(b64decode(Message), ec.ECDSA(Prehashed(hashes.SHA256())))
        r, s = decode_dss_signature(signed)
        is_high = len(self.made) % 2 == 0
        s = max(s, ORDER - s) if is_high else min(s, ORDER - s)
        self.made.append(s)
        return {"KeyId": KeyId, "Signature": b64encode(encode_dss_signature(r, s)).decode()}

    def _key(self, key_id: str) -> ec.EllipticCurvePrivateKey:
        if key_id not in self.keys:
            raise Refused("NotFoundException")
        return self.keys[key_id]


def signers(
    kms: Kms | None = None, *, allow_env: bool = True, environment: Mapping[str, str] | None = None
) -> Signers:
    known = {"AGENT_KEY": KEY} if environment is None else environment
    return Signers(allow_env=allow_env, service=kms or Kms(), environment=known)


def env_signer() -> Signer:
    return signers().signer("env:AGENT_KEY")
