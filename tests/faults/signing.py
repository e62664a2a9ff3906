"""KMS, as far as orders are signed: keys of secp256k1 behind its JSON protocol, on loopback.

It fails when told to: with an error, with a signature that nobody hears of, or for a while.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from coincurve import PrivateKey

LOOPBACK = "127.0.0.1"
FAIL, LOSE, DENY = "fail", "lose", "deny"
_SPKI_HEAD = bytes.fromhex("3056301006072a8648ce3d020106052b8104000a034200")
"""What comes before the 65 bytes of a point: RFC 5480's SubjectPublicKeyInfo of secp256k1."""
_ERRORS = {FAIL: (500, "KMSInternalException"), DENY: (400, "AccessDeniedException")}


class KeyServer:
    """Signs with as many keys as are asked for; each follows from its number.

    Attributes:
        fault: what goes wrong with the next request.
        lasting: what goes wrong until it is told otherwise.
    """

    def __init__(self) -> None:
        self.fault: str | None = None
        self.lasting: str | None = None
        self._http = _Server((LOOPBACK, 0), self)
        self.url = f"http://{LOOPBACK}:{self._http.server_address[1]}"
        Thread(target=self._http.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def trouble(self) -> str | None:
        return self.fault or self.lasting

    def answer(self, operation: str, asked: Mapping[str, Any]) -> tuple[int, dict[str, Any]]:
        """Carry out one request."""
        trouble = self.trouble()
        if trouble in _ERRORS:
            status, word = _ERRORS[trouble]
            return status, {"__type": word}
        key = _key(asked["KeyId"])
        match operation:
            case "GetPublicKey":
                spki = _SPKI_HEAD + key.public_key.format(compressed=False)
                return 200, {
                    "KeySpec": "ECC_SECG_P256K1",
                    "KeyUsage": "SIGN_VERIFY",
                    "PublicKey": b64encode(spki).decode(),
                }
            case "Sign":
                signed = key.sign(b64decode(asked["Message"]), hasher=None)
                return 200, {"Signature": b64encode(signed).decode()}
            case _:
                return 400, {"__type": "UnsupportedOperationException"}


def key_ref(number: int) -> str:
    """The reference of a key, from 1 on."""
    return f"kms:00000000-0000-4000-8000-{number:012x}"


def _key(key_id: str) -> PrivateKey:
    return PrivateKey(int(key_id.rpartition("-")[2], 16).to_bytes(1) * 32)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], keys: KeyServer) -> None:
        super().__init__(address, _Handler)
        self.keys = keys

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A function that was killed hangs up."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        is_lost = self.server.keys.trouble() == LOSE
        status, answer = self.server.keys.answer(operation, asked)
        if is_lost:
            self.close_connection = True
            return
        body = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Say nothing."""
