"""What a token says: for whom, until when, who it stands for and what that may do."""

import json

import pytest

from agent_where.callers import Scope
from agent_where.tokens import LEEWAY_SECONDS, Refusal, Rules
from tests.issuer import AUDIENCE, SUBJECT, WALLET, good_claims, mint
from tests.unit.minted import NOW, RSA, URL, assert_refused, check, signed


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
