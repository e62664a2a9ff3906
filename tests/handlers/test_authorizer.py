"""The authorizer as API Gateway calls it: a policy, a 401, or a failure where nobody can tell."""

import io
import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest

from agent_where.callers import Scope, caller_of
from agent_where.errors import BadSetting, Unauthorized, Unavailable
from tests.handlers.gateway import ROOT, Context, Function, cases, event
from tests.issuer import AUDIENCE, SUBJECT, WALLET, Issuer, Mode, ec_key, good_claims, mint, rsa_key

FUNCTION = "authorizer"
PACKAGE = ROOT / "layers" / "core"
NOW = 1_800_000_000.5
STAGE = "arn:aws:execute-api:eu-west-1:000000000000:abc123/api"
CONTEXT = dict.fromkeys(
    ("function_name", "memory_limit_in_mb", "invoked_function_arn", "aws_request_id"), "1"
)
UNWANTED = {
    "pg8000",
    "boto3",
    "botocore.session",
    "aws_xray_sdk",
    "requests",
    "eth_utils",
    "sha3",
}
Log = Callable[[], list[dict[str, Any]]]


@dataclass
class Clock:
    """Seconds since 1970, moved by hand."""

    now: float = NOW

    def time(self) -> float:
        return self.now


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    """An issuer that the settings name. They also ask Powertools to log every event."""
    for name in ("JWKS_URL", "SCOPE_CLAIM", "SCOPE_PREFIX", "WALLET_CLAIM"):
        monkeypatch.delenv(f"JWT_{name}", raising=False)
    with Issuer() as made:
        monkeypatch.setenv("JWT_ISSUER", made.url)
        monkeypatch.setenv("JWT_AUDIENCE", AUDIENCE)
        monkeypatch.setenv("POWERTOOLS_LOGGER_LOG_EVENT", "true")
        yield made


@pytest.fixture
def authorizer(issuer: Issuer) -> Function:
    return loaded(Clock())


@pytest.fixture
def log(authorizer: Function) -> Iterator[Log]:
    """What the function has logged, as CloudWatch gets it."""
    written = io.StringIO()
    handler = authorizer.module.logger.registered_handler
    before = handler.setStream(written)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    handler.setStream(before)


def loaded(clock: Clock) -> Function:
    function = Function(FUNCTION)
    vars(function.module)["time"] = clock
    return function


def move_on(authorizer: Function, seconds: float) -> None:
    """Move the function's clock."""
    authorizer.module.time.now += seconds


def ask(authorizer: Function, token: str, **changes: object) -> dict[str, Any]:
    """What is answered to API Gateway."""
    asked = {**event(FUNCTION, "token"), "authorizationToken": f"Bearer {token}", **changes}
    return cast("dict[str, Any]", authorizer.module.handler(asked, Context()))


def assert_refused(authorizer: Function, token: str) -> None:
    """As API Gateway wants it: it makes a 401 of this message alone."""
    with pytest.raises(Unauthorized) as caught:
        ask(authorizer, token)

    assert str(caught.value) == "Unauthorized"


def test_a_good_token_opens_the_whole_stage_and_says_who_calls(
    authorizer: Function, issuer: Issuer
) -> None:
    assert ask(authorizer, issuer.token(NOW)) == {
        "principalId": SUBJECT,
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": [f"{STAGE}/*/*"]}
            ],
        },
        "context": {
            "scopes": "routing:read routing:write",
            "wallet": WALLET.lower(),
            "subject": SUBJECT,
            "expires": str(int(NOW) + 3600),
        },
    }


@pytest.mark.parametrize(
    ("arn", "resource"),
    [
        (f"{STAGE}/POST/api/agents/a/deployments", f"{STAGE}/*/*"),
        (f"{STAGE}/DELETE/", f"{STAGE}/*/*"),
        (
            "arn:aws-us-gov:execute-api:us-gov-west-1:1:x/api/GET/agents",
            "arn:aws-us-gov:execute-api:us-gov-west-1:1:x/api/*/*",
        ),
    ],
)
def test_the_answer_is_the_same_for_every_route_of_a_stage(
    authorizer: Function, issuer: Issuer, arn: str, resource: str
) -> None:
    answer = ask(authorizer, issuer.token(NOW), methodArn=arn)

    assert answer["policyDocument"]["Statement"][0]["Resource"] == [resource]


