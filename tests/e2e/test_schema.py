"""The deployed API under schemathesis: no 5xx, no status and no answer that is not documented.

`make e2e` runs a short form; `make fuzz` a long one, of about CASES requests.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread

import pytest

from agent_where.spec.examples import examples_of
from agent_where.store.connection import Database
from local.stack import Stack
from tests.fuzzing import PHASES, fuzz

pytestmark = pytest.mark.e2e

SHORT, LEAST_WITH_CORNERS = 250, 1_500
GATE = 20_260_206
"""The short form's seed: a gate says the same of the same code; `make fuzz` draws anew."""
CREATED = examples_of("createAgent").requests["routed"]
FOLLOWED = examples_of("follow").requests["with limits"]
SIGNAL = examples_of("sendSignal").requests["open"]


def cases() -> int:
    """About how many requests are to be made."""
    return int(os.environ.get("CASES", SHORT))


@contextmanager
def reconciled_each_minute(stack: Stack) -> Iterator[None]:
    """As its schedule does on AWS: without it the system is unfit after five minutes."""
    over = Event()

    def keep() -> None:
        while not over.wait(60):
            stack.invoke("reconcile")

    thread = Thread(target=keep)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def known(stack: Stack, database: Database) -> Iterator[Stack]:
    """The stack with the agent, the deployment and the signal of the examples; fit to trade."""
    database.run(
        "INSERT INTO agents (id, creator_wallet, name, venue, status, profit_receiver_address)"
        " VALUES (:id, :wallet, 'an agent', 'MULTI', 'ACTIVE', :wallet) ON CONFLICT DO NOTHING",
        id=SIGNAL["agentId"],
        wallet=CREATED["creator_wallet"],
    )
    database.run(
        "INSERT INTO agent_deployments (id, agent_id, user_wallet)"
        " VALUES (:id, :agent, :wallet) ON CONFLICT DO NOTHING",
        id=examples_of("getDeployment").id,
        agent=SIGNAL["agentId"],
        wallet=FOLLOWED["user_wallet"],
    )
    assert stack.call("POST", "/signals", {**SIGNAL, "expiresAt": None}).status in (202, 409)
    stack.invoke("market_sync")
    stack.invoke("reconcile")
    for path in ("/status/details", "/openapi.json"):  # slow the first time
        assert stack.call("GET", path).status == 200
    with reconciled_each_minute(stack):
        yield stack
    database.run("UPDATE trading_controls SET state = 'ACTIVE', reason = 'the test is over'")


def test_whatever_is_sent_the_answer_is_a_documented_one(known: Stack) -> None:
    corners = cases() >= LEAST_WITH_CORNERS
    token = known.issuer.token(scopes=("admin",), wallet=CREATED["creator_wallet"], seconds=7200)

    fuzzed = fuzz(
        known.api_url,
        token,
        examples=max(1, (cases() - 1_300) // 24 if corners else cases() // 40),
        phases=PHASES if corners else [phase for phase in PHASES if phase != "coverage"],
        seed=None if "CASES" in os.environ else GATE,
        loud="CASES" in os.environ,
    )

    assert fuzzed.passed, fuzzed.told
