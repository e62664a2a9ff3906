"""Who gets into the deployed API: only tokens of its issuer, and each only to what is its own."""

import hashlib
import hmac
import json
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from local.environment import free_port
from local.issuer import AUDIENCE, ISSUER, Issuer
from local.stack import NAME, Answer, Stack

pytestmark = pytest.mark.e2e

NONE_OF_OURS = "00000000-0000-4000-8000-00000000000f"


def encoded(value: bytes | dict[str, Any]) -> str:
    raw = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims() -> dict[str, Any]:
    now = int(time.time())
    return {"iss": ISSUER, "aud": AUDIENCE, "sub": "x", "exp": now + 600, "scope": "admin"}


def unsigned(issuer: Issuer, signature: str) -> str:
    header = {"alg": "none", "typ": "JWT", "kid": issuer.jwk()["kid"]}
    return f"{encoded(header)}.{encoded(claims())}.{signature}"


def signed_with_the_public_key(issuer: Issuer) -> str:
    """What fools a verifier that lets the token choose its algorithm."""
    header = {"alg": "HS256", "typ": "JWT", "kid": issuer.jwk()["kid"]}
    message = f"{encoded(header)}.{encoded(claims())}"
    secret = issuer.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return f"{message}.{encoded(hmac.digest(secret, message.encode(), hashlib.sha256))}"


def of_a_stranger(issuer: Issuer) -> str:
    """Everything right but the key, under the right key's id."""
    stranger = Issuer(generate_private_key(public_exponent=65537, key_size=2048))
    header = {"alg": "RS256", "typ": "JWT", "kid": issuer.jwk()["kid"]}
    _, _, signature = stranger.token().split(".")
    return f"{encoded(header)}.{encoded(claims())}.{signature}"


BAD_TOKENS: dict[str, Callable[[Issuer], str]] = {
    "none at all": lambda _: "",
    "garbage": lambda _: "garbage",
    "garbage in the form of a token": lambda _: "aGVhZA.Ym9keQ.c2ln",
    "expired": lambda issuer: issuer.token(seconds=-1),
    "not valid yet": lambda issuer: issuer.token(nbf=int(time.time()) + 600),
    "wrong audience": lambda issuer: issuer.token(aud="another-service"),
    "wrong issuer": lambda issuer: issuer.token(iss="https://another-issuer.invalid"),
    "algorithm none": lambda issuer: unsigned(issuer, ""),
    "algorithm none and some signature": lambda issuer: unsigned(issuer, "c2ln"),
    "HS256 with the public key": signed_with_the_public_key,
    "another key": of_a_stranger,
    "one byte changed": lambda issuer: changed(issuer.token()),
}


def changed(token: str) -> str:
    head, body, signature = token.split(".")
    return f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"


def assert_refused(answer: Answer, status: int, code: str) -> None:
    assert answer.status == status, answer
    assert answer.body["success"] is False
    assert answer.body["code"] == code
    assert set(answer.body) - {"details"} == {"success", "error", "code"}


@pytest.mark.parametrize("kind", BAD_TOKENS)
def test_a_token_that_is_not_good_is_a_401_that_names_the_scheme(stack: Stack, kind: str) -> None:
    answer = stack.call("GET", "/agents", token=BAD_TOKENS[kind](stack.issuer))

    assert_refused(answer, 401, "UNAUTHORIZED")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_that_expires_while_the_gateway_remembers_it_is_refused_all_the_same(
    stack: Stack,
) -> None:
    assert stack.call("GET", "/agents", token=unseen(stack)).status == 200, "all are warm"
    short = stack.issuer.token(seconds=8)

    assert stack.call("GET", "/agents", token=short).status == 200
    time.sleep(9)
    answer = stack.call("GET", "/agents", token=short)

    assert_refused(answer, 401, "UNAUTHORIZED")
    assert "expired" in answer.body["error"], "it is the function that refused it"


def test_a_token_without_the_scope_is_a_403(stack: Stack) -> None:
    reader = stack.issuer.token(scopes=("routing:read",), wallet=wallet())

    answer = stack.call("POST", "/agents", agent_of(wallet()), token=reader)

    assert_refused(answer, 403, "FORBIDDEN")


