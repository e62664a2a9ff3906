"""How calls to a venue are counted, and what CloudWatch is told of them."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from agent_where.measuring import tell_calls
from agent_where.venues._calls import KEPT, Calls, calls
from agent_where.venues._http import BadAnswer, JsonHttp, NotSent

LOOPBACK = "127.0.0.1"


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"{}" if self.path == "/good" else b"no JSON"
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Not into the tests' output."""


@pytest.fixture
def url() -> Iterator[str]:
    server = HTTPServer((LOOPBACK, 0), Answers)
    thread = Thread(target=server.serve_forever)
    thread.start()
    calls().take()
    yield f"http://{LOOPBACK}:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_each_call_is_counted_with_the_time_it_took_whether_its_answer_was_of_use_or_not(
    url: str,
) -> None:
    http = JsonHttp.within(2)
    http.get(f"{url}/good")
    with pytest.raises(BadAnswer):
        http.get(f"{url}/bad")

    (asked,) = calls().take().values()

    assert len(asked.milliseconds) == 2
    assert all(0 <= took < 2000 for took in asked.milliseconds)
    assert asked.faults == 1


def test_a_host_that_refuses_is_a_fault_too() -> None:
    calls().take()
    with HTTPServer((LOOPBACK, 0), Answers) as server:
        port = server.server_port
    with pytest.raises(NotSent):
        JsonHttp.within(1).get(f"http://{LOOPBACK}:{port}/good")

    assert calls().take()[LOOPBACK].faults == 1


def test_what_was_taken_is_not_told_again() -> None:
    counted = Calls()
    counted.add("a", 5, is_usable=True)

    assert counted.take()["a"].milliseconds == (5,)
    assert counted.take() == {}


def test_a_process_that_nobody_asks_forgets_the_oldest() -> None:
    counted = Calls()
    for took in range(KEPT + 10):
        counted.add("a", took, is_usable=True)

    assert counted.take()["a"].milliseconds[0] == 10


def test_cloudwatch_is_told_by_host_and_never_an_address_of_more(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    JsonHttp.within(2).get(f"{url}/good")
    tell_calls()

    told = json.loads(capsys.readouterr().out)

    assert told["host"] == LOOPBACK
    assert told["VenueFaults"] == [0]
    assert len(told["VenueLatency"]) == 1
    assert "good" not in json.dumps(told)
