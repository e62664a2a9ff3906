"""The two steps of an order, its money, and every reason for which an answer cancels it."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from local.chain.keeper import Automation, CancelReason
from local.simulators.faults import Fault
from tests.chain.desk import BTC, NVDA, ORACLE_FEE, USER, WEI, Desk, reason_of, until

NEVER_BY_THE_MARKET = {
    CancelReason.NONE,
    CancelReason.UNDER_LIQUIDATION,
    CancelReason.GAIN_LOSS,
    CancelReason.WRONG_TRADE,
}
"""Reasons that belong to actions the local contracts do not have."""


def test_an_order_waits_for_the_keeper_and_is_found_pending_until_then(desk: Desk) -> None:
    desk.venue.keeper.silent()
    order = desk.ask(desk.ticket())

    storage = desk.venue.deployed.trading_storage
    assert storage.read("getPendingOrderIds", USER) == (order,)
    block, wanted, slippage, trade, _ = storage.read("reqID_pendingMarketOrder", order)
    assert (wanted, slippage) == (desk.price(), 200)
    assert (trade[4], trade[0]) == (USER.lower(), 100 * 10**6)
    assert block == desk.venue.node.number("eth_blockNumber")
    assert desk.balance() == desk.usdc - 100

    desk.venue.keeper.fill()

    assert desk.settlement(order)[0] == "MarketOpenExecuted"
    assert storage.read("getPendingOrderIds", USER) == ()
    assert desk.trade_id() == order


def test_the_event_of_an_opened_trade_tells_price_size_and_collateral_after_fees(
    desk: Desk,
) -> None:
    ask = int(Decimal(str(desk.venue.prices._price_row("BTCUSD")["ask"])) * WEI)

    name, told = desk.settlement(desk.ask(desk.ticket(tp=0, sl=desk.price() * 9 // 10)))

    collateral, price, tp, sl, *_ = told["t"]
    assert name == "MarketOpenExecuted"
    assert price == ask
    assert collateral == 100 * 10**6 - 1_000_000 - 100_000, "a tenth of a percent of 1,000 USD, 0.1"
    assert told["tradeNotional"] == collateral * 10 * 10**12 * WEI // price
    assert told["priceImpactP"] == (price - desk.price()) * 100 * WEI // desk.price()
    assert tp == price + price * 9 // 10, "900 percent of the collateral at ten times"
    assert sl == price - price * 85 // 1000, "85 percent of the collateral at ten times"


def test_a_close_pays_what_the_part_is_worth_and_a_whole_one_gives_the_oracle_fee_back(
    desk: Desk,
) -> None:
    trade_id = desk.open()
    desk.set_price(desk.trade()[1] * 105 // 100)
    before = desk.balance()

    half = desk.settlement(desk.ask_to_close(percent=5000))[1]
    after_half = desk.balance()
    rest = desk.settlement(desk.ask_to_close())[1]

    assert (half["tradeId"], half["percentageClosed"]) == (trade_id, 5000)
    assert half["percentProfit"] == pytest.approx(50 * 10**6, rel=0.01)
    assert after_half == before - ORACLE_FEE + Decimal(half["usdcSentToTrader"]).scaleb(-6)
    assert desk.balance() == after_half + Decimal(rest["usdcSentToTrader"]).scaleb(-6)
    assert half["usdcSentToTrader"] == pytest.approx(98.9 / 2 * 1.5 * 10**6, rel=0.01)
    assert desk.venue.deployed.trading_storage.read("openTradesCount", USER, BTC) == 0


def test_a_loss_stays_in_the_vault(desk: Desk) -> None:
    vault = desk.venue.deployed.vault.address
    desk.open()
    before = desk.venue.balance(vault)
    desk.set_price(desk.trade()[1] * 95 // 100)

    told = desk.settlement(desk.ask_to_close())[1]

    assert told["percentProfit"] == pytest.approx(-50 * 10**6, rel=0.01)
    lost = Decimal("98.9") - Decimal(told["usdcSentToTrader"]).scaleb(-6)
    assert desk.venue.balance(vault) == before + lost


def test_open_interest_grows_by_the_size_and_shrinks_by_what_is_closed(desk: Desk) -> None:
    storage = desk.venue.deployed.trading_storage
    before = storage.read("openInterest", BTC, 1)

    size = desk.settlement(desk.ask(desk.ticket(buy=False)))[1]["tradeNotional"]
    assert storage.read("openInterest", BTC, 1) == before + size

    desk.settlement(desk.ask_to_close())
    assert storage.read("openInterest", BTC, 1) == before


def test_an_index_is_used_again_by_another_trade(desk: Desk) -> None:
    first = desk.open()
    second = desk.open()
    desk.settlement(desk.ask_to_close(index=0))

    third = desk.open()

    assert [desk.trade_id(index=0), desk.trade_id(index=1)] == [third, second]
    assert first not in (second, third)


def test_a_cancelled_open_costs_the_oracle_fee_and_a_cancelled_close_too(desk: Desk) -> None:
    desk.venue.keeper.cancel(CancelReason.SLIPPAGE, times=1)
    order = desk.ask(desk.ticket())
    assert reason_of(desk.settlement(order)) is CancelReason.SLIPPAGE
    assert desk.balance() == desk.usdc - ORACLE_FEE
    assert "OracleFeeCharged" in [name for name, _ in desk.events("Callbacks", order)]

    desk.open()
    before = desk.balance()
    far = desk.price() * 2
    assert reason_of(desk.settlement(desk.ask_to_close(price=far))) is CancelReason.SLIPPAGE
    assert desk.balance() == before - ORACLE_FEE
    assert desk.trade()[5] == 1000


@pytest.mark.parametrize("reason", CancelReason)
def test_the_keeper_can_be_told_any_reason(desk: Desk, reason: CancelReason) -> None:
    desk.venue.keeper.cancel(reason)

    assert reason_of(desk.settlement(desk.ask(desk.ticket()))) is reason


def paused(desk: Desk) -> int:
    desk.venue.deployed.callbacks.send("pause")
    return desk.ask(desk.ticket())


def closed_market(desk: Desk) -> int:
    desk.venue.prices.control.is_open["BTCUSD"] = False
    return desk.ask(desk.ticket())


def slipped(desk: Desk) -> int:
    return desk.ask(desk.ticket(price=desk.price() * 97 // 100))


def profit_taken(desk: Desk) -> int:
    price = desk.price() * 99 // 100
    return desk.ask(desk.ticket(price=price, tp=price + WEI))


def loss_stopped(desk: Desk) -> int:
    price = desk.price() * 101 // 100
    return desk.ask(desk.ticket(price=price, sl=price - WEI))


def exposed(desk: Desk) -> int:
    desk.venue.deployed.trading_storage.send("setOpenInterest", BTC, [(0, 0, 900 * 10**6)])
    return desk.ask(desk.ticket())


def crowded_group(desk: Desk) -> int:
    desk.venue.node.ask("anvil_impersonateAccount", desk.venue.deployed.vault.address)
    vault = desk.venue.deployed.vault.address
    desk.venue.fund(vault, eth=1)
    usdc = desk.venue.deployed.usdc.acting(vault)
    usdc.send("transfer", USER, usdc.read("balanceOf", vault))
    return desk.ask(desk.ticket())


def impacted(desk: Desk) -> int:
    desk.venue.deployed.pair_infos.send("setMaxNegativePnlOnOpenP", 0)
    return desk.ask(desk.ticket())


def leveraged(desk: Desk) -> int:
    desk.venue.keeper.silent()
    order = desk.ask(desk.ticket())
    desk.venue.deployed.pairs_storage.send("setMaxLeverage", BTC, 900)
    desk.venue.keeper.fill()
    return order


def gone(desk: Desk) -> int:
    desk.open(sl=desk.price() * 98 // 100)
    desk.venue.keeper.silent()
    order = desk.ask_to_close()
    desk.set_price(desk.price() * 97 // 100)
    desk.venue.keeper.exit(USER, BTC, 0, Automation.STOP_LOSS)
    desk.venue.keeper.fill()
    return order


def not_hit(desk: Desk) -> int:
    desk.open()
    desk.venue.keeper.exit(USER, BTC, 0, Automation.TAKE_PROFIT)
    return desk.last_order()


def too_late_for_a_day_trade(desk: Desk) -> int:
    desk.venue.prices._clock.now = datetime(2026, 11, 18, 20, 50, tzinfo=UTC)  # type: ignore[attr-defined]
    price = desk.price("NVDAUSD")
    return desk.ask(desk.ticket(price=price, pair=NVDA, leverage=2000, is_day_trade=True))


def too_early_to_end_day_trades(desk: Desk) -> int:
    desk.open()
    desk.venue.keeper.exit(USER, BTC, 0, Automation.DAY_TRADE)
    return desk.last_order()


BY_THE_MARKET: dict[Callable[[Desk], int], CancelReason] = {
    paused: CancelReason.PAUSED,
    closed_market: CancelReason.MARKET_CLOSED,
    slipped: CancelReason.SLIPPAGE,
    profit_taken: CancelReason.TP_REACHED,
    loss_stopped: CancelReason.SL_REACHED,
    exposed: CancelReason.EXPOSURE_LIMITS,
    crowded_group: CancelReason.EXPOSURE_LIMITS,
    impacted: CancelReason.PRICE_IMPACT,
    leveraged: CancelReason.MAX_LEVERAGE,
    gone: CancelReason.NO_TRADE,
    not_hit: CancelReason.NOT_HIT,
    too_late_for_a_day_trade: CancelReason.DAY_TRADE_NOT_ALLOWED,
    too_early_to_end_day_trades: CancelReason.CLOSE_DAY_TRADE_NOT_ALLOWED,
}


@pytest.mark.parametrize("cause", BY_THE_MARKET, ids=lambda cause: cause.__name__)
def test_what_happens_on_the_market_cancels_with_its_reason(
    desk: Desk, cause: Callable[[Desk], int]
) -> None:
    assert reason_of(desk.settlement(cause(desk))) is BY_THE_MARKET[cause]


def test_every_reason_is_either_caused_by_the_market_or_only_told() -> None:
    assert set(BY_THE_MARKET.values()) | NEVER_BY_THE_MARKET == set(CancelReason)


def test_the_keeper_ends_a_trade_when_its_stop_is_crossed_and_the_event_names_it(
    desk: Desk,
) -> None:
    trade_id = desk.open(sl=desk.price() * 95 // 100)
    desk.venue.keeper.fill(exits=True)
    before = desk.balance()

    desk.set_price(desk.price() * 94 // 100)

    until(lambda: True if desk.trade()[5] == 0 else None)
    name, told = desk.settlement(trade_id + 1)
    assert (name, told["tradeId"]) == ("LimitCloseExecuted", trade_id)
    assert told["orderType"] == Automation.STOP_LOSS
    assert desk.balance() == before + Decimal(told["usdcSentToTrader"]).scaleb(-6)


def test_the_keeper_takes_the_profit_of_a_short_when_asked(desk: Desk) -> None:
    trade_id = desk.open(buy=False, tp=desk.price() * 95 // 100)
    desk.set_price(desk.price() * 94 // 100)

    desk.venue.keeper.exit(USER, BTC, 0, Automation.TAKE_PROFIT)

    told = desk.settlement(trade_id + 1)[1]
    assert told["orderType"] == Automation.TAKE_PROFIT
    assert told["percentProfit"] == pytest.approx(60 * 10**6, rel=0.01)


def test_a_liquidated_trade_pays_nothing(desk: Desk) -> None:
    trade_id = desk.open()
    before = desk.balance()
    desk.set_price(desk.price() * 902 // 1000)

    desk.venue.keeper.exit(USER, BTC, 0, Automation.LIQUIDATION)

    name, told = desk.settlement(trade_id + 1)
    assert (name, told["orderType"]) == ("LimitCloseExecuted", Automation.LIQUIDATION)
    assert told["usdcSentToTrader"] == 0
    assert desk.balance() == before
    assert "VaultLiqFeeCharged" in [one for one, _ in desk.events("Callbacks", trade_id + 1)]


def test_bounds_can_be_moved_while_no_close_is_asked_for(desk: Desk) -> None:
    trade_id = desk.open()
    price = desk.trade()[1]

    desk.send("updateTp", BTC, 0, price * 11 // 10)
    desk.send("updateSl", BTC, 0, price * 95 // 100)
    assert desk.trade()[2:4] == (price * 11 // 10, price * 95 // 100)
    desk.send("updateSl", BTC, 0, 0)

    assert desk.trade()[3] == 0
    names = [name for name, _ in desk.events("Trading", trade_id)]
    assert names.count("SlUpdated") == 2
    assert names.count("TpUpdated") == 1


def test_a_limit_order_rests_moves_and_fills_when_its_price_is_reached(desk: Desk) -> None:
    target = desk.price() * 98 // 100
    desk.send("openTrade", *desk.ticket(price=target, order_type=1, slippage=0).arguments())
    storage = desk.venue.deployed.trading_storage
    assert storage.read("openLimitOrdersCount", USER, BTC) == 1
    desk.send("updateOpenLimitOrder", BTC, 0, target - WEI, 0, 0)
    assert storage.read("getOpenLimitOrder", USER, BTC, 0)[1] == target - WEI

    desk.venue.keeper.exit(USER, BTC, 0, Automation.LIMIT_OPEN)
    assert reason_of(desk.settlement(desk.last_order())) is CancelReason.NOT_HIT
    desk.set_price(target * 99 // 100)
    desk.venue.keeper.exit(USER, BTC, 0, Automation.LIMIT_OPEN)

    assert desk.settlement(desk.last_order())[0] == "LimitOpenExecuted"
    assert storage.read("openLimitOrdersCount", USER, BTC) == 0
    assert desk.trade()[5] == 1000


def test_a_limit_order_that_is_cancelled_costs_the_oracle_fee(desk: Desk) -> None:
    ticket = desk.ticket(price=desk.price() * 98 // 100, order_type=1, slippage=0)
    desk.send("openTrade", *ticket.arguments())

    desk.send("cancelOpenLimitOrder", BTC, 0)

    assert desk.balance() == desk.usdc - ORACLE_FEE


@pytest.mark.parametrize("fault", [Fault.UNAVAILABLE, Fault.GARBAGE, Fault.EMPTY])
def test_without_prices_the_keeper_waits_until_there_are_some(desk: Desk, fault: Fault) -> None:
    desk.venue.prices.control.fault = fault
    order = desk.ask(desk.ticket())
    time.sleep(0.2)
    assert desk.venue.keeper.unanswered() == [order]

    desk.venue.prices.control.fault = None

    assert desk.settlement(order)[0] == "MarketOpenExecuted"


def test_the_keeper_takes_the_time_it_is_told(desk: Desk) -> None:
    desk.venue.keeper.fill(seconds=0.3)
    began = time.monotonic()

    desk.settlement(desk.ask(desk.ticket()))

    assert time.monotonic() - began > 0.3
