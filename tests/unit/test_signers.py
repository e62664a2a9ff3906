"""Signers: the same from a laptop's key and from KMS, and no key where it could be read."""

import json
import pickle
import re
import traceback
from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest
from Crypto.Hash import keccak
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import (
    Prehashed,
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_where.errors import BadSetting, SignerUnavailable, Unavailable
from agent_where.execution._aws import Away, Refused
from agent_where.execution.signers import Signature, Signer, Signers, recover_address
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


@given(digest=digests)
def test_a_signature_recovers_to_the_signers_address_with_low_s(digest: bytes) -> None:
    signer = env_signer()

    signature = signer.sign_digest(digest)

    assert recover_address(digest, signature) == signer.address == ADDRESS
    assert signature.s <= ORDER // 2
    assert signature.v in {27, 28}


@settings(deadline=None)
@given(digest=digests)
def test_kms_signs_as_the_same_address_whichever_s_it_gives(digest: bytes) -> None:
    kms = Kms()
    signer = signers(kms).signer(REF)

    signed = [signer.sign_digest(digest) for _ in range(2)]

    assert [made > ORDER // 2 for made in kms.made] == [True, False]
    for signature in signed:
        assert recover_address(digest, signature) == signer.address == ADDRESS
        assert signature.s <= ORDER // 2
        assert signature.v in {27, 28}


@settings(deadline=None, max_examples=30)
@given(key=st.integers(1, ORDER - 1), digest=digests)
def test_any_key_has_the_same_address_on_a_laptop_and_in_kms(key: int, digest: bytes) -> None:
    both = signers(Kms(key), environment={"AGENT_KEY": f"0x{key:064x}"})

    here, there = both.signer("env:AGENT_KEY"), both.signer(REF)

    assert here.address == there.address
    assert recover_address(digest, here.sign_digest(digest)) == here.address
    assert recover_address(digest, there.sign_digest(digest)) == here.address


def test_a_laptops_key_signs_the_same_digest_the_same_way() -> None:
    assert env_signer().sign_digest(DIGEST) == env_signer().sign_digest(DIGEST)


def test_the_public_key_is_asked_for_once() -> None:
    kms = Kms()
    known = signers(kms)

    for _ in range(3):
        assert known.signer(REF).address == ADDRESS
        known.signer(REF).sign_digest(DIGEST)

    assert kms.asked == ["GetPublicKey", "Sign", "Sign", "Sign"]


def test_nothing_is_asked_before_it_is_needed() -> None:
    kms = Kms()
    known = signers(kms)

    known.signer(REF)
    known.signer("env:AGENT_KEY").sign_digest(DIGEST)

    assert kms.asked == []


@pytest.mark.parametrize("is_known", [True, False], ids=["key known", "key unknown"])
def test_a_signer_that_is_away_may_be_back(is_known: bool) -> None:
    kms = Kms()
    signer = signers(kms).signer(REF)
    if is_known:
        assert signer.address == ADDRESS
    kms.fails = Away("ThrottlingException")

    with pytest.raises(SignerUnavailable, match=f"{ID}: KMS: ThrottlingException") as told:
        signer.sign_digest(DIGEST)

    assert isinstance(told.value, Unavailable)
    kms.fails = None
    assert recover_address(DIGEST, signer.sign_digest(DIGEST)) == ADDRESS


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "DisabledException", "NotFoundException"]
)
def test_a_key_that_may_not_be_used_is_the_operators_fault(code: str) -> None:
    kms = Kms()
    kms.fails = Refused(code)

    with pytest.raises(BadSetting, match=f"{ID}: KMS refused it: {code}"):
        signers(kms).signer(REF).sign_digest(DIGEST)


def test_a_key_that_does_not_exist_is_the_operators_fault() -> None:
    with pytest.raises(BadSetting, match="NotFoundException"):
        assert signers(Kms(None)).signer(REF).address


def test_a_key_of_another_curve_is_refused() -> None:
    with pytest.raises(BadSetting, match="it is ECC_NIST_P256 for SIGN_VERIFY"):
        assert signers(Kms(spec="ECC_NIST_P256")).signer(REF).address


