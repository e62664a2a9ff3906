"""CLOSE takes everything the agent holds in a token, wherever it is and whatever state it is in."""

from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from uuid import UUID

from agent_where import pipeline
from agent_where.domain import Order, OrderStatus, Settled
from agent_where.venues.base import Action
from agent_where.venues.paper import PaperVenue
from tests.world import World, opened, signal


def test_a_close_sells_what_is_open_and_tells_its_pnl(world: World) -> None:
    agent = opened(world)
    world.both_markets(price_usd=Decimal(110))

    world.close(agent)
    world.work()

    (position,) = world.positions()
    entry, exit_ = Decimal("100.02"), Decimal("109.978")
    fees = sum(row["fee"] for row in world.rows("SELECT fee FROM venue_fills"))
    assert position["status"] == "CLOSED"
    assert position["exit_price"] == exit_
    assert position["pnl"] == (exit_ - entry) * Decimal("2.999") - fees
    assert (position["open_qty"], position["exit_reason"], position["closed_by"]) == (
        0,
        "CLOSE",
        "SIGNAL",
    )


def test_a_short_gains_when_the_price_falls(world: World) -> None:
    agent = opened(world, side="SHORT")
    world.both_markets(price_usd=Decimal(90))

    world.close(agent)
    world.work()

    (position,) = world.positions()
    assert position["pnl"] > 28


def test_a_close_ignores_pause_and_stale_markets(world: World) -> None:
    agent = opened(world)
    world.rows("UPDATE agents SET status = 'PAUSED' RETURNING id")
    world.rows("UPDATE agent_deployments SET sub_active = false RETURNING id")
    world.rows("UPDATE venue_markets SET last_synced = now() - interval '1 day' RETURNING id")

    world.close(agent)
    world.work()

    assert [row["status"] for row in world.positions()] == ["CLOSED"]


def test_a_close_of_one_side_leaves_the_other(world: World) -> None:
    agent = world.agent("OSTIUM")
    world.follow(agent)
    world.both_markets()
    world.open(agent)
    world.open(agent, side="SHORT")
    world.work()

    world.close(agent, side="SHORT")
    world.work()

    assert {row["side"]: row["status"] for row in world.positions()} == {
        "LONG": "OPEN",
        "SHORT": "CLOSED",
    }


def test_a_close_with_nothing_to_close_says_so(world: World) -> None:
    agent = world.agent()
    world.follow(agent)

    outcome = world.close(agent)

    assert (outcome.status, outcome.detail) == (
        "SKIPPED",
        "Nothing to close: no position in BTC",
    )


