"""Nonces come from the database: unique however many ask at once, and within the venue's window."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from uuid import uuid4

from agent_where.store.actions import Actions
from agent_where.store.connection import Database, DatabaseSettings
from agent_where.store.store import Store
from tests.world import World, opened

CONNECTIONS, EACH = 20, 25


def test_five_hundred_nonces_at_once_are_all_different_and_near_the_time(
    database_dsn: str,
) -> None:
    world = World(database_dsn)
    opened(world)
    order = world.store.read_order(world.order()["id"], uuid4())
    assert order is not None
    token = uuid4()
    world.rows(
        "UPDATE venue_accounts SET lease_token = :token, lease_until = now() + interval '1 minute'",
        token=token,
    )

    def take(_: int) -> list[int]:
        database = Database(DatabaseSettings.from_url(database_dsn, lock_timeout_ms=20_000))
        taken = [Actions(database).take_nonce(order.order, token) for _ in range(EACH)]
        database.close()
        return [each[0] for each in taken if each]

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        nonces = [nonce for taken in pool.map(take, range(CONNECTIONS)) for nonce in taken]

    now_ms = world.rows("SELECT floor(extract(epoch FROM now()) * 1000)::bigint AS ms")[0]["ms"]
    minute = int(timedelta(minutes=1) / timedelta(milliseconds=1))
    assert len(nonces) == len(set(nonces)) == CONNECTIONS * EACH
    assert all(abs(nonce - now_ms) < minute for nonce in nonces)
    world.dispose()


def test_without_the_lease_there_is_no_nonce(database_dsn: str) -> None:
    world = World(database_dsn)
    opened(world)
    order = world.store.read_order(world.order()["id"], uuid4())
    assert order is not None

    assert Store(world.database).actions.take_nonce(order.order, uuid4()) is None
    world.dispose()
