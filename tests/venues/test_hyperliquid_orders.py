"""What is sent to Hyperliquid for an order: on its grid, within what was asked, or not at all."""

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent_where.domain import Market, Order, Purpose, Quote, Refusal, Side
from agent_where.errors import (
    SignerUnavailable,
    VenueRejected,
    VenueUnavailable,
)
from agent_where.venues.base import ActionKind, Stamp
from agent_where.venues.hyperliquid import orders
from agent_where.venues.hyperliquid.answers import Leverage, milliseconds_of
from agent_where.venues.hyperliquid.budget import VENUE_WEIGHT_PER_MINUTE
from agent_where.venues.hyperliquid.trading import HyperliquidVenue
from tests.venues.hyperliquid_desk import NOW, USER, Desk, Told, desk, order, signer

BTC = Market(
    venue="HYPERLIQUID",
    token_symbol="BTC",
    name="BTC/USD",
    index=0,
    size_step=Decimal("0.00001"),
    max_leverage=Decimal(40),
)
PEPE = Market(
    venue="HYPERLIQUID",
    token_symbol="PEPE",
    name="kPEPE/USD",
    index=15,
    multiplier=Decimal(1000),
    size_step=Decimal(1000),
    max_leverage=Decimal(10),
)
QUOTE = Quote(bid=Decimal(59999), ask=Decimal(60001), at=NOW)
PEPE_QUOTE = Quote(bid=Decimal("0.00000399"), ask=Decimal("0.000004"), at=NOW)
HELD = Decimal("0.01")


@pytest.fixture
def bench() -> Iterator[Desk]:
    with desk() as made:
        yield made


def said(action: Any) -> dict[str, Any]:
    """The one order in an action."""
    (only,) = action["orders"]
    return dict(only)


def refusal(what: Order, market: Market = BTC, held: str = "0") -> VenueRejected:
    """Why an order is not even said."""
    with pytest.raises(VenueRejected) as refused:
        build(what, market, Decimal(held))
    return refused.value


def build(what: Order, market: Market, held: Decimal) -> object:
    match what.purpose:
        case Purpose.ENTRY:
            return orders.entry(what, market, QUOTE, held)
        case Purpose.CLOSE:
            return orders.close(what, market, QUOTE, held)
        case _:
            return orders.trigger(what, market, held)


def test_an_entry_takes_at_once_up_to_its_limit() -> None:
    what = order(number=0xAB, size="0.010009", limit="60600.7")

    action = orders.entry(what, BTC, QUOTE, Decimal(0))

    assert action == {
        "type": "order",
        "orders": [
            {
                "a": 0,
                "b": True,
                "p": "60600",
                "s": "0.01",
                "r": False,
                "t": {"limit": {"tif": "Ioc"}},
                "c": f"0x{0xAB:032x}",
            }
        ],
        "grouping": "na",
    }


def test_a_coin_of_thousands_is_ordered_in_the_venues_unit() -> None:
    what = order(coin="kPEPE", size="5000999", limit="0.00000404049")

    told = said(orders.entry(what, PEPE, PEPE_QUOTE, Decimal(0)))

    assert (told["a"], told["p"], told["s"]) == (15, "0.00404", "5000")


def test_a_sale_is_never_bounded_under_its_limit() -> None:
    what = order(side=Side.SHORT, limit="59400.3")

    assert said(orders.entry(what, BTC, QUOTE, Decimal(0)))["p"] == "59401"


def test_a_close_is_reduce_only_and_never_over_what_is_held() -> None:
    what = order(Purpose.CLOSE, Side.SHORT, size="0.02", limit="59400")

    told = said(orders.close(what, BTC, QUOTE, HELD))

    assert (told["b"], told["r"], told["s"], told["p"]) == (False, True, "0.01", "59400")


def test_a_close_of_everything_may_be_worth_less_than_the_minimum() -> None:
    what = order(Purpose.CLOSE, Side.SHORT, size="0.0001", limit="59400")

    assert said(orders.close(what, BTC, QUOTE, Decimal("0.0001")))["s"] == "0.0001"
    partly = refusal(what, held="0.01")
    assert partly.code == Refusal.BELOW_MIN_POSITION


