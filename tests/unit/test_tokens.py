"""Tokens: whom a good one stands for, and that no other signature, header or form is believed."""

from collections.abc import Mapping

import pytest
from jwt.utils import base64url_encode

from agent_where.callers import Scope, caller_of
from agent_where.errors import Unauthorized, Unavailable
from agent_where.jwks import VerifyingKey, verifying_keys
from agent_where.tokens import (
    MAX_TOKEN_CHARACTERS,
    Identity,
    Refusal,
    TokenRefused,
    bearer_token,
    verify,
)
from tests.issuer import SUBJECT, WALLET, SigningKey, ec_key, mint
from tests.unit.minted import EC, NOW, OTHER, RSA, RULES, assert_refused, check, headed, signed


@pytest.mark.parametrize("key", [RSA, EC], ids=["RS256", "ES256"])
def test_a_good_token_stands_for_its_subject_its_scopes_and_its_wallet(key: SigningKey) -> None:
    assert check(signed(key)) == Identity(
        subject=SUBJECT,
        scopes=(Scope.READ, Scope.WRITE),
        wallet=WALLET.lower(),
        expires=int(NOW) + 3600,
    )


def test_what_the_authorizer_hands_on_is_what_the_handlers_read() -> None:
    identity = check(signed(scope="admin signals:write"))
    caller = caller_of(identity.context(), NOW)

    assert all(isinstance(value, str) for value in identity.context().values())
    assert (caller.subject, caller.wallet) == (SUBJECT, WALLET.lower())
    assert caller.scopes == {Scope.ADMIN, Scope.SIGNALS}
    with pytest.raises(Unauthorized):
        caller_of(identity.context(), identity.expires)


def test_a_token_without_a_signature_is_refused() -> None:
    unsigned = headed(RSA, "none")

    assert unsigned.endswith(".")
    assert_refused(Refusal.MALFORMED, unsigned)
    assert_refused(Refusal.ALGORITHM, f"{unsigned}c2lnbmVk")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "nOnE"])
def test_no_spelling_of_none_is_an_algorithm(algorithm: str) -> None:
    assert_refused(Refusal.ALGORITHM, headed(alg=algorithm))


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_a_public_key_is_never_a_secret(algorithm: str) -> None:
    assert_refused(Refusal.ALGORITHM, headed(RSA, algorithm))


@pytest.mark.parametrize("algorithm", ["RS384", "RS512", "PS256", "PS384", "PS512"])
def test_an_rsa_key_verifies_rs256_alone(algorithm: str) -> None:
    assert_refused(Refusal.ALGORITHM, headed(RSA, algorithm))


@pytest.mark.parametrize("algorithm", ["rs256", "", 0, True, [], ["RS256"], {"RS256": 1}, None])
def test_an_algorithm_is_named_exactly(algorithm: object) -> None:
    assert_refused(Refusal.ALGORITHM, headed(alg=algorithm))


def test_the_algorithm_that_a_token_names_must_be_that_of_the_key() -> None:
    assert_refused(Refusal.ALGORITHM, headed(RSA, alg="ES256"))
    assert_refused(Refusal.ALGORITHM, headed(EC, alg="RS256"))
    assert_refused(Refusal.ALGORITHM, headed(RSA, kid="ec"))
    assert_refused(Refusal.ALGORITHM, headed(EC, kid="rsa"))


@pytest.mark.parametrize("curve", ["P-384", "secp256k1"])
def test_a_signature_on_another_curve_is_refused(curve: str) -> None:
    assert_refused(Refusal.SIGNATURE, headed(ec_key("elsewhere", curve), kid="ec"))


def test_a_signature_by_another_key_is_refused() -> None:
    assert_refused(Refusal.SIGNATURE, headed(OTHER, kid="rsa"))


@pytest.mark.parametrize("key_id", [None, "", 1, ["rsa"], {"rsa": 1}])
def test_a_token_names_its_key(key_id: object) -> None:
    with pytest.raises(TokenRefused) as caught:
        check(headed(kid=key_id))

    assert caught.value.reason in (Refusal.NO_KEY_ID, Refusal.HEADER)


def test_a_token_without_a_key_id_is_refused_even_if_there_is_but_one_key() -> None:
    only = verifying_keys({"keys": [RSA.jwk()]})

    with pytest.raises(TokenRefused) as caught:
        verify(headed(kid=None), RULES, only.get, NOW)

    assert caught.value.reason is Refusal.NO_KEY_ID


