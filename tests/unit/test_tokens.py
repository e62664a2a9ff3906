"""Tokens: whom a good one stands for, and that nothing else is believed."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwt.utils import base64url_encode

from agent_where.callers import Scope, caller_of
from agent_where.errors import Unauthorized, Unavailable
from agent_where.jwks import VerifyingKey, verifying_keys
from agent_where.tokens import (
    LEEWAY_SECONDS,
    MAX_TOKEN_CHARACTERS,
    Identity,
    Refusal,
    Rules,
    TokenRefused,
    bearer_token,
    verify,
)
from tests.issuer import AUDIENCE, SUBJECT, WALLET, SigningKey, ec_key, good_claims, mint, rsa_key

NOW = 1_800_000_000.5
URL = "https://issuer.example/"
RULES = Rules(issuer=URL, audience=AUDIENCE)
RSA, EC, OTHER = rsa_key("rsa"), ec_key("ec"), rsa_key("other")
KEYS = verifying_keys({"keys": [RSA.jwk(), EC.jwk()]})


def check(token: str, rules: Rules = RULES, now: float = NOW) -> Identity:
    return verify(token, rules, KEYS.get, now)


def signed(key: SigningKey = RSA, /, **changes: object) -> str:
    """A good token but for changes to its claims."""
    return mint(key, good_claims(URL, NOW, **changes))


def headed(key: SigningKey = RSA, algorithm: str = "", /, **header: object) -> str:
    """A token with good claims and something of its own in its header."""
    return mint(key, good_claims(URL, NOW), algorithm, **header)


def assert_refused(reason: Refusal, token: str, rules: Rules = RULES, now: float = NOW) -> None:
    with pytest.raises(TokenRefused) as caught:
        check(token, rules, now)

    assert caught.value.reason is reason
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert str(caught.value) == f"the token is refused: {reason}"


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


# Signature and header.


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


@pytest.mark.parametrize("token", [signed(RSA), signed(EC)], ids=["RS256", "ES256"])
@given(data=st.data())
def test_any_single_character_changed_is_refused(token: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.characters().filter(lambda sign: sign != token[place]))

    with pytest.raises(TokenRefused):
        check(token[:place] + other + token[place + 1 :])


@pytest.mark.parametrize("token", [signed(RSA), signed(EC)], ids=["RS256", "ES256"])
def test_any_last_character_of_a_part_changed_to_any_other_is_refused(token: str) -> None:
    """There a change may touch only bits that a lenient decoder drops."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    ends = [place - 1 for place, sign in enumerate(token) if sign == "."] + [len(token) - 1]

    for end in ends:
        for other in set(letters) - {token[end]}:
            with pytest.raises(TokenRefused):
                check(token[:end] + other + token[end + 1 :])


@given(st.text())
def test_no_text_makes_it_fail_in_any_other_way(text: str) -> None:
    with pytest.raises(TokenRefused):
        check(text)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@given(
    st.dictionaries(
        st.sampled_from(["iss", "aud", "client_id", "sub", "exp", "nbf", "iat", "scope", "wallet"]),
        JSON,
    )
)
def test_no_claims_make_it_fail_in_any_other_way(claims: dict[str, Any]) -> None:
    whole = {**good_claims(URL, NOW), **claims}
    try:
        identity = check(mint(RSA, json.dumps(whole).encode("utf-8", "surrogatepass")))
    except TokenRefused:
        return
    assert (identity.expires, identity.subject) == (int(whole["exp"]), whole["sub"])


@given(st.dictionaries(st.sampled_from(["alg", "kid", "typ", "crit", "b64", "jwk", "zip"]), JSON))
def test_no_header_makes_it_fail_in_any_other_way(header: dict[str, Any]) -> None:
    claims = good_claims(URL, NOW)
    try:
        assert check(mint(RSA, claims, **header)).subject == SUBJECT
    except TokenRefused:
        return


# Claims.


@pytest.mark.parametrize(
    "issuer",
    [None, "", URL.rstrip("/"), f"{URL}/", URL.upper(), [URL], {URL: 1}, 1, True],
    ids=repr,
)
def test_the_issuer_is_exactly_ours(issuer: object) -> None:
    assert_refused(Refusal.ISSUER, signed(iss=issuer))


@pytest.mark.parametrize("audience", [AUDIENCE, [AUDIENCE], ["else", AUDIENCE], [1, AUDIENCE]])
def test_the_audience_contains_ours(audience: object) -> None:
    assert check(signed(aud=audience)).subject == SUBJECT


@pytest.mark.parametrize(
    "audience",
    [
        *(None, "", "else", f"{AUDIENCE} ", f"{AUDIENCE},else", f"{AUDIENCE} else"),
        *(AUDIENCE.upper(), [], ["else"], [[AUDIENCE]], {AUDIENCE: 1}, 1, True),
    ],
    ids=repr,
)
def test_a_token_for_others_is_refused(audience: object) -> None:
    assert_refused(Refusal.AUDIENCE, signed(aud=audience))


def test_without_an_audience_the_client_is_meant() -> None:
    assert check(signed(aud=None, client_id=AUDIENCE)).subject == SUBJECT
    assert_refused(Refusal.AUDIENCE, signed(aud=None, client_id="else"))
    assert_refused(Refusal.AUDIENCE, signed(aud=None, client_id=[AUDIENCE]))


@pytest.mark.parametrize("audience", ["else", "", [], False])
def test_a_client_does_not_make_up_for_an_audience(audience: object) -> None:
    assert_refused(Refusal.AUDIENCE, signed(aud=audience, client_id=AUDIENCE))


def test_an_audience_that_is_null_is_not_none() -> None:
    claims = good_claims(URL, NOW, client_id=AUDIENCE) | {"aud": None}

    assert_refused(Refusal.AUDIENCE, mint(RSA, claims))


