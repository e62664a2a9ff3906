"""The main job, shown once: sample signals in, a table of what was decided and traded out."""

import json
import shutil
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import uuid4

from rich.console import Console

from agent_where.store.connection import Database, DatabaseSettings
from local.following import called, followed
from local.processes import StepFailed
from local.samples import CLOSINGS, LIVE, LIVE_CLOSINGS, PAPER, Sample
from local.stack import Stack
from local.tables import Row, show_closed, show_opened
from local.venues import tell

_PATIENCE_SECONDS = 90
_LIVE_PATIENCE_SECONDS = 180
_RECONCILE_EVERY_SECONDS = 10
_LEAST_WIDTH = 160
_RISE = Decimal("1.01")
_PAPER_TITLE = "LONG, 1 % of the paper balance at leverage 3"
_LIVE_TITLE = "LONG, 1 % of the balance at leverage 3, at simulated venues and on a local chain"
_LATENCY = "Latency is this machine's: mostly the local AWS polling and starting functions."
_LIVE_LATENCY = " On the chain a block takes a second, and a keeper fills some blocks later."

_OUTCOMES = """
SELECT s.id, s.token_symbol, s.requested_venue, s.skipped_reason, h.routing_reason, s.decided_at,
       o.venue, o.status, o.average_price, o.detail, p.pnl, p.entry_price,
       CAST(round(1000 * extract(epoch FROM coalesce(o.settled_at, s.decided_at) - s.received_at))
            AS int) AS latency_ms
FROM signals s
LEFT JOIN LATERAL (
    SELECT * FROM venue_routing_history WHERE signal_id = s.id ORDER BY attempt DESC LIMIT 1
) h ON true
LEFT JOIN LATERAL (
    SELECT * FROM venue_orders
    WHERE signal_id = s.id AND purpose IN ('ENTRY', 'CLOSE')
    ORDER BY attempt DESC, created_at DESC LIMIT 1
) o ON true
LEFT JOIN positions p ON p.id = o.position_id
WHERE s.id = ANY (CAST(:ids AS uuid[]))
"""


def demo(stack: Stack, *, live: bool = False) -> None:
    """Send the sample signals, wait for their ends, show them; then close something.

    Args:
        live: orders are signed and sent, and one is refused and falls over to the other venue.

    Raises:
        StepFailed: the API refused something, or a signal did not end in time.
    """
    console = Console(width=max(_LEAST_WIDTH, shutil.get_terminal_size().columns))
    database = Database(DatabaseSettings.from_url(stack.dsn))
    samples, closings = (LIVE, LIVE_CLOSINGS) if live else (PAPER, CLOSINGS)
    try:
        _keep_hours(stack)
        agents = followed(stack, {sample.agent: None for sample in samples}, live=live)
        opened = [_send(stack, agents, sample) for sample in samples]
        rows = _outcomes(stack, database, opened, live=live)
        show_opened(console, _LIVE_TITLE if live else _PAPER_TITLE, samples, rows)
        console.print(f"{_LATENCY}{_LIVE_LATENCY if live else ''}")
        moved = _raise_btc(stack, rows[0]["average_price"])
        sent = [_send(stack, agents, sample, action="CLOSE") for sample in closings]
        first, *others = _outcomes(stack, database, sent, live=live)
        show_closed(console, first, moved)
        for row in others:
            show_closed(console, row)
    finally:
        database.close()


def _keep_hours(stack: Stack) -> None:
    """So that the table is the same at any hour: currencies and gold open, the stock closed."""
    if stack.venues is None:
        return
    for pair, is_open in (("EURUSD", True), ("XAUUSD", True), ("NVDAUSD", False)):
        tell(stack.venues.ostium_prices, "market", coin=pair, open=is_open)
    stack.invoke("market_sync")


def _raise_btc(stack: Stack, price: Decimal | None) -> str:
    """So that the close has something to show. Returns how that is told."""
    if stack.venues is None or price is None:
        return ""
    raised = str((price * _RISE).to_integral_value())
    tell(stack.venues.hyperliquid, "price", coin="BTC", price=raised)
    stack.invoke("market_sync")
    return ", its simulated price up 1 %"


def _send(stack: Stack, agents: Mapping[str, str], sample: Sample, *, action: str = "OPEN") -> str:
    signal_id, agent = str(uuid4()), agents[sample.agent]
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
        called(stack, "POST", "/signals", body)
    else:
        stack.send("Signal", json.dumps(body), group=agent, deduplication=signal_id)
    return signal_id


def _outcomes(stack: Stack, database: Database, ids: Sequence[str], *, live: bool) -> list[Row]:
    """The signals in the order they were sent, once all have come to their end.

    Live, what a keeper takes long over is asked about, as it is each minute anyway.
    """
    patience = _LIVE_PATIENCE_SECONDS if live else _PATIENCE_SECONDS
    until = time.monotonic() + patience
    reconcile_at = time.monotonic() + _RECONCILE_EVERY_SECONDS
    while True:
        rows = {str(row["id"]): row for row in database.run(_OUTCOMES, ids=list(ids))}
        open_ids = [each for each in ids if not _has_ended(rows.get(each))]
        if not open_ids:
            return [rows[each] for each in ids]
        if time.monotonic() > until:
            raise StepFailed(f"signals without an end after {patience} s: {open_ids}")
        if live and time.monotonic() > reconcile_at:
            stack.invoke("reconcile")
            reconcile_at = time.monotonic() + _RECONCILE_EVERY_SECONDS
        time.sleep(0.2)


def _has_ended(row: Mapping[str, Any] | None) -> bool:
    if row is None or row["decided_at"] is None:
        return False
    return row["skipped_reason"] is not None or row["status"] in ("FILLED", "REJECTED", "EXPIRED")
