"""How the simulator misbehaves over HTTP, and that it tells afterwards what really happened."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent_where.venues._http import BadAnswer, HttpFault, JsonHttp, NoAnswer
from local.simulators.faults import Fault
from local.simulators.server import Server
from tests.patience import PATIENCE_SECONDS, Patient
from tests.venues.hyperliquid_trader import Place, Trader, cloid, order, signing

ROOT = Path(__file__).parents[2]
PLACE_ORDERS = signing.order_wires_to_order_action


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def trader(place: Place) -> Trader:
    return place.trader()


@pytest.fixture
def server(place: Place) -> Iterator[Server]:
    with Server(place.simulator) as listening:
        yield listening


class Caller:
    """Sends over HTTP, and gives up soon on a venue that it told to be silent."""

    def __init__(self, server: Server) -> None:
        self._url = server.url
        self._http = JsonHttp.within(PATIENCE_SECONDS)
        self._sending = Patient()

    def tell(self, what: str, **body: object) -> Any:
        self._sending.hear(body.get("mode"))
        return self._http.post(f"{self._url}/simulator/{what}", json.dumps(body).encode())

    def exchange(self, body: Any, by: JsonHttp | None = None) -> Any:
        return (by or self._http).post(f"{self._url}/exchange", json.dumps(body).encode())

    def ask(self, kind: str, **what: object) -> Any:
        asked = json.dumps({"type": kind, **what}).encode()
        return self._http.post(f"{self._url}/info", asked)

    def outcome(self, body: Any) -> str:
        """What came of a send, as a caller sees it."""
        try:
            return str(self.exchange(body, self._sending)["status"])
        except BadAnswer as fault:
            return f"{fault.status} {fault.body[:6].decode()}".strip()
        except NoAnswer:
            return "no answer"


@pytest.fixture
def caller(server: Server) -> Caller:
    return Caller(server)


def an_order(trader: Trader, number: int = 1) -> dict[str, Any]:
    return trader.signed(PLACE_ORDERS([order("0.1", cloid=cloid(number))]))


SEEN = [
    ({"mode": "drop"}, "no answer"),
    ({"mode": "drop", "processed": True}, "no answer"),
    ({"mode": "hang"}, "no answer"),
    ({"mode": "hang", "processed": True}, "no answer"),
    ({"mode": "delay", "seconds": 1}, "no answer"),
    ({"mode": "delay", "seconds": 1, "processed": True}, "no answer"),
    ({"mode": "cut"}, "no answer"),
    ({"mode": "500"}, "500 <html>"),
    ({"mode": "502", "processed": True}, "502 <html>"),
    ({"mode": "503"}, "503 <html>"),
    ({"mode": "503", "processed": True}, "503 <html>"),
    ({"mode": "429"}, "429 null"),
    ({"mode": "429", "processed": True}, "429 null"),
    ({"mode": "garbage"}, "200 <html>"),
    ({"mode": "garbage", "processed": False}, "200 <html>"),
    ({"mode": "truncated"}, '200 {"stat'),
]
PROCESSED = {"cut", "garbage", "truncated"}


@pytest.mark.parametrize(("rule", "seen"), SEEN)
def test_a_lost_answer_and_an_order_never_received_look_alike_and_the_judges_know(
    caller: Caller, trader: Trader, rule: dict[str, Any], seen: str
) -> None:
    caller.tell("fail", path="/exchange", type="order", times=1, **rule)
    body = an_order(trader)

    assert caller.outcome(body) == seen

    done = rule.get("processed", rule["mode"] in PROCESSED)
    late = rule["mode"] == "delay" and not done
    assert len(trader.told()["orders"]) == done
    if late:
        wait_for(lambda: len(trader.told()["orders"]) == 1)
    again = caller.exchange(body)
    assert again["status"] == ("err" if done or late else "ok")
    assert len(trader.told()["orders"]) == 1
    told = caller.ask("orderStatus", user=trader.address, oid=cloid(1))
    assert told["order"]["status"] == "filled"


def wait_for(true: Any) -> None:
    deadline = time.monotonic() + 5
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_rule_meets_only_its_own_requests_and_only_so_often(
    caller: Caller, trader: Trader
) -> None:
    caller.tell("fail", mode="503", path="/info", type="orderStatus", skip=1, times=2)
    noop = {"type": "noop"}

    def asked(kind: str) -> bool:
        try:
            caller.ask(kind, user=trader.address, oid=1)
        except HttpFault:
            return False
        return True

    assert [asked("orderStatus") for _ in range(5)] == [True, False, False, True, True]
    assert asked("userFills")
    assert caller.outcome(trader.signed(noop)) == "ok"

    caller.tell("fail", mode="500", path="/exchange", type="noop")
    assert caller.outcome(an_order(trader)) == "ok"
    outcomes = [caller.outcome(trader.signed(noop)) for _ in range(3)]
    assert outcomes == ["500 <html>"] * 3
    assert caller.tell("fail", mode=None)["rules"] == []
    assert caller.outcome(trader.signed(noop)) == "ok"


def test_of_two_rules_the_older_goes_first(caller: Caller, trader: Trader) -> None:
    caller.tell("fail", mode="502", path="/exchange", times=1)
    caller.tell("fail", mode="429", path="/exchange", times=1)

    outcomes = [caller.outcome(trader.signed({"type": "noop"})) for _ in range(3)]

    assert outcomes == ["502 <html>", "429 null", "ok"]


def test_a_reset_ends_every_rule(caller: Caller, trader: Trader) -> None:
    caller.tell("fail", mode="drop", times=100)
    caller.tell("lag", orderStatus=60)

    assert caller.tell("reset") == {"prices": {}, "open": {}, "mode": None, "rules": []}

    assert caller.outcome(an_order(trader)) == "ok"
    assert caller.ask("orderStatus", user=trader.address, oid=cloid(1))["status"] == "order"


def test_what_is_slow_for_one_is_not_slow_for_all(caller: Caller, trader: Trader) -> None:
    caller.tell("fail", mode="delay", seconds=8, path="/exchange", times=1)
    began = time.monotonic()
    assert caller.outcome(an_order(trader)) == "no answer"

    assert caller.ask("allMids")["BTC"] == "60000.0"

    assert time.monotonic() - began < 6


@pytest.mark.parametrize(
    "rule",
    [
        {"mode": "delay"},
        {"mode": "delay", "times": 1},
        {"mode": "delay", "seconds": 61},
        {"mode": "drop", "times": 1001},
        {"mode": "drop", "times": -1},
        {"mode": "drop", "times": True},
        {"mode": "drop", "path": 1},
        {"mode": "drop", "processed": "yes"},
        {"mode": "cut", "processed": False},
        {"mode": "empty", "times": 1},
        {"mode": "drop", "seconds": "NaN"},
    ],
)
def test_a_rule_that_makes_no_sense_is_refused(caller: Caller, rule: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer) as refused:
        caller.tell("fail", **rule)

    assert refused.value.status == 400
    assert caller.tell("fail", mode=None)["rules"] == []


def test_there_are_a_hundred_rules_at_most(caller: Caller) -> None:
    for _ in range(100):
        caller.tell("fail", mode="drop", times=1)

    with pytest.raises(BadAnswer):
        caller.tell("fail", mode="drop", times=1)


def test_every_control_and_every_way_to_fail_is_documented(place: Place) -> None:
    told = (ROOT / "docs" / "venues.md").read_text(encoding="utf-8")

    control = place.simulator.control
    paths = [*control.commands, *control.reports]
    assert [path for path in paths if path not in told] == []
    assert [mode for mode in Fault if f"`{mode}`" not in told] == []
