"""Key sets: which keys of one count, and that no document makes the reading of it fail."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_where.jwks import NoKeySet, verifying_keys
from tests.issuer import SigningKey, ec_key, rsa_key

RSA, EC = rsa_key("rsa"), ec_key("ec")


def usable(*entries: object) -> set[str]:
    return set(verifying_keys({"keys": list(entries)}))


def test_rsa_and_p256_keys_count_under_their_ids() -> None:
    keys = verifying_keys({"keys": [RSA.jwk(), EC.jwk()], "more": 1})

    assert {id_: key.algorithm for id_, key in keys.items()} == {"rsa": "RS256", "ec": "ES256"}
    assert keys["rsa"].public == RSA.private.public_key()
    assert keys["ec"].public == EC.private.public_key()


@pytest.mark.parametrize(
    "change",
    [{"use": None}, {"alg": None}, {"key_ops": ["verify"]}, {"x5t": "unknown", "x5c": ["MIIB"]}],
    ids=repr,
)
@pytest.mark.parametrize("key", [RSA, EC], ids=["rsa", "ec"])
def test_a_key_need_not_say_all_about_itself(key: SigningKey, change: dict[str, object]) -> None:
    assert usable(key.jwk(**change)) == {key.id}


@pytest.mark.parametrize(
    "change",
    [
        {"use": "enc"},
        {"use": ["sig"]},
        {"use": ""},
        {"key_ops": ["encrypt"]},
        {"key_ops": []},
        {"key_ops": "verify"},
        {"alg": "RS512"},
        {"alg": "RSA-OAEP"},
        {"alg": "HS256"},
        {"alg": "none"},
        {"alg": 256},
        {"kid": None},
        {"kid": ""},
        {"kid": 1},
        {"kty": None},
        {"kty": "oct", "k": "c2VjcmV0"},
        {"kty": "OKP"},
        {"d": "AQAB"},
    ],
    ids=repr,
)
@pytest.mark.parametrize("key", [RSA, EC], ids=["rsa", "ec"])
def test_a_key_that_is_for_something_else_does_not_count(
    key: SigningKey, change: dict[str, object]
) -> None:
    assert usable(key.jwk(**change)) == set()


@pytest.mark.parametrize("member", ["n", "e"])
@pytest.mark.parametrize("value", [None, "", "AA", "AQ", "!", "\ud800", "\u00e9", 65537, ["AQAB"]])
def test_an_rsa_key_that_is_none_does_not_count(member: str, value: object) -> None:
    assert usable(RSA.jwk(**{member: value}), EC.jwk()) == {"ec"}


@pytest.mark.parametrize("member", ["x", "y", "crv"])
@pytest.mark.parametrize("value", [None, "", "AA", "A" * 43, "!", "\ud800", "P-384", 1, ["AA"]])
def test_a_point_that_is_not_on_the_curve_does_not_count(member: str, value: object) -> None:
    assert usable(EC.jwk(**{member: value}), RSA.jwk()) == {"rsa"}


@pytest.mark.parametrize("curve", ["P-384", "secp256k1"])
def test_a_key_on_another_curve_does_not_count(curve: str) -> None:
    key = ec_key("elsewhere", curve)

    assert usable(key.jwk(), key.jwk(alg=None), key.jwk(crv="P-256")) == set()


@pytest.mark.parametrize("bits", [1024, 2047])
def test_a_short_rsa_key_does_not_count(bits: int) -> None:
    assert usable(rsa_key(f"short-{bits}", bits).jwk()) == set()


def test_an_rsa_key_longer_than_can_be_verified_with_does_not_count() -> None:
    assert usable(RSA.jwk(n="_" * 3000)) == set()


def test_the_first_of_several_keys_with_one_id_counts() -> None:
    second = ec_key("another")

    keys = verifying_keys({"keys": [RSA.jwk(use="enc"), EC.jwk(kid="rsa"), second.jwk(kid="rsa")]})

    assert keys["rsa"].public == EC.private.public_key()


@pytest.mark.parametrize(
    "document", [None, [], "keys", {}, {"keys": None}, {"keys": {}}, {"keys": "rsa"}, [RSA.jwk()]]
)
def test_a_document_without_a_list_of_keys_is_no_key_set(document: object) -> None:
    with pytest.raises(NoKeySet):
        verifying_keys(document)


def test_a_set_without_keys_is_a_set() -> None:
    assert usable() == set()
    assert usable(None, 1, "rsa", [], {}) == set()


VALUES = st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text())
MEMBERS = ["kid", "kty", "n", "e", "crv", "x", "y", "use", "alg", "key_ops"]


@given(st.lists(st.dictionaries(st.sampled_from(MEMBERS), VALUES)), st.booleans())
def test_whatever_stands_beside_them_good_keys_count(
    changes: list[dict[str, Any]], first: object
) -> None:
    spoilt = [{**RSA.jwk(kid="spoilt"), **change} for change in changes]
    entries = [EC.jwk(), *spoilt] if first else [*spoilt, EC.jwk(kid="ec")]

    assert "ec" in usable(*entries)
