"""`make run`: everything on this machine, the main job shown once, then left up until Ctrl-C.

Environment:
    ONCE: anything but empty ends after the table, with exit code 0.
    VENUES: `simulated` (default) or `mainnet`: the real venues are asked, trades stay on paper.
"""

import os
import signal
import sys
import threading
from contextlib import suppress
from types import FrameType

from rich.console import Console

from local.demo import demo
from local.deployment import running
from local.environment import REGION, Home
from local.processes import StepFailed
from local.progress import steps
from local.stack import Stack

CALL = f"curl --user local:local --aws-sigv4 aws:amz:{REGION}:execute-api"


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
        simulated = venues == "simulated"
        home = Home() if simulated else Home.of_real_venues()
        with running(home, steps(console), simulated=simulated) as stack:
            demo(stack)
            if not os.environ.get("ONCE"):
                _stay_up(console, stack)
    except StepFailed as fault:
        _tell(console, fault)
        return 1
    except KeyboardInterrupt:
        console.print("\nstopped before it was up")
        return 130
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _stay_up(console: Console, stack: Stack) -> None:
    console.print(f"\nThe API is up: {stack.api_url}", highlight=False)
    for path in ("/venue-routing/config", "/venue-routing/stats?timeWindow=hour"):
        console.print(f"  {CALL} '{stack.api_url}{path}'", highlight=False)
    console.print("Ctrl-C stops everything and keeps the data in .local.")
    with suppress(KeyboardInterrupt):
        threading.Event().wait()
    console.print("\nstopping")


def _tell(console: Console, fault: StepFailed) -> None:
    console.print(f"\nfailed: {fault}", markup=False, highlight=False)
    if tail := fault.tail():
        console.print(f"the end of {fault.log}:\n{tail}", markup=False, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