def test_a_close_is_at_most_what_one_order_may_be_worth() -> None:
    what = order(Purpose.CLOSE, Side.SHORT, size="1000", limit="50000")

    told = said(orders.close(what, BTC, QUOTE, Decimal(1000)))

    assert Decimal(29_999_000) < Decimal(told["s"]) * 59999 <= Decimal(30_000_000)


@pytest.mark.parametrize(
    ("purpose", "side", "trigger", "kind", "limit"),
    [
        (Purpose.STOP_LOSS, Side.SHORT, "57000.2", ("sl", "57001"), "51301"),
        (Purpose.TAKE_PROFIT, Side.SHORT, "66000.8", ("tp", "66000"), "59400"),
        (Purpose.STOP_LOSS, Side.LONG, "63000.8", ("sl", "63000"), "69300"),
        (Purpose.TAKE_PROFIT, Side.LONG, "54000.2", ("tp", "54001"), "59401"),
    ],
)
def test_an_exit_waits_for_its_trigger_and_is_never_further_away_than_asked(
    purpose: Purpose, side: Side, trigger: str, kind: tuple[str, str], limit: str
) -> None:
    what = order(purpose, side, trigger=trigger)

    told = said(orders.trigger(what, BTC, HELD * side.opposite.sign))

    leg, price = kind
    assert told["t"] == {"trigger": {"isMarket": True, "triggerPx": price, "tpsl": leg}}
    assert (told["r"], told["p"], told["s"]) == (True, limit, "0.01")


def test_what_cannot_be_said_or_would_be_refused_is_refused_before_it_is_signed() -> None:
    close = order(Purpose.CLOSE, Side.SHORT, limit="59400")
    stop = order(Purpose.STOP_LOSS, Side.SHORT, trigger="57000")
    cases = [
        (refusal(order(size="0.0001")), Refusal.BELOW_MIN_POSITION, "under the 10 USD"),
        (refusal(order(size="0.000001")), Refusal.BELOW_MIN_POSITION, "under the 10 USD"),
        (refusal(order(size="501")), orders.TOO_LARGE, "over the 30000000 USD"),
        (refusal(order(), held="-1"), Refusal.OPPOSITE_POSITION, "holds -1 BTC"),
        (refusal(order(limit="0.000000001")), Refusal.NO_PRICE, "first step"),
        (refusal(close), Refusal.NOTHING_TO_CLOSE, "holds 0 BTC"),
        (refusal(close, held="-0.01"), Refusal.NOTHING_TO_CLOSE, "closes nothing"),
        (refusal(stop), Refusal.NOTHING_TO_CLOSE, "holds 0 BTC"),
        (refusal(close.model_copy(update={"size": Decimal("1e-9")}), held="1"), Refusal.DUST, ""),
        (refusal(stop.model_copy(update={"trigger_price": None}), held="1"), "BAD_SIGNAL", ""),
        (refusal(order(), BTC.model_copy(update={"index": None})), Refusal.NOT_LISTED, "index"),
    ]

    assert [(fault.code, words in fault.detail) for fault, _, words in cases] == [
        (code, True) for _, code, _ in cases
    ]


def test_leverage_is_whole_and_rounded_up_and_within_the_markets() -> None:
    assert orders.leverage_wanted(order(leverage="3.01"), BTC) == 4
    with pytest.raises(VenueRejected) as refused:
        orders.leverage_wanted(order(leverage="40.5"), BTC)
    assert refused.value.code == Refusal.ABOVE_MAX_LEVERAGE


@pytest.mark.parametrize(
    ("current", "isolated", "is_cross"),
    [("cross", False, True), ("cross", True, False), ("isolated", False, False)],
)
def test_an_account_keeps_its_kind_of_margin_unless_the_market_demands_another(
    current: str, isolated: bool, is_cross: bool
) -> None:
    setting = Leverage.model_validate({"type": current, "value": 20})

    action = orders.leverage_change(BTC, 5, setting, isolated=isolated)

    assert action == {"type": "updateLeverage", "asset": 0, "isCross": is_cross, "leverage": 5}