@pytest.mark.parametrize(("left", "good"), [(0.5, True), (0, False), (-0.5, False), (-9, False)])
def test_a_token_ends_at_its_expiry_and_not_a_moment_later(left: float, *, good: bool) -> None:
    token = signed(exp=NOW + left)

    if good:
        assert check(token).expires == int(NOW + left)
    else:
        assert_refused(Refusal.EXPIRED, token)


@pytest.mark.parametrize("claim", ["nbf", "iat"])
@pytest.mark.parametrize(
    ("ahead", "good"), [(0, True), (LEEWAY_SECONDS, True), (LEEWAY_SECONDS + 0.5, False)]
)
def test_clocks_may_differ_by_ten_seconds(claim: str, ahead: float, *, good: bool) -> None:
    token = signed(**{claim: NOW + ahead})

    if good:
        assert check(token).subject == SUBJECT
    else:
        assert_refused(Refusal.NOT_YET_VALID, token)


def test_a_token_need_not_say_since_when() -> None:
    assert check(signed(iat=None)).subject == SUBJECT


def test_a_token_must_say_until_when() -> None:
    assert_refused(Refusal.TIMES, signed(exp=None))


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize(
    "value", ["1900000000", True, [1], {}, -1, 1e300, 10**30, float("inf"), float("nan")], ids=repr
)
def test_a_time_is_a_number_of_seconds(claim: str, value: object) -> None:
    assert_refused(Refusal.TIMES, signed(**{claim: value}))


def test_a_time_too_large_for_a_number_is_refused() -> None:
    claims = json.dumps(good_claims(URL, NOW, exp=0)).replace('"exp": 0', '"exp": 1e400')

    assert_refused(Refusal.TIMES, mint(RSA, claims.encode()))


@pytest.mark.parametrize(
    "subject", [None, "", " ", 1, ["someone"], "a\x00b", "a\nb", "\ud800", "x" * 256], ids=repr
)
def test_a_token_stands_for_somebody(subject: object) -> None:
    assert_refused(Refusal.SUBJECT, signed(sub=subject))


@pytest.mark.parametrize("subject", ["auth0|6f2c", "x" * 255, "Zoë Ωmega", "a@b.example"])
def test_a_subject_is_told_as_it_is(subject: str) -> None:
    assert check(signed(sub=subject)).subject == subject


@pytest.mark.parametrize(
    ("told", "scopes"),
    [
        (None, []),
        ("", []),
        ("routing:read", ["routing:read"]),
        ("admin routing:read", ["routing:read", "admin"]),
        ("  routing:read   routing:read ", ["routing:read"]),
        ("openid email admin2 Admin routing:*", []),
        ("routing:read,admin", []),
        ("routing:read\tadmin", []),
        ([], []),
        (["signals:write", "openid", "routing:write"], ["routing:write", "signals:write"]),
        (["routing:read admin"], []),
    ],
)
def test_known_scopes_count_and_others_do_not(told: object, scopes: list[str]) -> None:
    assert list(check(signed(scope=told)).scopes) == scopes


@pytest.mark.parametrize("told", [1, True, {"admin": True}, [1], ["admin", None], [["admin"]]])
def test_scopes_in_another_form_are_refused(told: object) -> None:
    assert_refused(Refusal.SCOPES, signed(scope=told))


def test_scopes_that_are_null_are_refused() -> None:
    assert_refused(Refusal.SCOPES, mint(RSA, good_claims(URL, NOW) | {"scope": None}))


@pytest.mark.parametrize("form", ["string", "list"])
def test_scopes_with_a_prefix_count_with_it_alone(form: str) -> None:
    rules = Rules(URL, AUDIENCE, scope_claim="scp", scope_prefix="agent-where/")
    told = ["agent-where/routing:read", "admin", "else/routing:write", "Agent-Where/admin"]
    token = signed(scp=told if form == "list" else " ".join(told), scope="admin")

    assert check(token, rules).scopes == (Scope.READ,)


def test_a_prefix_that_is_not_asked_for_hides_a_scope() -> None:
    assert check(signed(scope="agent-where/admin")).scopes == ()


@pytest.mark.parametrize(
    "wallet", [WALLET, WALLET.lower(), f"0x{'AB' * 20}", f"0x{'0' * 40}"], ids=str
)
def test_a_wallet_is_told_in_lower_case(wallet: str) -> None:
    assert check(signed(wallet=wallet)).wallet == wallet.lower()


def test_a_token_may_name_no_wallet() -> None:
    assert check(signed(wallet=None)).wallet == ""


def test_the_wallet_is_in_the_claim_that_is_set() -> None:
    rules = Rules(URL, AUDIENCE, wallet_claim="https://agent-where.example/wallet")
    token = signed(**{"wallet": "mine", rules.wallet_claim: WALLET})

    assert check(token, rules).wallet == WALLET.lower()


@pytest.mark.parametrize(
    "wallet",
    [
        *("", "0x", WALLET[:-1], f"{WALLET}0", WALLET[2:], f"0X{WALLET[2:]}", f" {WALLET}"),
        *(f"{WALLET}\n", f"0x{'zz' * 20}", "0x" + "\u0661" * 40, f"{WALLET},{WALLET}"),
        *(1, int(WALLET, 16), True, [WALLET], {"address": WALLET}),
    ],
    ids=repr,
)
def test_a_wallet_that_is_no_address_refuses_the_token(wallet: object) -> None:
    assert_refused(Refusal.WALLET, signed(wallet=wallet))


def test_a_wallet_that_is_null_refuses_the_token() -> None:
    assert_refused(Refusal.WALLET, mint(RSA, good_claims(URL, NOW) | {"wallet": None}))


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
