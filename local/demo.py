"""The main job, shown once: sample signals in, a table of what was decided and traded out."""

import json
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import uuid4

import urllib3
from rich.console import Console
from rich.table import Table

from agent_where.store.connection import Database, DatabaseSettings
from local.processes import StepFailed
from local.stack import Stack

USER = "0x" + "11" * 20
CREATOR = "0x" + "22" * 20
_PATIENCE_SECONDS = 90
_LEAST_WIDTH = 160
_RISE = Decimal("1.01")

_OUTCOMES = """
SELECT s.id, s.token_symbol, s.requested_venue, s.skipped_reason, h.routing_reason, s.decided_at,
       o.venue, o.status, o.average_price, o.detail, p.pnl, p.entry_price,
       CAST(round(1000 * extract(epoch FROM coalesce(o.settled_at, s.decided_at) - s.received_at))
            AS int) AS latency_ms
FROM signals s
LEFT JOIN venue_routing_history h
       ON h.signal_id = s.id AND h.deployment_id IS NULL AND h.attempt = 1
LEFT JOIN LATERAL (
    SELECT * FROM venue_orders
    WHERE signal_id = s.id AND purpose IN ('ENTRY', 'CLOSE')
    ORDER BY attempt DESC, created_at DESC LIMIT 1
) o ON true
LEFT JOIN positions p ON p.id = o.position_id
WHERE s.id = ANY (CAST(:ids AS uuid[]))
"""


@dataclass(frozen=True, slots=True)
class Sample:
    """One sample signal: who sends it and how, and for which token."""

    agent: str
    token: str
    over: str


SAMPLES = (
    Sample("multi", "BTC", "HTTP"),
    Sample("multi", "EUR", "queue"),
    Sample("multi", "XAU", "queue"),
    Sample("multi", "NVDA", "queue"),
    Sample("multi", "kPEPE", "HTTP"),
    Sample("multi", "NOSUCHCOIN", "queue"),
    Sample("reversed", "BTC", "queue"),
    Sample("static", "BTC", "queue"),
)
AGENTS: Mapping[str, tuple[str, str]] = {
    "multi": ("Sample: MULTI", "MULTI"),
    "reversed": ("Sample: MULTI, Ostium first", "MULTI"),
    "static": ("Sample: HYPERLIQUID only", "HYPERLIQUID"),
}


def demo(stack: Stack) -> None:
    """Send the sample signals, wait for their ends, show them; then close one position.

    Raises:
        StepFailed: the API refused something, or a signal did not end in time.
    """
    console = Console(width=max(_LEAST_WIDTH, shutil.get_terminal_size().columns))
    database = Database(DatabaseSettings.from_url(stack.dsn))
    try:
        _keep_hours(stack)
        agents = {name: _agent(stack, *told) for name, told in AGENTS.items()}
        _prefer_ostium(stack, agents["reversed"])
        opened = [_send(stack, agents[sample.agent], sample) for sample in SAMPLES]
        rows = _outcomes(database, opened)
        _show_opened(console, rows)
        moved = _raise_btc(stack, rows[0]["average_price"])
        closing = _send(stack, agents["multi"], Sample("multi", "BTC", "HTTP"), action="CLOSE")
        _show_closed(console, _outcomes(database, [closing])[0], moved)
    finally:
        database.close()


def _keep_hours(stack: Stack) -> None:
    """So that the table is the same at any hour: currencies and gold open, the stock closed."""
    if stack.venues is None:
        return
    for pair, is_open in (("EURUSD", True), ("XAUUSD", True), ("NVDAUSD", False)):
        _simulate(stack.venues.ostium_prices, "market", {"coin": pair, "open": is_open})
    stack.invoke("market_sync")


def _raise_btc(stack: Stack, price: Decimal | None) -> str:
    """So that the close has something to show. Returns how that is told."""
    if stack.venues is None or price is None:
        return ""
    raised = str((price * _RISE).to_integral_value())
    _simulate(stack.venues.hyperliquid, "price", {"coin": "BTC", "price": raised})
    stack.invoke("market_sync")
    return ", its simulated price up 1 %"


def _simulate(simulator: str, what: str, body: Mapping[str, object]) -> None:
    url, told = f"{simulator}/simulator/{what}", json.dumps(body)
    answer = urllib3.request("POST", url, body=told, timeout=5, retries=False)
    if answer.status != 200:
        raise StepFailed(f"the simulator refused {told}: {answer.data[:200]!r}")


