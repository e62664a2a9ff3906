"""What outlives scenarios: a database server, two venues, a queue server, KMS, and where functions
are started. One clock is everybody's.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import boto3

from agent_where.domain import Market
from agent_where.migrations import set_up
from agent_where.store.connection import Database, DatabaseSettings
from agent_where.store.store import Store
from agent_where.venues.hyperliquid.markets import HyperliquidMarkets
from local.environment import ROOT
from local.simulators.hyperliquid import HyperliquidSimulator
from local.simulators.server import Server, Simulator
from tests.faults.runtime import Runtime
from tests.faults.server import Server as DatabaseServer
from tests.faults.signing import KeyServer
from tests.faults.sqs import QueueServer

MIGRATIONS = ROOT / "functions" / "setup" / "migrations"
BEGINNING = datetime(2026, 11, 23, 12, tzinfo=UTC).timestamp()
VENUES = ("HYPERLIQUID", "OSTIUM")
COIN, PRICE = "BTC", "60000"
HERE = Path(__file__).parent


class Clock:
    """The world's time, in seconds since 1970. It stands still unless it is moved, or is real."""

    def __init__(self) -> None:
        self.now = BEGINNING
        self.is_real = False

    def utc(self) -> datetime:
        return datetime.now(UTC) if self.is_real else datetime.fromtimestamp(self.now, UTC)

    def seconds(self) -> float:
        return self.now


class House:
    """Built once for many scenarios, one after the other; each has a stage of its own in it."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.server = DatabaseServer(folder)
        self.queues = QueueServer({})
        self.keys = KeyServer()
        self.sqs = boto3.client(
            "sqs",
            "us-east-1",
            endpoint_url=self.queues.url,
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        self._folder = folder
        self.venues: dict[str, Simulator] = {}
        self.servers: dict[str, Server] = {}
        self._serve()
        self.runtime = Runtime(folder)
        self.template = self._template()

    def close(self) -> None:
        self.runtime.close()
        for server in self.servers.values():
            server.close()
        self.queues.close()
        self.keys.close()
        self.server.close()

    @contextmanager
    def sabotaged(self, name: str) -> Iterator[None]:
        """With the product made wrong on purpose, as sabotage.py has it under that name."""
        sound = self.runtime
        (self._folder / "sabotaged").mkdir(exist_ok=True)
        self.runtime = Runtime(self._folder / "sabotaged", name)
        try:
            yield
        finally:
            self.runtime.close()
            self.runtime = sound

    def _serve(self) -> None:
        """Open the venues."""
        for seed, name in enumerate(VENUES, start=1):
            self._add(name, HyperliquidSimulator(self.clock.utc, seed, is_mainnet=True))

    def _add(self, name: str, simulator: Simulator) -> None:
        self.venues[name] = simulator
        self.servers[name] = Server(simulator)

    def _listed(self, name: str) -> Sequence[Market]:
        """A venue's markets, as a sync would read them."""
        self.venues[name].control.apply("/simulator/price", b'{"coin": "BTC", "price": "60000"}')
        url = self.servers[name].url
        listed = HyperliquidMarkets(url, timeout_seconds=10).markets()
        return [each.model_copy(update={"venue": name}) for each in listed]

    def _template(self) -> str:
        """A migrated database with both venues' markets, on the world's clock."""
        administrator = Database(DatabaseSettings.from_url(self.server.postgres.dsn()))
        administrator.run("ALTER ROLE agent_where SET search_path = public, pg_catalog")
        administrator.run("CREATE DATABASE world")
        administrator.close()
        database = Database(DatabaseSettings.from_url(self.server.postgres.dsn("world")))
        database.script((HERE / "world.sql").read_text())
        database.run("UPDATE world_clock SET at = :at", at=self.clock.utc())
        set_up(database, MIGRATIONS, network="mainnet")
        database.script((HERE / "moves.sql").read_text())
        for name in VENUES:
            Store(database).upsert_markets(name, self._listed(name))
        database.close()
        return "world"
