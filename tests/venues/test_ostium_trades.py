"""Ostium's adapter against the venue on a local chain: orders from their calldata to their ends."""

import time
from datetime import timedelta
from decimal import Decimal

import pytest

from agent_where.domain import Order, OrderStatus, Purpose, Refusal, Settled, Side
from agent_where.errors import VenueRejected
from agent_where.venues._http import JsonHttp
from agent_where.venues.ostium import refusals
from agent_where.venues.ostium.markets import ORDER_FEE_USD
from agent_where.venues.ostium.trading import OstiumVenue
from local.chain.keeper import CancelReason
from local.chain.venue import LocalVenue
from tests.venues.ostium_fixtures import chain, desk, place
from tests.venues.ostium_local import Desk, set_price, site, tell

__all__ = ("chain", "desk", "place")


class Counting(JsonHttp):
    """The client itself, counting."""

    trips = 0

    def get(self, url: str) -> object:
        self.trips += 1
        return super().get(url)

    def post(self, url: str, body: bytes) -> object:
        self.trips += 1
        return super().post(url, body)


UNIT = Decimal("0.000001")
DIRECT = True


def gained(opened: Settled, closed: Settled, side: Side = Side.LONG) -> Decimal:
    """What the ledger makes of the two: price times size, less all fees."""
    (entry,), (exit_,) = opened.fills, closed.fills
    return (exit_.price - entry.price) * exit_.size * side.sign - entry.fee_usd - exit_.fee_usd


@pytest.mark.parametrize("side", Side)
def test_a_position_is_opened_and_closed_and_the_wallet_agrees_to_the_unit(
    desk: Desk, place: LocalVenue, side: Side
) -> None:
    before = desk.money()

    opened = desk.opened(side=side)
    set_price(place, "70000")
    closed = desk.filled(desk.close_of(opened, side=side.opposite))

    assert opened.filled_size == closed.filled_size
    assert desk.trades() == 0
    assert abs(desk.money() - before - gained(opened, closed, side)) <= 2 * UNIT


def test_a_node_that_takes_batches_is_asked_in_few_trips(desk: Desk, place: LocalVenue) -> None:
    http = Counting()
    desk.venue = OstiumVenue(
        site(place, rpc_url=place.node.url), timeout_seconds=5, clock=desk.now, http=http
    )
    desk.venue.account(desk.order())
    order = desk.sized(desk.order())

    http.trips = 0
    unsent = desk.unsent(order)
    assert http.trips == 3  # the price, what the order hangs on, its simulation

    action = desk.sealed(unsent)
    desk.send(order, action)
    opened = desk.settled(order, [action])
    assert desk.filled(desk.close_of(opened)).status is OrderStatus.FILLED
    assert desk.venue.exits(desk.user, [desk.held(opened)], None)[0]
    desk.place.keeper.cancel(CancelReason.PRICE_IMPACT)
    assert desk.settled(*desk.trade(desk.order())).code == "PRICE_IMPACT"


def test_an_entry_stakes_its_collateral_and_all_fees_and_no_more(desk: Desk) -> None:
    before = desk.money()
    order = desk.sized(desk.order(collateral_usd=Decimal(100), leverage=Decimal(20)))

    opened = desk.filled(order)

    (fill,) = opened.fills
    assert before - desk.money() == Decimal("102.1")  # 10 bps of 2000, and the oracle
    assert fill.fee_usd == Decimal("2.1") + Decimal("0.042")  # fees are charged on the whole stake
    assert fill.size * fill.price <= 2000
    assert fill.size * fill.price > 1999


def test_bounds_go_with_the_entry_and_come_back_as_the_venue_took_them(desk: Desk) -> None:
    quote = desk.venue.quote(desk.market(), desk.now())
    loss, profit = quote.mid * Decimal("0.97"), quote.mid * Decimal("1.1")

    opened = desk.opened(stop_loss=loss, take_profit=profit)

    assert opened.stop_loss == loss.quantize(Decimal("1e-18"))
    assert opened.take_profit == profit.quantize(Decimal("1e-18"))


def test_a_bound_that_was_moved_by_the_venue_is_told_as_it_stands(desk: Desk) -> None:
    opened = desk.opened(stop_loss=Decimal(1), leverage=Decimal(10))

    (fill,) = opened.fills
    assert opened.stop_loss is not None
    assert opened.stop_loss > fill.price * Decimal("0.9")
    assert opened.take_profit is not None
    assert opened.take_profit > fill.price


@pytest.mark.parametrize("reason", [each for each in CancelReason if each])
def test_a_cancelled_opening_is_rejected_with_its_reason_and_the_oracles_fee(
    desk: Desk, place: LocalVenue, reason: CancelReason
) -> None:
    before = desk.money()
    place.keeper.cancel(reason)

    order, actions = desk.trade(desk.order())
    settled = desk.settled(order, actions)

    assert settled.status is OrderStatus.REJECTED
    assert reason.name in settled.detail
    assert settled.code == refusals.cancelled(reason)[0]
    assert settled.fee_usd == ORDER_FEE_USD == before - desk.money()


