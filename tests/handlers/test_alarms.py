"""Each alarm on a figure of our own watches one that the code writes, under the very same name."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from agent_where.domain import Fill, Side
from agent_where.measuring import WATCHED, tell_venues
from agent_where.store.books import AccountAt
from agent_where.store.connection import Database
from agent_where.venues.base import AccountFill, Cause
from agent_where.venues.tally import Said, Tally
from local.template import load
from tests.handlers.gateway import ROOT, Function
from tests.handlers.workers import working
from tests.world import World

NAMESPACE = "AgentWhere"
WALLET = f"0x{'ab' * 20}"
SOMEBODY_S = AccountFill(
    fill=Fill(
        venue_fill_id="1:1",
        size=Decimal(1),
        price=Decimal(60_000),
        fee_usd=Decimal(0),
        at=datetime.now(UTC),
    ),
    market_name="BTC/USD",
    token_symbol="BTC",
    side=Side.LONG,
    venue_ref="1",
    client_order_id=None,
    held_before=Decimal(0),
    direction="Open Long",
    closed_pnl_usd=Decimal(0),
    cause=Cause.ORDER,
)
Figure = tuple[str, frozenset[tuple[str, str]]]


def watched() -> dict[Figure, dict[str, Any]]:
    """Our own alarms by metric and dimensions."""
    alarms = (
        resource["Properties"]
        for resource in load()["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    )
    return {
        (
            alarm["MetricName"],
            frozenset((each["Name"], each["Value"]) for each in alarm["Dimensions"]),
        ): alarm
        for alarm in alarms
        if alarm["Namespace"] == NAMESPACE
    }


def written(text: str) -> Iterator[tuple[Figure, float]]:
    """The figures that CloudWatch would take out of a log, by metric and dimensions."""
    for line in text.splitlines():
        told = json.loads(line)
        for block in told.get("_aws", {}).get("CloudWatchMetrics", []):
            assert block["Namespace"] == NAMESPACE
            for names in block["Dimensions"]:
                dimensions = frozenset((name, told[name]) for name in names)
                for metric in block["Metrics"]:
                    yield (metric["Name"], dimensions), told[metric["Name"]][0]


def service(function: str) -> str:
    """What the template tells a function that it is called."""
    (variables,) = (
        resource["Properties"]["Environment"]["Variables"]
        for resource in load()["Resources"].values()
        if resource["Properties"].get("CodeUri") == f"functions/{function}"
    )
    return str(variables["POWERTOOLS_SERVICE_NAME"])


@pytest.fixture
def world(database_dsn: str, connections: list[Database]) -> Iterator[World]:
    made = World(database_dsn)
    yield made
    made.dispose()


def figures(
    function: str, world: World, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> dict[Figure, float]:
    """What one run of a function writes, its venues out of reach."""
    patch.setenv("POWERTOOLS_SERVICE_NAME", service(function))
    for name in ("HYPERLIQUID_API_URL", "OSTIUM_SUBGRAPH_URL", "OSTIUM_PRICE_URL"):
        patch.setenv(name, "http://127.0.0.1:1")
    with working(function, world.dsn, patch, world.queues) as worker:
        capsys.readouterr()
        worker.run("schedule")
    return dict(written(capsys.readouterr().out))


def test_every_figure_that_an_alarm_watches_is_written(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found: dict[Figure, float] = {}
    for function in ("market_sync", "reconcile"):
        found |= figures(function, world, monkeypatch, capsys)

    assert {name for name, _ in watched()} == {
        "VenuesNotSynced",
        "OrdersStillOpen",
        "RestoresOpen",
        *(f"{figure[0].upper()}{figure[1:]}" for figure in WATCHED),
    }
    assert watched().keys() <= found.keys()


def test_venues_out_of_reach_are_over_the_alarm_s_threshold(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = figures("market_sync", world, monkeypatch, capsys)

    figure = ("VenuesNotSynced", frozenset({("service", "market_sync")}))
    assert found[figure] == 2
    assert found[figure] > watched()[figure]["Threshold"]


def test_a_restore_that_waits_for_a_decision_is_over_the_alarm_s_threshold_until_it_is_taken(
    world: World, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    restores = world.store.restores
    restores.begin(datetime.now(UTC) - timedelta(hours=1), "an operator", "the disk was lost")
    world.database.run_together(
        ("SET LOCAL session_replication_role = replica", {}),
        ("UPDATE restores SET told_at = told_at - interval '2 minutes'", {}),
    )
    restores.keep(AccountAt(WALLET, "HYPERLIQUID"), [SOMEBODY_S], [])
    figure = ("RestoresOpen", frozenset({("service", "reconcile")}))

    waiting = figures("reconcile", world, monkeypatch, capsys)[figure]
    (fill,) = restores.unowned(10)
    restores.ignore(fill["id"], "an operator", "it is the user's own")
    decided = figures("reconcile", world, monkeypatch, capsys)[figure]

    assert waiting > watched()[figure]["Threshold"] == decided


@pytest.mark.parametrize(
    ("case", "refused"), [("get_stats", 0), ("unknown_path", 1)], ids=["answered", "refused"]
)
def test_an_http_function_counts_its_requests_and_what_it_refused(
    api_database: Database,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    case: str,
    refused: int,
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "stats_api")

    Function("stats_api").send(case)

    here = frozenset({("service", "stats_api")})
    assert dict(written(capsys.readouterr().out)) == {
        ("Requests", here): 1,
        ("RequestsRefused", here): refused,
        ("RequestsUnavailable", here): 0,
    }


def test_an_http_function_counts_what_it_could_not_answer(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "stats_api")
    monkeypatch.setenv("POWERTOOLS_TRACE_DISABLED", "true")
    monkeypatch.setenv("DATABASE_URL", "postgresql://u:p@127.0.0.1:1/n")

    Function("stats_api").send("get_stats")

    found = {name: value for (name, _), value in written(capsys.readouterr().out)}
    assert found == {"Requests": 1, "RequestsRefused": 0, "RequestsUnavailable": 1}


def test_a_schedule_that_has_stopped_sets_off_one_alarm_and_leaves_the_others_as_they_were() -> (
    None
):
    kinds = {name: alarm["TreatMissingData"] for (name, _), alarm in watched().items()}

    assert {name for name, kind in kinds.items() if kind == "breaching"} == {
        "VenuesNotSynced",
        "OrdersStillOpen",
    }
    assert set(kinds.values()) == {"breaching", "ignore"}


def test_every_alarm_goes_to_the_topic_and_is_explained() -> None:
    text = (ROOT / "docs" / "alarms.md").read_text(encoding="utf-8")

    for (name, _), alarm in watched().items():
        assert alarm["AlarmActions"] == [{"Ref": "AlarmTopic"}]
        assert f"`{name}`" in text


@pytest.mark.parametrize(
    ("name", "statistic", "periods"),
    [("PositionsUnexpected", "Maximum", 1), ("PositionsUnexplained", "Minimum", 2)],
)
def test_what_may_explain_itself_has_ten_minutes_and_what_will_not_has_none(
    name: str, statistic: str, periods: int
) -> None:
    alarm = watched()[name, frozenset({("service", "reconcile")})]

    assert (alarm["Statistic"], alarm["EvaluationPeriods"]) == (statistic, periods)
    assert (alarm["Period"], alarm["Threshold"]) == (300, 0)


def test_what_a_venue_said_is_counted_once_by_venue(capsys: pytest.CaptureFixture[str]) -> None:
    tally = Tally()
    for _ in range(2):
        tally.add("HYPERLIQUID", Said.TOO_MANY_REQUESTS)
    tally.add("HYPERLIQUID", Said.REQUESTS_USED_UP)

    tell_venues(tally)
    tell_venues(tally)

    here = frozenset({("venue", "HYPERLIQUID")})
    assert dict(written(capsys.readouterr().out)) == {
        ("TooManyRequests", here): 2,
        ("RequestsUsedUp", here): 1,
    }
