"""What a cold start costs: each handler's import in a fresh process, beside its packages alone;
for two that people wait for the time to its first answer too; and what the layer weighs.

The baseline imports the same third-party modules in the same order and nothing of ours, in
processes that take turns with the handler's: `ratio` is what our own code adds. Milliseconds are
of the processor, so that what else runs here does not count; of a first answer it is the process's
own, from its first import to its answer, with a new connection to a database that is there.
Memory is the peak of the process. The layer is what `make build` left, if it did.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

from benchmarks._measure import migrated, server, told  # noqa: E402 the path is set above
from local.layer import weight  # noqa: E402
from tests.handlers.gateway import seed  # noqa: E402

HANDLERS = sorted((ROOT / "functions").glob("*/app.py"))
PROCESSES = 9
ENVIRONMENT = {
    "PYTHONPATH": str(ROOT / "layers" / "core"),
    "PATH": os.defpath,
    "AWS_DEFAULT_REGION": "eu-central-1",
    "POWERTOOLS_TRACE_DISABLED": "true",
}
HANDLER = """
import resource, runpy, sys, time
began = time.process_time()
runpy.run_path(sys.argv[1], run_name="app")
took = (time.process_time() - began) * 1000
print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
PACKAGES = """
import importlib, json, resource, sys, time
names = json.load(open(sys.argv[1]))
began = time.process_time()
for name in names:
    importlib.import_module(name)
took = (time.process_time() - began) * 1000
print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
FIRST_ANSWERS = {
    "stats_api": "get_stats",
    "config_api": "change_unknown_agent",
}
ANSWER = """
import json, resource, runpy, sys, time
from types import SimpleNamespace
event = json.load(open(sys.argv[2]))
context = SimpleNamespace(
    function_name="f", memory_limit_in_mb=512, invoked_function_arn="arn:aws:lambda:f",
    aws_request_id="1", get_remaining_time_in_millis=lambda: 20_000,
)
began, used = time.perf_counter(), time.process_time()
handler = runpy.run_path(sys.argv[1], run_name="app")["handler"]
answer = handler(event, context)
if answer.get("batchItemFailures") or answer.get("statusCode", 200) >= 500:
    sys.exit(f"it failed: {answer}")
took = (time.process_time() - used) * 1000
waited = (time.perf_counter() - began) * 1000
print(took, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, waited)
"""
LAYER = ROOT / ".aws-sam" / "build" / "CoreLayer"
LOADED = """
import builtins, json, runpy, sys
before = set(sys.modules)
runpy.run_path(sys.argv[1], run_name="app")
print(json.dumps([
    name for name, module in sys.modules.items()
    if name not in before and not name.startswith("agent_where")
    and getattr(module, "__spec__", None) is not None
]))
"""


def once(script: str, argument: Path) -> tuple[float, float]:
    """Milliseconds, and the process's peak in MiB."""
    took, peak = _run(script, argument).split()
    return float(took), float(peak)


def _run(script: str, *arguments: Path, **more: str) -> str:
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.check_output(
        command, env=ENVIRONMENT | more, text=True, stderr=subprocess.DEVNULL
    )


def imported(handler: Path, place: Path) -> None:
    """The two lines of one handler."""
    name = handler.parent.name
    packages = place / f"{name}.json"
    packages.write_text(_run(LOADED, handler))
    taken, alone, peaks = [], [], []
    for _ in range(PROCESSES):
        took, _peak = once(PACKAGES, packages)
        alone.append(took)
        took, peak = once(HANDLER, handler)
        taken.append(took)
        peaks.append(peak)
    baseline = told(f"import {name}: its packages alone", alone, "ms")
    told(f"import {name}", taken, "ms", baseline=baseline, peak_mib=round(max(peaks)))


def answered(function: str, event: str, dsn: str) -> None:
    """The line of one first answer."""
    handler = ROOT / "functions" / function / "app.py"
    asked = ROOT / "events" / function / f"{event}.json"
    environment = {
        "DATABASE_URL": dsn,
        "POWERTOOLS_METRICS_NAMESPACE": "benchmark",
        **{f"{queue}_QUEUE_URL": "http://127.0.0.1:1/q" for queue in ("SIGNAL", "ORDER")},
    }
    said = [_run(ANSWER, handler, asked, **environment) for _ in range(PROCESSES)]
    told_by = [each.splitlines()[-1].split() for each in said]  # before it: log and figures
    took, peaks, waited = zip(*(map(float, each) for each in told_by), strict=True)
    clock = round(statistics.median(waited))
    name = f"first answer of {function}"
    told(name, took, "ms", on_the_clock_ms=clock, peak_mib=round(max(peaks)))


def main() -> None:
    """Every handler's import, the first answers, the layer."""
    import tempfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="agent-where-bench-") as place:
        for handler in HANDLERS:
            imported(handler, Path(place))
    with server() as started, migrated(started.dsn()) as database:
        seed(database)
        for function, event in FIRST_ANSWERS.items():
            answered(function, event, started.dsn())
    if LAYER.is_dir():
        told("the layer, unpacked", [weight(LAYER) / 1e6], "MB")


if __name__ == "__main__":
    main()
