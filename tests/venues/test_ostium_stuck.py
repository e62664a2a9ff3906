"""Ostium's adapter, and transactions that do not get through, or not in time.

No order ends while its wallet waits for a nonce, none is EXPIRED without evidence, no close of
one trade closes another, and what is stuck is priced anew.
"""

import json
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from agent_where.domain import Order, OrderStatus, Refusal, Settled
from agent_where.errors import VenueUnavailable
from agent_where.venues._evm.chain import EXITS_MAY_COST
from agent_where.venues._evm.transaction import parsed
from agent_where.venues._http import JsonHttp
from agent_where.venues.base import Action, ActionKind, Standing
from agent_where.venues.ostium.trading import OstiumVenue
from local.chain.venue import LocalVenue
from tests.venues.ostium_fixtures import chain, desk, place
from tests.venues.ostium_local import Desk, site

__all__ = ("chain", "desk", "place")

NOBODY = "0x" + "0" * 40
GWEI = 10**9


class Behind(JsonHttp):
    """One URL and two nodes: receipts are of the one that has not seen the last blocks."""

    lag = 0

    def post(self, url: str, body: bytes) -> Any:
        told: Any = super().post(url, body)
        asked = json.loads(body)
        rows = asked if isinstance(asked, list) else [asked]
        methods = {each["id"]: each["method"] for each in rows}
        for row in told if isinstance(told, list) else [told]:
            result = row.get("result")
            if result and methods[row["id"]] == "eth_getTransactionReceipt":
                seen = self._head(url) - self.lag
                row["result"] = result if int(result["blockNumber"], 16) <= seen else None
        return told

    def _head(self, url: str) -> int:
        asked = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}
        told: Any = super().post(url, json.dumps(asked).encode())
        return int(told["result"], 16)


@pytest.fixture
def behind(desk: Desk) -> Behind:
    """What the desk's adapter asks through."""
    http = Behind.within(5)
    desk.venue = OstiumVenue(site(desk.place), timeout_seconds=5, clock=desk.now, http=http)
    return http


@pytest.fixture
def gas(place: LocalVenue) -> Iterator[Callable[[int], None]]:
    """Has a unit of gas cost so many gwei from the next block on, and in the end what it did."""
    head: Any = place.node.ask("eth_getBlockByNumber", "latest", False)

    def costs(wei: str) -> None:
        place.node.ask("anvil_setNextBlockBaseFeePerGas", wei)
        place.node.ask("anvil_mine", "0x1")

    yield lambda gwei: costs(hex(gwei * GWEI))
    costs(head["baseFeePerGas"])


def until(place: LocalVenue, holds: Callable[[], bool]) -> None:
    """Blocks pass until something holds."""
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)
        place.mine()


def reopened(desk: Desk, pair: int, slot: int) -> None:
    """The user closes a trade by hand and opens another, which takes its index."""
    place, trading = desk.place, desk.place.deployed.trading
    mid = int(desk.venue.quote(desk.market(), desk.now()).mid * 10**18)
    place.call(desk.user_key, trading, "closeTradeMarket", pair, slot, 10_000, mid, 1_000)
    until(place, lambda: desk.trades() == 0)
    trade = (20_000_000, mid, 0, 0, desk.user, 1_000, pair, slot, True, False)
    place.call(desk.user_key, trading, "openTrade", trade, (NOBODY, 0), 0, 500)
    until(place, lambda: desk.trades() == 1)


def unsent_close(desk: Desk) -> tuple[Order, Action]:
    """A close that is stored and was not sent; at its index there is another trade by now."""
    opened = desk.opened()
    order = desk.sized(desk.close_of(opened))
    action = desk.sealed(desk.unsent(order))
    pair, slot, _ = map(int, str(opened.position_ref).split(":"))
    reopened(desk, pair, slot)
    return order, action


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


def test_an_order_does_not_end_while_its_take_back_could_still_be_undone(
    desk: Desk, place: LocalVenue
) -> None:
    order, actions = taken_back(desk)
    answered(desk)
    desk.send(order, actions[1])
    desk.mined(desk.agent)

    assert isinstance(desk.venue.settle(order, actions), Standing)

    place.mine(3)
    assert isinstance(desk.venue.settle(order, actions), Settled)


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


