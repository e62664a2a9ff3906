"""KMS as a signer's home: asked as seldom as can be, and what its answers and failures mean."""

from base64 import b64encode

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from agent_where.errors import BadSetting, SignerUnavailable, Unavailable
from agent_where.execution._aws import Away, Refused
from agent_where.execution.signers import recover_address
from tests.unit.signing_keys import ADDRESS, DIGEST, ID, ORDER, REF, Kms, signers


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
