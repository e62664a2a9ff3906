"""An altered token is not believed, and nothing that one holds makes the check fail otherwise."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_where.tokens import TokenRefused
from tests.issuer import SUBJECT, good_claims, mint
from tests.unit.minted import EC, NOW, RSA, URL, check, signed


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
