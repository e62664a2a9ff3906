"""Ostium's adapter when node, network or a stranger interferes: never two trades for one order."""

import time
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from agent_where.domain import OrderStatus, Refusal, Settled
from agent_where.errors import OutcomeUnknown, VenueRejected, VenueUnavailable
from agent_where.venues._evm.limits import COOL_DOWN_SECONDS
from agent_where.venues.base import Action, ActionKind, Standing
from agent_where.venues.ostium.trading import OstiumVenue
from local.chain.venue import LocalVenue
from tests.venues.ostium_fixtures import chain, desk, place
from tests.venues.ostium_local import Desk, site, tell

__all__ = ("chain", "desk", "place")


def trades_on(desk: Desk) -> None:
    """The next order of the same wallet works."""
    before = desk.trades()
    assert desk.opened().status is OrderStatus.FILLED
    assert desk.trades() == before + 1


@pytest.mark.parametrize("mode", ["drop", "cut", "garbage", "500", "429"])
def test_a_lost_answer_to_a_broadcast_is_settled_from_the_chain(
    desk: Desk, place: LocalVenue, mode: str
) -> None:
    order = desk.sized(desk.order())
    action = desk.sealed(desk.unsent(order))
    rule = {"mode": mode, "type": "eth_sendRawTransaction", "times": 1}
    tell(place, "fail", processed=True, **rule)

    desk.send(order, action)
    desk.venue = OstiumVenue(site(place), timeout_seconds=5, clock=desk.now)
    settled = desk.settled(order, [action])

    assert settled.status is OrderStatus.FILLED
    assert desk.trades() == 1


@pytest.mark.parametrize("processed", [True, False])
def test_a_broadcast_that_was_answered_with_an_error_trades_once(
    desk: Desk, place: LocalVenue, processed: bool
) -> None:
    order = desk.sized(desk.order())
    action = desk.sealed(desk.unsent(order))
    tell(
        place,
        "rpc/refuse",
        method="eth_sendRawTransaction",
        processed=processed,
        times=1,
        message="internal error",
    )

    assert desk.send(order, action) == "OUTCOME_UNKNOWN"
    settled = desk.settled(order, [action])

    assert settled.status is OrderStatus.FILLED
    assert desk.trades() == 1
    trades_on(desk)


def test_bytes_that_are_sent_again_are_a_question_and_trade_once(desk: Desk) -> None:
    order, actions = desk.trade(desk.order())

    assert desk.send(order, actions[0]) == "OUTCOME_UNKNOWN"
    assert desk.settled(order, actions).status is OrderStatus.FILLED
    assert desk.send(order, actions[0]) == "OUTCOME_UNKNOWN"
    assert desk.trades() == 1


def test_what_never_arrived_is_the_same_bytes_again(desk: Desk) -> None:
    order = desk.sized(desk.order())
    action = desk.sealed(desk.unsent(order))

    assert desk.venue.settle(order, [action]) is action


def test_nobody_at_the_other_end_is_unavailable_and_nothing_left(desk: Desk) -> None:
    order = desk.sized(desk.order())
    action = desk.sealed(desk.unsent(order))
    gone = site(desk.place, rpc_url="http://127.0.0.1:1", price_url="http://127.0.0.1:1")
    desk.venue = OstiumVenue(gone, timeout_seconds=1, clock=desk.now)

    with pytest.raises(VenueUnavailable):
        desk.venue.send(order, action)
    with pytest.raises(VenueUnavailable):
        desk.venue.settle(order, [action])
    with pytest.raises(VenueUnavailable):
        desk.venue.quote(desk.market(), desk.now())


def test_a_node_of_another_chain_is_not_traded_on(desk: Desk) -> None:
    desk.venue = OstiumVenue(site(desk.place, chain_id=421_614), timeout_seconds=5, clock=desk.now)

    with pytest.raises(VenueUnavailable, match="chain 42161, the setting says 421614"):
        desk.unsent(desk.sized(desk.order()))


def test_an_address_that_is_no_registry_is_unavailable(desk: Desk) -> None:
    elsewhere = site(desk.place, registry=desk.place.usdc)
    desk.venue = OstiumVenue(elsewhere, timeout_seconds=5, clock=desk.now)

    with pytest.raises(VenueUnavailable):
        desk.venue.account(desk.order())


def test_a_transaction_that_waits_too_long_is_replaced_and_proven_never_to_have_traded(
    desk: Desk, place: LocalVenue
) -> None:
    before = desk.money()
    place.node.ask("evm_setAutomine", False)
    order, actions = desk.trade(desk.order())
    assert desk.venue.settle(order, actions) is None  # it waits in the node
    desk.late = timedelta(minutes=3)

    unsent = desk.venue.settle(order, actions)
    assert unsent is not None
    assert not isinstance(unsent, Settled | Standing | Action)
    actions.append(desk.sealed(unsent))
    assert (actions[1].kind, actions[1].nonce) == (ActionKind.REPLACE, actions[0].nonce)
    assert desk.send(order, actions[1]) == "BROADCAST"
    assert desk.venue.settle(order, actions) is None
    place.mine()
    assert desk.venue.settle(order, actions) is None  # not deep enough
    place.mine(3)
    settled = desk.venue.settle(order, actions)

    assert isinstance(settled, Settled)
    assert settled.status is OrderStatus.EXPIRED
    assert str(actions[0].tx_hash) in settled.detail
    assert str(actions[1].tx_hash) in settled.detail
    assert desk.money() == before
    place.node.ask("evm_setAutomine", True)
    desk.late = timedelta(0)
    trades_on(desk)


