"""One local venue for all of these tests; each test ends with the chain as it found it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from local.chain.node import mine_every
from local.chain.venue import LocalVenue, local_venue
from local.environment import Home
from tests.chain.client import Client, client
from tests.chain.desk import Desk

A_WEDNESDAY_WITH_ALL_OF_NEW_YORK_OPEN = datetime(2026, 11, 18, 15, tzinfo=UTC)


@dataclass
class Clock:
    """The price service's time, which stands still unless it is set."""

    now: datetime = A_WEDNESDAY_WITH_ALL_OF_NEW_YORK_OPEN

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="session")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="session")
def running(clock: Clock) -> Iterator[LocalVenue]:
    with (
        TemporaryDirectory(prefix="agent-where-chain-") as folder,
        local_venue(Home(Path(folder)), clock=clock) as venue,
    ):
        yield venue


@pytest.fixture
def venue(running: LocalVenue, clock: Clock) -> Iterator[LocalVenue]:
    """The venue as it was deployed."""
    before = running.node.ask("evm_snapshot")
    yield running
    running.keeper.silent()
    mine_every(running.node, None)
    running.node.ask("evm_revert", before)
    running.proxy.reset()
    running.proxy.control.fault = None
    running.proxy.control.rules.in_force.clear()
    running.prices.control.apply("/simulator/reset", b"")
    clock.now = A_WEDNESDAY_WITH_ALL_OF_NEW_YORK_OPEN


@pytest.fixture
def desk(venue: LocalVenue) -> Desk:
    """A trader with 1,000 USDC approved and an agent that trades for him."""
    return Desk(venue)


@pytest.fixture(scope="session")
def sdk(running: LocalVenue) -> Iterator[Client]:
    """The venue's own client, unmodified, in its own interpreter."""
    with client(running) as started:
        yield started