def test_an_order_is_not_expired_while_the_node_with_its_receipt_is_behind(
    desk: Desk, place: LocalVenue, behind: Behind
) -> None:
    order, actions = desk.trade(desk.order())
    desk.mined(desk.agent)
    place.mine(4)
    until(place, lambda: desk.trades() == 1)
    behind.lag = 40
    desk.late = timedelta(minutes=3)

    assert desk.venue.settle(order, actions) is None

    behind.lag = 0
    assert desk.settled(order, actions).status is OrderStatus.FILLED


def test_an_order_that_beat_its_replacement_is_not_expired_while_a_node_is_behind(
    desk: Desk, place: LocalVenue, behind: Behind
) -> None:
    place.node.ask("evm_setAutomine", False)
    order, actions = desk.trade(desk.order())
    desk.late = timedelta(minutes=3)
    actions.append(desk.sealed(desk.venue.settle(order, actions)))
    place.node.ask("evm_setAutomine", True)
    until(place, lambda: desk.trades() == 1)
    place.mine(5)
    behind.lag = 40

    assert desk.venue.settle(order, actions) is None

    behind.lag = 0
    assert desk.settled(order, actions).status is OrderStatus.FILLED


def test_a_close_is_replaced_at_once_when_another_trade_has_its_index(desk: Desk) -> None:
    order, action = unsent_close(desk)
    actions = [action]

    settled = desk.settled(order, actions)

    assert [each.kind for each in actions] == [ActionKind.ORDER, ActionKind.REPLACE]
    assert settled.status is OrderStatus.EXPIRED
    assert desk.trades() == 1


def test_a_close_that_met_another_trade_is_not_told_as_ours(
    desk: Desk, place: LocalVenue, caplog: pytest.LogCaptureFixture
) -> None:
    order, action = unsent_close(desk)
    desk.send(order, action)
    until(place, lambda: desk.trades() == 0)

    settled = desk.settled(order, [action])

    assert (settled.status, settled.code) == (OrderStatus.REJECTED, Refusal.NOTHING_TO_CLOSE)
    assert not settled.fills
    assert f"order {order.id}" in caplog.text


def test_a_replacement_is_priced_anew_when_gas_outgrew_it(
    desk: Desk, place: LocalVenue, gas: Callable[[int], None]
) -> None:
    gas(1)
    place.node.ask("evm_setAutomine", False)
    order, actions = desk.trade(desk.order())
    desk.late = timedelta(minutes=3)
    actions.append(desk.sealed(desk.venue.settle(order, actions)))
    desk.send(order, actions[1])
    assert desk.venue.settle(order, actions) is None
    gas(4)
    assert desk.venue.settle(order, actions) in (None, actions[1])  # it has had no time yet
    desk.late = timedelta(minutes=6)

    actions.append(desk.sealed(desk.venue.settle(order, actions)))

    assert (actions[2].kind, actions[2].nonce) == (ActionKind.REPLACE, actions[0].nonce)
    assert parsed(actions[2].payload).fees.most > 4 * GWEI
    place.node.ask("evm_setAutomine", True)
    desk.send(order, actions[2])
    place.mine(4)
    settled = desk.venue.settle(order, actions)
    assert isinstance(settled, Settled)
    assert settled.status is OrderStatus.EXPIRED
    assert str(actions[2].tx_hash) in settled.detail


def test_gas_over_the_cap_opens_nothing_and_holds_up_no_close(
    desk: Desk, gas: Callable[[int], None]
) -> None:
    opened = desk.opened()
    gas(4)

    with pytest.raises(VenueUnavailable) as told:
        desk.unsent(desk.sized(desk.order()))
    closed = desk.filled(desk.close_of(opened))

    assert told.value.code == "GAS_TOO_DEAR"
    assert closed.status is OrderStatus.FILLED


def test_a_close_costs_no_more_than_its_multiple_of_the_cap(
    desk: Desk, gas: Callable[[int], None]
) -> None:
    opened = desk.opened()
    gas(2 * EXITS_MAY_COST + 2)

    with pytest.raises(VenueUnavailable) as told:
        desk.unsent(desk.sized(desk.close_of(opened)))

    assert told.value.code == "GAS_TOO_DEAR"
