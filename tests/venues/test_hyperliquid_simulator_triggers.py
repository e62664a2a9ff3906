"""Triggers on the simulator: what waits for the mark, what it closes, and what ends it."""

from typing import Any

import pytest

from tests.venues.hyperliquid_trader import ETH, Place, Trader, cloid, order, profit, stop


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def trader(place: Place) -> Trader:
    return place.trader()


@pytest.mark.parametrize(
    ("wire", "price", "direction"),
    [
        (stop("0.3", "59000"), "59000", "Close Long"),
        (profit("0.3", "61000"), "61000", "Close Long"),
    ],
)
def test_a_trigger_waits_for_the_mark_and_then_closes(
    place: Place, trader: Trader, wire: dict[str, Any], price: str, direction: str
) -> None:
    trader.order("0.3")
    (status,) = trader.place_all(wire)["response"]["data"]["statuses"]
    oid = status["resting"]["oid"]
    place.tell("price", coin="BTC", price="60010")
    assert trader.status(oid) == "open"

    place.tell("price", coin="BTC", price=price)

    assert trader.status(oid) == "filled"
    assert trader.position() == 0
    assert trader.told()["fills"][-1]["dir"] == direction


def test_a_short_positions_triggers_fire_the_other_way_round(place: Place, trader: Trader) -> None:
    trader.order("0.3", is_buy=False)
    buy_stop = order("0.3", "66000", reduce_only=True, trigger=("sl", "61000"))
    (status,) = trader.place_all(buy_stop)["response"]["data"]["statuses"]

    place.tell("price", coin="BTC", price="61000")

    assert trader.status(status["resting"]["oid"]) == "filled"
    assert trader.position() == 0


def test_a_trigger_that_is_reached_already_or_has_no_position_is_refused(trader: Trader) -> None:
    trader.place_all(order("0.3", cloid=cloid(1)))
    reached = trader.place_all(stop("0.3", "60000", cloid=cloid(2)))
    assert reached["response"]["data"]["statuses"] == [{"error": "Invalid TP/SL price. asset=0"}]
    assert trader.status(cloid(2)) == "badTriggerPxRejected"

    naked = trader.place_all(stop("1", "1700", asset=ETH))
    words = "Reduce only order would increase position. asset=1"
    assert naked["response"]["data"]["statuses"] == [{"error": words}]


def test_what_closes_the_position_ends_its_triggers(trader: Trader) -> None:
    trader.order("0.3")
    trader.place_all(stop("0.3", "59000", cloid=cloid(1)))

    trader.order("0.3", is_buy=False)

    assert trader.status(cloid(1)) == "reduceOnlyCanceled"


def test_position_triggers_are_sized_to_the_position_and_one_ends_the_other(
    place: Place, trader: Trader
) -> None:
    trader.order("0.3")
    pair = (profit("0.1", "61000", cloid=cloid(1)), stop("0.1", "59000", cloid=cloid(2)))
    told = trader.place_all(*pair, grouping="positionTpsl")
    assert told["response"]["data"]["statuses"] == ["waitingForTrigger", "waitingForTrigger"]
    trader.order("0.2")

    place.tell("price", coin="BTC", price="61000")

    assert trader.position() == 0
    assert trader.status(cloid(1)) == "filled"
    assert trader.status(cloid(2)) == "siblingFilledCanceled"


def test_children_live_with_a_whole_fill_of_their_parent_and_die_with_a_part(
    place: Place, trader: Trader
) -> None:
    place.tell("depth", coin="BTC", sizes=["0.1"])
    family = (order("0.3"), stop("0.3", "59000", cloid=cloid(1)))
    trader.place_all(*family, grouping="normalTpsl")
    assert trader.status(cloid(1)) == "canceled"

    late = (order("0.1", "59500", tif="Gtc"), stop("0.1", "59000", cloid=cloid(2)))
    told = trader.place_all(*late, grouping="normalTpsl")["response"]["data"]["statuses"]
    assert told[1] == "waitingForFill"
    assert [each["limitPx"] for each in trader.ask("frontendOpenOrders")] == ["59500.0"]
    place.tell("price", coin="BTC", price="59400")
    place.ask("allMids")
    assert [each["isTrigger"] for each in trader.ask("frontendOpenOrders")] == [True]

    alone = trader.place_all(stop("0.1", "59000"), grouping="normalTpsl")
    words = {"error": "Main order cannot be trigger order."}
    assert alone["response"]["data"]["statuses"] == [words]
