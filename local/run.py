"""`make run`: everything on this machine, the main job shown once, then left up until Ctrl-C.

Environment:
    ONCE: anything but empty ends after the table, with exit code 0.
    VENUES: `simulated` (default) or `mainnet`: the real venues are asked, trades stay on paper.
"""

import os
import signal
import sys
import threading
from types import FrameType

from rich.console import Console

from local.demo import demo
from local.deployment import running
from local.environment import Home
from local.processes import StepFailed
from local.progress import steps
from local.stack import Stack


def main() -> int:
    """Run it; returns the process's exit code."""
    console = Console(soft_wrap=True)
    venues = os.environ.get("VENUES", "simulated")
    if venues not in ("simulated", "mainnet"):
        console.print(f"VENUES must be simulated or mainnet, not {venues!r}", markup=False)
        return 2
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)
    try:
        with running(Home(), steps(console), simulated=venues == "simulated") as stack:
            demo(stack)
            if not os.environ.get("ONCE"):
                _stay_up(console, stack)
    except StepFailed as fault:
        _tell(console, fault)
        return 1
    except KeyboardInterrupt:
        console.print("\nstopped; the data stays in .local")
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _stay_up(console: Console, stack: Stack) -> None:
    call = f"curl --user local:local --aws-sigv4 aws:amz:us-east-1:execute-api {stack.api_url}"
    console.print(f"\nThe API is up: {stack.api_url}", highlight=False)
    console.print(f"  {call}/venue-routing/config", highlight=False)
    console.print(f"  {call}/venue-routing/stats?timeWindow=hour", highlight=False)
    console.print("Ctrl-C stops everything and keeps the data in .local.")
    threading.Event().wait()


def _tell(console: Console, fault: StepFailed) -> None:
    console.print(f"\nfailed: {fault}", markup=False, highlight=False)
    if tail := fault.tail():
        console.print(f"the end of {fault.log}:\n{tail}", markup=False, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
