"""Signers: the same from a laptop's key and from KMS, and no key where it could be read."""

import json
import pickle
import re
from collections.abc import Callable

import pytest
from Crypto.Hash import keccak
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_where.execution.signers import Signature, Signer, recover_address
from agent_where.keccak import keccak256
from tests.unit.signing_keys import (
    ADDRESS,
    DIGEST,
    KEY,
    ORDER,
    REF,
    Kms,
    digests,
    env_signer,
    signers,
)


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