def test_a_cancelled_close_costs_the_oracles_fee_and_leaves_the_position(
    desk: Desk, place: LocalVenue
) -> None:
    opened = desk.opened()
    before = desk.money()
    place.keeper.cancel(CancelReason.SLIPPAGE)

    order, actions = desk.trade(desk.close_of(opened))
    settled = desk.settled(order, actions)

    assert (settled.status, settled.code) == (OrderStatus.REJECTED, "SLIPPAGE")
    assert settled.fee_usd == ORDER_FEE_USD == before - desk.money()
    assert desk.trades() == 1


def test_a_part_of_a_position_is_closed_and_its_cost_has_the_oracles_fee(desk: Desk) -> None:
    opened = desk.opened()
    before = desk.money()

    half = desk.filled(desk.close_of(opened, size=opened.filled_size / 2))

    (fill,) = half.fills
    assert abs(fill.size - opened.filled_size / 2) <= Decimal("1e-18")
    assert abs(fill.fee_usd - ORDER_FEE_USD) <= UNIT  # the contracts cut to whole units
    part = (fill.price - opened.fills[0].price) * fill.size
    collateral = (Decimal("101.1") - opened.fills[0].fee_usd) / 2
    assert abs(desk.money() - before - (collateral + part - ORDER_FEE_USD)) <= 2 * UNIT
    assert desk.trades() == 1


@pytest.mark.parametrize("opens", [True, False])
def test_what_no_keeper_answers_is_taken_back_in_full(
    desk: Desk, place: LocalVenue, opens: bool
) -> None:
    opened = None if opens else desk.opened()
    before = desk.money()
    place.keeper.silent()

    order, actions = desk.trade(desk.order() if opened is None else desk.close_of(opened))
    settled = desk.settled(order, actions, turns=80)

    assert (settled.status, settled.code) == (OrderStatus.REJECTED, refusals.TIMED_OUT)
    assert settled.fee_usd == 0
    assert desk.money() == before
    assert desk.trades() == (0 if opens else 1)
    assert [each.kind for each in actions] == ["ORDER", "TIMEOUT"]


def test_a_keeper_that_answers_late_still_fills_and_nothing_is_taken_back(
    desk: Desk, place: LocalVenue
) -> None:
    place.keeper.silent()
    order, actions = desk.trade(desk.order())
    for _ in range(5):
        desk.stands(order, actions)
        place.mine()
    place.keeper.fill()

    settled = desk.settled(order, actions)

    assert settled.status is OrderStatus.FILLED
    assert desk.trades() == 1
    assert len(actions) == 1


def test_the_end_is_told_only_at_the_depth_of_the_setting(desk: Desk, place: LocalVenue) -> None:
    order, actions = desk.trade(desk.order())
    deadline = time.monotonic() + 5
    while not desk.trades():
        assert time.monotonic() < deadline, "the keeper filled nothing"

    desk.stands(order, actions)
    place.mine(3)
    assert isinstance(desk.venue.settle(order, actions), Settled)


def refused(desk: Desk, order: Order) -> VenueRejected:
    with pytest.raises(VenueRejected) as told:
        desk.unsent(desk.sized(order))
    assert desk.place.node.number("eth_getTransactionCount", desk.agent, "latest") == 0
    return told.value


def test_a_key_that_the_user_did_not_name_is_refused(desk: Desk) -> None:
    stranger = Desk(desk.place, desk.venue, user_key=desk.user_key)

    told = refused(stranger, stranger.order())

    assert told.code == Refusal.NOT_APPROVED
    assert desk.agent in told.detail


@pytest.mark.parametrize("contract", ["trading", "callbacks"])
def test_a_paused_venue_opens_nothing_and_closes_all_the_same(
    desk: Desk, place: LocalVenue, contract: str
) -> None:
    opened = desk.opened()
    tell(place, "state", contract=contract, paused=True)

    with pytest.raises(VenueRejected) as told:
        desk.unsent(desk.sized(desk.order()))

    assert told.value.code == refusals.PAUSED
    assert desk.filled(desk.close_of(opened)).status is OrderStatus.FILLED


