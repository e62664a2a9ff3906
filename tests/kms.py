"""As much of KMS as onboarding uses, with real keys, in this process or over HTTP on loopback."""

import json
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any, cast
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from agent_where.execution._aws import Away, Refused

_OPERATIONS = ("CreateKey", "GetPublicKey")


class Kms:
    """Makes keys and shows their public halves.

    Attributes:
        tags: each key's, by its id; in the order in which the keys were made.
        away: operations that get no answer.
        denied: operations that are refused.
    """

    def __init__(self) -> None:
        self.tags: dict[str, dict[str, str]] = {}
        self.asked: list[str] = []
        self.away: set[str] = set()
        self.denied: set[str] = set()
        self._keys: dict[str, ec.EllipticCurvePrivateKey] = {}
        self._one_at_a_time = Lock()

    def call(
        self, operation: str, parameters: Mapping[str, object], *, again: bool = True
    ) -> Mapping[str, object]:
        """As `AwsService.call`."""
        assert again == (operation != "CreateKey"), "a second key would be made, and paid for"
        told = cast("dict[str, Any]", parameters)
        with self._one_at_a_time:
            self.asked.append(operation)
            if operation in self.away:
                raise Away("no answer")
            if operation in self.denied:
                raise Refused("AccessDeniedException")
            return self._create(told) if operation == "CreateKey" else self._show(told)

    def _create(self, told: dict[str, Any]) -> dict[str, object]:
        assert (told["KeySpec"], told["KeyUsage"]) == ("ECC_SECG_P256K1", "SIGN_VERIFY")
        key_id = str(uuid4())
        self._keys[key_id] = ec.generate_private_key(ec.SECP256K1())
        self.tags[key_id] = {tag["TagKey"]: tag["TagValue"] for tag in told["Tags"]}
        return {"KeyMetadata": {"KeyId": key_id, "Enabled": True}}

    def _show(self, told: dict[str, Any]) -> dict[str, object]:
        point = self._keys[told["KeyId"]].public_key()
        spki = point.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return {
            "PublicKey": b64encode(spki).decode(),
            "KeySpec": "ECC_SECG_P256K1",
            "KeyUsage": "SIGN_VERIFY",
        }


@contextmanager
def served(kms: Kms, patch: pytest.MonkeyPatch) -> Iterator[None]:
    """The process's own KMS is this one, as far as its environment says where KMS is."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            operation = self.headers["X-Amz-Target"].removeprefix("TrentService.")
            assert operation in _OPERATIONS
            try:
                status, answer = 200, kms.call(operation, told, again=operation != "CreateKey")
            except Away:
                status, answer = 503, {"__type": "DependencyTimeoutException"}
            except Refused as refused:
                status, answer = 400, {"__type": refused.code}
            body = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing: the test says what went wrong."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    patch.setenv("AWS_ENDPOINT_URL_KMS", f"http://127.0.0.1:{server.server_port}")
    patch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    patch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        patch.delenv(name, raising=False)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
