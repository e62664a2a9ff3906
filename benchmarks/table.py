"""The table of docs/performance.md from what `make bench` printed.

    make bench > bench.jsonl
    PYTHONPATH=layers/core:. .venv/project/bin/python -m benchmarks.table < bench.jsonl

A figure that misses its aim is bold; one that no line has is said to be not measured. Where several
lines are of one name, as the statistics' are of each number of rows, the last is told.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Line = Mapping[str, Any]
Lines = Mapping[str, Line]


@dataclass(frozen=True)
class Figure:
    """One figure: which line, which of its fields, and what it may be."""

    name: str
    field: str = "median"
    at_most: float | None = None
    at_least: float | None = None

    def missed(self, value: float) -> bool:
        over = self.at_most is not None and value > self.at_most
        return over or (self.at_least is not None and value < self.at_least)

    def told(self, lines: Lines) -> str:
        value = lines.get(self.name, {}).get(self.field)
        if value is None:
            return "not measured"
        return f"**{value:g}**" if self.missed(value) else f"{value:g}"

    @property
    def aim(self) -> str:
        if self.at_most is not None:
            return f"≤ {self.at_most:g}"
        return "" if self.at_least is None else f"≥ {self.at_least:g}"


@dataclass(frozen=True)
class Row:
    """A row of the table: what it tells, and its figures in the order of the words."""

    what: str
    figures: tuple[Figure, ...]

    def told(self, lines: Lines) -> str:
        aims = ", ".join(each.aim or "-" for each in self.figures)
        aims = "" if set(aims) <= set("-, ") else aims
        return f"| {self.what} | {aims} | {', '.join(each.told(lines) for each in self.figures)} |"


def route(candidates: str, which: str, at: str = "0 ms round trip") -> str:
    return f"route, {candidates}, {which}, {at}"


def rows() -> Iterator[Row]:
    """Every figure that issue and documents name an aim for, and those that explain it."""
    yield from routed()
    yield Row(
        "pure decision of 10 candidates, µs", (Figure("decide, 10 candidates, pure", at_most=50),)
    )
    fan = "fan-out to 1000"
    yield Row(
        "fan-out to 1,000: round trips, database's processor time, waited for the database, ms",
        (
            Figure(fan, "round_trips", at_most=4),
            Figure(fan, "database_cpu_ms", at_most=150),
            Figure(fan, "database_ms", at_most=150),
        ),
    )
    yield Row(
        "the same from its id to the queue, its 100 batches in turn alone, ms",
        (Figure(fan), Figure(fan, "batches_in_turn_ms")),
    )
    for which in ("unchanged", "all changed"):
        name = f"sync of 500 markets, {which}"
        yield Row(
            f"{name}: round trips, ms",
            (Figure(name, "round_trips", at_most=3), Figure(name, at_most=60)),
        )
    yield from statistics()
    yield from started()
    one = "1 worker on paper"
    yield Row("one worker on paper, signals/s", (Figure(one, at_least=150),))
    yield Row(
        "processor time of a signal with its order, the database's part, ms",
        (Figure(one, "cpu_ms"), Figure(one, "database_cpu_ms")),
    )
    yield Row(
        "2 and 4 workers against one",
        (Figure("2 workers on paper", "ratio"), Figure("4 workers on paper", "ratio", at_least=2)),
    )


def routed() -> Iterator[Row]:
    """The router beside the original's pattern."""
    first, last = "the first can trade", "the last can trade"
    cases = (("1 candidate", first), ("2 candidates", last), ("10 candidates", last))
    yield Row(
        "a stored signal routed: round trips",
        (Figure(route(*cases[0]), "round_trips", at_most=2),),
    )
    for field, against in (
        ("ratio", "the original's pattern"),
        ("ratio_from_its_id", "the same with its signal read"),
        ("ratio_kept", "the pattern with its statements kept"),
    ):
        for case in cases:
            ours = [
                Figure(route(*case), field, at_most=0.5),
                Figure(route(*case, "1 ms round trip"), field, at_most=0.4),
            ]
            durable = "" if case == cases[2] else "; durable, 0 ms"
            if durable:
                ours.append(Figure(route(*case) + ", durable", field, at_most=0.5))
            what = f"against {against}, {case[0]}, {case[1]}: 0 ms, 1 ms{durable}"
            yield Row(what, tuple(ours))
    for case in cases:
        name = route(*case)
        yield Row(
            f"processor time of it, {case[0]}: ours, the pattern's, ms",
            (Figure(name, "cpu_ms"), Figure(f"{name}: the original's pattern", "cpu_ms")),
        )


def statistics() -> Iterator[Row]:
    """A week of as many decisions as were asked for."""
    for of, who in (
        ("", "admin"),
        ("", "one creator"),
        (", one token", "admin"),
        (", one token", "one creator"),
    ):
        name = f"statistics of a week{of}, {who}"
        yield Row(
            f"{name}: p95 and processor time, ms; growth from a tenth of the rows; rows",
            (
                Figure(name, "p95", at_most=30),
                Figure(name, "cpu_ms"),
                Figure(name, "growth", at_most=1.5),
                Figure(name, "rows"),
            ),
        )


def started() -> Iterator[Row]:
    """Cold starts."""
    for function in (
        "authorizer",
        "config_api",
        "market_sync",
        "reconcile",
        "route_execute",
        "signal_intake",
        "stats_api",
    ):
        name = f"import {function}"
        yield Row(
            f"{name}: against its packages alone, ms, peak MiB",
            (Figure(name, "ratio", at_most=1.3), Figure(name), Figure(name, "peak_mib")),
        )
    for function in ("stats_api", "config_api"):
        name = f"first answer of {function}"
        yield Row(
            f"{name}: processor time and on the clock, ms, peak MiB",
            (Figure(name), Figure(name, "on_the_clock_ms"), Figure(name, "peak_mib")),
        )
    yield Row("the layer, unpacked, MB", (Figure("the layer, unpacked"),))


def table(printed: Iterable[str]) -> str:
    """Markdown, with what it was measured on below."""
    read = [json.loads(line) for line in printed if line.startswith("{")]
    lines = {line["name"]: line for line in read}
    told = ["| what | aim | measured |", "|---|---|---|", *(row.told(lines) for row in rows())]
    loads = sorted(line["load"] for line in read)
    if loads:
        on = read[0]
        machine = f"{on['cores']} cores, load {loads[0]:g} to {loads[-1]:g}"
        told += ["", f"{machine}, CPython {on['python']}, PostgreSQL {on['postgres']}."]
    return "\n".join(told) + "\n"


if __name__ == "__main__":
    sys.stdout.write(table(sys.stdin))
