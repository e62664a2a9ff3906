"""`make run`: everything on this machine, the main job shown once, then left up until Ctrl-C.

Environment:
    ONCE: anything but empty ends after the table, with exit code 0.
    VENUES: `simulated` (default) or `mainnet`: the real venues are asked, trades stay on paper.
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType

from rich.console import Console

from local.demo import demo
from local.deployment import running
from local.environment import Home
from local.processes import StepFailed
from local.progress import steps
from local.stack import Stack

CLIENT = ".venv/project/bin/agent-where"


def main() -> int:
    """Run it; returns the process's exit code."""
    console = Console(soft_wrap=True)
    venues = os.environ.get("VENUES", "simulated")
    home = Home.of_venues(venues)
    if home is None:
        console.print(f"VENUES must be simulated or mainnet, not {venues!r}", markup=False)
        return 2
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)
    try:
        with running(home, steps(console), simulated=venues == "simulated") as stack:
            demo(stack)
            if not os.environ.get("ONCE"):
                _stay_up(console, stack, venues)
    except StepFailed as fault:
        _tell(console, fault)
        return 1
    except KeyboardInterrupt:
        console.print("\nstopped before it was up")
        return 130
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _stay_up(console: Console, stack: Stack, venues: str) -> None:
    console.print(f"\nThe API is up: {stack.api_url}", highlight=False)
    for line in _how_to_call(stack.api_url, venues):
        console.print(f"  {line}", markup=False, highlight=False)
    console.print("Ctrl-C stops everything and keeps the data in .local.")
    with suppress(KeyboardInterrupt):
        threading.Event().wait()
    console.print("\nstopping")


def _how_to_call(url: str, venues: str) -> Iterator[str]:
    """What to type into another terminal, in the repository's folder."""
    which = "" if venues == "simulated" else f" VENUES={venues}"
    yield f"export AGENT_WHERE_URL={url}"
    yield f"export AGENT_WHERE_TOKEN=$(make -s token{which})"
    yield (
        'curl -H "Authorization: Bearer $AGENT_WHERE_TOKEN"'
        ' "$AGENT_WHERE_URL/venue-routing/stats?timeWindow=hour"'
    )
    yield f"{CLIENT} stats"


def _tell(console: Console, fault: StepFailed) -> None:
    console.print(f"\nfailed: {fault}", markup=False, highlight=False)
    if tail := fault.tail():
        console.print(f"the end of {fault.log}:\n{tail}", markup=False, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
