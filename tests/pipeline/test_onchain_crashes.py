"""A worker that dies around any statement leaves a chain with no gap, no second trade, no doubt.

Two followers' entries are opened, one by a sending whose answer is lost; a keeper closes the one
position, and a CLOSE takes the other. That is repeated with a crash at each statement in turn.
"""

from collections import Counter
from collections.abc import Callable
from decimal import Decimal

import pytest

from agent_where import pipeline
from agent_where.errors import VenueUnavailable
from agent_where.messages import SignalMessage
from agent_where.reconciling import reconcile
from agent_where.venues.base import Cause
from local.postgres import Postgres
from tests.crashing import Crashing, lived, scenario_of, wrong_ends
from tests.failing_venues import Died
from tests.onchain import ORACLE_FEE, OnchainWorld
from tests.world import close_signal, signal

RUNS = 4


class Life:
    """The scenario once, with a first worker that may die."""

    def __init__(self, dsn: str, first: Crashing) -> None:
        self.watcher = OnchainWorld(dsn)
        self.worker = self.watcher.another_worker(first)

    def run(self) -> None:
        world, chain = self.watcher, self.watcher.chain
        world.listed()
        self.wallet = world.user()
        agents = [world.follower(self.wallet), world.follower(self.wallet)]
        world.place.at_sending = ["lost"]
        for agent in agents:
            self._take(signal(agent, "XAU", riskModel={"stopLoss": "0.05"}))
        self._come_to_rest()
        stopped = next(p for p in world.positions() if self._agent_of(p["id"]) == agents[0])
        chain.price = Decimal(95)
        chain.close(stopped["venue_ref"], Cause.STOP_LOSS)
        self._take(close_signal(agents[1], "XAU"))
        self._come_to_rest()

    def dispose(self) -> None:
        self.watcher.dispose()
        self.worker.dispose()

    def _agent_of(self, position: object) -> object:
        (row,) = self.watcher.rows(
            "SELECT d.agent_id FROM positions p JOIN agent_deployments d ON d.id = p.deployment_id"
            " WHERE p.id = :id",
            id=position,
        )
        return row["agent_id"]

    def _take(self, message: SignalMessage) -> None:
        self._deliver(lambda: pipeline.take_signal(message, self.worker.deps))

    def _come_to_rest(self) -> None:
        for _ in range(RUNS):
            self._orders()
            self.watcher.minutes_pass()
            self.watcher.rows(
                "UPDATE venue_orders SET due_at = now() WHERE status = 'PLANNED' AND due_at > now()"
            )
            self._deliver(lambda: reconcile(self.worker.deps, seconds=60))

    def _orders(self) -> None:
        queue = self.watcher.queues.orders
        while queue:
            ticket = queue[0]
            self._deliver(lambda: pipeline.take_order(ticket.id, self.worker.deps))  # noqa: B023 done before the next
            queue.remove(ticket)

    def _deliver(self, work: Callable[[], object]) -> None:
        """Again after a crash, to a new worker; the dead one's lease has run out by then."""
        try:
            work()
        except VenueUnavailable:
            return
        except Died:
            self.worker.dispose()
            self.worker = self.watcher.another_worker()
            self.watcher.minutes_pass()
            work()


def judge(life: Life) -> dict[str, object]:
    world = life.watcher
    orders = world.orders()
    return {
        "positions": sorted((p["status"], p["closed_by"]) for p in world.positions()),
        "pnl": {p["pnl"] for p in world.positions()},
        "unfinished": [o["leg"] for o in orders if o["status"] in ("PLANNED", "SENT", "ACCEPTED")],
        "filled": Counter(o["purpose"] for o in orders if o["status"] == "FILLED"),
        "trades": Counter(world.chain.executed).most_common(1)[0][1],
        "left open": len(world.chain.trades),
        "closures": len(world.closures()),
        "nonces": [row["nonce"] for row in world.actions()],
        "last nonce": world.account_row(life.wallet)["last_nonce"],
        "leases": len(world.rows("SELECT 1 FROM venue_accounts WHERE lease_token IS NOT NULL")),
    }


AS_IT_SHOULD_BE: dict[str, object] = {
    "positions": [("CLOSED", "SIGNAL"), ("CLOSED", "TRIGGER")],
    "pnl": {-5 * Decimal(3) - 2 * ORACLE_FEE},
    "unfinished": [],
    "filled": Counter({"ENTRY": 2, "CLOSE": 1}),
    "trades": 1,
    "left open": 0,
    "closures": 1,
    "nonces": [0, 1, 2],
    "last nonce": 2,
    "leases": 0,
}
scenario = scenario_of(Life, judge)


def test_without_a_crash_it_ends_as_it_should(postgres: Postgres, migrated_template: str) -> None:
    _, found = lived(postgres, migrated_template, scenario, dies_at=0, after=False)

    assert found == AS_IT_SHOULD_BE


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_crash_at_any_statement_loses_nothing_and_doubles_nothing(
    postgres: Postgres, migrated_template: str, after: bool
) -> None:
    statements, _ = lived(postgres, migrated_template, scenario, dies_at=0, after=False)
    assert statements > 20

    wrong = wrong_ends(
        postgres, migrated_template, scenario, statements, right=AS_IT_SHOULD_BE, after=after
    )

    assert wrong == {}