def test_a_key_that_the_issuer_does_not_have_is_refused() -> None:
    assert_refused(Refusal.UNKNOWN_KEY, headed(OTHER))


@pytest.mark.parametrize(
    "own",
    [
        {"jwk": OTHER.jwk()},
        {"jku": "https://issuer.example/.well-known/jwks.json"},
        {"x5u": "https://issuer.example/certificate"},
        {"x5c": ["MIIB"]},
    ],
    ids=lambda own: next(iter(own)),
)
def test_a_key_that_the_token_brings_along_is_not_looked_at(own: Mapping[str, object]) -> None:
    assert_refused(Refusal.UNKNOWN_KEY, headed(OTHER, **own))
    assert_refused(Refusal.SIGNATURE, headed(OTHER, kid="rsa", **own))
    assert check(headed(RSA, **own)).subject == SUBJECT


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"]},
        {"crit": ["exp"], "exp": 1},
        {"crit": ["b64"], "b64": True},
        {"crit": []},
        {"crit": "b64"},
        {"b64": True},
    ],
    ids=repr,
)
def test_a_header_that_demands_something_is_refused(header: Mapping[str, object]) -> None:
    assert_refused(Refusal.HEADER, headed(**header))


def test_a_payload_that_is_not_encoded_is_refused() -> None:
    assert_refused(Refusal.MALFORMED, headed(crit=["b64"], b64=False))


@pytest.mark.parametrize("type_", [None, "at+jwt", "JOSE"])
def test_the_type_of_a_token_does_not_matter(type_: str | None) -> None:
    assert check(headed(typ=type_)).subject == SUBJECT


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "a.b",
        "a.b.c.d",
        "Bearer a.b.c",
        f"{signed()}=",
        f"{signed()}\n",
        f" {signed()}",
        signed().replace(".", "..", 1),
        signed().replace(".", "+", 1),
        signed().rpartition(".")[0],
        f"{signed()}\u0660",
        "\ud800.\ud800.\ud800",
        "e30.e30.e30e",
        base64url_encode(b"[" * 3000).decode() + ".e30.e30",
        base64url_encode(b'"' + b"\\ud800" * 100 + b'"').decode() + ".e30.e30",
        base64url_encode(b'{"alg": ' + b"9" * 5000 + b"}").decode() + ".e30.e30",
        base64url_encode(b"\xff\xfe").decode() + ".e30.e30",
    ],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(TokenRefused) as caught:
        check(token)

    assert caught.value.reason in (Refusal.MALFORMED, Refusal.ALGORITHM)


@pytest.mark.parametrize(
    "payload",
    [b"", b"null", b"[]", b'"claims"', b"{", b"\xff", b"[" * 5000, b"[1" + b"0" * 5000 + b"]"],
    ids=lambda payload: repr(payload[:8]),
)
def test_claims_that_are_no_object_are_refused_though_signed(payload: bytes) -> None:
    assert_refused(Refusal.MALFORMED, mint(RSA, payload))


def test_a_token_that_is_too_long_is_not_even_looked_at() -> None:
    long = signed(more="x" * MAX_TOKEN_CHARACTERS)

    def no_key(_: str) -> VerifyingKey:
        raise AssertionError("it was looked at")

    with pytest.raises(TokenRefused) as caught:
        verify(long, RULES, no_key, NOW)

    assert caught.value.reason is Refusal.TOO_LONG


def test_a_token_may_be_as_long_as_allowed() -> None:
    room = (MAX_TOKEN_CHARACTERS - len(signed(more=""))) * 3 // 4

    assert check(signed(more="x" * room)).subject == SUBJECT


def test_that_nobody_can_tell_is_no_refusal() -> None:
    def away(_: str) -> VerifyingKey | None:
        raise Unavailable("the issuer is away")

    with pytest.raises(Unavailable):
        verify(signed(), RULES, away, NOW)


# The header of the request.
@pytest.mark.parametrize("header", ["Bearer a.b.c", "bearer a.b.c", "BEARER   a.b.c"])
def test_a_bearer_token_is_what_follows_the_word(header: str) -> None:
    assert bearer_token(header) == "a.b.c"


@pytest.mark.parametrize(
    "header", [None, 1, "", "Bearer", "Bearer ", "a.b.c", "Basic a.b.c", "Bearer\ta.b.c", " Bearer"]
)
def test_without_the_word_there_is_no_token(header: object) -> None:
    with pytest.raises(TokenRefused) as caught:
        bearer_token(header)

    assert caught.value.reason is Refusal.NO_BEARER
