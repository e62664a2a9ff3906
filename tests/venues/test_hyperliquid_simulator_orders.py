"""Orders on the simulator: what is refused and in which words, what rests, fires and fills."""

from decimal import Decimal
from typing import Any

import pytest

from tests.venues.hyperliquid_trader import (
    ATOM,
    ETH,
    Place,
    Trader,
    cloid,
    order,
    sell,
    stop,
)


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def trader(place: Place) -> Trader:
    return place.trader()


DELISTED = 3


@pytest.mark.parametrize(
    ("wire", "words"),
    [
        (order("0"), "Order has zero size. asset=0"),
        (order("0.000001"), "Order has invalid size. asset=0"),
        (order("0.01", "60000.5"), "Price must be divisible by tick size. asset=0"),
        (order("0.01", "0.55"), "Price must be divisible by tick size. asset=0"),
        (
            order("0.01", "12000", tif="Gtc"),
            "Order price cannot be more than 80% away from the reference price asset=0",
        ),
        (
            order("0.01", "300001"),
            "Order price cannot be more than 80% away from the reference price asset=0",
        ),
        (order("500", "63000"), "Order value too large. Max is $30000000. asset=0"),
        (order("5000", "63000", tif="Gtc"), "Order value too large. Max is $300000000. asset=0"),
        (order("1", "0.4", asset=DELISTED), "Trading is halted. asset=3"),
        (
            sell("0.01", trigger=("sl", "59000")),
            "Trigger order is not reduce only. asset=0",
        ),
        (
            sell("0.01", reduce_only=True, trigger=("sl", "59000.5")),
            "Invalid TP/SL price. asset=0",
        ),
    ],
)
def test_a_malformed_order_refuses_the_whole_batch_and_leaves_no_trace(
    trader: Trader, wire: dict[str, Any], words: str
) -> None:
    answer = trader.place_all(order("0.01"), {**wire, "c": cloid(5)})

    assert answer["response"]["data"]["statuses"] == [{"error": words}]
    assert trader.told()["orders"] == []
    assert trader.ask("orderStatus", oid=cloid(5)) == {"status": "unknownOid"}


@pytest.mark.parametrize("price", ["12001", "300000"])
def test_the_band_ends_at_a_fifth_and_at_five_times_the_mark(trader: Trader, price: str) -> None:
    tif = "Alo" if price == "12001" else "Ioc"

    assert "error" not in trader.order("0.01", price, tif=tif)


@pytest.mark.parametrize(
    ("wire", "words", "status"),
    [
        (
            order("0.01", "59990"),
            "Order could not immediately match against any resting orders.",
            "iocCancelRejected",
        ),
        (
            order("0.01", "59990", tif="FrontendMarket"),
            "No liquidity available for market order.",
            "marketOrderNoLiquidityRejected",
        ),
        (
            order("0.00015"),
            "Order must have minimum value of $10.",
            "minTradeNtlRejected",
        ),
        (order("40"), "Insufficient margin to place order.", "perpMarginRejected"),
        (
            sell("0.01", reduce_only=True),
            "Reduce only order would increase position.",
            "reduceOnlyRejected",
        ),
        (
            order("0.01", tif="Alo"),
            "Post only order would have immediately matched, bbo was 59999@60001.",
            "badAloPxRejected",
        ),
    ],
)
def test_what_account_or_book_refuse_is_kept_with_its_status(
    trader: Trader, wire: dict[str, Any], words: str, status: str
) -> None:
    answer = trader.place_all({**wire, "c": cloid(5)})

    assert answer["response"]["data"]["statuses"] == [{"error": f"{words} asset=0"}]
    assert trader.status(cloid(5)) == status
    assert trader.told()["fills"] == []


def test_each_order_of_a_batch_has_a_status_of_its_own(trader: Trader) -> None:
    answer = trader.place_all(order("0.01"), order("0.01", "59990"), order("0.01", tif="Alo"))

    kinds = [list(status) for status in answer["response"]["data"]["statuses"]]
    assert kinds == [["filled"], ["error"], ["error"]]


def test_an_order_takes_the_levels_one_by_one_and_tells_their_average(
    place: Place, trader: Trader
) -> None:
    place.tell("depth", coin="BTC", sizes=["0.1", "0.2", "0.4"])

    filled = trader.order("0.5", "60002")["filled"]

    assert Decimal(filled["totalSz"]) == Decimal("0.3")
    assert filled["avgPx"] == "60001.666666"
    assert trader.status(filled["oid"]) == "filled"
    fills = trader.told()["fills"]
    assert [(fill["px"], fill["sz"]) for fill in fills] == [("60001.0", "0.1"), ("60002.0", "0.2")]
    assert fills[0]["tid"] != fills[1]["tid"]
    assert fills[0]["hash"] == fills[1]["hash"]
    again = trader.order("0.1", "60002")
    assert "could not immediately match" in again["error"]