def test_an_order_that_was_faster_than_its_replacement_is_filled(
    desk: Desk, place: LocalVenue
) -> None:
    place.node.ask("evm_setAutomine", False)
    order, actions = desk.trade(desk.order())
    desk.late = timedelta(minutes=3)
    unsent = desk.venue.settle(order, actions)
    assert unsent is not None
    assert not isinstance(unsent, Settled | Standing | Action)
    actions.append(desk.sealed(unsent))
    place.node.ask("evm_setAutomine", True)
    place.mine()

    assert desk.send(order, actions[1]) == "OUTCOME_UNKNOWN"
    settled = desk.settled(order, actions)

    assert settled.status is OrderStatus.FILLED
    assert desk.trades() == 1


def test_a_replacement_that_got_lost_is_sent_again_and_the_order_is_not(
    desk: Desk, place: LocalVenue
) -> None:
    order = desk.sized(desk.order())
    actions = [desk.sealed(desk.unsent(order))]
    desk.late = timedelta(minutes=3)
    unsent = desk.venue.settle(order, actions)
    assert unsent is not None
    assert not isinstance(unsent, Settled | Standing | Action)
    actions.append(desk.sealed(unsent))

    assert desk.venue.settle(order, actions) is actions[1]
    assert desk.settled(order, actions).status is OrderStatus.EXPIRED


def test_a_nonce_that_a_stranger_with_the_same_key_used_up_proves_that_nothing_traded(
    desk: Desk, place: LocalVenue
) -> None:
    order = desk.sized(desk.order())
    action = desk.sealed(desk.unsent(order))
    other = desk.place.call(desk.agent_key, place.deployed.usdc, "approve", desk.user, 1)
    desk.mined(desk.agent)

    assert desk.venue.settle(order, [action]) is None
    place.mine(3)
    assert desk.venue.settle(order, [action]) is None  # deep, but a node may be behind
    desk.late = timedelta(minutes=3)
    settled = desk.venue.settle(order, [action])

    assert isinstance(settled, Settled)
    assert settled.status is OrderStatus.EXPIRED
    assert f"{other}, which is not ours" in settled.detail
    desk.late = timedelta(0)
    assert desk.trades() == 0
    trades_on(desk)


def test_a_reorganisation_before_the_keeper_answers_trades_once(
    desk: Desk, place: LocalVenue
) -> None:
    place.keeper.silent()
    order, actions = desk.trade(desk.order())
    desk.stands(order, actions)

    place.reorg(1)
    told = desk.venue.settle(order, actions)
    assert told is None or told is actions[0]
    place.keeper.fill()
    settled = desk.settled(order, actions)

    assert settled.status is OrderStatus.FILLED
    assert desk.trades() == 1


def test_a_fill_that_a_reorganisation_undid_was_not_told_as_the_end(
    desk: Desk, place: LocalVenue
) -> None:
    order, actions = desk.trade(desk.order())
    deadline = time.monotonic() + 5
    while not desk.trades():
        assert time.monotonic() < deadline, "the keeper filled nothing"
    desk.stands(order, actions)

    place.reorg(1)
    settled = desk.settled(order, actions)

    assert settled.status is OrderStatus.FILLED
    assert desk.trades() == 1


def test_a_transaction_that_reverts_is_rejected_with_the_contracts_word(
    desk: Desk, place: LocalVenue
) -> None:
    before = desk.money()
    order = desk.sized(desk.order())
    action = desk.sealed(desk.unsent(order))
    tell(place, "state", contract="trading", paused=True)  # between the simulation and the block
    desk.send(order, action)
    desk.mined(desk.agent)

    assert desk.venue.settle(order, [action]) is None  # not deep enough
    place.mine(3)
    settled = desk.venue.settle(order, [action])

    assert isinstance(settled, Settled)
    assert (settled.status, settled.code) == (OrderStatus.REJECTED, "VENUE_PAUSED")
    assert "IsPaused()" in settled.detail
    assert desk.money() == before
    tell(place, "state", contract="trading", paused=False)
    trades_on(desk)


def test_a_market_that_closes_after_the_order_was_built_is_the_keepers_word(
    desk: Desk, place: LocalVenue
) -> None:
    order = desk.sized(desk.order())
    action = desk.sealed(desk.unsent(order))
    place.prices.control.apply("/simulator/market", b'{"coin": "BTCUSD", "open": false}')
    try:
        desk.send(order, action)
        settled = desk.settled(order, [action])
    finally:
        place.prices.control.apply("/simulator/market", b'{"coin": "BTCUSD", "open": null}')

    assert (settled.status, settled.code) == (OrderStatus.REJECTED, Refusal.MARKET_CLOSED)
    assert desk.trades() == 0


