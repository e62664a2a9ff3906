"""The venue's own client, unmodified, trades on the local contracts: that makes them a witness."""

from decimal import Decimal
from typing import Any

import pytest

from local.chain.keeper import CancelReason
from local.chain.venue import LocalVenue
from tests.chain.client import Client, ClientFailed
from tests.chain.desk import AGENT, AGENT_KEY, USER, USER_KEY, WEI, Desk

LONG = {"collateral": 100, "leverage": 10, "asset_type": 0, "direction": True}


@pytest.fixture
def price(desk: Desk) -> float:
    desk.set_price(60_000 * WEI)
    return 60_000.0


def opened(sdk: Client, price: float, **more: Any) -> Any:
    return sdk.ask("perform_trade", trade_params={**LONG, **more}, at_price=price)


def test_it_opens_a_trade_reads_its_settlement_and_closes_it(
    desk: Desk, sdk: Client, price: float
) -> None:
    told = opened(sdk, price, tp=66_000, sl=57_000)
    settled = sdk.ask("track_order_and_trade", order_id=told["order_id"], max_attempts=5)

    assert told["status"] == 1
    trade = settled["trade"]
    assert settled["order"]["isCancelled"] is False
    assert trade["openPrice"] == pytest.approx(60_000, rel=1e-4)
    assert trade["collateral"] == pytest.approx(100 - 1 - 0.1)
    assert (trade["takeProfitPrice"], trade["stopLossPrice"]) == (66_000, 57_000)
    assert (trade["index"], trade["isOpen"], trade["leverage"]) == (0, True, 10)
    assert desk.trade()[5] == 1000

    closing = sdk.ask("close_trade", pair_id=0, trade_index=0, market_price=price)
    closed = sdk.ask("track_order_and_trade", order_id=closing["order_id"], max_attempts=5)

    assert closed["trade"] == {
        "tradeID": str(told["order_id"]),
        "closePrice": closed["order"]["price"],
        "isOpen": False,
    }
    assert desk.trade()[5] == 0
    sent = Decimal(str(closed["order"]["amountSentToTrader"]))
    assert desk.balance() == desk.usdc - 100 + sent


def test_it_opens_and_closes_a_trade_for_the_trader_who_made_it_his_delegate(
    desk: Desk, sdk: Client, price: float
) -> None:
    told = sdk.as_agent(
        "perform_trade", trade_params={**LONG, "trader_address": USER}, at_price=price
    )
    desk.settlement(told["order_id"])
    assert desk.trade(trader=USER)[4] == USER.lower()
    assert desk.trade(trader=AGENT)[5] == 0

    half = {"close_percentage": 50, "trader_address": USER}
    closing = sdk.as_agent("close_trade", pair_id=0, trade_index=0, market_price=price, **half)
    settled = sdk.as_agent("track_order_and_trade", order_id=closing["order_id"], max_attempts=5)

    assert settled["order"]["closePercent"] == 50
    assert settled["trade"]["isOpen"] is True
    assert desk.trade()[0] == 98_900_000 // 2
    assert desk.venue.balance(AGENT) == 0


def test_without_a_delegation_its_transaction_fails_and_it_tells_no_order(
    desk: Desk, sdk: Client, price: float
) -> None:
    desk.send("removeDelegate")

    told = sdk.as_agent(
        "perform_trade", trade_params={**LONG, "trader_address": USER}, at_price=price
    )

    assert (told["status"], told["order_id"]) == (0, None)


def test_it_reads_why_an_order_was_cancelled(desk: Desk, sdk: Client, price: float) -> None:
    desk.venue.keeper.cancel(CancelReason.EXPOSURE_LIMITS)

    told = opened(sdk, price)
    settled = sdk.ask("track_order_and_trade", order_id=told["order_id"], max_attempts=5)

    assert settled["trade"] is None
    assert settled["order"]["isCancelled"] is True
    assert settled["order"]["cancelReason"] == CancelReason.EXPOSURE_LIMITS


def test_it_takes_back_an_order_that_the_keeper_never_answers(
    desk: Desk, sdk: Client, price: float
) -> None:
    desk.venue.keeper.silent()
    told = opened(sdk, price)
    early = sdk.ask("open_market_timeout", order_id=told["order_id"])
    desk.venue.mine(30)

    late = sdk.ask("open_market_timeout", order_id=told["order_id"])

    assert early["status"] == 0
    assert late["status"] == 1
    assert desk.balance() == desk.usdc


def test_it_takes_back_a_close_that_the_keeper_never_answers(
    desk: Desk, sdk: Client, price: float
) -> None:
    desk.settlement(opened(sdk, price)["order_id"])
    desk.venue.keeper.silent()
    closing = sdk.ask("close_trade", pair_id=0, trade_index=0, market_price=price)
    desk.venue.mine(30)

    timed_out = sdk.ask("close_market_timeout", order_id=closing["order_id"])

    assert timed_out["status"] == 1
    assert desk.trade()[5] == 1000
    assert desk.balance() == desk.usdc - 100


def test_a_trader_without_dollars_is_told_so_by_the_token(venue: LocalVenue, sdk: Client) -> None:
    venue.node.ask("anvil_setBalance", AGENT, hex(WEI))

    told = sdk.ask("perform_trade", AGENT_KEY, trade_params=LONG, at_price=60_000.0)

    assert told["status"] == 0


def test_it_needs_the_allowance_of_the_trader_it_trades_for(
    desk: Desk, sdk: Client, price: float
) -> None:
    desk.venue.approve(USER_KEY, usdc=50)

    with pytest.raises(ClientFailed, match="Sufficient allowance"):
        sdk.as_agent("perform_trade", trade_params={**LONG, "trader_address": USER}, at_price=price)


def test_its_list_of_pairs_agrees_with_the_contracts(desk: Desk, sdk: Client) -> None:
    venue = desk.venue.deployed
    desk.open()
    pairs = sdk.ask("get_pairs")

    assert len(pairs) == venue.pairs_storage.read("pairsCount") == 52
    for pair in pairs:
        index = int(pair["id"])
        held = venue.pairs_storage.read("pairs", index)
        assert [held[0].rstrip(b"\0").decode(), held[1].rstrip(b"\0").decode()] == [
            pair["from"],
            pair["to"],
        ]
        assert f"0x{held[2].hex()}" == pair["feed"]
        own = int(pair["maxLeverage"]) or int(pair["group"]["maxLeverage"])
        assert venue.pairs_storage.read("pairMaxLeverage", index) == own
        assert held[4] == int(pair["overnightMaxLeverage"])
        fees = venue.pair_infos.read("pairOpeningFees", index)
        assert fees[:2] == (int(pair["makerFeeP"]), int(pair["takerFeeP"]))
        for place, name in enumerate(("longOI", "shortOI", "maxOI")):
            assert venue.trading_storage.read("openInterest", index, place) == int(pair[name])
        assert venue.pairs_storage.read("pairMinLevPos", index) == int(pair["fee"]["minLevPos"])


def test_it_reads_balances_in_whole_units(desk: Desk, sdk: Client) -> None:
    ether, usdc = sdk.ask("balance", address=USER)

    assert Decimal(usdc) == desk.balance()
    assert 0 < Decimal(ether) <= 1