def test_a_venue_that_is_shut_down_closes_nothing_either(desk: Desk, place: LocalVenue) -> None:
    opened = desk.opened()
    tell(place, "state", contract="trading", done=True)

    with pytest.raises(VenueRejected, match="shut down") as told:
        desk.unsent(desk.sized(desk.close_of(opened)))

    assert told.value.code == refusals.PAUSED


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"collateral_usd": Decimal("4.00")}, Refusal.BELOW_MIN_POSITION),
        ({"collateral_usd": Decimal(5000)}, Refusal.NO_COLLATERAL),
        ({"collateral_usd": Decimal(100), "leverage": Decimal(900)}, Refusal.ABOVE_MAX_LEVERAGE),
        ({"take_profit": Decimal(1)}, Refusal.VENUE_REFUSED),
        ({"stop_loss": Decimal(10_000_000)}, Refusal.VENUE_REFUSED),
        ({"signer_address": None}, Refusal.NOT_APPROVED),
        ({"purpose": Purpose.STOP_LOSS}, Refusal.VENUE_REFUSED),
        ({"purpose": Purpose.CLOSE, "position_ref": "nonsense"}, Refusal.NOTHING_TO_CLOSE),
        ({"purpose": Purpose.CLOSE, "position_ref": "0:0:77"}, Refusal.NOTHING_TO_CLOSE),
    ],
)
def test_what_the_venue_would_refuse_is_refused_before_anything_is_signed(
    desk: Desk, changes: dict[str, object], code: str
) -> None:
    assert refused(desk, desk.order(**changes)).code == code


def test_an_error_of_the_contracts_is_named(desk: Desk) -> None:
    assert "WrongTP()" in refused(desk, desk.order(take_profit=Decimal(1))).detail


def test_an_exhausted_side_is_refused_and_the_other_is_not(desk: Desk, place: LocalVenue) -> None:
    storage = place.deployed.trading_storage
    told = [storage.read("openInterest", 0, which) for which in range(3)]
    storage.send("setOpenInterest", 0, [(10**6 * 10**18, told[1], told[2])])
    try:
        with pytest.raises(VenueRejected) as refusal:
            desk.unsent(desk.sized(desk.order()))
        desk.unsent(desk.sized(desk.order(side=Side.SHORT)))
    finally:
        storage.send("setOpenInterest", 0, [tuple(told)])

    assert refusal.value.code == refusals.OPEN_INTEREST_CAPPED


def test_a_closed_market_is_refused_with_that_word(desk: Desk, place: LocalVenue) -> None:
    market = desk.market()
    place.prices.control.apply("/simulator/market", b'{"coin": "BTCUSD", "open": false}')
    try:
        with pytest.raises(VenueRejected) as told:
            desk.venue.quote(market, desk.now())
    finally:
        place.prices.control.apply("/simulator/market", b'{"coin": "BTCUSD", "open": null}')

    assert told.value.code == Refusal.MARKET_CLOSED


def test_a_key_without_ether_is_refused_and_told_apart(desk: Desk, place: LocalVenue) -> None:
    place.node.ask("anvil_setBalance", desk.agent, "0x1")

    told = refused(desk, desk.order())

    assert told.code == "NO_GAS"
    assert desk.venue.gas(desk.agent) == Decimal("1e-18")


def test_what_an_account_may_stake_is_bounded_by_balance_and_by_allowance(desk: Desk) -> None:
    assert desk.venue.account(desk.order()).free_collateral_usd == 999
    desk.allow(50)
    assert desk.venue.account(desk.order()).free_collateral_usd == 49
    desk.allow(0)
    assert desk.venue.account(desk.order()).free_collateral_usd == 0


def test_an_approval_needs_the_delegate_and_an_allowance(desk: Desk) -> None:
    until = desk.venue.approval(desk.user, desk.agent)

    assert until is not None
    assert timedelta(hours=23) < until - desk.now() <= timedelta(days=1)
    assert desk.venue.approval(desk.user, desk.user) is None
    desk.allow(5)
    assert desk.venue.approval(desk.user, desk.agent) is None


def test_two_orders_of_one_wallet_get_nonces_one_after_the_other(desk: Desk) -> None:
    first, second = desk.sized(desk.order()), desk.sized(desk.order())
    asked = desk.unsent(first), desk.unsent(second)
    assert asked[0].sequence == asked[1].sequence  # the core gives one of them out, and once

    action = desk.sealed(asked[0])
    desk.send(first, action)
    desk.mined(desk.agent)
    assert desk.unsent(second).sequence == asked[0].sequence + 1
    assert desk.settled(first, [action]).status is OrderStatus.FILLED
    assert desk.filled(second).status is OrderStatus.FILLED
    assert desk.trades() == 2


def test_an_index_that_another_trade_took_over_is_not_closed(desk: Desk) -> None:
    first = desk.opened()
    desk.filled(desk.close_of(first))
    second = desk.opened()
    assert first.position_ref != second.position_ref
    assert str(first.position_ref).split(":")[:2] == str(second.position_ref).split(":")[:2]

    with pytest.raises(VenueRejected) as told:
        desk.unsent(desk.sized(desk.close_of(first)))

    assert told.value.code == Refusal.NOTHING_TO_CLOSE
    assert desk.trades() == 1