def test_logs_are_read_in_ranges_as_short_as_the_node_wants_them(
    desk: Desk, place: LocalVenue
) -> None:
    order, actions = desk.trade(desk.order())
    place.mine(200)
    tell(place, "rpc/log-range", blocks=20)

    settled = desk.settled(order, actions, turns=1)

    assert settled.status is OrderStatus.FILLED


def test_a_node_that_says_429_is_left_alone_for_a_while(desk: Desk, place: LocalVenue) -> None:
    order, actions = desk.trade(desk.order())
    seconds = [0.0]
    desk.venue = OstiumVenue(
        site(place), timeout_seconds=5, clock=desk.now, monotonic=lambda: seconds[0]
    )
    tell(place, "fail", mode="429")

    with pytest.raises(VenueUnavailable):
        desk.venue.settle(order, actions)
    with pytest.raises(VenueUnavailable) as told:
        desk.venue.settle(order, actions)
    assert told.value.code == "RATE_LIMITED"
    tell(place, "fail", mode=None)
    with pytest.raises(VenueUnavailable, match="nothing is asked"):
        desk.venue.settle(order, actions)
    with pytest.raises(VenueUnavailable, match="nothing is asked"):
        desk.venue.send(order, actions[0])
    seconds[0] += COOL_DOWN_SECONDS + 1

    assert desk.settled(order, actions).status is OrderStatus.FILLED


def test_a_node_that_limits_by_an_error_code_is_left_alone_too(
    desk: Desk, place: LocalVenue
) -> None:
    order, actions = desk.trade(desk.order())
    tell(place, "rpc/refuse", method="eth_blockNumber", code=-32005, message="limit exceeded")

    with pytest.raises(VenueUnavailable) as told:
        desk.venue.settle(order, actions)

    assert told.value.code == "RATE_LIMITED"


@pytest.mark.parametrize("mode", ["drop", "500", "cut"])
def test_a_read_that_fails_once_is_asked_again(desk: Desk, place: LocalVenue, mode: str) -> None:
    tell(place, "fail", mode=mode, type="eth_getBalance", times=1)

    assert desk.venue.gas(desk.agent) == 1


@pytest.mark.parametrize(
    "read",
    [
        lambda desk: desk.unsent(desk.sized(desk.order())),
        lambda desk: desk.venue.account(desk.order()),
        lambda desk: desk.venue.approval(desk.user, desk.agent),
    ],
)
def test_a_node_that_answers_nonsense_is_unavailable(
    desk: Desk, place: LocalVenue, read: Callable[[Desk], object]
) -> None:
    tell(place, "rpc/refuse", method="eth_call", message="upstream is away")

    with pytest.raises(VenueUnavailable):
        read(desk)


def test_a_lagging_node_says_nothing_wrong(desk: Desk, place: LocalVenue) -> None:
    place.mine(10)
    order, actions = desk.trade(desk.order())
    tell(place, "rpc/lag", blocks=5)

    seen = [desk.venue.settle(order, actions) for _ in range(3)]
    assert not any(isinstance(each, Settled) for each in seen)
    tell(place, "rpc/lag", blocks=0)

    assert desk.settled(order, actions).status is OrderStatus.FILLED
    assert desk.trades() == 1


def test_gas_over_the_cap_is_unavailable(desk: Desk) -> None:
    capped = site(desk.place, max_fee_wei=1)
    desk.venue = OstiumVenue(capped, timeout_seconds=5, clock=desk.now)

    with pytest.raises(VenueUnavailable) as told:
        desk.unsent(desk.sized(desk.order()))

    assert told.value.code == "GAS_TOO_DEAR"


def test_an_order_without_stored_bytes_is_unknown_and_not_guessed(desk: Desk) -> None:
    with pytest.raises(OutcomeUnknown, match="without stored bytes"):
        desk.venue.settle(desk.order(), [])


def test_a_time_out_that_the_keeper_came_before_ends_as_the_fill(
    desk: Desk, place: LocalVenue
) -> None:
    place.keeper.silent()
    order, actions = desk.trade(desk.order())
    place.mine(40)
    unsent = desk.venue.settle(order, actions)
    assert unsent is not None
    assert not isinstance(unsent, Settled | Standing | Action)
    actions.append(desk.sealed(unsent))
    assert actions[1].kind is ActionKind.TIMEOUT
    (order_id,) = place.keeper.unanswered()
    place.keeper.answer(order_id)

    desk.send(order, actions[1])
    settled = desk.settled(order, actions)

    assert settled.status is OrderStatus.FILLED
    assert desk.trades() == 1
    place.keeper.fill()
    trades_on(desk)


def test_a_refusal_costs_the_account_nothing(desk: Desk) -> None:
    before = desk.money()

    with pytest.raises(VenueRejected):
        desk.unsent(desk.sized(desk.order(collateral_usd=Decimal(1))))

    assert desk.money() == before
