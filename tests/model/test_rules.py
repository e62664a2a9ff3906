"""What the model lets pass is what the ledger's own statements let pass, case by case."""

from collections.abc import Iterator
from itertools import product
from uuid import UUID, uuid4

import pytest

from agent_where.domain import OrderStatus, Settled
from agent_where.errors import DatabaseRefused, Overtaken
from agent_where.execution.executor import LEASE_SECONDS
from agent_where.venues.base import Action, ActionKind
from tests.model.protocol import MOVES, Order, Protocol, State
from tests.world import World

OWN, ANOTHERS, NOBODYS = "its own", "another's", "nobody's"
LEASES = {OWN: 0, ANOTHERS: 1, NOBODYS: None}
STATUSES = ("PLANNED", "SENT", "FILLED", "REJECTED", "EXPIRED")
TOKEN = UUID(int=1)


@pytest.fixture
def world(database_dsn: str) -> Iterator[World]:
    made = World(database_dsn)
    yield made
    made.dispose()


def planned(world: World) -> UUID:
    agent = world.agent()
    world.follow(agent)
    world.both_markets()
    world.open(agent)
    return UUID(str(world.order()["id"]))


def stands(world: World, order: UUID, status: str, lease: str, *, closing: bool) -> None:
    """Put the ledger into a state, past its rules."""
    token = {OWN: TOKEN, ANOTHERS: uuid4(), NOBODYS: None}[lease]
    ended = "now()" if status in ("FILLED", "REJECTED", "EXPIRED") else "NULL"
    sent = "NULL" if status == "PLANNED" else "now()"
    world.database.run_together(
        ("SET LOCAL session_replication_role = replica", {}),
        (
            (
                "UPDATE venue_orders SET status = :status, size = 1, limit_price = 101,"
                f" collateral_usd = 1, settled_at = {ended}, sent_at = {sent}, sent_under ="
                f" CASE WHEN {sent} IS NULL THEN NULL ELSE gen_random_uuid() END, detail = 'x',"
                " refusal = CASE WHEN :status = 'REJECTED' THEN 'X' END,"
                " filled_size = CASE WHEN :status = 'FILLED' THEN 1 END,"
                " average_price = CASE WHEN :status = 'FILLED' THEN 1 END,"
                " fee = CASE WHEN :status = 'FILLED' THEN 1 END WHERE id = :id"
            ),
            {"status": status, "id": order},
        ),
        (
            (
                "UPDATE venue_accounts SET lease_token = CAST(:token AS uuid), lease_until = CASE"
                " WHEN CAST(:token AS uuid) IS NOT NULL THEN now() + interval '1 minute' END"
            ),
            {"token": token},
        ),
        (
            (
                "INSERT INTO venue_actions (order_id, kind, payload, send_count)"
                " SELECT o.id, 'ORDER', 'x', 1 FROM venue_orders o WHERE o.sent_at IS NOT NULL"
            ),
            {},
        ),
        (
            (
                "INSERT INTO signals (agent_id, token_symbol, venue, action, received_at,"
                " decided_at) SELECT s.agent_id, s.token_symbol, s.venue, 'CLOSE', now(), now()"
                " FROM signals s WHERE :closing AND s.action = 'OPEN'"
            ),
            {"closing": closing},
        ),
    )


def modelled(status: str, lease: str, *, closing: bool) -> State:
    orders = (Order(status), Order(), Order(), Order())
    return State(orders=orders, lease=LEASES[lease], closing=closing)


@pytest.mark.parametrize(
    ("status", "lease", "closing"), list(product(STATUSES, LEASES, (False, True)))
)
def test_sent_is_stored_where_the_model_stores_it(
    world: World, status: str, lease: str, closing: bool
) -> None:
    order_id = planned(world)
    file = world.store.read_order(order_id, TOKEN)
    assert file is not None
    stands(world, order_id, status, lease, closing=closing)
    sized = file.order.model_copy(update={"size": 1, "limit_price": 101, "collateral_usd": 1})
    action = Action(kind=ActionKind.ORDER, payload=b"exactly this")

    stored = world.store.mark_sent(sized, action, TOKEN, None)

    allowed = Protocol()._may_be_sent(modelled(status, lease, closing=closing), 0, 0)
    assert stored == allowed


@pytest.mark.parametrize(("status", "lease"), list(product(STATUSES, LEASES)))
def test_an_order_is_taken_up_where_the_model_takes_it_up(
    world: World, status: str, lease: str
) -> None:
    order_id = planned(world)
    stands(world, order_id, status, lease, closing=False)
    token = uuid4()

    file = world.store.begin_order(order_id, token, LEASE_SECONDS)

    taken = [name for name, _ in Protocol().steps(modelled(status, lease, closing=False))]
    assert file is not None
    assert file.leased == any(name.startswith("worker 0 takes order 0") for name in taken)


@pytest.mark.parametrize(
    ("status", "end"),
    list(product(("SENT", "FILLED", "REJECTED", "EXPIRED"), ("REJECTED", "EXPIRED"))),
)
def test_an_end_is_stored_where_the_model_stores_it(world: World, status: str, end: str) -> None:
    order_id = planned(world)
    file = world.store.read_order(order_id, TOKEN)
    assert file is not None
    stands(world, order_id, status, OWN, closing=False)
    seen = file.order.model_copy(update={"status": OrderStatus.SENT})
    settled = Settled(status=OrderStatus(end), code="X", detail="a test")

    try:
        world.store.end_without_fills(seen, settled, TOKEN)
        stored = True
    except (Overtaken, DatabaseRefused):
        stored = False

    assert stored == ((status, end) in MOVES)