def test_the_handlers_understand_what_is_handed_on(authorizer: Function, issuer: Issuer) -> None:
    answer = ask(authorizer, issuer.token(NOW, wallet=None, scope="admin openid"))

    caller = caller_of(answer["context"], NOW)

    assert answer["context"]["wallet"] == ""
    assert (caller.subject, caller.wallet) == (SUBJECT, None)
    assert caller.scopes == {Scope.ADMIN}


def test_a_token_without_scopes_is_let_in_to_be_refused_by_each_route(
    authorizer: Function, issuer: Issuer
) -> None:
    assert ask(authorizer, issuer.token(NOW, scope=None))["context"]["scopes"] == ""


def test_claims_are_read_where_the_settings_say(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a pool of Cognito has them."""
    monkeypatch.setenv("JWT_ISSUER", "https://cognito.example/pool")
    monkeypatch.setenv("JWT_JWKS_URL", f"{issuer.url}pool/keys")
    monkeypatch.setenv("JWT_SCOPE_CLAIM", "scp")
    monkeypatch.setenv("JWT_SCOPE_PREFIX", "agent-where/")
    monkeypatch.setenv("JWT_WALLET_CLAIM", "trader")
    token = issuer.token(
        NOW,
        iss="https://cognito.example/pool",
        aud=None,
        client_id=AUDIENCE,
        scope="admin",
        scp=["agent-where/signals:write", "admin"],
        wallet="none",
        trader=WALLET,
    )

    context = ask(loaded(Clock()), token)["context"]

    assert (context["scopes"], context["wallet"]) == ("signals:write", WALLET.lower())
    assert issuer.paths == {"/pool/keys"}


REASONS = {
    "no_token": "NO_BEARER",
    "no_bearer": "NO_BEARER",
    "basic": "NO_BEARER",
    "not_a_token": "MALFORMED",
    "none": "MALFORMED",
}


@pytest.mark.parametrize("case", REASONS)
def test_what_is_no_token_is_a_401_and_its_reason_is_logged(
    authorizer: Function, issuer: Issuer, log: Log, case: str
) -> None:
    with pytest.raises(Unauthorized, match=r"^Unauthorized$"):
        authorizer.module.handler(event(FUNCTION, case), Context())

    (line,) = log()
    assert (line["level"], line["message"], line["reason"]) == (
        "INFO",
        "token refused",
        REASONS[case],
    )
    assert issuer.asked == 0


def test_every_event_file_is_tried() -> None:
    assert cases(FUNCTION) == {*REASONS, "token"}


def test_an_event_without_a_token_is_a_401(authorizer: Function) -> None:
    with pytest.raises(Unauthorized, match=r"^Unauthorized$"):
        authorizer.module.handler({"type": "TOKEN", "methodArn": f"{STAGE}/GET/"}, Context())


WRONG: dict[str, Callable[[Issuer], str]] = {
    "EXPIRED": lambda issuer: issuer.token(NOW, exp=NOW - 1),
    "NOT_YET_VALID": lambda issuer: issuer.token(NOW, nbf=NOW + 60),
    "TIMES": lambda issuer: issuer.token(NOW, exp=None),
    "ISSUER": lambda issuer: issuer.token(NOW, iss="https://else.example/"),
    "AUDIENCE": lambda issuer: issuer.token(NOW, aud="else"),
    "SUBJECT": lambda issuer: issuer.token(NOW, sub=None),
    "SCOPES": lambda issuer: issuer.token(NOW, scope={"admin": True}),
    "WALLET": lambda issuer: issuer.token(NOW, wallet="0xabc"),
    "SIGNATURE": lambda issuer: mint(
        rsa_key("forger"), good_claims(issuer.url, NOW), kid=issuer.key.id
    ),
    "UNKNOWN_KEY": lambda issuer: mint(rsa_key("forger"), good_claims(issuer.url, NOW)),
    "NO_KEY_ID": lambda issuer: mint(issuer.key, good_claims(issuer.url, NOW), kid=None),
    "ALGORITHM": lambda issuer: mint(issuer.key, good_claims(issuer.url, NOW), "HS256"),
    "HEADER": lambda issuer: mint(issuer.key, good_claims(issuer.url, NOW), crit=["exp"]),
    "TOO_LONG": lambda issuer: issuer.token(NOW, more="x" * 9000),
}


@pytest.mark.parametrize("reason", WRONG)
def test_a_wrong_token_is_a_401_and_no_part_of_it_is_logged(
    authorizer: Function, issuer: Issuer, log: Log, reason: str
) -> None:
    token = WRONG[reason](issuer)

    assert_refused(authorizer, token)

    (line,) = log()
    assert line["reason"] == reason
    assert not any(part in json.dumps(line) for part in (*token.split("."), SUBJECT, WALLET))


def test_a_good_token_is_not_logged_either(authorizer: Function, issuer: Issuer, log: Log) -> None:
    ask(authorizer, issuer.token(NOW))

    assert log() == []


def test_one_fetch_of_the_keys_serves_many_tokens(authorizer: Function, issuer: Issuer) -> None:
    issuer.published = [issuer.key.jwk(), ec_key("second").jwk()]
    for _ in range(20):
        ask(authorizer, issuer.token(NOW))
        ask(authorizer, mint(ec_key("second"), good_claims(issuer.url, NOW)))

    assert (issuer.asked, issuer.paths) == (1, {"/.well-known/jwks.json"})


def test_a_rotation_is_followed(authorizer: Function, issuer: Issuer) -> None:
    old = issuer.token(NOW)
    ask(authorizer, old)
    issuer.rotate()
    move_on(authorizer, 10)

    assert ask(authorizer, issuer.token(NOW))["principalId"] == SUBJECT
    assert_refused(authorizer, old)
    assert issuer.asked == 2


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.WELL])
def test_while_nobody_can_tell_the_function_fails_and_then_recovers(
    authorizer: Function, issuer: Issuer, mode: Mode
) -> None:
    """Neither let in nor refused: API Gateway answers 503 and keeps nothing."""
    issuer.mode = mode
    token = issuer.token(NOW)
    began = time.monotonic()
    with pytest.raises(Unavailable) as caught:
        ask(authorizer, token)

    assert time.monotonic() - began < 3.5
    assert str(caught.value) != "Unauthorized"
    issuer.mode = Mode.WELL
    move_on(authorizer, 1)
    assert ask(authorizer, token)["principalId"] == SUBJECT


@pytest.mark.parametrize(
    ("name", "value"),
    [("JWT_ISSUER", ""), ("JWT_AUDIENCE", ""), ("JWT_JWKS_URL", "http://keys.example/")],
)
def test_without_its_settings_it_fails_and_lets_nobody_in(
    issuer: Issuer, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(BadSetting, match=name):
        ask(loaded(Clock()), issuer.token(NOW))


def test_neither_its_import_nor_its_work_loads_a_database_driver_or_an_aws_client(
    issuer: Issuer,
) -> None:
    """Also as on Lambda, where a tracer would load what it patches."""
    asked = {
        **event(FUNCTION, "token"),
        "authorizationToken": f"Bearer {issuer.token(time.time())}",
    }
    script = (
        "import json, runpy, sys\n"
        "from types import SimpleNamespace\n"
        f"app = runpy.run_path({str(ROOT / 'functions' / FUNCTION / 'app.py')!r}, run_name='app')\n"
        f"app['handler']({asked!r}, SimpleNamespace(**{CONTEXT!r}))\n"
        "print(json.dumps(list(sys.modules)))"
    )

    told = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={
            "PYTHONPATH": str(PACKAGE),
            "PATH": "",
            "LAMBDA_TASK_ROOT": "/var/task",
            "JWT_ISSUER": issuer.url,
            "JWT_AUDIENCE": AUDIENCE,
        },
    )

    found = set(json.loads(told.stdout.splitlines()[-1]))
    assert {"jwt", "cryptography", "urllib3"} <= found
    assert found & UNWANTED == set()
