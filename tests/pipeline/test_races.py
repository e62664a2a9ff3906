"""What comes in between two statements of a worker: nothing is lost, doubled or told wrongly."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from agent_where import pipeline
from agent_where.domain import Account, Market, Order, OrderStatus, Quote, Settled
from agent_where.errors import Unavailable, VenueRejected
from agent_where.reconciling import reconcile
from agent_where.store.connection import Database, DatabaseSettings
from agent_where.store.plans import PlannedClose
from agent_where.store.records import OpenOrder
from agent_where.store.store import Store
from agent_where.venues.base import Action
from agent_where.venues.paper import PaperVenue
from tests.failing_venues import Answering, Deadly, Died
from tests.world import World, close_signal, opened, signal


class Interrupted(Store):
    """A store that lets something happen right before each decision of a CLOSE is written."""

    def __init__(self, world: World, happens: Callable[[], object]) -> None:
        self._connection = Database(DatabaseSettings.from_url(world.dsn))
        super().__init__(self._connection)
        self._happens: list[Callable[[], object]] = [happens]

    def decide_close(
        self, signal_id: UUID, orders: Sequence[PlannedClose], skipped_reason: str | None
    ) -> bool:
        while self._happens:
            self._happens.pop()()
        return super().decide_close(signal_id, orders, skipped_reason)

    def dispose(self) -> None:
        self._connection.close()


def dying(world: World) -> UUID:
    """Carry out the next order with a worker that dies after it was stored as SENT."""
    ticket = world.queues.orders.popleft()
    world.venues["HYPERLIQUID"] = Deadly(world.paper("HYPERLIQUID"))
    with suppress(Died):
        world.executor().execute(ticket.id)
    world.venues.clear()
    return ticket.id


def sent_entry(world: World, **changes: Any) -> tuple[UUID, UUID]:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.open(agent, **changes)
    return agent, dying(world)


def rejected(world: World) -> Answering:
    answer = Settled(status=OrderStatus.REJECTED, code="VENUE_REFUSED", detail="no match")
    return Answering(world.paper("HYPERLIQUID"), answer)


def close_while(world: World, agent: UUID, happens: Callable[[], object]) -> None:
    """A CLOSE that has read what is held when `happens`, and writes its decision after it."""
    store = Interrupted(world, happens)
    pipeline.take_signal(close_signal(agent), replace(world.deps, store=store))
    store.dispose()


def test_a_close_that_saw_an_entry_under_way_still_closes_it_when_it_fills_meanwhile(
    world: World,
) -> None:
    agent, entry = sent_entry(world)

    close_while(world, agent, lambda: pipeline.take_order(entry, world.deps))
    world.work()

    assert [row["status"] for row in world.positions()] == ["CLOSED"]


def test_a_close_follows_an_entry_that_moves_to_another_venue_meanwhile(world: World) -> None:
    agent, entry = sent_entry(world)
    moved: list[UUID] = []

    def fails_over_and_is_sent_again() -> None:
        world.venues["HYPERLIQUID"] = rejected(world)
        pipeline.take_order(entry, world.deps)
        world.venues["OSTIUM"] = Deadly(world.paper("OSTIUM"))
        moved.append(world.queues.orders.popleft().id)
        with suppress(Died):
            world.executor().execute(moved[0])
        world.venues.clear()

    close_while(world, agent, fails_over_and_is_sent_again)
    pipeline.take_order(moved[0], world.deps)
    world.work()

    assert [(row["venue"], row["status"]) for row in world.positions()] == [("OSTIUM", "CLOSED")]


def test_a_close_whose_position_is_gone_meanwhile_sends_no_message_of_an_order_that_is_not(
    world: World,
) -> None:
    agent = opened(world)

    def closed_by_another() -> None:
        world.close(agent)
        world.work()

    close_while(world, agent, closed_by_another)

    stored = {row["id"] for row in world.orders()}
    assert {ticket.id for ticket in world.queues.orders} <= stored


def test_an_order_superseded_while_it_was_prepared_ends_quietly(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.open(agent)

    class Slow(PaperVenue):
        def account(self, order: Order) -> Account:
            world.close(agent)
            return super().account(order)

    slow = world.paper("HYPERLIQUID")
    slow.__class__ = Slow
    world.venues["HYPERLIQUID"] = slow
    outcome = world.executor().execute(world.queues.orders.popleft().id)

    assert outcome.status is OrderStatus.REJECTED
    assert world.order()["refusal"] == "SUPERSEDED"
    assert world.rows("SELECT 1 FROM venue_accounts WHERE lease_token IS NOT NULL") == []


def test_a_second_close_waits_for_the_first_whose_outcome_is_unknown(world: World) -> None:
    agent = opened(world)
    world.close(agent)
    first = dying(world)
    world.close(agent)

    with pytest.raises(Unavailable):
        world.executor().execute(world.queues.orders[0].id)
    pipeline.take_order(first, world.deps)
    world.work()

    assert [row["status"] for row in world.positions()] == ["CLOSED"]
    assert len(world.rows("SELECT 1 FROM venue_fills")) == 2


def test_a_refusal_learnt_after_the_signal_expired_moves_nowhere(world: World) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=1)
    _, entry = sent_entry(world, expiresAt=soon.isoformat())
    world.rows("SELECT pg_sleep(1)")
    world.venues["HYPERLIQUID"] = rejected(world)

    pipeline.take_order(entry, world.deps)

    assert [row["venue"] for row in world.orders()] == ["HYPERLIQUID"]
    assert all(row["selected_venue"] != "OSTIUM" for row in world.history())


def test_a_venue_halted_on_the_way_moves_the_order_to_the_next(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.open(agent)
    world.control("venue", "HYPERLIQUID", "HALTED")

    world.work()

    assert [(row["venue"], row["status"]) for row in world.orders()] == [
        ("HYPERLIQUID", "REJECTED"),
        ("OSTIUM", "FILLED"),
    ]


def test_an_order_the_ledger_refuses_to_end_does_not_hold_up_the_others(world: World) -> None:
    _, first = sent_entry(world)
    _, second = sent_entry(world)
    no_code = Settled(status=OrderStatus.REJECTED, detail="a refusal that names no code")
    paper = world.paper("HYPERLIQUID")

    class Odd(PaperVenue):
        def settle(self, order: Order, actions: Sequence[Action]) -> Settled | None:
            return no_code if order.id == first else super().settle(order, actions)

    paper.__class__ = Odd
    world.venues["HYPERLIQUID"] = paper

    class AtOnce(Store):
        def unsettled_orders(self, older_than_seconds: int, at_most: int) -> list[OpenOrder]:
            return super().unsettled_orders(0, at_most)

    done = reconcile(replace(world.deps, store=AtOnce(world.database)), seconds=5)

    assert (done.settled, done.still_open) == (1, 1)
    ended = world.rows("SELECT id FROM venue_orders WHERE status = 'FILLED'")
    assert [row["id"] for row in ended] == [second]


def test_an_order_that_a_venue_cannot_carry_moves_to_the_next(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()

    class Narrow(PaperVenue):
        def next_action(self, order: Order, market: Market, quote: Quote) -> Action:
            raise VenueRejected(self.id, "leverage must be whole", code="VENUE_REFUSED")

    narrow = world.paper("HYPERLIQUID")
    narrow.__class__ = Narrow
    world.venues["HYPERLIQUID"] = narrow
    world.open(agent)
    world.work()

    assert [(row["venue"], row["status"]) for row in world.orders()] == [
        ("HYPERLIQUID", "REJECTED"),
        ("OSTIUM", "FILLED"),
    ]


def test_a_row_without_an_expiry_of_its_own_may_expire_while_its_order_is_prepared(
    world: World,
) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    message = signal(agent)
    world.store.insert_signal(message)
    world.rows("UPDATE signals SET expires_at = NULL RETURNING id")
    world.take(message)

    class Slow(PaperVenue):
        def account(self, order: Order) -> Account:
            world.rows("UPDATE signals SET created_at = now() - interval '6 minutes' RETURNING id")
            return super().account(order)

    slow = world.paper("HYPERLIQUID")
    slow.__class__ = Slow
    world.venues["HYPERLIQUID"] = slow
    world.work()

    assert [row["refusal"] for row in world.orders()] == ["SIGNAL_EXPIRED"]


def test_a_row_of_others_decided_while_a_close_comes_in_opens_nothing(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    message = signal(agent)
    world.store.insert_signal(message)
    world.rows("UPDATE signals SET received_at = NULL RETURNING id")

    class Late(Store):
        def decide_signal(self, *told: Any) -> bool:
            world.close(agent)
            return super().decide_signal(*told)

    pipeline.take_signal(message, replace(world.deps, store=Late(world.database)))
    world.work()

    assert world.positions() == []
