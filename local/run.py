"""`make run`: everything on this machine, the main job shown once, then left up until Ctrl-C.

Environment:
    ONCE: anything but empty ends after the table, with exit code 0.
    VENUES, MODE: which deployment (local/choice.py).
"""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from types import FrameType

from rich.console import Console

from local.choice import BadChoice, Choice
from local.demo import demo
from local.deployment import running
from local.environment import reaching
from local.processes import StepFailed
from local.progress import steps
from local.stack import NAME, Stack

CLIENT = ".venv/project/bin/agent-where"


def main() -> int:
    """Run it; returns the process's exit code."""
    console = Console(soft_wrap=True)
    try:
        choice = Choice.from_environment(os.environ)
    except BadChoice as fault:
        console.print(str(fault), markup=False)
        return 2
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, _interrupt)
    try:
        with running(
            choice.home, steps(console), simulated=choice.simulated, live=choice.live
        ) as stack:
            demo(stack, live=choice.live)
            if not os.environ.get("ONCE"):
                _stay_up(console, stack, choice)
    except StepFailed as fault:
        _tell(console, fault)
        return 1
    except KeyboardInterrupt:
        console.print("\nstopped before it was up")
        return 130
    return 0


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _stay_up(console: Console, stack: Stack, choice: Choice) -> None:
    console.print(f"\nThe API is up: {stack.api_url}", highlight=False)
    for line in _how_to_call(stack, choice):
        console.print(f"  {line}", markup=False, highlight=False)
    then = "; the next run begins anew" if choice.live else " and keeps the data in .local"
    console.print(f"Ctrl-C stops everything{then}.")
    with suppress(KeyboardInterrupt):
        threading.Event().wait()
    console.print("\nstopping")


def _how_to_call(stack: Stack, choice: Choice) -> Iterator[str]:
    """What to type into another terminal, in the repository's folder."""
    yield f"export AGENT_WHERE_URL={stack.api_url}"
    yield f"export AGENT_WHERE_TOKEN=$(make -s token{choice.words})"
    yield (
        'curl -H "Authorization: Bearer $AGENT_WHERE_TOKEN"'
        ' "$AGENT_WHERE_URL/venue-routing/stats?timeWindow=hour"'
    )
    yield f"{CLIENT} stats"
    found_by = {"AGENT_WHERE_STACK": NAME, **reaching(stack.aws.endpoint)}
    yield f"export {' '.join(f'{name}={value}' for name, value in found_by.items())}"
    yield f"{CLIENT} doctor"


def _tell(console: Console, fault: StepFailed) -> None:
    console.print(f"\nfailed: {fault}", markup=False, highlight=False)
    if tail := fault.tail():
        console.print(f"the end of {fault.log}:\n{tail}", markup=False, highlight=False)


if __name__ == "__main__":
    sys.exit(main())
