"""What goes wrong ends in one sentence on stderr and an exit code; no write is repeated."""

import json
import socket
import time
from pathlib import Path

import pytest

from tests.cli.conftest import Run
from tests.cli.examples import AGENT, WALLET
from tests.cli.fake_api import TOKEN, FakeApi, Reply, failure
from tests.venues.server import Misbehaving, says, says_and_hangs_up

DONE, REFUSED, USAGE, UNAVAILABLE = range(4)
CREATE = ("agents", "create", "Momentum", "--venue", "MULTI", "--receiver", WALLET)
STATS = "/venue-routing/stats"


def test_a_refusal_is_told_with_its_sentence_code_and_details(api: FakeApi, run: Run) -> None:
    told = failure("bad input: side: unknown", "BAD_INPUT", "side: unknown", "size: too large")
    api.says("POST", "/agents", told, 400)

    result = run(*CREATE)

    assert result.exit_code == REFUSED
    assert result.stdout == ""
    assert result.stderr == (
        "agent-where: bad input: side: unknown: size: too large (400 BAD_INPUT)\n"
    )


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413, 415, 429])
def test_every_4xx_is_a_refusal(status: int, api: FakeApi, run: Run) -> None:
    api.says("GET", STATS, failure("No.", "CODE"), status)

    result = run("stats")

    assert result.exit_code == REFUSED
    assert result.stderr == f"agent-where: No. ({status} CODE)\n"


def test_a_refusal_without_a_sentence_is_told_by_its_status(api: FakeApi, run: Run) -> None:
    api.says("GET", STATS, {"message": None}, 403)

    assert run("stats").stderr == "agent-where: the API answered Forbidden (403)\n"


def test_json_prints_the_answer_of_a_failure_too(api: FakeApi, run: Run) -> None:
    told = failure("The service is unavailable.", "UNAVAILABLE")
    api.says("GET", STATS, told, 503)

    result = run("stats", "--json")

    assert result.exit_code == UNAVAILABLE
    assert json.loads(result.stdout) == told
    assert "503 UNAVAILABLE" in result.stderr


def test_not_fit_to_trade_is_shown_and_ends_with_three(api: FakeApi, run: Run) -> None:
    told = {**failure("Not fit to trade.", "NOT_FIT"), "fit": False, "checkedAt": None}
    api.says("GET", "/status", told, 503)

    result = run("status")

    assert result.exit_code == UNAVAILABLE
    assert result.stdout.split() == ["fit", "to", "trade", "no", "checked", "-"]
    assert result.stderr == "agent-where: Not fit to trade. (503 NOT_FIT)\n"
    assert json.loads(run("status", "--json").stdout) == told


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"<html>hello</html>", 200),
        (b"<html>not here</html>", 404),
        (b"", 502),
        (b"[1, 2]", 200),
        (b'{"success": NaN}', 200),
        (b'{"success": tru', 200),
        (b"\xff\xfe", 200),
        (b'{"n": 1e999999999999999999999}', 200),
        (b"[" * 100_000, 200),
        (b'{"n": ' + b"9" * 10_000 + b"}", 200),
    ],
    ids=["html", "html 404", "empty", "list", "NaN", "cut", "no text", "1e999...", "deep", "long"],
)
def test_what_is_no_json_object_is_unavailable(
    body: bytes, status: int, api: FakeApi, run: Run
) -> None:
    api.on("GET", STATS, lambda _: Reply(body, status))

    result = run("stats")

    assert result.exit_code == UNAVAILABLE
    assert f"answered {status} and no JSON object" in result.stderr


def test_a_redirect_is_not_followed(api: FakeApi, run: Run) -> None:
    with FakeApi() as other:
        away = {"Location": f"{other.url}{STATS}"}
        api.on("GET", STATS, lambda _: Reply({}, 302, headers=away))

        assert run("stats").exit_code == UNAVAILABLE
        assert other.asked == []


@pytest.mark.parametrize(
    "words", [("stats",), CREATE, ("controls", "set", "global", "HALTED", "--reason", "x")]
)
@pytest.mark.parametrize(
    "reply",
    [
        Reply(failure("Later.", "UNAVAILABLE"), 503, headers={"Retry-After": "0"}),
        Reply(b"", hangs_up=True),
        Reply(b"", after_seconds=30),
    ],
    ids=["503", "hang-up", "silence"],
)
def test_only_a_signal_is_ever_sent_again(
    words: tuple[str, ...], reply: Reply, api: FakeApi, run: Run
) -> None:
    for method, path in (("GET", STATS), ("POST", "/agents"), ("PUT", "/controls")):
        api.on(method, path, lambda _: reply)

    result = run(*words, "--timeout", "1")

    assert result.exit_code == UNAVAILABLE
    assert len(api.asked) == 1
    assert ("It may have been carried out all the same." in result.stderr) == (words != ("stats",))
    assert result.stderr.count("\n") == 1


