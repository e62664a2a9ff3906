"""The simulated venues as a child process."""

import json
from dataclasses import dataclass

from local.environment import Home, program, without_aws
from local.processes import Child, start, wait_until

_START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Venues:
    """Where the simulated venues listen."""

    hyperliquid: str
    ostium_subgraph: str
    ostium_prices: str


def start_venues(home: Home, *, network: str = "testnet") -> tuple[Child, Venues]:
    """Start the simulators on free ports.

    Args:
        network: `mainnet` or `testnet`, whose signatures count.

    Raises:
        StepFailed: they do not answer.
    """
    child = start(
        "simulators",
        [program("project", "python"), "-m", "local.simulators", "--hyperliquid-network", network],
        environment=without_aws() | {"PYTHONUNBUFFERED": "1"},
        log=home.log("simulators"),
        notes=home.running,
    )
    try:
        return child, wait_until(child, lambda: _told(child), seconds=_START_SECONDS)
    except BaseException:
        child.stop()
        raise


def _told(child: Child) -> Venues | None:
    """The addresses from the line that the simulators print once both listen."""
    line, complete, _ = child.log.read_text().partition("\n")
    if not complete:
        return None
    told = json.loads(line)
    return Venues(told["hyperliquid"], told["ostium_subgraph"], told["ostium_prices"])
