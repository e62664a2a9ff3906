"""What the demonstration shows: one line a signal, and what closing came to."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table

from local.samples import Sample

Row = Mapping[str, Any]


def show_opened(
    console: Console, title: str, samples: Sequence[Sample], rows: Sequence[Row]
) -> None:
    """What became of each sample signal, in the same order."""
    table = Table(title=title, title_justify="left")
    for heading in ("agent", "token", "over", "requested", "selected", "reason", "order"):
        table.add_column(heading, overflow="fold")
    table.add_column("fill price", justify="right")
    table.add_column("latency", justify="right")
    for sample, row in zip(samples, rows, strict=True):
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


def show_closed(console: Console, row: Row, moved: str = "") -> None:
    """What became of one CLOSE. `moved`: what was done to the price, after a comma."""
    title = f"CLOSE {row['token_symbol']}{moved}"
    if row["skipped_reason"]:
        console.print(f"{title}: {row['skipped_reason']}", markup=False)
        return
    table = Table(title=title, title_justify="left")
    for heading in ("venue", "order", "entry price", "exit price", "pnl"):
        table.add_column(heading)
    pnl = "unknown" if row["pnl"] is None else f"{row['pnl']:+.4f} USD"
    prices = (_price(row["entry_price"]), _price(row["average_price"]))
    table.add_row(row["venue"], row["status"], *prices, pnl)
    console.print(table)


def _price(price: Decimal | None) -> str:
    return "" if price is None else f"{price.normalize():f}"[:14]
