"""The dashboard shows figures that the code writes, under their very names and dimensions."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics.provider import cold_start

from agent_where import measuring
from agent_where.domain import OrderStatus
from agent_where.errors import Unauthorized
from agent_where.execution.executor import Outcome
from agent_where.pipeline import SignalOutcome, SignalStatus
from agent_where.store.connection import Database
from agent_where.store.records import OrderTicket
from agent_where.store.store import Store
from agent_where.venues._calls import calls
from local.environment import ROOT
from local.simulators.ostium import OstiumSimulator
from local.simulators.server import Server
from local.template import load, nested
from tests.handlers.test_alarms import written
from tests.handlers.workers import working
from tests.issuer import AUDIENCE, Issuer
from tests.world import World

SIGNAL = SignalOutcome(
    signal_id=uuid4(), agent_id=uuid4(), status=SignalStatus.ROUTED, venue="OSTIUM", routing_us=900
)
Shown = tuple[str, frozenset[str]]


def widgets() -> list[dict[str, Any]]:
    body = nested()["dashboard.yaml"]["Resources"]["Dashboard"]["Properties"]["DashboardBody"]
    drawn: list[dict[str, Any]] = json.loads(body["Fn::Sub"])["widgets"]
    return drawn


def metrics_of(widget: dict[str, Any]) -> list[Any]:
    told: list[Any] = widget["properties"].get("metrics", [])
    return told


def shown() -> Iterator[tuple[Shown, str | None]]:
    """Our own metrics on the dashboard: name, the dimensions' names, and the service if told."""
    for metric in (each for widget in widgets() for each in metrics_of(widget)):
        match metric:
            case [{"expression": str(text)}]:
                found = re.search(r"\{AgentWhere,([\w,]+)\} MetricName=\"(\w+)\"", text)
                if found:
                    yield (found[2], frozenset(found[1].split(","))), None
            case ["AgentWhere", str(name), "service", str(service), *_]:
                yield (name, frozenset({"service"})), service


def ended(status: OrderStatus, *, followed: bool) -> Outcome:
    ticket = OrderTicket(id=uuid4(), account="0xa", venue="OSTIUM")
    return Outcome(order_id=uuid4(), status=status, detail="", due=(ticket,) if followed else ())


@pytest.fixture
def told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], database_dsn: str
) -> dict[Shown, float]:
    """What a signal, an order, a call to a venue and a run of reconcile tell CloudWatch."""
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "a_service")
    world = World(database_dsn)
    calls().take()
    calls().add("venue.example", 12, is_usable=False)
    metrics = Metrics(namespace=measuring.NAMESPACE)
    measuring.tell_message(metrics, SIGNAL)
    measuring.tell_message(metrics, ended(OrderStatus.REJECTED, followed=True))
    measuring.tell_figures(metrics, Store(world.database).upkeep.write_figures(FIGURES))
    measuring.tell_calls()
    metrics.flush_metrics()
    world.dispose()
    return {
        (name, frozenset(key for key, _ in dimensions)): value
        for (name, dimensions), value in written(capsys.readouterr().out)
    }


FIGURES: dict[str, Any] = {"ordersCannotEnd": 0}


def by_name_and_kind(text: str) -> set[Shown]:
    return {(name, frozenset(key for key, _ in where)) for (name, where), _ in written(text)}


@pytest.fixture
def told_by_functions(
    connections: list[Database],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    database_dsn: str,
) -> set[Shown]:
    """What market_sync tells with one venue out of reach, and the authorizer of a bad token."""
    found: set[Shown] = set()
    world = World(database_dsn)
    monkeypatch.setattr(cold_start, "is_cold_start", True)
    monkeypatch.setenv("HYPERLIQUID_API_URL", "http://127.0.0.1:1")
    with Server(OstiumSimulator(lambda: datetime.now(UTC))) as ostium, Issuer() as issuer:
        monkeypatch.setenv("OSTIUM_SUBGRAPH_URL", f"{ostium.url}/subgraph")
        monkeypatch.setenv("OSTIUM_PRICE_URL", ostium.url)
        monkeypatch.setenv("JWT_ISSUER", issuer.url)
        monkeypatch.setenv("JWT_AUDIENCE", AUDIENCE)
        for function, case in (("market_sync", "schedule"), ("authorizer", "token")):
            monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", function)
            with working(function, world.dsn, monkeypatch, world.queues) as worker:
                capsys.readouterr()
                with suppress(Unauthorized):  # the event's token is nobody's
                    worker.run(case)
            found |= by_name_and_kind(capsys.readouterr().out)
    world.dispose()
    return found


def test_every_figure_of_ours_on_the_dashboard_is_written_with_those_dimensions(
    told: dict[Shown, float], told_by_functions: set[Shown]
) -> None:
    wanted = {figure for figure, _ in shown()}

    assert len(wanted) >= 15
    assert wanted <= told.keys() | told_by_functions


def test_the_figures_of_a_service_are_asked_of_that_service() -> None:
    functions = {path.parent.name for path in (ROOT / "functions").glob("*/app.py")}

    assert {service for _, service in shown() if service} <= functions


def test_every_function_s_time_is_on_the_dashboard() -> None:
    named = {
        resource["Properties"]["FunctionName"]["Fn::Sub"].removeprefix("${AWS::StackName}-")
        for resource in load()["Resources"].values()
        if resource["Type"] == "AWS::Serverless::Function"
    }
    drawn = {
        name.removeprefix("${Name}-")
        for widget in widgets()
        for namespace, metric, _, name in (
            each[:4] for each in metrics_of(widget) if len(each) >= 4
        )
        if (namespace, metric) == ("AWS/Lambda", "Duration")
    }

    assert drawn == named


def test_no_widget_covers_another() -> None:
    places = [
        (x, y)
        for each in widgets()
        for x in range(each["x"], each["x"] + each["width"])
        for y in range(each["y"], each["y"] + each["height"])
    ]

    assert len(places) == len(set(places))
    assert max(x for x, _ in places) < 24


def test_an_order_that_failed_over_is_counted_as_one(told: dict[Shown, float]) -> None:
    assert told["Failovers", frozenset({"service"})] == 1
    assert told["Orders", frozenset({"service", "status"})] == 1


def test_every_function_counts_its_cold_starts() -> None:
    code = [path.read_text() for path in (ROOT / "functions").glob("*/app.py")]
    code.append((ROOT / "layers" / "core" / "agent_where" / "api.py").read_text())

    counting = [text for text in code if "log_metrics(" in text]
    assert len(counting) == 5
    assert all("capture_cold_start_metric=True" in text for text in counting)


@pytest.mark.parametrize("times", [99, 100, 101, 250])
def test_however_many_calls_there_were_one_line_tells_of_the_newest(
    times: int, capsys: pytest.CaptureFixture[str]
) -> None:
    calls().take()
    for took in range(times):
        calls().add("venue.example", took, is_usable=True)

    measuring.tell_calls()

    (line,) = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert line["VenueLatency"] == [float(took) for took in range(times - 99, times)]