def test_what_was_taken_is_back_a_second_later(place: Place, trader: Trader) -> None:
    place.tell("depth", coin="BTC", sizes=["0.1"])
    trader.order("0.1")
    assert place.ask("l2Book", coin="BTC")["levels"][1] == []

    place.time.pass_seconds(1)

    assert place.ask("l2Book", coin="BTC")["levels"][1][0]["sz"] == "0.1"


def test_a_level_that_was_taken_in_part_has_the_rest(place: Place, trader: Trader) -> None:
    place.tell("depth", coin="BTC", sizes=["0.3"])
    trader.order("0.1")

    assert place.ask("l2Book", coin="BTC")["levels"][1][0]["sz"] == "0.2"
    assert trader.order("0.3")["filled"]["totalSz"] == "0.2"


def test_an_empty_book_fills_nothing_until_it_is_let_go(place: Place, trader: Trader) -> None:
    place.tell("depth", coin="BTC", sizes=[])
    assert place.ask("l2Book", coin="BTC")["levels"] == [[], []]
    assert "could not immediately match" in trader.order("0.1")["error"]

    place.tell("depth", coin="BTC", sizes=None)

    assert "filled" in trader.order("0.1")


def test_a_resting_order_is_in_the_book_and_trades_at_its_own_price_as_a_maker(
    place: Place, trader: Trader
) -> None:
    other = place.trader()
    trader.order("0.5", "60000", tif="Alo")
    assert place.ask("l2Book", coin="BTC")["levels"][0][0] == {"px": "60000.0", "sz": "0.5", "n": 1}

    filled = other.place_all(sell("0.2"))["response"]["data"]["statuses"][0]["filled"]

    assert filled["avgPx"] == "60000.0"
    mine, theirs = trader.told()["fills"][0], other.told()["fills"][0]
    assert (mine["crossed"], theirs["crossed"]) == (False, True)
    assert mine["tid"] == theirs["tid"]
    assert (mine["fee"], theirs["fee"]) == ("1.8", "5.4")
    (left,) = trader.ask("openOrders")
    assert (left["sz"], left["origSz"]) == ("0.3", "0.5")


def test_at_one_price_the_oldest_resting_order_is_first_and_nobodys_level_last(
    place: Place, trader: Trader
) -> None:
    other, taker = place.trader(), place.trader()
    place.tell("depth", coin="BTC", sizes=["1"])
    first = trader.order("0.1", "59999", tif="Alo")["resting"]["oid"]
    second = other.order("0.1", "59999", tif="Alo")["resting"]["oid"]

    taker.order("0.15", is_buy=False)

    assert trader.status(first) == "filled"
    (left,) = other.ask("openOrders")
    assert (left["oid"], left["sz"]) == (second, "0.05")


def test_a_reduce_only_order_that_rests_ends_when_it_is_more_than_the_position(
    place: Place, trader: Trader
) -> None:
    place.tell("depth", coin="BTC", sizes=["1"])
    trader.order("0.3")
    resting = trader.order("0.3", "60000", is_buy=False, tif="Gtc", reduce_only=True)["resting"]
    trader.place_all(stop("0.1", "59990"))
    place.tell("price", coin="BTC", price="59990")
    assert trader.position() == Decimal("0.2")

    assert trader.status(resting["oid"]) == "reduceOnlyCanceled"


def test_a_cancel_names_the_market_too(trader: Trader) -> None:
    oid = trader.order("0.1", "50000", tif="Gtc")["resting"]["oid"]

    answer = trader.send({"type": "cancel", "cancels": [{"a": ETH, "o": oid}]})

    words = "Order was never placed, already canceled, or filled. asset=1"
    assert answer["response"]["data"]["statuses"] == [{"error": words}]
    assert trader.status(oid) == "open"


def test_a_resting_order_fills_when_the_mark_comes_to_it(place: Place, trader: Trader) -> None:
    oid = trader.order("0.5", "59000", tif="Gtc")["resting"]["oid"]

    place.tell("price", coin="BTC", price="58990")

    assert trader.status(oid) == "filled"
    assert {fill["px"] for fill in trader.told()["fills"]} == {"59000.0"}


def test_an_account_never_trades_with_itself(trader: Trader) -> None:
    oid = trader.order("0.5", "60000", tif="Alo")["resting"]["oid"]

    trader.place_all(sell("0.1"))

    assert trader.status(oid) == "selfTradeCanceled"
    assert trader.position() == Decimal("-0.1")