@cache
def universe() -> list[Market]:
    """All markets of the simulator, which are the recorded ones, by their ids."""
    with desk() as made:
        return sorted(made.markets.values(), key=lambda market: market.index or 0)


@settings(deadline=None)
@given(
    place=st.integers(0, 227),
    notional=st.decimals(10, 1_000_000, places=2),
    side=st.sampled_from(Side),
    slippage=st.decimals("0.0001", "0.5", places=4),
)
def test_every_market_takes_what_is_ordered_of_it_or_it_is_refused_with_its_reason(
    place: int, notional: Decimal, side: Side, slippage: Decimal
) -> None:
    market = universe()[place]
    price = market.price_usd
    assert price is not None
    quote = Quote(bid=price, ask=price, at=NOW)
    size, limit = notional / price, price * (1 + side.sign * slippage)
    what = order(side=side, size=str(size), limit=str(limit), coin=market.name.removesuffix("/USD"))

    try:
        told = said(orders.entry(what, market, quote, Decimal(0)))
    except VenueRejected as refused:
        assert refused.code in (  # noqa: PT017 either end is right
            Refusal.BELOW_MIN_POSITION,
            Refusal.NO_PRICE,
            orders.TOO_LARGE,
        )
        return

    sent_size, sent_limit = Decimal(told["s"]), Decimal(told["p"])
    decimals = -int((market.size_step / market.multiplier).adjusted())
    assert sent_size * market.multiplier <= size
    assert sent_size == round(sent_size, decimals)
    assert (sent_limit / market.multiplier - limit) * side.sign <= 0
    is_whole = sent_limit == sent_limit.to_integral_value()
    assert is_whole or len(sent_limit.normalize().as_tuple().digits) <= 5
    assert is_whole or sent_limit == round(sent_limit, 6 - decimals)
    assert told["a"] == place


def stamp(name: str = "FIRST", nonce: int = 7) -> Stamp:
    return Stamp(signer=signer(name), nonce=nonce, now=NOW + timedelta(microseconds=1999))


def unsent(kind: ActionKind = ActionKind.ORDER, **more: Any) -> orders.Unsent:
    action = orders.entry(order(number=1), BTC, QUOTE, Decimal(0))
    return orders.Unsent(kind, action, "testnet", **more)


def test_what_is_sealed_expires_in_milliseconds_of_the_databases_time() -> None:
    action = unsent(lasts=timedelta(seconds=8)).sealed(stamp())

    told = json.loads(action.payload)
    assert told["expiresAfter"] == milliseconds_of(NOW) + 8001
    assert action.expires_at == NOW + timedelta(milliseconds=8001)
    assert (told["nonce"], action.nonce) == (7, 7)
    assert told["vaultAddress"] is None
    assert action.signer_address == signer().address


def test_a_nonce_that_has_to_be_carried_is_carried_and_only_its_key_may_sign() -> None:
    closing = unsent(ActionKind.NOOP, nonce=5, signer_address=signer().address)

    assert closing.sealed(stamp()).nonce == 5
    assert closing.sealed(stamp()).expires_at is None
    with pytest.raises(SignerUnavailable, match=signer("SECOND").address):
        closing.sealed(stamp("SECOND"))


def test_leverage_is_set_first_only_where_it_differs(bench: Desk) -> None:
    bench.trade(order(leverage="20"))
    bench.trade(order(leverage="2.5"))
    bench.trade(order(leverage="3"))

    kinds = [action["type"] for action in bench.actions()]
    assert kinds == ["order", "updateLeverage", "order", "order"]
    assert bench.actions()[1] == {
        "type": "updateLeverage",
        "asset": 0,
        "isCross": True,
        "leverage": 3,
    }


def test_a_leverage_that_was_just_set_is_believed_over_a_look_up_that_is_late(bench: Desk) -> None:
    market = bench.markets["ETH/USD"]
    bench.tell("price", coin="ETH", price="2000")
    what = order(coin="ETH", leverage="7", limit="2020", size="0.1")
    change = bench.venue.next_action(what, market, bench.venue.quote(market, bench.time()))
    bench.venue.send(what, bench.store(what, change))
    bench.simulator.state.ledger.accounts[USER].leverages.clear()

    again = bench.venue.next_action(what, market, bench.venue.quote(market, bench.time()))

    assert (change.kind, again.kind) == (ActionKind.LEVERAGE, ActionKind.ORDER)


