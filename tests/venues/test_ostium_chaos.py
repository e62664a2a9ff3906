"""Orders under faults drawn at random: each ends once, and the wallet agrees with the ledger."""

import random
from datetime import timedelta
from decimal import Decimal

import pytest

from agent_where.domain import Order, OrderStatus, Settled
from agent_where.venues.base import Action
from agent_where.venues.ostium.ends import staked
from agent_where.venues.ostium.trading import OstiumVenue
from local.chain.keeper import CancelReason
from local.chain.venue import LocalVenue
from tests.venues.ostium_fixtures import chain, desk, place
from tests.venues.ostium_local import Desk, site, tell

__all__ = ("chain", "desk", "place")

ORDERS = 12
LOST = ["drop", "500", "garbage", None, None]
PENDING = ["mined", "waits", "dropped", "reorged"]


def after_the_broadcast(place: LocalVenue, what: str, action: Action) -> None:
    """What becomes of a transaction before anybody asks."""
    match what:
        case "dropped":
            place.node.ask("anvil_dropTransaction", action.tx_hash)
        case "reorged":
            place.node.ask("evm_setAutomine", True)
            place.mine()
            place.reorg(1)
    place.node.ask("evm_setAutomine", True)


def broadcast(desk: Desk, draw: random.Random, order: Order, action: Action) -> None:
    mode = draw.choice(LOST)
    if mode is not None:
        rule = {"mode": mode, "type": "eth_sendRawTransaction", "times": 1}
        tell(desk.place, "fail", processed=draw.random() < 0.5, **rule)
    desk.send(order, action)


@pytest.mark.parametrize("seed", range(3))
def test_every_order_ends_once_whatever_happens(desk: Desk, place: LocalVenue, seed: int) -> None:
    draw = random.Random(seed)
    before, spent, filled = desk.money(), Decimal(0), 0

    for _ in range(ORDERS):
        place.keeper.fill(exits=False)
        if draw.random() < 0.25:
            place.keeper.cancel(draw.choice([CancelReason.SLIPPAGE, CancelReason.PAUSED]))
        order = desk.sized(desk.order(collateral_usd=Decimal(20)))
        action = desk.sealed(desk.unsent(order))
        waits = draw.choice(PENDING)
        place.node.ask("evm_setAutomine", waits == "mined")
        broadcast(desk, draw, order, action)
        after_the_broadcast(place, waits, action)
        desk.late = timedelta(minutes=draw.choice([0, 0, 3]))
        desk.venue = OstiumVenue(site(place), timeout_seconds=5, clock=desk.now)

        settled = desk.settled(order, [action])

        desk.late = timedelta(0)
        filled += settled.status is OrderStatus.FILLED
        spent += cost(settled, action)

    assert desk.trades() == filled
    assert before - desk.money() == spent


def cost(settled: Settled, action: Action) -> Decimal:
    """What an ended entry took out of the wallet."""
    if settled.status is OrderStatus.FILLED:
        return Decimal(staked(action)).scaleb(-6)
    return settled.fee_usd
