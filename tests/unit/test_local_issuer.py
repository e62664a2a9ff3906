"""The local issuer: its key is the home's own, and its tokens are what its key set says."""

from pathlib import Path
from typing import Any

import jwt
import pytest
import urllib3

from agent_where.jwks import verifying_keys
from local.choice import BadChoice, Choice
from local.environment import ROOT, Home
from local.issuer import AUDIENCE, ISSUER, Issuer, serving
from local.token import BadRequest, token

WALLET = f"0x{'1a' * 20}"


def claims(signed: str) -> dict[str, Any]:
    read: dict[str, Any] = jwt.decode(signed, options={"verify_signature": False})
    return read


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def test_a_home_has_one_key_which_its_owner_alone_may_read(home: Home) -> None:
    first = Issuer.of(home)

    assert Issuer.of(home).jwk() == first.jwk()
    (kept,) = home.issuer.iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert first.key.key_size == 2048


def test_two_homes_do_not_take_each_other_s_tokens(home: Home, tmp_path: Path) -> None:
    other = Issuer.of(Home(tmp_path / "other"))

    assert other.jwk()["kid"] != Issuer.of(home).jwk()["kid"]


def test_a_token_can_be_verified_with_the_keys_that_are_served(home: Home) -> None:
    issuer = Issuer.of(home)
    signed = issuer.token(scopes=("routing:read", "signals:write"), wallet=WALLET, seconds=60)

    with serving(issuer) as url:
        document = urllib3.request("GET", url, retries=False, timeout=5).json()
    key = verifying_keys(document)[jwt.get_unverified_header(signed)["kid"]]
    claims = jwt.decode(
        signed, key.public, algorithms=[key.algorithm], audience=AUDIENCE, issuer=ISSUER
    )

    assert url.startswith("http://127.0.0.1:")
    assert claims["scope"] == "routing:read signals:write"
    assert claims["wallet"] == WALLET
    assert claims["exp"] - claims["iat"] == 60


def test_the_key_set_holds_no_private_key_and_nothing_else_is_served(home: Home) -> None:
    issuer = Issuer.of(home)

    with serving(issuer) as url:
        (key,) = urllib3.request("GET", url, retries=False, timeout=5).json()["keys"]
        elsewhere = urllib3.request("GET", f"{url}/../key.pem", retries=False, timeout=5)

    assert set(key) == {"kty", "n", "e", "kid", "use", "alg"}
    assert elsewhere.status == 404


def test_a_token_is_an_administrator_s_without_a_wallet_unless_told(home: Home) -> None:
    plain = claims(token({}, lambda _: home))
    told = claims(
        token({"SCOPES": "routing:read", "WALLET": WALLET, "HOURS": "0.5"}, lambda _: home)
    )

    assert plain["scope"] == "admin"
    assert "wallet" not in plain
    assert (told["scope"], told["wallet"]) == ("routing:read", WALLET)
    assert told["exp"] - told["iat"] == 1800


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SCOPES", "routing:all"),
        ("WALLET", "0x12"),
        ("WALLET", f"{WALLET}00"),
        ("HOURS", "0"),
        ("HOURS", "721"),
        ("HOURS", "nan"),
        ("HOURS", "soon"),
    ],
)
def test_a_wish_that_cannot_be_met_is_named(name: str, value: str) -> None:
    with pytest.raises(BadRequest, match=f"^{name}: "):
        token({name: value})


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("VENUES", {"VENUES": "elsewhere"}),
        ("MODE", {"MODE": "real"}),
        ("MODE", {"MODE": "live", "VENUES": "mainnet"}),
    ],
)
def test_a_deployment_that_there_is_not_is_named(name: str, asked: dict[str, str]) -> None:
    with pytest.raises(BadChoice, match=f"^{name}: "):
        token(asked)


def test_each_deployment_has_a_home_and_words_of_its_own() -> None:
    choices = [
        Choice.from_environment(asked)
        for asked in ({}, {"VENUES": "mainnet"}, {"MODE": "live"}, {"MODE": "", "VENUES": ""})
    ]

    assert choices[0] == choices[3] == Choice()
    assert [choice.words for choice in choices[:3]] == ["", " VENUES=mainnet", " MODE=live"]
    assert len({choice.home.path for choice in choices}) == 3


def test_the_keys_of_homes_are_never_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text().split()

    assert Home().issuer.relative_to(ROOT).parts[0] in {name.strip("/") for name in ignored}