def test_a_close_supersedes_an_entry_that_was_not_sent_yet(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.open(agent)

    closing = world.close(agent)
    world.work()

    (order,) = world.orders()
    assert (order["status"], order["refusal"]) == ("REJECTED", "SUPERSEDED")
    assert order["detail"] == f"superseded by CLOSE signal {closing.signal_id}"
    assert world.positions() == []


def test_an_open_decided_after_a_later_close_opens_nothing(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    late = signal(agent)
    world.store.insert_signal(late)
    world.close(agent)

    outcome = world.take(late)

    assert outcome.detail.startswith("SUPERSEDED")


def test_an_open_after_the_close_trades_again(world: World) -> None:
    agent = opened(world)
    world.close(agent)
    world.work()

    world.open(agent)
    world.work()

    assert [row["status"] for row in world.positions()] == ["CLOSED", "OPEN"]


def sent_but_not_settled(world: World) -> tuple[UUID, UUID]:
    """An entry whose worker died right after storing it as SENT."""
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.open(agent)
    ticket = world.queues.orders.popleft()

    world.venues["HYPERLIQUID"] = Deadly(world.paper("HYPERLIQUID"))
    with suppress(Died):
        world.executor().execute(ticket.id)
    world.venues.clear()
    return agent, ticket.id


class Died(Exception):
    """The worker is gone."""


class Deadly(PaperVenue):
    """A venue that kills the worker before a byte is sent."""

    def __init__(self, paper: PaperVenue) -> None:
        self.__dict__.update(paper.__dict__)

    def send(self, order: Order, action: Action) -> Settled | None:
        raise Died


def test_a_close_waits_for_an_entry_under_way_and_closes_what_it_opened(world: World) -> None:
    agent, entry = sent_but_not_settled(world)

    world.close(agent)
    waiting = world.order("CLOSE")
    assert (waiting["after_order_id"], waiting["due_at"]) == (entry, None)
    assert not world.queues.orders
    pipeline.take_order(entry, world.deps)
    world.work()

    assert [row["status"] for row in world.positions()] == ["CLOSED"]
    assert {row["status"] for row in world.orders()} == {"FILLED"}


def test_a_close_that_waited_for_an_entry_that_opened_nothing_is_void(world: World) -> None:
    agent, entry = sent_but_not_settled(world)
    world.close(agent)
    world.venues["HYPERLIQUID"] = Refusing()

    pipeline.take_order(entry, world.deps)
    world.work()

    assert {row["leg"].split(":")[0]: row["refusal"] for row in world.orders()} == {
        "ENTRY": "VENUE_REFUSED",
        "CLOSE": "NOTHING_TO_CLOSE",
    }
    assert world.positions() == []


class Refusing(PaperVenue):
    """A venue that, asked about an order, says it refused it."""

    def __init__(self) -> None:
        self.id = "HYPERLIQUID"

    def settle(self, order: Order, actions: Sequence[Action]) -> Settled | None:
        return Settled(status=OrderStatus.REJECTED, code="VENUE_REFUSED", detail="no match")


def test_a_partly_filled_close_is_followed_by_another_for_the_rest(world: World) -> None:
    agent = opened(world)
    world.depth_usd = Decimal(120)

    world.close(agent)
    world.work()
    (position,) = world.positions()
    assert (position["status"], position["open_qty"]) == ("OPEN", Decimal("1.799"))
    for _ in range(2):
        world.rows("UPDATE venue_orders SET due_at = now() WHERE status = 'PLANNED' RETURNING id")
        world.queues.send_orders(world.store.enqueue_due_orders(10), again=True)
        world.work()

    (position,) = world.positions()
    assert (position["status"], position["open_qty"]) == ("CLOSED", 0)
    legs = [row["leg"].split(":")[2:] for row in world.orders() if row["purpose"] == "CLOSE"]
    assert legs == [[], ["2"], ["3"]]


def test_a_close_in_a_closed_market_is_tried_again_later(world: World) -> None:
    agent = opened(world)
    world.both_markets(is_open=False)

    world.close(agent)
    world.work()
    world.both_markets()
    first, second = [row for row in world.orders() if row["purpose"] == "CLOSE"]
    assert (first["status"], first["refusal"], second["attempt"]) == (
        "REJECTED",
        "MARKET_CLOSED",
        2,
    )
    world.rows("UPDATE venue_orders SET due_at = now() WHERE status = 'PLANNED' RETURNING id")
    world.queues.send_orders(world.store.enqueue_due_orders(10), again=True)
    world.work()

    assert [row["status"] for row in world.positions()] == ["CLOSED"]


def test_halting_everything_stops_a_close_but_halting_the_agent_does_not(world: World) -> None:
    agent = opened(world)
    world.control("agent", str(agent), "HALTED")
    world.control("global", None, "HALTED")
    world.close(agent)
    world.work()
    assert world.order("CLOSE")["attempt"] == 2
    assert [row["status"] for row in world.positions()] == ["OPEN"]

    world.control("global", None, "CLOSE_ONLY")
    world.rows("UPDATE venue_orders SET due_at = now() WHERE status = 'PLANNED' RETURNING id")
    world.queues.send_orders(world.store.enqueue_due_orders(10), again=True)
    world.work()

    assert [row["status"] for row in world.positions()] == ["CLOSED"]


def test_a_take_profit_and_a_stop_loss_wait_for_their_price(world: World) -> None:
    opened(world, riskModel={"stopLoss": "0.05", "takeProfit": "0.10"})
    (position,) = world.positions()
    assert (position["stop_loss"], position["take_profit"]) == (
        Decimal("95.019"),
        Decimal("110.022"),
    )

    world.market("HYPERLIQUID", price_usd=Decimal(109))
    assert world.store.upsert_markets("OSTIUM", world._markets("OSTIUM"))[1] == []
    market = world._markets("HYPERLIQUID")[0].model_copy(update={"price_usd": Decimal(111)})
    _, triggered = world.store.upsert_markets("HYPERLIQUID", [market])
    world.queues.send_orders(triggered)
    world.work()

    (position,) = world.positions()
    assert (position["status"], position["exit_reason"], position["closed_by"]) == (
        "CLOSED",
        "TAKE_PROFIT",
        "TRIGGER",
    )
    stop = world.order("STOP_LOSS")
    assert (stop["status"], stop["refusal"]) == ("REJECTED", "NOTHING_TO_CLOSE")


def test_a_stop_loss_of_a_short_is_triggered_by_a_rising_price(world: World) -> None:
    opened(world, side="SHORT", riskModel={"stopLoss": "0.05", "takeProfit": "0.10"})
    market = world._markets("HYPERLIQUID")[0].model_copy(update={"price_usd": Decimal(106)})

    _, triggered = world.store.upsert_markets("HYPERLIQUID", [market])
    world.queues.send_orders(triggered)
    world.work()

    (position,) = world.positions()
    assert (position["exit_reason"], position["status"]) == ("STOP_LOSS", "CLOSED")
    assert position["pnl"] < -15


def test_a_close_voids_the_exits_that_were_waiting(world: World) -> None:
    agent = opened(world, riskModel={"stopLoss": "0.05", "takeProfit": "0.10"})

    world.close(agent)
    world.work()

    assert {row["leg"].split(":")[0]: row["status"] for row in world.orders()} == {
        "ENTRY": "FILLED",
        "CLOSE": "FILLED",
        "STOP_LOSS": "REJECTED",
        "TAKE_PROFIT": "REJECTED",
    }


def test_two_closes_at_once_close_once(world: World) -> None:
    agent = opened(world)

    world.close(agent)
    world.close(agent)
    world.work()

    closes = [row for row in world.orders() if row["purpose"] == "CLOSE"]
    assert sorted(str(row["refusal"]) for row in closes) == ["NOTHING_TO_CLOSE", "None"]
    assert len(world.rows("SELECT 1 FROM venue_fills")) == 2