def test_a_key_that_does_not_sign_is_refused() -> None:
    kms = Kms()
    kms.usage = "KEY_AGREEMENT"

    with pytest.raises(BadSetting, match="for KEY_AGREEMENT"):
        assert signers(kms).signer(REF).address


def test_another_keys_signature_is_none() -> None:
    kms = Kms()
    signer = signers(kms).signer(REF)
    assert signer.address == ADDRESS
    kms.keys[ID] = ec.generate_private_key(ec.SECP256K1())

    with pytest.raises(SignerUnavailable, match="not this key's"):
        signer.sign_digest(DIGEST)


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30\x00",
        b"not DER at all",
        encode_dss_signature(0, 1),
        encode_dss_signature(1, 0),
        encode_dss_signature(ORDER, 1),
        encode_dss_signature(1, ORDER),
        bytes(72),
    ],
)
def test_what_is_no_signature_is_none(der: bytes) -> None:
    kms = Kms()
    signer = signers(kms).signer(REF)
    assert signer.address == ADDRESS
    kms.changes = {"Signature": b64encode(der).decode()}

    with pytest.raises(SignerUnavailable, match=ID):
        signer.sign_digest(DIGEST)


@pytest.mark.parametrize("signature", [None, 7, "not base64!", ["MA=="]])
def test_an_answer_of_another_shape_holds_no_signature(signature: object) -> None:
    kms = Kms()
    signer = signers(kms).signer(REF)
    assert signer.address == ADDRESS
    kms.changes = {"Signature": signature}

    with pytest.raises(SignerUnavailable, match=ID):
        signer.sign_digest(DIGEST)


@pytest.mark.parametrize("key", [None, "not base64!"])
def test_an_answer_of_another_shape_holds_no_public_key(key: object) -> None:
    kms = Kms()
    kms.changes = {"PublicKey": key}

    with pytest.raises(SignerUnavailable, match=ID):
        assert signers(kms).signer(REF).address


@pytest.mark.parametrize(
    "spki",
    [
        b"",
        b"\x30",
        bytes(88),
        bytes.fromhex("3056301006072a8648ce3d020106052b8104000a034200") + b"\x04" + bytes(64),
    ],
)
def test_what_is_no_public_key_is_none(spki: bytes) -> None:
    kms = Kms()
    kms.changes = {"PublicKey": b64encode(spki).decode()}

    with pytest.raises(BadSetting, match=ID):
        assert signers(kms).signer(REF).address


def test_a_made_key_is_tagged_and_signs() -> None:
    kms = Kms(None)
    known = signers(kms)

    made = known.create_key({"agent-where": "signer", "venue": "FIRST"})

    key_id = made.key_ref.removeprefix("kms:")
    assert kms.tags == {key_id: {"agent-where": "signer", "venue": "FIRST"}}
    assert recover_address(DIGEST, known.signer(made.key_ref).sign_digest(DIGEST)) == made.address


def test_two_made_keys_are_two() -> None:
    known = signers(Kms(None))

    assert len({known.create_key({}) for _ in range(2)}) == 2


def test_a_made_key_that_cannot_be_shown_is_named() -> None:
    class Slow(Kms):
        def _show(self, KeyId: str) -> dict[str, object]:  # noqa: N803 KMS's words
            raise Away("KMSInvalidStateException")

    kms = Slow(None)

    with pytest.raises(SignerUnavailable) as told:
        signers(kms).create_key({})

    assert next(iter(kms.keys)) in str(told.value)


def test_an_environments_key_signs_only_where_that_is_allowed() -> None:
    with pytest.raises(BadSetting, match="env:AGENT_KEY signs only where the database is on"):
        signers(allow_env=False).signer("env:AGENT_KEY")


def test_a_key_in_kms_signs_where_the_environments_may_not() -> None:
    assert signers(allow_env=False).signer(REF).address == ADDRESS


