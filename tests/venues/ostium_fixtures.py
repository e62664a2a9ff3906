"""The local venue of a test module, and desks at it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent_where.venues.ostium.trading import OstiumVenue
from local.chain.venue import LocalVenue
from tests.venues.ostium_local import Desk, running, set_price, site, tell


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalVenue]:
    """One chain for a module: each test has a user and a key of its own."""
    folder: Path = tmp_path_factory.mktemp("chain")
    with running(folder) as place:
        yield place


@pytest.fixture
def place(chain: LocalVenue) -> Iterator[LocalVenue]:
    """The chain, healthy again after each test."""
    yield chain
    tell(chain, "reset")
    chain.node.ask("evm_setAutomine", True)
    chain.node.ask("anvil_mine", "0x1")
    for contract in ("trading", "callbacks"):
        tell(chain, "state", contract=contract, paused=False, done=False)
    set_price(chain, None)


@pytest.fixture
def desk(place: LocalVenue, request: pytest.FixtureRequest) -> Desk:
    """A user with a thousand USDC whose key may trade.

    A module with DIRECT asks the node itself, which takes batches; what stands before it does not.
    """
    direct = getattr(request.module, "DIRECT", False)
    where = site(place, rpc_url=place.node.url if direct else place.rpc_url)
    desk = Desk(place, OstiumVenue(where, timeout_seconds=5, clock=lambda: datetime.now(UTC)))
    desk.venue = OstiumVenue(where, timeout_seconds=5, clock=desk.now)
    return desk.ready()