def _agent(stack: Stack, name: str, venue: str) -> str:
    """The sample agent of that name with its one follower; made where it is missing."""
    known = next((each for each in _agents(stack) if each["name"] == name), None)
    if known:
        return str(known["id"])
    body = {
        "name": name,
        "venue": venue,
        "status": "ACTIVE",
        "creator_wallet": CREATOR,
        "profit_receiver_address": CREATOR,
    }
    agent = str(_call(stack, "POST", "/agents", body)["agent"]["id"])
    follower = {"venues": ["HYPERLIQUID", "OSTIUM"], "user_wallet": USER}
    _call(stack, "POST", f"/agents/{agent}/deployments", follower)
    return agent


def _agents(stack: Stack) -> Iterator[dict[str, Any]]:
    cursor = ""
    while True:
        page = _call(stack, "GET", f"/agents{cursor}")
        yield from page["agents"]
        if not page["nextCursor"]:
            return
        cursor = f"?cursor={page['nextCursor']}"


def _prefer_ostium(stack: Stack, agent: str) -> None:
    body = {"agentId": agent, "venuePriority": ["OSTIUM", "HYPERLIQUID"]}
    _call(stack, "POST", "/venue-routing/config", body)


def _send(stack: Stack, agent: str, sample: Sample, *, action: str = "OPEN") -> str:
    signal_id = str(uuid4())
    body: dict[str, Any] = {
        "signalId": signal_id,
        "agentId": agent,
        "tokenSymbol": sample.token,
        "action": action,
    }
    if action == "OPEN":
        body["side"] = "LONG"
        body["sizeModel"] = {"type": "balance-percentage", "value": "1", "leverage": "3"}
        body["riskModel"] = {"stopLoss": "0.05", "takeProfit": "0.10"}
    if sample.over == "HTTP":
        _call(stack, "POST", "/signals", body)
    else:
        stack.send("Signal", json.dumps(body), group=agent, deduplication=signal_id)
    return signal_id


def _outcomes(database: Database, ids: Sequence[str]) -> list[dict[str, Any]]:
    """The signals in the order they were sent, once all have come to their end."""
    until = time.monotonic() + _PATIENCE_SECONDS
    while True:
        rows = {str(row["id"]): row for row in database.run(_OUTCOMES, ids=list(ids))}
        open_ids = [each for each in ids if not _has_ended(rows.get(each))]
        if not open_ids:
            return [rows[each] for each in ids]
        if time.monotonic() > until:
            raise StepFailed(f"signals without an end after {_PATIENCE_SECONDS} s: {open_ids}")
        time.sleep(0.2)


def _has_ended(row: Mapping[str, Any] | None) -> bool:
    if row is None or row["decided_at"] is None:
        return False
    return row["skipped_reason"] is not None or row["status"] in ("FILLED", "REJECTED", "EXPIRED")


def _show_opened(console: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    table = Table(title="LONG, 1 % of the paper balance at leverage 3", title_justify="left")
    for heading in ("agent", "token", "over", "requested", "selected", "reason", "order"):
        table.add_column(heading, overflow="fold")
    table.add_column("fill price", justify="right")
    table.add_column("latency", justify="right")
    for sample, row in zip(SAMPLES, rows, strict=True):
        table.add_row(
            sample.agent,
            f"{sample.token} ({row['token_symbol']})"
            if sample.token != row["token_symbol"]
            else sample.token,
            sample.over,
            row["requested_venue"],
            row["venue"] or "none",
            row["routing_reason"] or row["skipped_reason"] or "static, not routed",
            row["status"] or "skipped",
            _price(row["average_price"]),
            f"{row['latency_ms']} ms",
        )
    console.print(table)
    console.print("Latency is this machine's: mostly the local AWS polling and starting functions.")


def _show_closed(console: Console, row: Mapping[str, Any], moved: str) -> None:
    if row["skipped_reason"]:
        console.print(f"CLOSE BTC: {row['skipped_reason']}", markup=False)
        return
    table = Table(title=f"CLOSE BTC{moved}", title_justify="left")
    for heading in ("venue", "order", "entry price", "exit price", "pnl"):
        table.add_column(heading)
    pnl = "unknown" if row["pnl"] is None else f"{row['pnl']:+.4f} USD"
    prices = (_price(row["entry_price"]), _price(row["average_price"]))
    table.add_row(row["venue"], row["status"], *prices, pnl)
    console.print(table)


def _price(price: Decimal | None) -> str:
    return "" if price is None else f"{price.normalize():f}"[:14]


def _call(stack: Stack, method: str, path: str, body: Mapping[str, object] | None = None) -> Any:  # noqa: ANN401 - JSON
    answer = stack.call(method, path, None if body is None else dict(body))
    if answer.status >= 300:
        raise StepFailed(f"{method} {path} answered {answer.status}: {answer.body}")
    return answer.body
