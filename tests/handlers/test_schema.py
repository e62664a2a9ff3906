"""The HTTP functions under schemathesis: whatever is sent, the answer is one that is documented."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import pytest

from agent_where.contract.routes import ROUTES
from agent_where.spec.examples import examples_of
from agent_where.store.connection import Database, DatabaseSettings
from local.postgres import Postgres
from tests.conftest import fresh_database
from tests.fuzzing import PHASES, fuzz
from tests.handlers.conftest import counted_connections, set_environment
from tests.handlers.gateway import CREATOR, MULTI_AGENT, SIGNAL, WALLET, Function, seed, token
from tests.handlers.loopback import FUNCTIONS, Gateway, listening, served
from tests.world import World

EVERY = ("routing:read", "routing:write", "signals:write")
TOKENS = {
    "an.operators.token": token("admin", wallet=CREATOR),
    "a.creators.token": token(*EVERY, wallet=CREATOR),
    "a.followers.token": token(*EVERY, wallet=WALLET),
}


class Api(NamedTuple):
    """`url` of the stage that the functions are behind."""

    url: str
    gateway: Gateway


@pytest.fixture(scope="module")
def api(postgres: Postgres, migrated_template: str) -> Iterator[Api]:
    """The functions, over a database in which something was traded."""
    with (
        pytest.MonkeyPatch.context() as patch,
        fresh_database(postgres, template=migrated_template) as dsn,
        counted_connections(patch),
    ):
        set_environment(patch, dsn)
        patch.setenv("LOG_LEVEL", "CRITICAL")
        database = Database(DatabaseSettings.from_url(dsn))
        seed(database)
        database.close()
        trade(dsn)
        gateway = Gateway(TOKENS)
        with listening(gateway) as url:
            yield Api(url, gateway)


def trade(dsn: str) -> None:
    """Leave some of everything: trades, a close, a skip, a control, a config, figures."""
    world = World(dsn)
    world.both_markets()
    world.config(None, ["HYPERLIQUID", "OSTIUM"])
    world.open(MULTI_AGENT, signalId=str(SIGNAL))
    world.work()
    world.open(MULTI_AGENT, "UNLISTED")
    world.close(MULTI_AGENT, signalId=examples_of("sendSignal").requests["close"]["signalId"])
    world.work()
    world.control("agent", str(MULTI_AGENT), "ACTIVE")
    world.store.upkeep.write_figures(world.queues.depths())
    world.dispose()


@pytest.mark.parametrize(
    ("bearer", "phases", "at_least"),
    [
        ("an.operators.token", PHASES, 1_000),
        ("a.creators.token", ["fuzzing"], 150),
        ("a.followers.token", ["fuzzing"], 150),
    ],
    ids=TOKENS,
)
def test_every_answer_is_a_documented_one(
    api: Api, bearer: str, phases: Sequence[str], at_least: int
) -> None:
    fuzzed = fuzz(api.url, bearer, examples=8, phases=phases, seed=1)

    assert api.gateway.faults == []
    assert fuzzed.passed, fuzzed.told
    assert fuzzed.cases >= at_least


def test_the_functions_serve_every_route_once_and_nothing_else() -> None:
    found = sorted(route for name in FUNCTIONS for route in served(Function(name)))

    assert found == sorted((route.method, route.path) for route in ROUTES)
