"""Tokens of an issuer with two keys, at one moment, and whether they are believed then."""

import pytest

from agent_where.jwks import verifying_keys
from agent_where.tokens import Identity, Refusal, Rules, TokenRefused, verify
from tests.issuer import AUDIENCE, SigningKey, ec_key, good_claims, mint, rsa_key

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
