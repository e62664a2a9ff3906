"""Controls as they are set over HTTP, obeyed by orders that are already on their way."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from decimal import Decimal
from uuid import UUID

import pytest

from agent_where.callers import Caller, Scope
from agent_where.contract.bodies import ControlBody
from agent_where.domain import ControlScope, ControlState, Market, Order, Quote
from agent_where.errors import Overtaken
from agent_where.reconciling import reconcile
from agent_where.store.controls import Controls
from agent_where.store.store import Store
from agent_where.venues.base import Action
from agent_where.venues.paper import PaperVenue
from tests.world import World, opened

OPERATOR = Caller(subject="an operator", scopes=frozenset({Scope.ADMIN}), wallet=None)
WALLET = f"0x{'Ab' * 20}"
STOPS = (ControlState.HALTED, ControlState.CLOSE_ONLY)


def set_control(world: World, scope: ControlScope, id_: str | None, state: ControlState) -> None:
    told = {"scope": scope, "id": id_, "state": state, "reason": "a test"}
    Controls(world.database).set(OPERATOR, ControlBody.model_validate(told))


def ids(agent: UUID, deployment: UUID) -> dict[ControlScope, str | None]:
    """What a control of each scope is about, for an order at HYPERLIQUID."""
    return {
        ControlScope.GLOBAL: None,
        ControlScope.VENUE: "hyperliquid",
        ControlScope.AGENT: str(agent).upper(),
        ControlScope.DEPLOYMENT: str(deployment).upper(),
    }


class Meddled(PaperVenue):
    """A venue where something happens while an order is prepared, after the gate let it through."""

    def __init__(self, paper: PaperVenue, meddle: Callable[[], None]) -> None:
        self.__dict__.update(paper.__dict__)
        self._meddle = meddle

    def quote(self, market: Market, now: datetime) -> Quote:
        self._meddle()
        return super().quote(market, now)


def assert_nothing_was_sent(world: World, code: str) -> None:
    (order,) = world.orders()
    assert (order["status"], order["refusal"], order["sent_at"]) == ("REJECTED", code, None)
    assert world.rows("SELECT order_id FROM venue_actions") == []
    assert world.positions() == []


@pytest.mark.parametrize("state", STOPS)
@pytest.mark.parametrize("scope", ControlScope)
def test_a_control_set_after_routing_stops_the_entry(
    world: World, scope: ControlScope, state: ControlState
) -> None:
    agent = world.agent("HYPERLIQUID")
    deployment = world.follow(agent, WALLET)
    world.both_markets()
    assert world.open(agent).orders == 1

    set_control(world, scope, ids(agent, deployment)[scope], state)
    world.work()

    assert_nothing_was_sent(world, state)


@pytest.mark.parametrize("state", STOPS)
@pytest.mark.parametrize("scope", ControlScope)
def test_a_control_set_after_the_gate_is_seen_by_the_statement_that_stores_sent(
    world: World, scope: ControlScope, state: ControlState
) -> None:
    agent = world.agent("HYPERLIQUID")
    deployment = world.follow(agent, WALLET)
    world.both_markets()
    world.open(agent)
    world.venues["HYPERLIQUID"] = Meddled(
        world.paper("HYPERLIQUID"),
        lambda: set_control(world, scope, ids(agent, deployment)[scope], state),
    )

    world.work()

    assert_nothing_was_sent(world, state)


def test_controls_of_others_stop_nothing(world: World) -> None:
    agent = world.agent("HYPERLIQUID")
    world.follow(agent, WALLET)
    other = world.agent()
    deployment = world.follow(other, WALLET)
    world.both_markets()
    world.open(agent)
    for scope, id_ in ids(other, deployment).items():
        state = ControlState.ACTIVE if scope is ControlScope.GLOBAL else ControlState.HALTED
        told = "OSTIUM" if scope is ControlScope.VENUE else id_
        set_control(world, scope, told, state)

    world.work()

    assert [row["status"] for row in world.orders()] == ["FILLED"]


@pytest.mark.parametrize("state", STOPS)
@pytest.mark.parametrize("scope", ControlScope)
def test_only_a_global_halt_stops_a_close(
    world: World, scope: ControlScope, state: ControlState
) -> None:
    agent = opened(world)
    (position,) = world.positions()
    about = ids(agent, position["deployment_id"])[scope]
    set_control(world, scope, about, state)

    world.close(agent)
    world.work()

    stopped = (scope, state) == (ControlScope.GLOBAL, ControlState.HALTED)
    assert [row["status"] for row in world.positions()] == ["OPEN" if stopped else "CLOSED"]
    assert [row["refusal"] for row in world.orders() if row["purpose"] == "CLOSE"] == (
        ["HALTED", None] if stopped else [None]
    )


@pytest.mark.parametrize("lifted", [ControlState.ACTIVE, ControlState.CLOSE_ONLY])
def test_a_close_goes_on_at_once_when_the_global_halt_is_lifted(
    world: World, lifted: ControlState
) -> None:
    agent = opened(world, riskModel={"stopLoss": "0.05"})
    set_control(world, ControlScope.GLOBAL, None, ControlState.HALTED)
    world.close(agent)
    world.work()
    world.rows("UPDATE venue_orders SET due_at = now() WHERE purpose = 'CLOSE' AND due_at > now()")
    reconcile(world.deps, seconds=5)
    world.work()
    waiting = world.order("CLOSE")
    assert (waiting["attempt"], waiting["status"]) == (3, "PLANNED")
    assert world.rows("SELECT :at > now() AS later", at=waiting["due_at"]) == [{"later": True}]

    set_control(world, ControlScope.GLOBAL, None, lifted)
    reconcile(world.deps, seconds=5)
    world.work()

    assert [row["status"] for row in world.positions()] == ["CLOSED"]
    assert world.order("STOP_LOSS")["refusal"] == "NOTHING_TO_CLOSE"


def test_lifting_another_control_wakes_nothing(world: World) -> None:
    agent = opened(world, riskModel={"stopLoss": "0.05"})
    set_control(world, ControlScope.GLOBAL, None, ControlState.HALTED)
    world.close(agent)
    world.work()
    before = world.rows("SELECT id, due_at FROM venue_orders ORDER BY id")

    set_control(world, ControlScope.AGENT, str(agent), ControlState.HALTED)
    set_control(world, ControlScope.AGENT, str(agent), ControlState.ACTIVE)

    assert world.rows("SELECT id, due_at FROM venue_orders ORDER BY id") == before


def test_an_order_that_a_worker_has_holds_up_no_control(world: World) -> None:
    agent = opened(world)
    set_control(world, ControlScope.GLOBAL, None, ControlState.HALTED)
    world.close(agent)
    world.work()
    with ThreadPoolExecutor(1) as pool:
        busy = pool.submit(hold_all_orders, world.another_worker())
        while not world.rows("SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'"):
            assert not busy.done()
        set_control(world, ControlScope.GLOBAL, None, ControlState.ACTIVE)
        assert not busy.done()


def hold_all_orders(worker: World) -> None:
    locked = "SELECT id FROM venue_orders FOR UPDATE"
    worker.database.run_together((locked, {}), ("SELECT pg_sleep(2)", {}))
    worker.dispose()


def test_lifting_a_halt_wakes_only_what_the_halt_held_up(world: World) -> None:
    agent = opened(world)
    world.both_markets(is_open=False)
    world.close(agent)
    world.work()
    before = world.order("CLOSE")
    assert (before["attempt"], before["status"]) == (2, "PLANNED")

    set_control(world, ControlScope.GLOBAL, None, ControlState.ACTIVE)

    assert world.order("CLOSE")["due_at"] == before["due_at"]


def test_an_entry_over_the_operator_s_ceiling_is_refused_whatever_its_deployment_allows(
    world: World,
) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.ceiling_usd = Decimal("299.99")
    world.open(agent)

    world.work()

    assert_nothing_was_sent(world, "ABOVE_LIMIT")
    assert world.orders()[0]["detail"] == "Notional 300.00 USD is over the operator's 299.99 USD"


def test_the_operator_s_ceiling_is_inclusive_and_stops_no_close(world: World) -> None:
    world.ceiling_usd = Decimal(300)
    agent = opened(world)
    assert [row["status"] for row in world.positions()] == ["OPEN"]

    world.ceiling_usd = Decimal(1)
    world.close(agent)
    world.work()

    assert [row["status"] for row in world.positions()] == ["CLOSED"]


class Lowered(Store):
    """A store whose ceiling came down after the order was sized."""

    def mark_sent(
        self, order: Order, action: Action, token: UUID, ceiling_usd: Decimal | None
    ) -> bool:
        return super().mark_sent(order, action, token, Decimal("299.99"))


def test_the_statement_that_stores_sent_knows_the_ceiling_too(world: World) -> None:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.open(agent)
    world.store = Lowered(world.database)

    with pytest.raises(Overtaken):
        world.work()

    assert [row["status"] for row in world.orders()] == ["PLANNED"]
    assert world.rows("SELECT order_id FROM venue_actions") == []