def test_in_a_market_of_isolated_margin_alone_leverage_is_set_isolated(bench: Desk) -> None:
    isolated = next(
        coin
        for coin in bench.simulator.state.markets.coins
        if coin.is_isolated and not coin.is_delisted
    )
    market = bench.markets[f"{isolated.name}/USD"]
    price = bench.venue.quote(market, bench.time()).ask
    what = order(
        coin=isolated.name, leverage="2", size=str(50 / price), limit=str(price * Decimal("1.01"))
    )

    settled = bench.trade(what)

    assert settled is not None
    assert bench.actions()[0]["isCross"] is False
    (held,) = bench.venue.positions(USER)
    assert (held.is_cross, held.leverage) == (False, 2)


def test_what_the_market_demands_counts_more_than_what_the_account_is_said_to_have() -> None:
    answers: dict[str, object] = {
        "clearinghouseState": {"withdrawable": "9", "time": 0, "assetPositions": []},
        "activeAssetData": {"leverage": {"type": "cross", "value": 20}},
        "meta": {"universe": [{"name": "ETH"}, {"name": "BTC", "marginMode": "noCross"}]},
    }
    venue = HyperliquidVenue(
        "testnet", "", timeout_seconds=1, clock=lambda: NOW, http=Told(answers)
    )

    change = venue.next_action(order(leverage="5"), BTC, QUOTE)

    assert change.action["isCross"] is False


def test_a_refused_entry_changes_no_leverage(bench: Desk) -> None:
    with pytest.raises(VenueRejected):
        bench.prepared(order(size="0.0001", leverage="3"))

    assert bench.actions() == []


def test_an_account_is_read_once_for_sizing_and_for_the_order(bench: Desk) -> None:
    what, market = order(), bench.markets["BTC/USD"]
    quote = bench.venue.quote(market, bench.time())
    bench.venue.account(what)
    bench.venue.next_action(what, market, quote)
    assert bench.requests("clearinghouseState") == 1

    bench.venue.next_action(what, market, quote)
    assert bench.requests("clearinghouseState") == 2


def test_only_exits_that_wait_are_taken_back_with_or_without_their_stored_bytes(
    bench: Desk,
) -> None:
    bench.trade(order())
    stop = order(Purpose.STOP_LOSS, Side.SHORT, trigger="57000")
    bench.trade(stop)

    from_bytes = bench.venue.cancel(stop, bench.stored[stop.id])
    from_venue = bench.venue.cancel(stop)

    assert from_bytes == from_venue
    assert from_bytes is not None
    assert from_bytes.action == {
        "type": "cancelByCloid",
        "cancels": [{"asset": 0, "cloid": f"0x{stop.id.hex}"}],
    }
    assert bench.venue.cancel(order()) is None


@pytest.mark.parametrize("network", ["mainnet", "testnet"])
def test_signatures_are_for_the_network_that_was_named_whatever_the_url_is(network: Any) -> None:
    with desk(network=network) as bench:
        what = order()
        action = bench.prepared(what)
        if network == "testnet":
            assert bench.venue.send(what, action).venue_ref
            return
        with pytest.raises(VenueRejected, match=r"API Wallet 0x[0-9a-f]{40} does not exist"):
            bench.venue.send(what, action)
        assert bench.size() == 0


def test_a_key_without_approval_is_refused() -> None:
    with desk(approved=False) as bench:
        what = order()
        with pytest.raises(VenueRejected, match=bench.key.address):
            bench.venue.send(what, bench.prepared(what))


def test_over_the_budget_nothing_is_sent(bench: Desk) -> None:
    what = order()
    action = bench.prepared(what)
    bench.venue._exchange._budget.count(VENUE_WEIGHT_PER_MINUTE)

    with pytest.raises(VenueUnavailable, match="leaves no 1"):
        bench.venue.send(what, action)
    assert bench.actions() == []
