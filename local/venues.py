"""The simulated venues as a child process."""

import json
from dataclasses import dataclass

from local.environment import Home, program, without_aws
from local.processes import Child, start, wait_until

_START_SECONDS = 30
_COMPILE_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Venues:
    """Where the simulated venues listen.

    Args:
        ostium_rpc: the chain's endpoint, None without one; `/simulator/...` there leads the venue.
        ostium_registry: the address of the venue's registry on that chain.
    """

    hyperliquid: str
    ostium_subgraph: str
    ostium_prices: str
    ostium_rpc: str | None = None
    ostium_registry: str | None = None


def start_venues(
    home: Home, *, network: str = "testnet", chain: bool = False
) -> tuple[Child, Venues]:
    """Start the simulators on free ports.

    Args:
        network: `mainnet` or `testnet`, whose signatures count.
        chain: whether Ostium trades too, on a chain of its own.

    Raises:
        StepFailed: they do not answer.
    """
    asked = ["--hyperliquid-network", network, *(["--chain", str(home.path)] if chain else [])]
    child = start(
        "simulators",
        [program("project", "python"), "-m", "local.simulators", *asked],
        environment=without_aws() | {"PYTHONUNBUFFERED": "1"},
        log=home.log("simulators"),
        notes=home.running,
    )
    try:
        seconds = _START_SECONDS + (_COMPILE_SECONDS if chain else 0)
        return child, wait_until(child, lambda: _told(child), seconds=seconds)
    except BaseException:
        child.stop()
        raise


def _told(child: Child) -> Venues | None:
    """The addresses from the line that the simulators print once both listen."""
    line, complete, _ = child.log.read_text().partition("\n")
    if not complete:
        return None
    told = json.loads(line)
    return Venues(**{name: where for name, where in told.items() if name != "ready"})
