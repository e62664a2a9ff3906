"""Ostium's adapter and a nonce that nothing takes: no order outlives what its wallet waits for."""

from datetime import timedelta

import pytest

from agent_where.domain import Order, OrderStatus
from agent_where.venues.base import Action, ActionKind, Standing
from local.chain.venue import LocalVenue
from tests.venues.ostium_fixtures import chain, desk, place
from tests.venues.ostium_local import Desk

__all__ = ("chain", "desk", "place")


def taken_back(desk: Desk) -> tuple[Order, list[Action]]:
    """An order that no keeper answered, with its take-back stored and its broadcast lost."""
    desk.place.keeper.silent()
    order, actions = desk.trade(desk.order())
    desk.mined(desk.agent)
    desk.place.mine(40)
    actions.append(desk.sealed(desk.venue.settle(order, actions)))
    assert actions[1].kind is ActionKind.TIMEOUT
    return order, actions


def answered(desk: Desk) -> None:
    """The keeper comes to it after all, and blocks pass."""
    (order_id,) = desk.place.keeper.unanswered()
    desk.place.keeper.answer(order_id)
    desk.place.mine(5)
    desk.place.keeper.fill()


def test_an_order_does_not_end_while_its_take_back_is_in_no_block(
    desk: Desk, place: LocalVenue
) -> None:
    order, actions = taken_back(desk)
    answered(desk)

    assert desk.venue.settle(order, actions) is actions[1]
    assert desk.settled(order, actions).status is OrderStatus.FILLED

    used = place.node.number("eth_getTransactionCount", desk.agent, "latest")
    assert used > (actions[1].nonce or 0)
    assert desk.opened().status is OrderStatus.FILLED


def test_a_take_back_that_came_too_late_is_replaced_before_its_order_ends(desk: Desk) -> None:
    order, actions = taken_back(desk)
    answered(desk)
    desk.late = timedelta(minutes=3)

    assert desk.settled(order, actions).status is OrderStatus.FILLED

    assert [each.kind for each in actions[1:]] == [ActionKind.TIMEOUT, ActionKind.REPLACE]
    assert actions[1].nonce == actions[2].nonce
    desk.late = timedelta(0)
    assert desk.opened().status is OrderStatus.FILLED


def test_a_take_back_is_not_signed_without_the_ether_for_it(
    desk: Desk, place: LocalVenue, caplog: pytest.LogCaptureFixture
) -> None:
    place.keeper.silent()
    order, actions = desk.trade(desk.order())
    desk.mined(desk.agent)
    place.mine(40)
    place.node.ask("anvil_setBalance", desk.agent, "0x1")

    told = desk.venue.settle(order, actions)

    place.keeper.fill()
    assert isinstance(told, Standing), told
    assert "1 wei" in caplog.text