def test_a_caller_sees_its_own_agents_and_no_other_s(stack: Stack) -> None:
    mine, theirs = wallet(), wallet()
    tokens = {
        each: stack.issuer.token(scopes=("routing:read", "routing:write"), wallet=each)
        for each in (mine, theirs)
    }
    ids = {each: created(stack, each, token) for each, token in tokens.items()}

    listed = stack.call("GET", "/agents", token=tokens[mine])

    assert [agent["id"] for agent in listed.body["agents"]] == [ids[mine]]
    assert stack.call("GET", f"/agents/{ids[mine]}", token=tokens[mine]).status == 200
    config = {"agentId": ids[theirs], "venuePriority": ["OSTIUM"]}
    for answer in (
        stack.call("GET", f"/agents/{ids[theirs]}", token=tokens[mine]),
        stack.call("PATCH", f"/agents/{ids[theirs]}", {"name": "mine"}, token=tokens[mine]),
        stack.call("POST", "/venue-routing/config", config, token=tokens[mine]),
        stack.call("GET", f"/agents/{NONE_OF_OURS}", token=tokens[mine]),
    ):
        assert_refused(answer, 404, "UNKNOWN_AGENT")
    assert stack.call("GET", f"/agents/{ids[theirs]}").status == 200, "an administrator sees all"


def test_nobody_but_an_administrator_creates_agents_in_another_s_name(stack: Stack) -> None:
    token = stack.issuer.token(scopes=("routing:write",), wallet=wallet())

    assert_refused(stack.call("POST", "/agents", agent_of(wallet()), token=token), 403, "FORBIDDEN")


@pytest.mark.parametrize("token", [None, ""], ids=["with a token", "without a token"])
@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nowhere"), ("DELETE", "/agents"), ("GET", "/")]
)
def test_an_unknown_path_or_method_is_a_404_with_or_without_a_token(
    stack: Stack, method: str, path: str, token: str | None
) -> None:
    assert_refused(stack.call(method, path, token=token), 404, "NOT_FOUND")


def test_the_status_needs_no_token(stack: Stack) -> None:
    answer = stack.call("GET", "/status", token="")

    assert answer.status in (200, 503)
    assert {"success", "fit", "checkedAt"} <= set(answer.body)


def test_the_description_of_the_api_needs_no_token(stack: Stack) -> None:
    answer = stack.call("GET", "/openapi.json", token="")

    assert answer.status == 200
    assert answer.body["openapi"].startswith("3.1")


def test_the_details_of_the_status_are_an_administrator_s(stack: Stack) -> None:
    reader = stack.issuer.token(scopes=("routing:read",), wallet=wallet())

    assert_refused(stack.call("GET", "/status/details", token=""), 401, "UNAUTHORIZED")
    assert_refused(stack.call("GET", "/status/details", token=reader), 403, "FORBIDDEN")
    assert stack.call("GET", "/status/details").status == 200


def test_tokens_that_cannot_be_checked_are_a_503_not_a_401_and_the_next_can_be(
    stack: Stack,
) -> None:
    with keys_are_away(stack):
        assert_refused(stack.call("GET", "/agents", token=unseen(stack)), 503, "UNAVAILABLE")

    assert stack.call("GET", "/agents", token=unseen(stack)).status == 200


def unseen(stack: Stack) -> str:
    """A token that the gateway does not remember."""
    return stack.issuer.token(subject=str(uuid4()))


@contextmanager
def keys_are_away(stack: Stack) -> Iterator[None]:
    """A cold authorizer that finds nobody where the issuer's keys were."""
    functions, name = stack.aws.functions, f"{NAME}-authorizer"
    known = functions.get_function_configuration(FunctionName=name)["Environment"]["Variables"]
    away = {**known, "JWT_JWKS_URL": f"http://127.0.0.1:{free_port()}/jwks.json"}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": away})
    try:
        yield
    finally:
        functions.update_function_configuration(FunctionName=name, Environment={"Variables": known})


def wallet() -> str:
    """Of somebody new, in lower case."""
    return f"0x{uuid4().hex}{'3' * 8}"


def agent_of(creator: str) -> dict[str, Any]:
    return {
        "name": "an agent",
        "venue": "MULTI",
        "creator_wallet": creator,
        "profit_receiver_address": creator,
    }


def created(stack: Stack, creator: str, token: str) -> str:
    answer = stack.call("POST", "/agents", agent_of(creator), token=token)
    assert answer.status == 201, answer
    return str(answer.body["agent"]["id"])