def test_a_reduce_only_order_is_cut_to_the_position(trader: Trader) -> None:
    trader.order("0.1")

    filled = trader.order("0.3", is_buy=False, reduce_only=True)["filled"]

    assert filled["totalSz"] == "0.1"
    assert trader.position() == 0


def test_a_close_of_the_whole_position_may_be_under_the_minimum_and_a_part_may_not(
    place: Place, trader: Trader
) -> None:
    trader.order("0.0005")
    place.tell("price", coin="BTC", price="15000")

    part = trader.order("0.0001", "14000", is_buy=False, reduce_only=True)
    assert part == {"error": "Order must have minimum value of $10. asset=0"}
    whole = trader.order("0.0005", "14000", is_buy=False, reduce_only=True)
    assert whole["filled"]["totalSz"] == "0.0005"


def test_of_reduce_only_orders_that_rest_the_newest_stay_within_the_position(
    trader: Trader,
) -> None:
    trader.order("0.3")
    first = trader.order("0.2", "61000", is_buy=False, tif="Gtc", reduce_only=True)
    second = trader.order("0.2", "62000", is_buy=False, tif="Gtc", reduce_only=True)

    assert trader.status(first["resting"]["oid"]) == "reduceOnlyCanceled"
    assert trader.status(second["resting"]["oid"]) == "open"

    trader.order("0.3", is_buy=False)
    assert trader.status(second["resting"]["oid"]) == "reduceOnlyCanceled"


def test_a_terminal_client_id_may_be_used_again_and_the_latest_owns_it(trader: Trader) -> None:
    first = trader.order("0.1", cloid=cloid(1))["filled"]["oid"]
    second = trader.order("0.1", "50000", tif="Gtc", cloid=cloid(1))["resting"]["oid"]

    assert trader.ask("orderStatus", oid=cloid(1))["order"]["order"]["oid"] == second
    assert trader.status(first) == "filled"


def test_an_order_of_anothers_is_nobodys(place: Place, trader: Trader) -> None:
    oid = trader.order("0.1", "50000", tif="Gtc", cloid=cloid(1))["resting"]["oid"]
    other = place.trader()

    assert other.ask("orderStatus", oid=oid) == {"status": "unknownOid"}
    assert other.ask("orderStatus", oid=cloid(1)) == {"status": "unknownOid"}
    cancel = {"type": "cancel", "cancels": [{"a": 0, "o": oid}]}
    assert "error" in other.send(cancel)["response"]["data"]["statuses"][0]
    assert trader.status(oid) == "open"


def test_while_open_interest_is_capped_only_what_reduces_it_trades(
    place: Place, trader: Trader
) -> None:
    trader.order("0.2")
    place.tell("cap", coin="BTC", capped=True)
    words = "Order would increase open interest while open interest is capped asset=0"

    assert trader.order("0.1", cloid=cloid(1)) == {"error": words}
    assert trader.status(cloid(1)) == "positionIncreaseAtOpenInterestCapRejected"
    assert trader.order("0.3", is_buy=False, cloid=cloid(2)) == {"error": words}
    assert trader.status(cloid(2)) == "positionFlipAtOpenInterestCapRejected"
    assert "filled" in trader.order("0.2", is_buy=False)
    place.tell("cap", coin="BTC", capped=False)
    assert "filled" in trader.order("0.1")


def test_a_market_that_is_delisted_ends_its_orders_and_takes_no_more(
    place: Place, trader: Trader
) -> None:
    oid = trader.order("0.1", "50000", tif="Gtc")["resting"]["oid"]

    place.tell("market", coin="BTC", open=False)

    assert trader.status(oid) == "delistedCanceled"
    assert trader.order("0.1") == {"error": "Trading is halted. asset=0"}
    assert place.ask("meta")["universe"][0]["isDelisted"] is True
    assert place.ask("meta")["universe"][ATOM]["name"] == "ATOM"


def test_a_position_may_not_outgrow_its_tier_at_the_leverage_set(place: Place) -> None:
    rich = place.trader(100_000_000)
    rich.leverage(ATOM, 5)
    eth = place.ask("metaAndAssetCtxs")[1][ETH]["markPx"]
    assert Decimal(eth) > 1000
    rich.leverage(ETH, 25)
    most = str(int(Decimal(100_000_000) / Decimal(eth)) + 1)

    told = rich.order(most, str(int(Decimal(eth))), asset=ETH, tif="Gtc")

    words = "Order would cause position to exceed margin tier limit at current leverage asset=1"
    assert told == {"error": words}
