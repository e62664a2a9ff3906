"""Syncs that half fail: what they triggered is passed on, and other venues' markets are kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from agent_where.domain import Market, VenueId
from agent_where.errors import QueueUnavailable
from agent_where.store.records import OrderTicket
from agent_where.sync import sync_all
from tests.world import MemoryQueues, World, opened


@dataclass(frozen=True)
class Source:
    """A venue's markets, as told."""

    id: VenueId
    told: tuple[Market, ...]

    def markets(self) -> tuple[Market, ...]:
        return self.told


def test_a_trigger_found_in_a_sync_that_is_refused_is_still_passed_on(world: World) -> None:
    for token in ("ETH", "SOL", "XRP"):
        world.market("HYPERLIQUID", token)
    opened(world, riskModel={"stopLoss": "0.0001"})
    half = Source("HYPERLIQUID", (world._markets("HYPERLIQUID")[0],))

    (result,) = sync_all(["HYPERLIQUID"], lambda _: half, world.store, world.queues)

    assert result.status == "ANSWER_REFUSED"
    due = world.rows("SELECT id FROM venue_orders WHERE status = 'PLANNED' AND due_at <= now()")
    assert {row["id"] for row in due} == {ticket.id for ticket in world.queues.orders}


def test_one_venue_s_unstorable_answer_leaves_the_other_s_markets(world: World) -> None:
    good = world.market("OSTIUM")
    twice = world.market("HYPERLIQUID")
    sources = {
        "HYPERLIQUID": Source("HYPERLIQUID", (twice, twice)),
        "OSTIUM": Source("OSTIUM", (good,)),
    }

    results = sync_all(sorted(sources), sources.__getitem__, world.store, world.queues)

    assert [(each.venue, each.status == "SYNCED") for each in results] == [
        ("HYPERLIQUID", False),
        ("OSTIUM", True),
    ]


class NoQueue(MemoryQueues):
    """A queue that takes no orders."""

    def send_orders(self, orders: Sequence[OrderTicket], *, again: bool = False) -> None:
        if orders:
            raise QueueUnavailable("the queue is away")


def test_a_queue_that_is_away_while_exits_are_triggered_leaves_the_other_venue_synced(
    world: World,
) -> None:
    opened(world, riskModel={"stopLoss": "0.05"})
    fallen = world._markets("HYPERLIQUID")[0].model_copy(update={"price_usd": Decimal(90)})
    sources = {
        "HYPERLIQUID": Source("HYPERLIQUID", (fallen,)),
        "OSTIUM": Source("OSTIUM", (world._markets("OSTIUM")[0],)),
    }

    results = sync_all(sorted(sources), sources.__getitem__, world.store, NoQueue())

    assert [each.status for each in results] == ["SYNCED", "SYNCED"]
    assert results[0].detail == "1 triggered exits are left to reconcile: the queue is away"
