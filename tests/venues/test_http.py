"""The venues' HTTP client against servers that misbehave."""

import gzip
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import IPv4Address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agent_where.errors import VenueUnavailable
from agent_where.venues._http import BadAnswer, HttpFault, JsonHttp, NoAnswer, NotSent, reading
from tests.venues.server import Behaviour, Misbehaving, says, says_and_hangs_up

OK = says(b'{"ok": true}')


@pytest.fixture
def http() -> JsonHttp:
    return JsonHttp(connect_seconds=0.3, read_seconds=0.3, max_answer_bytes=10_000)


def url(server: Misbehaving, scheme: str = "http", host: str = "127.0.0.1") -> str:
    return f"{scheme}://{host}:{server.port}/secret-key/info"


def hang(connection: socket.socket) -> None:
    time.sleep(1)


def drip(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n")
    for _ in range(20):
        connection.sendall(b" ")
        time.sleep(0.05)


def test_fractions_arrive_as_decimals_and_whole_numbers_as_int(http: JsonHttp) -> None:
    with Misbehaving(says(b'{"px": 0.1, "n": 3, "s": "0.30"}')) as server:
        assert http.get(url(server)) == {"px": Decimal("0.1"), "n": 3, "s": "0.30"}


def test_exactly_the_given_bytes_are_sent_once(http: JsonHttp) -> None:
    body = b'{"type" : "meta"}\n'
    with Misbehaving(OK) as server:
        http.post(url(server), body)

    (request,) = server.requests
    assert request.startswith(b"POST /secret-key/info HTTP/1.1\r\n")
    assert request.endswith(b"\r\n\r\n" + body)
    assert b"content-type: application/json" in request.lower()


def test_a_refused_connection_is_not_sent(http: JsonHttp) -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        with pytest.raises(NotSent, match="refused"):
            http.post(f"http://127.0.0.1:{bound.getsockname()[1]}/", b"{}")


def test_a_connection_that_is_never_accepted_is_not_sent(http: JsonHttp) -> None:
    with socket.socket() as full, socket.socket() as first, socket.socket() as second:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for waiting in (first, second):
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        with pytest.raises(NotSent, match="timed out"):
            http.post(f"http://127.0.0.1:{full.getsockname()[1]}/", b"{}")


def test_a_name_that_nobody_knows_is_not_sent(
    http: JsonHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(NotSent, match="not known"):
        http.get("https://api.venue.example/info")


@pytest.mark.parametrize(
    "behaviour",
    [
        pytest.param(hang, id="silence"),
        pytest.param(says_and_hangs_up(b""), id="hangs up at once"),
        pytest.param(says_and_hangs_up(b"HTTP/1.1 200 OK\r\nContent-"), id="half a head"),
        pytest.param(
            says_and_hangs_up(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[1,2"), id="half a body"
        ),
        pytest.param(
            says_and_hangs_up(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n[1,"),
            id="half a chunk",
        ),
        pytest.param(says_and_hangs_up(b"SSH-2.0-OpenSSH_9.2\r\n"), id="another protocol"),
        pytest.param(
            says_and_hangs_up(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}"), id="no length"
        ),
        pytest.param(drip, id="a body that drips"),
    ],
)
def test_without_a_whole_answer_nobody_knows_whether_it_arrived(
    http: JsonHttp, behaviour: Behaviour
) -> None:
    with Misbehaving(behaviour) as server, pytest.raises(NoAnswer):
        http.post(url(server), b"{}")

    assert len(server.requests) == 1


@pytest.mark.parametrize("status", ["302 Found", "404 Not Found", "422 X", "429 X", "500 X"])
def test_any_status_but_200_is_a_bad_answer_and_is_asked_once(http: JsonHttp, status: str) -> None:
    behaviour = says(b"null", status, "Location: /elsewhere", "Retry-After: 0")
    with Misbehaving(behaviour) as server, pytest.raises(BadAnswer) as fault:
        http.post(url(server), b"{}")

    assert (fault.value.status, fault.value.body) == (int(status[:3]), b"null")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"<html>bad gateway</html>",
        b"",
        b'{"px": 1.',
        b'{"px": NaN}',
        b"[" * 5_000,
        b"1" * 5_000,
        b'"\xff\xfe"',
        gzip.compress(b"{}"),
    ],
    ids=["html", "empty", "cut", "NaN", "deep", "long number", "not UTF-8", "compressed"],
)
def test_a_200_that_is_no_json_is_a_bad_answer(http: JsonHttp, body: bytes) -> None:
    with Misbehaving(says(body)) as server, pytest.raises(BadAnswer) as fault:
        http.get(url(server))

    assert fault.value.body == body


def test_a_huge_answer_is_refused_without_being_read_to_its_end() -> None:
    http = JsonHttp(connect_seconds=1, read_seconds=5, max_answer_bytes=10_000)

    refused = pytest.raises(BadAnswer, match="over 10000 bytes")
    with Misbehaving(says(b"[" + b"1," * 10_000_000 + b"1]")) as server, refused as fault:
        http.get(url(server))

    assert len(fault.value.body) < 100_000


@pytest.mark.parametrize("behaviour", [hang, says(b"<html>"), says(b"null", "500 X")])
def test_a_fault_names_the_host_and_never_the_path_which_may_hold_a_key(
    http: JsonHttp, behaviour: Behaviour
) -> None:
    with Misbehaving(behaviour) as server, pytest.raises(HttpFault) as fault:
        http.get(url(server))

    assert "127.0.0.1" in str(fault.value)
    assert "secret-key" not in str(fault.value)


def test_a_connection_serves_many_calls(http: JsonHttp) -> None:
    with Misbehaving(OK) as server:
        for _ in range(3):
            http.get(url(server))

    assert (server.connections, len(server.requests)) == (1, 3)


def test_a_kept_connection_that_the_venue_dropped_is_replaced(http: JsonHttp) -> None:
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    with Misbehaving(says_and_hangs_up(raw)) as server:
        http.get(url(server))
        time.sleep(0.05)
        http.get(url(server))

    assert server.connections == 2


def test_a_proxy_of_the_environment_is_not_used(
    http: JsonHttp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    with Misbehaving(OK) as server:
        assert http.get(url(server)) == {"ok": True}


@pytest.mark.parametrize(
    "fault", [NotSent("a"), NoAnswer("b"), BadAnswer("c", status=500, body=b"")]
)
def test_whatever_fails_a_read_the_venue_is_unavailable(fault: HttpFault) -> None:
    with pytest.raises(VenueUnavailable, match=f"SOMEWHERE: {fault}"), reading("SOMEWHERE"):
        raise fault


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A self-signed certificate for 127.0.0.1 alone, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(IPv4Address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[Misbehaving]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with Misbehaving(OK, context) as server:
        yield server


def test_nothing_is_sent_to_a_certificate_that_nobody_vouches_for(
    http: JsonHttp, tls_server: Misbehaving
) -> None:
    with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
        http.post(url(tls_server, "https"), b"{}")

    assert tls_server.requests == []


def test_nothing_is_sent_to_a_trusted_certificate_of_another_name(
    tls_server: Misbehaving, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(NotSent, match="CERTIFICATE_VERIFY_FAILED"):
        JsonHttp(connect_seconds=1).post(url(tls_server, "https", "localhost"), b"{}")

    assert tls_server.requests == []


def test_a_trusted_certificate_of_the_right_name_is_talked_to(
    tls_server: Misbehaving, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    assert JsonHttp(connect_seconds=1).post(url(tls_server, "https"), b"{}") == {"ok": True}


def test_a_handshake_with_a_server_without_tls_is_not_sent(http: JsonHttp) -> None:
    with Misbehaving(OK) as server, pytest.raises(NotSent, match="no secure connection"):
        http.post(url(server, "https"), b"{}")

    assert server.requests == []
