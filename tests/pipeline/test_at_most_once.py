"""However often a signal comes, and from however many workers at once, it trades once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from agent_where.domain import Account, Market, Order, OrderStatus, Quote, Settled, VenueId
from agent_where.errors import Conflict, LeaseHeld, OutcomeUnknown, UnknownAgent
from agent_where.venues.base import Action
from agent_where.venues.paper import PaperVenue
from tests.world import World, signal


def test_five_deliveries_make_one_decision_one_order_and_one_position(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.follow(agent)
    world.both_markets()
    message = signal(agent)

    outcomes = [world.take(message) for _ in range(5)]
    world.work()

    assert [each.status for each in outcomes] == ["ROUTED", *["DECIDED_BEFORE"] * 4]
    assert [(row["attempt"], row["deployment_id"]) for row in world.history()] == [(1, None)]
    assert len(world.orders()) == len(world.positions()) == 2


def test_two_workers_at_the_same_time_decide_and_trade_once(world: World) -> None:
    agent = world.agent()
    for _ in range(3):
        world.follow(agent)
    world.both_markets()
    others = [world.another_worker() for _ in range(4)]

    for _ in range(5):
        message = signal(agent)
        with ThreadPoolExecutor(len(others)) as pool:
            statuses = list(pool.map(lambda worker: worker.take(message).status, others))  # noqa: B023 done before the next
        assert sorted(statuses) == ["DECIDED_BEFORE"] * 3 + ["ROUTED"]
    tickets = list(world.queues.orders) * 2

    def execute(worker_and_ticket: tuple[World, object]) -> None:
        worker, ticket = worker_and_ticket
        try:
            worker.executor().execute(ticket.id)  # type: ignore[attr-defined]
        except LeaseHeld:
            world.queues.orders.append(ticket)  # type: ignore[arg-type]

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(execute, zip(others * len(tickets), tickets, strict=False)))
    world.work()
    for other in others:
        other.dispose()

    assert len(world.orders()) == len(world.positions()) == 15
    assert {row["status"] for row in world.orders()} == {"FILLED"}
    assert len(world.rows("SELECT 1 FROM venue_fills")) == 15


def test_another_body_under_the_same_id_is_refused(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    first = signal(agent)
    world.take(first)

    with pytest.raises(Conflict, match="already stands for another signal"):
        world.take(signal(agent, "ETH", signalId=str(first.signal_id)))


def test_an_unknown_agent_is_named(world: World) -> None:
    nobody = uuid4()

    with pytest.raises(UnknownAgent, match=str(nobody)):
        world.take(signal(nobody))


def test_a_crash_after_the_decision_loses_no_order(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    message = signal(agent)
    world.take(message)
    world.queues.orders.clear()

    world.take(message)
    world.work()

    assert [row["status"] for row in world.orders()] == ["FILLED"]


class Witness:
    """A venue that remembers what reached it, and whose answers are lost as often as told."""

    takes_bounds = False

    def __init__(self, paper: PaperVenue, *, lost_answers: int) -> None:
        self.id: VenueId = paper.id
        self.sent: list[bytes] = []
        self._paper = paper
        self._lost = lost_answers

    def quote(self, market: Market, now: datetime) -> Quote:
        return self._paper.quote(market, now)

    def account(self, order: Order) -> Account:
        return self._paper.account(order)

    def next_action(self, order: Order, market: Market, quote: Quote) -> Action:
        return self._paper.next_action(order, market, quote)

    def cancel(self, order: Order, actions: Sequence[Action]) -> None:
        self._paper.cancel(order, actions)

    def send(self, order: Order, action: Action) -> Settled | None:
        self.sent.append(action.payload)
        return self._answer(order, action)

    def settle(self, order: Order, actions: Sequence[Action]) -> Settled | None:
        return self._answer(order, actions[0])

    def _answer(self, order: Order, action: Action) -> Settled | None:
        if self._lost:
            self._lost -= 1
            raise OutcomeUnknown(self.id, "no answer")
        return self._paper.send(order, action)


def test_an_unknown_outcome_is_asked_about_and_never_sent_anew(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    venue = Witness(world.paper("HYPERLIQUID"), lost_answers=3)
    world.venues["HYPERLIQUID"] = venue

    world.open(agent)
    (outcome,) = world.work()

    assert outcome.status is OrderStatus.FILLED
    assert len(venue.sent) == 1
    assert world.sleeps == [0.5, 1.0, 2.0]


def test_a_venue_that_is_slow_to_answer_is_asked_for_ten_seconds_at_most(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.slowness = 4
    world.venues["HYPERLIQUID"] = Witness(world.paper("HYPERLIQUID"), lost_answers=9)

    world.open(agent)
    (outcome,) = world.work()

    assert outcome.status is OrderStatus.SENT
    assert world.sleeps == [0.5, 1.0, 2.0]


def test_an_outcome_that_stays_unknown_is_left_sent_and_settled_later(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    venue = Witness(world.paper("HYPERLIQUID"), lost_answers=5)
    world.venues["HYPERLIQUID"] = venue

    world.open(agent)
    (outcome,) = world.work()
    assert outcome.status is OrderStatus.SENT
    settled = world.executor().execute(outcome.order_id)

    assert settled.status is OrderStatus.FILLED
    assert len(venue.sent) == 1
    assert len(world.positions()) == 1


def test_an_account_that_is_leased_is_left_to_its_worker(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.open(agent)
    world.rows(
        "UPDATE venue_accounts SET lease_token = :token, lease_until = :until RETURNING account",
        token=uuid4(),
        until=datetime.now(UTC) + timedelta(minutes=1),
    )

    with pytest.raises(LeaseHeld):
        world.executor().execute(world.queues.orders[0].id)

    assert world.order()["status"] == "PLANNED"


def test_a_lease_lost_while_preparing_sends_nothing(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.open(agent)

    class Slow(Witness):
        def account(self, order: Order) -> Account:
            world.rows(
                "UPDATE venue_accounts SET lease_until = clock_timestamp() RETURNING account"
            )
            return super().account(order)

    slow = Slow(world.paper("HYPERLIQUID"), lost_answers=0)
    world.venues["HYPERLIQUID"] = slow

    with pytest.raises(LeaseHeld):
        world.executor().execute(world.queues.orders[0].id)

    assert slow.sent == []
    assert world.order()["status"] == "PLANNED"
    assert world.rows("SELECT 1 FROM venue_actions") == []