def test_the_environment_of_the_process_is_read_when_a_key_is_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known = Signers(allow_env=True)
    monkeypatch.setenv("AGENT_KEY", f"0x{KEY}")

    assert known.signer("env:AGENT_KEY").address == ADDRESS


@pytest.mark.parametrize(
    "value",
    [
        "",
        KEY[:-1],
        f"{KEY}0",
        f"0x{KEY[:-1]}g",
        f" {KEY}",
        f"{KEY}\n",
        "0" * 64,
        f"{ORDER:064x}",
        "f" * 64,
    ],
)
def test_what_is_no_private_key_is_named_by_its_variable_and_never_repeated(value: str) -> None:
    with pytest.raises(BadSetting, match=r"^AGENT_KEY") as told:
        signers(environment={"AGENT_KEY": value}).signer("env:AGENT_KEY")

    everything = "".join(traceback.format_exception(told.value))
    assert not value or value.strip() not in everything


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(BadSetting, match=r"^AGENT_KEY"):
        signers(environment={}).signer("env:AGENT_KEY")


@pytest.mark.parametrize(
    "key_ref",
    [
        "",
        "kms",
        "kms:",
        "kms:alias/agent",
        "kms:../x",
        f"KMS:{ID}",
        f"{REF} ",
        "env:",
        "env:lower",
        "env:A B",
        "file:/etc/passwd",
        KEY,
        f"0x{KEY}",
    ],
)
def test_a_reference_of_another_form_is_refused_and_not_repeated(key_ref: str) -> None:
    with pytest.raises(BadSetting) as told:
        signers().signer(key_ref)

    assert KEY not in str(told.value)


@pytest.mark.parametrize(
    "name",
    [
        ID,
        f"arn:aws:kms:eu-central-1:123456789012:key/{ID}",
        f"arn:aws-us-gov:kms:us-gov-west-1:123456789012:key/{ID}",
        "mrk-1234abcd12ab34cd56ef1234567890ab",
    ],
)
def test_a_key_in_kms_is_named_by_id_or_arn(name: str) -> None:
    signers().signer(f"kms:{name}")


@pytest.mark.parametrize("make", [env_signer, lambda: signers().signer(REF)], ids=["env", "kms"])
@pytest.mark.parametrize("digest", [b"", bytes(31), bytes(33)])
def test_only_a_digest_is_signed(make: Callable[[], Signer], digest: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        make().sign_digest(digest)


def test_no_form_of_a_signer_shows_its_key() -> None:
    signer = env_signer()
    forms = [repr(signer), str(signer), f"{signer}", repr(vars(signer)), json.dumps(str(signer))]

    assert all(KEY not in form and str(int(KEY, 16)) not in form for form in forms)
    assert all(repr(bytes.fromhex(KEY))[2:-1] not in form for form in forms)
    with pytest.raises(TypeError):
        pickle.dumps(signer)


@pytest.mark.parametrize(
    "signature",
    [
        Signature(0, 1, 27),
        Signature(1, 0, 27),
        Signature(ORDER, 1, 27),
        Signature(1, ORDER, 28),
        Signature(2**256, 1, 27),
        Signature(-1, 1, 27),
        Signature(1, 1, 26),
        Signature(1, 1, 29),
        Signature(1, 1, 0),
    ],
)
def test_what_nobody_signed_recovers_to_nobody(signature: Signature) -> None:
    with pytest.raises(ValueError, match=r"recovers no key|32 bytes"):
        recover_address(DIGEST, signature)


def test_a_changed_digest_recovers_to_somebody_else() -> None:
    signature = env_signer().sign_digest(DIGEST)

    assert recover_address(keccak256(b"another"), signature) != ADDRESS


def test_a_published_hash_is_keccak_and_not_sha3() -> None:
    assert keccak256(b"").hex() == (
        "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    )
    assert re.fullmatch("0x[0-9a-f]{40}", ADDRESS)


@given(st.binary(max_size=1_000))
def test_another_library_s_keccak_is_the_same(data: bytes) -> None:
    assert keccak256(data) == keccak.new(data=data, digest_bits=256).digest()
