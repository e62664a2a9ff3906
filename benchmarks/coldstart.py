"""What a cold start costs: each handler's import in a fresh process, beside its packages alone.

The baseline imports the same third-party modules in the same order and nothing of ours, in
processes that take turns with the handler's: `ratio` is what our own code adds. Milliseconds are
of the processor, so that what else runs here does not count. Memory is the peak of the process.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

from benchmarks._measure import told  # noqa: E402 the path is set above

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


def _run(script: str, argument: Path) -> str:
    command = [sys.executable, "-c", script, str(argument)]
    return subprocess.check_output(command, env=ENVIRONMENT, text=True)


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


def main() -> None:
    """Every handler's import."""
    import tempfile  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="agent-where-bench-") as place:
        for handler in HANDLERS:
            imported(handler, Path(place))


if __name__ == "__main__":
    main()
