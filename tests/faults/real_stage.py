"""A stage by the machine's own clock, for what no lockstep can show: how fast, and side by side."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from agent_where.migrations import set_up
from agent_where.store.connection import Database, DatabaseSettings
from agent_where.store.store import Store
from agent_where.venues.hyperliquid.markets import HyperliquidMarkets
from tests.conftest import fresh_database
from tests.faults.fifo import Fifo
from tests.faults.house import HERE, MIGRATIONS, VENUES, House
from tests.faults.stage import DEAD, ORDERS, SIGNALS, Stage


@contextmanager
def real_stage(house: House) -> Iterator[Stage]:
    """A stage on the real clock, with markets that are fresh."""
    dead = Fifo(DEAD, time.time)
    queues = {
        SIGNALS: Fifo(SIGNALS, time.time, dead_letters=dead),
        ORDERS: Fifo(ORDERS, time.time, dead_letters=dead),
        DEAD: dead,
    }
    house.queues.queues, house.queues.fault = dict(queues), None
    house.clock.is_real = True
    with fresh_database(house.server.postgres) as dsn:
        database = Database(DatabaseSettings.from_url(dsn))
        set_up(database, MIGRATIONS, network="mainnet")
        database.script((HERE / "moves.sql").read_text())
        made = Stage(house, dsn.rsplit("/", 1)[1], database, queues)
        made.clear_venues()
        for name in VENUES:
            listed = HyperliquidMarkets(house.servers[name].url, timeout_seconds=10).markets()
            renamed = [each.model_copy(update={"venue": name}) for each in listed]
            Store(database).upsert_markets(name, renamed)
        try:
            yield made
        finally:
            house.runtime.forget()
            database.close()