def test_no_connection_says_so_and_that_nothing_was_done(run: Run) -> None:
    with Misbehaving(says(b"{}")) as gone:
        port = gone.port

    result = run(*CREATE, AGENT_WHERE_URL=f"http://127.0.0.1:{port}/api")

    assert result.exit_code == UNAVAILABLE
    assert result.stderr == (
        f"agent-where: No connection to http://127.0.0.1:{port}/api: Connection refused.\n"
    )


def test_tls_that_is_none_is_no_connection(api: FakeApi, run: Run) -> None:
    result = run("stats", AGENT_WHERE_URL=api.url.replace("http:", "https:"))

    assert result.exit_code == UNAVAILABLE
    assert result.stderr.count("\n") == 1


def test_a_body_that_only_drips_is_not_waited_for(run: Run) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"

    def drip(connection: socket.socket) -> None:
        connection.sendall(head)
        for _ in range(100):
            connection.sendall(b" ")
            time.sleep(0.1)

    with Misbehaving(drip) as server:
        result = run("stats", "--timeout", "1", AGENT_WHERE_URL=f"http://127.0.0.1:{server.port}")

    assert result.exit_code == UNAVAILABLE
    assert result.stderr.endswith("in 1 s.\n")


def test_an_endless_answer_is_not_read_to_its_end(run: Run) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n"
    with Misbehaving(says_and_hangs_up(head + b" " * (17 * 1024 * 1024))) as server:
        result = run("stats", AGENT_WHERE_URL=f"http://127.0.0.1:{server.port}")

    assert result.exit_code == UNAVAILABLE
    assert "more than an API does" in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        "bogus",
        "stats --window month",
        "stats --token",
        "config set",
        "config set --priority ,",
        "config delete",
        "preview BTC SIDEWAYS",
        "preview BTC LONG --notional 1e3",
        "preview BTC LONG --notional -1",
        "signal show not-an-id",
        "agents list --limit 0",
        f"agents set {AGENT}",
        f"deployments set {AGENT}",
        f"deployments set {AGENT} --max-leverage some",
        "controls set global OSTIUM HALTED --reason x",
        "controls set venue HALTED --reason x",
        "controls set venue OSTIUM SLOW --reason x",
        "controls set venue OSTIUM HALTED",
        "status --timeout 0",
    ],
)
def test_wrong_usage_ends_with_two_and_sends_nothing(words: str, api: FakeApi, run: Run) -> None:
    result = run(*words.split())

    assert result.exit_code == USAGE
    assert result.stdout == ""
    assert result.stderr
    assert api.asked == []


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (None, "No API is named: set AGENT_WHERE_URL, or give --url."),
        ("", "No API is named"),
        ("ftp://127.0.0.1/api", "begins with https://"),
        ("127.0.0.1:8080", "begins with https://"),
        ("https://", "URL"),
        ("https://user:word@host/api", "no login"),
        ("https://host/api?x=1", "no query"),
        ("https://host:port/api", "cannot be read"),
        ("http://192.0.2.1/api", "The token is not sent to 192.0.2.1 over plain http"),
        ("http://localhost.example/api", "over plain http"),
        ("http://127.0.0.1.example/api", "over plain http"),
        ("http://[2001:db8::1]/api", "over plain http"),
    ],
)
def test_a_url_that_cannot_be_used_is_refused(url: str | None, told: str, run: Run) -> None:
    result = run("stats", AGENT_WHERE_URL=url)

    assert result.exit_code == USAGE
    assert told in result.stderr
    assert result.stderr.count("\n") == 1


def test_the_url_may_be_given_as_an_option_and_end_with_a_slash(api: FakeApi, run: Run) -> None:
    api.says("GET", STATS, {"success": True})

    assert run("stats", "--url", f"{api.url}/", AGENT_WHERE_URL=None).exit_code == DONE
    assert api.asked[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_status_needs_no_token_and_sends_none(api: FakeApi, run: Run) -> None:
    api.says("GET", "/status", {"success": True, "fit": True})

    assert run("status").exit_code == DONE
    assert run("status", AGENT_WHERE_TOKEN=None).exit_code == DONE
    assert [asked.headers.get("authorization") for asked in api.asked] == [None, None]


def test_a_token_comes_from_a_file(api: FakeApi, run: Run, tmp_path: Path) -> None:
    api.says("GET", STATS, {"success": True})
    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")

    result = run("stats", "--token-file", str(file), AGENT_WHERE_TOKEN="another")

    assert result.exit_code == DONE


@pytest.mark.parametrize("content", [None, "", "two words", "Bearer x", "a\nb", "ü", "a\x00b"])
def test_a_token_that_is_none_is_refused_and_not_repeated(
    content: str | None, api: FakeApi, run: Run, tmp_path: Path
) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content, encoding="utf-8")

    result = run("stats", "--token-file", str(file))

    assert result.exit_code == USAGE
    assert str(file) in result.stderr
    assert not content or content not in result.stderr
    assert api.asked == []


def test_without_a_token_nothing_is_sent(api: FakeApi, run: Run) -> None:
    result = run("stats", AGENT_WHERE_TOKEN=None)

    assert result.exit_code == USAGE
    assert result.stderr == (
        "agent-where: This needs a token: set AGENT_WHERE_TOKEN, or give --token-file.\n"
    )
    assert api.asked == []
