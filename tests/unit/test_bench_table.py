"""The table of docs/performance.md: what a run printed, and nothing that it did not."""

import json

from benchmarks.table import table

RUN = {"load": 1.5, "cores": 2, "python": "3.11.2", "postgres": "18"}


def printed(name: str, **fields: float) -> str:
    return json.dumps({"name": name, **fields, **RUN})


def test_a_missed_aim_is_bold_and_what_no_line_has_is_not_measured() -> None:
    told = table(
        [
            printed("decide, 10 candidates, pure", median=51.2),
            printed("1 worker on paper", median=150.0),
            "a note on the side",
        ]
    )

    assert "| pure decision of 10 candidates, µs | ≤ 50 | **51.2** |" in told
    assert "| one worker on paper, signals/s | ≥ 150 | 150 |" in told
    assert "| the layer, unpacked, MB |  | not measured |" in told
    assert "2 cores, load 1.5 to 1.5, CPython 3.11.2" in told


def test_of_several_lines_of_one_name_the_last_is_told() -> None:
    name = "statistics of a week, admin"
    told = table([printed(name, p95=40, rows=1), printed(name, p95=20, growth=1.2, rows=10)])

    assert "| 20, not measured, 1.2, 10 |" in told
