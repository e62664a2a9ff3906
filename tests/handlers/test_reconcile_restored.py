"""reconcile on a database that took the old one's name: what it knows is kept before it is lost."""

from collections.abc import Iterator

import pytest

from agent_where.store.connection import Database
from tests.handlers.workers import Context, working
from tests.world import World


@pytest.fixture
def world(database_dsn: str, connections: list[Database]) -> Iterator[World]:
    made = World(database_dsn)
    made.both_markets()
    yield made
    made.dispose()


def test_another_server_is_noticed_before_the_figures_are_overwritten(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They say when reconcile last ran in what was restored, which nothing else does."""
    world.database.run(
        "INSERT INTO system_figures (at, figures) VALUES (now() - interval '3 hours', '{}')"
    )
    (last,) = world.rows("SELECT at FROM system_figures")
    world.database.run("INSERT INTO known_servers (host, timeline) VALUES ('first', 7)")

    with working("reconcile", world.dsn, monkeypatch, world.queues) as worker:
        worker.module.handler({}, Context())

    (row,) = world.rows("SELECT last_run_at FROM restores")
    (figures,) = world.rows("SELECT at FROM system_figures")
    assert row["last_run_at"] == last["at"] < figures["at"]
