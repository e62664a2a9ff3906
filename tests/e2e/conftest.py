"""The project deployed to a local AWS of its own, once for all end-to-end tests."""

import shutil
import time
from collections.abc import Callable, Iterator

import pytest
from rich.console import Console

from agent_where.store.connection import Database, DatabaseSettings
from local.deployment import running
from local.environment import Home
from local.progress import steps
from local.stack import Stack
from tests.e2e.client import Client


@pytest.fixture(scope="session")
def home() -> Home:
    """State of the tests' own, begun anew; what was built stays."""
    kept = Home.of_tests()
    shutil.rmtree(kept.postgres, ignore_errors=True)
    return kept


@pytest.fixture(scope="session")
def stack(home: Home) -> Iterator[Stack]:
    with running(home, steps(Console(stderr=True))) as deployed:
        yield deployed


@pytest.fixture(scope="session")
def client(stack: Stack) -> Client:
    """A caller of the API, after the markets that keep hours were opened for the test."""
    caller = Client(stack)
    for pair in ("XAUUSD", "EURUSD"):
        caller.simulate("market", {"coin": pair, "open": True})
    caller.simulate("market", {"coin": "NVDAUSD", "open": False})
    stack.invoke("market_sync")
    return caller


@pytest.fixture
def database(stack: Stack) -> Iterator[Database]:
    opened = Database(DatabaseSettings.from_url(stack.dsn))
    yield opened
    opened.close()


@pytest.fixture
def eventually() -> Callable[[Callable[[], bool], float], None]:
    """Wait until something holds, for at most some seconds."""

    def wait(holds: Callable[[], bool], seconds: float) -> None:
        until = time.monotonic() + seconds
        while not holds():
            assert time.monotonic() < until, f"it did not hold within {seconds} s"
            time.sleep(0.2)

    return wait
