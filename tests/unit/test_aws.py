"""Calls of AWS without its client: the same requests as the client's, and no answer that lies."""

import json
import socket
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from botocore.session import get_session

from agent_where.errors import BadSetting, SignerUnavailable
from agent_where.execution._aws import Away, AwsService, Refused
from agent_where.execution._kms import kms
from agent_where.execution.signers import Signers

KEY_ID = "1234abcd-12ab-34cd-56ef-1234567890ab"
REGION = "eu-central-1"
SIGN = {
    "KeyId": KEY_ID,
    "Message": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "MessageType": "DIGEST",
    "SigningAlgorithm": "ECDSA_SHA_256",
}
Answer = tuple[int, bytes]
SILENCE: Answer = (0, b"")
HANG_UP: Answer = (-1, b"")


class Endpoint:
    """AWS on loopback: gives its answers in turn, the last one for ever."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.asked: list[tuple[Mapping[str, str], bytes]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def _handler(endpoint) -> type[BaseHTTPRequestHandler]:  # noqa: N805 the handler's is self
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                endpoint.asked.append((dict(self.headers), body))
                left = endpoint._answers
                status, answer = left.pop(0) if len(left) > 1 else left[0]
                if (status, answer) == SILENCE:
                    self.connection.recv(1)
                if status <= 0:
                    self.close_connection = True
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(status)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        return Handler

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


Asked = Callable[..., tuple[Endpoint, AwsService]]


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Asked]:
    """Makes an endpoint of these answers, and the service that finds it by the environment."""
    opened = []

    def make(*answers: Answer, read_seconds: float = 2) -> tuple[Endpoint, AwsService]:
        endpoint = Endpoint(*answers)
        opened.append(endpoint)
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", endpoint.url)
        service = AwsService(
            "kms",
            "TrentService",
            passes=frozenset({"KMSInvalidStateException"}),
            read_seconds=read_seconds,
            sleep=lambda _: None,
        )
        return endpoint, service

    yield make
    for endpoint in opened:
        endpoint.close()


def ok(**told: Any) -> Answer:
    return 200, json.dumps(told).encode()


def error(status: int, code: str) -> Answer:
    return status, json.dumps({"__type": code, "message": "told at length"}).encode()


@pytest.mark.parametrize("session_token", [None, "a/session+token=="])
def test_a_call_is_what_the_client_of_aws_would_send(
    at: Asked, monkeypatch: pytest.MonkeyPatch, session_token: str | None
) -> None:
    if session_token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", session_token)
    endpoint, service = at(ok(Signature="MAA="))

    def both() -> tuple[tuple[Mapping[str, str], bytes], tuple[Mapping[str, str], bytes]]:
        service.call("Sign", SIGN)
        client: Any = get_session().create_client("kms")
        client.sign(**{**SIGN, "Message": bytes(32)})
        client.close()
        return endpoint.asked[-2], endpoint.asked[-1]

    (ours, our_body), (theirs, their_body) = both()

    assert json.loads(our_body) == json.loads(their_body) == SIGN
    for name in ("Host", "Content-Type", "X-Amz-Target", "X-Amz-Security-Token"):
        assert ours.get(name) == theirs.get(name), name
    scope = f"/{REGION}/kms/aws4_request, SignedHeaders="
    assert ours["Authorization"].startswith("AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/")
    assert scope in ours["Authorization"]
    assert scope in theirs["Authorization"]
    for name in ("content-type", "host", "x-amz-date", "x-amz-target"):
        assert name in ours["Authorization"]


PASSING = [
    error(400, "ThrottlingException"),
    error(400, "com.amazonaws.kms#LimitExceededException"),
    error(409, "KMSInvalidStateException"),
    error(500, "KMSInternalException"),
    error(503, "DependencyTimeoutException"),
    error(429, "TooMany"),
    (502, b"<html>Bad Gateway</html>"),
    (200, b"<html>"),
    (200, b"[]"),
    HANG_UP,
]


@pytest.mark.parametrize("passing", PASSING, ids=str)
def test_what_may_pass_is_asked_again(at: Asked, passing: Answer) -> None:
    endpoint, service = at(passing, passing, ok(Signature="MAA="))

    assert service.call("Sign", SIGN) == {"Signature": "MAA="}
    assert len(endpoint.asked) == 3


@pytest.mark.parametrize("passing", PASSING, ids=str)
def test_what_does_not_pass_is_away_after_three_tries(at: Asked, passing: Answer) -> None:
    endpoint, service = at(passing)

    with pytest.raises(Away):
        service.call("Sign", SIGN)

    assert len(endpoint.asked) == 3


def test_silence_is_away(at: Asked) -> None:
    endpoint, service = at(SILENCE, read_seconds=0.1)

    with pytest.raises(Away, match="ReadTimeoutError"):
        service.call("Sign", SIGN)

    assert len(endpoint.asked) == 3


def test_what_costs_money_is_asked_for_once(at: Asked) -> None:
    endpoint, service = at(HANG_UP)

    with pytest.raises(Away):
        service.call("CreateKey", {}, again=False)

    assert len(endpoint.asked) == 1


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "com.amazonaws.kms#NotFoundException", "DisabledException"]
)
def test_a_refusal_is_asked_once_and_keeps_its_word(at: Asked, code: str) -> None:
    endpoint, service = at(error(400, code))

    with pytest.raises(Refused) as told:
        service.call("Sign", SIGN)

    assert told.value.code == code.rpartition("#")[2]
    assert len(endpoint.asked) == 1


def test_nobody_at_the_address_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{taken.getsockname()[1]}")

        with pytest.raises(Away, match="no answer"):
            AwsService("kms", "TrentService", sleep=lambda _: None).call("Sign", SIGN)


def test_without_credentials_it_is_away(at: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint, service = at(ok())
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")

    with pytest.raises(Away, match="no credentials"):
        service.call("Sign", SIGN)

    assert endpoint.asked == []


def test_without_a_region_it_is_the_operators_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")

    with pytest.raises(BadSetting, match="no region is set"):
        Signers(allow_env=False).signer(f"kms:{KEY_ID}").sign_digest(bytes(32))


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({}, "https://kms.eu-central-1.amazonaws.com/"),
        ({"AWS_DEFAULT_REGION": "us-gov-west-1"}, "https://kms.us-gov-west-1.amazonaws.com/"),
        ({"AWS_DEFAULT_REGION": "cn-north-1"}, "https://kms.cn-north-1.amazonaws.com.cn/"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "http://127.0.0.1:1/"),
        (
            {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_ENDPOINT_URL_KMS": "http://[::1]:2/"},
            "http://[::1]:2/",
        ),
    ],
)
def test_the_host_is_where_the_client_of_aws_would_go(
    monkeypatch: pytest.MonkeyPatch, settings: Mapping[str, str], url: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    client = get_session().create_client("kms")

    assert kms()._url == url == f"{client.meta.endpoint_url.rstrip('/')}/"
    client.close()


def test_a_signer_says_that_kms_is_away(at: Asked) -> None:
    _, service = at(error(400, "ThrottlingException"))

    with pytest.raises(SignerUnavailable, match=f"{KEY_ID}: KMS: ThrottlingException"):
        Signers(allow_env=False, service=service).signer(f"kms:{KEY_ID}").sign_digest(bytes(32))
