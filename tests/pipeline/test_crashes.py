"""A worker that dies before or after any statement loses nothing and doubles nothing.

One signal with two followers is refused by its first venue, traded at the second and then closed.
That is repeated with a crash at each statement in turn, before it reaches the database and after it
was answered; the message then comes again to a new worker, as from the queue, and at the end
reconcile finds what no message carries.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from uuid import UUID

import pytest

from agent_where import pipeline
from agent_where.domain import Order, Settled
from agent_where.reconciling import reconcile
from agent_where.store.records import OpenOrder
from agent_where.store.store import Store
from agent_where.venues.base import Action
from agent_where.venues.paper import PaperVenue
from local.postgres import Postgres
from tests.crashing import Crashing, lived, scenario_of, wrong_ends
from tests.failing_venues import Died
from tests.world import MemoryQueues, World, close_signal, signal

RISK = {"stopLoss": "0.05", "takeProfit": "0.10"}


class Book(PaperVenue):
    """A venue that counts how often each order was sent to it."""

    def __init__(self, paper: PaperVenue, sent: Counter[UUID]) -> None:
        self.__dict__.update(paper.__dict__)
        self._sent = sent

    def send(self, order: Order, action: Action) -> Settled | None:
        self._sent[order.id] += 1
        return super().send(order, action)

    def settle(self, order: Order, actions: Sequence[Action]) -> Settled | None:
        self._sent[order.id] -= 1  # asking is not sending, though on paper it is done the same way
        return super().settle(order, actions)


class AtOnce(Store):
    """A store to which everything sent looks old enough to be asked about."""

    def unsettled_orders(self, older_than_seconds: int, at_most: int) -> list[OpenOrder]:
        return super().unsettled_orders(0, at_most)


class Life:
    """The scenario once, with a first worker that may die."""

    def __init__(self, dsn: str, first: Crashing) -> None:
        self.queues = MemoryQueues()
        self.sent: Counter[UUID] = Counter()
        self.watcher = World(dsn, self.queues)
        self.worker = self._staffed(World(dsn, self.queues, first))

    def run(self) -> None:
        agent = self.watcher.agent()
        for _ in range(2):
            self.watcher.follow(agent)
        self.watcher.both_markets()
        opening, closing = signal(agent, riskModel=RISK), close_signal(agent)
        self._deliver(lambda: pipeline.take_signal(opening, self.worker.deps))
        self.watcher.market("HYPERLIQUID", is_open=False)
        self._orders()
        self._come_to_rest()
        self._deliver(lambda: pipeline.take_signal(closing, self.worker.deps))
        self._orders()
        self._come_to_rest()

    def dispose(self) -> None:
        self.watcher.dispose()
        self.worker.dispose()

    def _staffed(self, world: World) -> World:
        for venue in ("HYPERLIQUID", "OSTIUM"):
            world.venues[venue] = Book(world.paper(venue), self.sent)
        return world

    def _deliver(self, work: Callable[[], object]) -> None:
        """Again after a crash, to a new worker; the dead one's lease has run out by then."""
        try:
            work()
        except Died:
            self.worker.dispose()
            self.worker = self._staffed(World(self.watcher.dsn, self.queues))
            self.watcher.rows(
                "UPDATE venue_accounts SET lease_until = clock_timestamp()"
                " WHERE lease_token IS NOT NULL RETURNING account"
            )
            work()

    def _orders(self) -> None:
        while self.queues.orders:
            ticket = self.queues.orders[0]
            self._deliver(lambda: pipeline.take_order(ticket.id, self.worker.deps))  # noqa: B023 done before the next
            self.queues.orders.remove(ticket)

    def _come_to_rest(self) -> None:
        """What no message carries is found in the database, some time later."""
        later = "SET enqueued_at = now() - interval '1 hour'"
        self.watcher.rows(f"UPDATE venue_orders {later} WHERE status = 'PLANNED' RETURNING id")
        self._deliver(
            lambda: reconcile(
                replace(self.worker.deps, store=AtOnce(self.worker.database)), seconds=60
            )
        )
        self._orders()


def judge(life: Life) -> dict[str, object]:
    """What the ledger and the venues' books say in the end."""
    world = life.watcher
    orders = world.orders()
    return {
        "positions": sorted((row["venue"], row["status"]) for row in world.positions()),
        "filled": Counter(row["purpose"] for row in orders if row["status"] == "FILLED"),
        "unfinished": [row["leg"] for row in orders if row["status"] in ("PLANNED", "SENT")],
        "fills": len(world.rows("SELECT 1 FROM venue_fills")),
        "sent more than once": [order for order, times in life.sent.items() if times > 1],
        "decisions": Counter((row["attempt"], row["selected_venue"]) for row in world.history()),
        "leases": len(world.rows("SELECT 1 FROM venue_accounts WHERE lease_token IS NOT NULL")),
    }


AS_IT_SHOULD_BE: dict[str, object] = {
    "positions": [("OSTIUM", "CLOSED"), ("OSTIUM", "CLOSED")],
    "filled": Counter({"ENTRY": 2, "CLOSE": 2}),
    "unfinished": [],
    "fills": 4,
    "sent more than once": [],
    "decisions": Counter({(1, "HYPERLIQUID"): 1, (2, "OSTIUM"): 2}),
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
