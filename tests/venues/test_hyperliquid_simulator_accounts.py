"""What the simulator tells of accounts: margin, leverage, modes, fees, liquidation, time, lag."""

from decimal import Decimal
from typing import Any

import pytest

from local.simulators.control import BadControl
from tests.venues.hyperliquid_trader import ATOM, BTC, Place, Trader, stop

SHORT_OF_MARGIN = (
    "Cross position does not have sufficient margin available to decrease leverage."
    " To decrease leverage, deposit more collateral."
)


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def trader(place: Place) -> Trader:
    return place.trader()


def figures(told: Any, *names: str) -> list[Decimal]:
    return [Decimal(told[name]) for name in names]


def only_position(trader: Trader) -> Any:
    (held,) = trader.ask("clearinghouseState")["assetPositions"]
    return held["position"]


def test_a_cross_position_binds_its_notional_by_its_leverage(place: Place, trader: Trader) -> None:
    place.tell("depth", coin="BTC", sizes=["10"])
    trader.leverage(BTC, 10)
    trader.order("2", is_buy=False)
    place.tell("price", coin="BTC", price="61000")

    state, held = trader.ask("clearinghouseState"), only_position(trader)

    entry, mark, fee = Decimal(59_999), Decimal(61_000), 2 * Decimal(59_999) * Decimal("0.00045")
    pnl = 2 * (entry - mark)
    assert figures(held, "szi", "entryPx", "positionValue") == [-2, entry, 2 * mark]
    assert figures(held, "unrealizedPnl", "marginUsed") == [pnl, 2 * mark / 10]
    assert Decimal(held["returnOnEquity"]) == round(pnl / (2 * entry / 10), 10)
    assert held["leverage"] == {"type": "cross", "value": 10}
    equity = 100_000 - fee + pnl
    assert figures(state["marginSummary"], "accountValue", "totalNtlPos", "totalRawUsd") == [
        equity,
        2 * mark,
        equity + 2 * mark,
    ]
    assert state["marginSummary"] == state["crossMarginSummary"]
    assert Decimal(state["crossMaintenanceMarginUsed"]) == 2 * mark / 80
    assert Decimal(state["withdrawable"]) == equity - 2 * mark / 10
    spare, rate = equity - 2 * mark / 80, Decimal(1) / 80
    assert Decimal(held["liquidationPx"]) == round(mark + spare / 2 / (1 + rate), 10)


def test_a_tenth_of_the_notional_cannot_be_withdrawn_whatever_the_leverage(trader: Trader) -> None:
    trader.leverage(BTC, 40)
    trader.order("2")
    state = trader.ask("clearinghouseState")
    equity, notional = figures(state["marginSummary"], "accountValue", "totalNtlPos")

    assert Decimal(state["withdrawable"]) == equity - notional / 10


def test_an_isolated_position_has_a_margin_of_its_own(place: Place, trader: Trader) -> None:
    place.tell("depth", coin="BTC", sizes=["10"])
    trader.leverage(BTC, 5, is_cross=False)
    trader.order("1")
    place.tell("price", coin="BTC", price="60101")

    state, held = trader.ask("clearinghouseState"), only_position(trader)

    margin, pnl = Decimal(60_001) / 5, Decimal(100)
    assert Decimal(held["marginUsed"]) == margin + pnl
    assert held["leverage"]["type"] == "isolated"
    assert Decimal(held["leverage"]["rawUsd"]) == margin + pnl - 60_101
    assert Decimal(state["crossMarginSummary"]["totalNtlPos"]) == 0
    free = Decimal(state["withdrawable"])
    assert free == Decimal(state["crossMarginSummary"]["accountValue"])
    assert free == 100_000 - margin - Decimal(60_001) * Decimal("0.00045")
    trader.order("0.5", is_buy=False, reduce_only=True)
    assert Decimal(only_position(trader)["marginUsed"]) == (margin + pnl) / 2


@pytest.mark.parametrize(
    ("asset", "value", "is_cross", "words"),
    [
        (BTC, 41, True, "Invalid leverage value"),
        (BTC, 0, True, "Invalid leverage value"),
        (BTC, 10, False, "Cannot switch leverage type with open position."),
        (
            BTC,
            1,
            True,
            SHORT_OF_MARGIN,
        ),
        (999, 3, True, "Unknown asset 999"),
    ],
)
def test_leverage_that_cannot_be_is_refused(
    trader: Trader, asset: int, value: int, is_cross: bool, words: str
) -> None:
    trader.order("2")

    refused = trader.leverage(asset, value, is_cross=is_cross)

    assert refused == {"status": "err", "response": words}
    assert trader.ask("activeAssetData", coin="BTC")["leverage"] == {"type": "cross", "value": 20}


def test_a_market_that_is_isolated_only_takes_no_cross_margin(place: Place, trader: Trader) -> None:
    universe = place.ask("meta")["universe"]
    asset = next(i for i, each in enumerate(universe) if each.get("onlyIsolated"))

    refused = trader.leverage(asset, 1)

    assert refused["response"] == "Cross margin is not allowed for this asset."
    assert trader.leverage(asset, 1, is_cross=False)["status"] == "ok"
    told = trader.ask("activeAssetData", coin=universe[asset]["name"])
    assert told["leverage"] == {"type": "isolated", "value": 1}


def test_leverage_may_rise_while_a_position_is_open(trader: Trader) -> None:
    trader.order("1")
    before = Decimal(only_position(trader)["marginUsed"])

    assert trader.leverage(BTC, 40)["status"] == "ok"

    assert Decimal(only_position(trader)["marginUsed"]) == before / 2


def test_what_can_be_traded_follows_from_leverage_and_what_is_free(trader: Trader) -> None:
    trader.leverage(BTC, 12)
    told = trader.ask("activeAssetData", coin="BTC")

    assert told["availableToTrade"] == ["100000.0", "100000.0"]
    assert told["maxTradeSzs"] == ["20.0", "20.0"]
    assert "filled" in trader.order("20", "60400")
    assert "Insufficient margin" in trader.order("1")["error"]


def test_a_resting_order_binds_margin_and_a_reversal_frees_what_it_closes(trader: Trader) -> None:
    trader.leverage(BTC, 10)
    trader.order("10", "59000", tif="Gtc")
    assert Decimal(trader.ask("clearinghouseState")["withdrawable"]) == 100_000 - 59_000
    assert "Insufficient margin" in trader.order("8")["error"]
    assert "filled" in trader.order("6")

    assert "filled" in trader.order("12", is_buy=False)


def test_a_reduce_only_order_that_rests_binds_nothing(trader: Trader) -> None:
    trader.order("1")
    before = trader.ask("clearinghouseState")["withdrawable"]

    trader.order("1", "70000", is_buy=False, tif="Gtc", reduce_only=True)

    assert trader.ask("clearinghouseState")["withdrawable"] == before


@pytest.mark.parametrize("mode", ["unifiedAccount", "portfolioMargin"])
def test_a_unified_account_tells_what_is_free_by_its_spot_balance_alone(
    place: Place, mode: str
) -> None:
    trader = place.trader(0)
    place.tell("deposit", user=trader.address, usd="5000", spot=True)
    assert "Insufficient margin" in trader.order("0.1")["error"]

    place.tell("account", user=trader.address, mode=mode)

    assert trader.ask("userAbstraction") == mode
    assert "filled" in trader.order("1")
    (usdc,) = trader.ask("spotClearinghouseState")["balances"]
    total, hold = figures(usdc, "total", "hold")
    assert total == Decimal(trader.told()["cashUsd"])
    free = trader.ask("activeAssetData", coin="ETH")["availableToTrade"][0]
    assert total - hold == Decimal(free) < 2000
    assert trader.ask("clearinghouseState")["withdrawable"] == "0.0"


def test_spot_money_of_a_standard_account_backs_nothing(place: Place) -> None:
    trader = place.trader(20)
    place.tell("deposit", user=trader.address, usd="5000", spot=True)

    assert trader.ask("spotClearinghouseState")["balances"][0]["total"] == "5000.0"
    assert trader.ask("clearinghouseState")["withdrawable"] == "20.0"
    assert trader.ask("userAbstraction") == "default"
    assert "Insufficient margin" in trader.order("0.1")["error"]


def test_fees_are_the_accounts_own(place: Place, trader: Trader) -> None:
    place.tell("account", user=trader.address, taker="0.0002", maker="-0.00001")

    told = trader.ask("userFees")
    trader.order("0.1", "60001")

    assert (told["userCrossRate"], told["userAddRate"]) == ("0.0002", "-0.00001")
    assert Decimal(trader.told()["feesUsd"]) == Decimal("6000.1") * Decimal("0.0002")


def test_volume_gives_an_account_more_requests(trader: Trader) -> None:
    trader.order("0.1", "60001")

    assert trader.ask("userRateLimit") == {
        "cumVlm": "6000.1",
        "nRequestsUsed": 1,
        "nRequestsCap": 16_000,
        "nRequestsSurplus": 15_999,
    }


def test_a_liquidation_ends_the_position_and_its_orders_and_says_so(
    place: Place, trader: Trader
) -> None:
    trader.order("1")
    trader.place_all(stop("1", "50000"))
    resting = trader.order("0.1", "50000", tif="Gtc")["resting"]["oid"]

    place.tell("liquidate", user=trader.address, coin="BTC")

    assert trader.position() == 0
    assert trader.status(resting) == "liquidatedCanceled"
    assert trader.ask("openOrders") == []
    fill = trader.ask("userFills")[0]
    assert fill["dir"] == "Liquidated Cross Long"
    assert fill["liquidation"]["liquidatedUser"] == trader.address
    with pytest.raises(BadControl, match="no position"):
        place.tell("liquidate", user=trader.address, coin="BTC")


def test_the_users_own_hand_closes_what_somebody_else_opened(place: Place, trader: Trader) -> None:
    trader.order("1")
    body = {"user": trader.address, "coin": "BTC", "buy": False, "size": "1", "reduceOnly": True}

    told = place.tell("trade", **body)

    assert told["status"]["filled"]["totalSz"] == "1.0"
    assert trader.position() == 0
    assert "error" in place.tell("trade", **body)["status"]


def test_an_agent_that_a_test_approves_needs_no_signature(place: Place, trader: Trader) -> None:
    agent = place.trader(0)
    place.tell("agent", user=trader.address, agent=agent.address, name="desk")

    agent.user = trader.address
    assert "filled" in agent.order("0.1")
    assert agent.position() == Decimal("0.1")
    assert place.ask("clearinghouseState", user=agent.address)["assetPositions"] == []
    assert place.ask("userRole", user=agent.address)["data"] == {"user": trader.address}
    with pytest.raises(BadControl, match="Extra agent already used"):
        place.tell("agent", user=trader.address, agent=agent.address, name="desk")


def test_reads_can_lag_behind_what_has_happened(place: Place, trader: Trader) -> None:
    place.tell("lag", orderStatus=2, fills=3)
    oid = trader.order("0.1", "60001")["filled"]["oid"]
    assert trader.ask("orderStatus", oid=oid) == {"status": "unknownOid"}
    assert trader.ask("userFills") == []
    assert trader.ask("clearinghouseState")["assetPositions"] != []
    assert len(trader.told()["fills"]) == 1

    place.time.pass_seconds(2)
    assert trader.status(oid) == "filled"
    assert trader.ask("userFillsByTime", startTime=0) == []
    place.tell("lag")
    assert len(trader.ask("userFillsByTime", startTime=0)) == 1


def test_fills_are_told_by_time(place: Place, trader: Trader) -> None:
    times = []
    for _ in range(3):
        place.time.pass_seconds(1)
        trader.order("0.01", "60001")
        times.append(trader.ask("userFills")[0]["time"])

    found = trader.ask("userFillsByTime", startTime=times[1], endTime=times[2])

    assert [fill["time"] for fill in found] == times[1:]
    assert [fill["time"] for fill in trader.ask("userFills")] == list(reversed(times))


def test_time_can_be_moved_and_is_back_after_a_reset(place: Place, trader: Trader) -> None:
    before = place.ask("clearinghouseState", user=trader.address)["time"]

    assert place.tell("clock", advance=90)["time"] == before + 90_000
    assert trader.ask("clearinghouseState")["time"] == before + 90_000
    assert trader.send({"type": "noop"}, expires=before + 1)["status"] == "err"

    place.tell("reset")
    assert trader.ask("clearinghouseState")["time"] == before


def test_what_a_reset_ends_and_what_it_takes_a_forget_for(place: Place, trader: Trader) -> None:
    trader.order("0.1")
    place.tell("depth", coin="BTC", sizes=[])
    place.tell("cap", coin="ATOM", capped=True)

    place.tell("reset")

    assert trader.position() == Decimal("0.1")
    assert place.ask("l2Book", coin="BTC")["levels"][0] != []
    assert trader.order("100", asset=ATOM, price="2")["filled"]
    assert place.tell("forget")["accounts"] == {}
    assert trader.send({"type": "noop"})["response"].endswith("does not exist.")


@pytest.mark.parametrize(
    ("what", "body"),
    [
        ("deposit", {"user": "0x12", "usd": "1"}),
        ("deposit", {"user": "0x" + "1" * 40, "usd": "-1"}),
        ("deposit", {"user": "0x" + "1" * 40, "usd": "much"}),
        ("account", {"user": "0x" + "1" * 40, "mode": "casual"}),
        ("account", {"user": "0x" + "1" * 40, "taker": "1"}),
        ("account", {"user": "0x" + "1" * 40, "requestsUsed": -1}),
        ("agent", {"user": "0x" + "1" * 40, "agent": "0x" + "2" * 40}),
        ("trade", {"user": "0x" + "1" * 40, "coin": "BTC", "buy": True, "size": "1"}),
        ("depth", {"coin": "BTC", "sizes": ["0.0000001"]}),
        ("depth", {"coin": "BTC", "sizes": "deep"}),
        ("depth", {"coin": "NOPE", "sizes": []}),
        ("clock", {"advance": "soon"}),
        ("clock", {"advance": 1e12}),
        ("lag", {"fills": 61}),
        ("cap", {"coin": "BTC", "capped": "yes"}),
    ],
)
def test_a_control_that_makes_no_sense_changes_nothing(
    place: Place, what: str, body: dict[str, Any]
) -> None:
    with pytest.raises(BadControl):
        place.tell(what, **body)

    assert place.books()["accounts"] == {}
    assert place.ask("l2Book", coin="BTC")["levels"][0] != []


def test_the_judges_see_every_order_fill_action_and_request(place: Place, trader: Trader) -> None:
    trader.order("0.1", "60001", nonce=trader.next_nonce())
    assert "error" in trader.order("0.1", "50000")
    trader.ask("userFills")

    books = place.books()

    told = books["accounts"][trader.address]
    assert [each["status"] for each in told["orders"]] == ["filled", "iocCancelRejected"]
    assert told["orders"][0]["filledSz"] == "0.1"
    assert [fill["oid"] for fill in told["fills"]] == [told["orders"][0]["oid"]]
    assert [each["action"]["type"] for each in books["actions"]] == ["order", "order"]
    assert all(each["signer"] == each["user"] == trader.address for each in books["actions"])
    assert "signature" not in str(books)
    assert books["requests"] == {"/exchange order": 2, "/info userFills": 1}


@pytest.mark.parametrize(
    "asked",
    [
        {"type": "userFills", "user": "me"},
        {"type": "orderStatus", "user": "0x" + "1" * 40, "oid": "0x1"},
        {"type": "orderStatus", "user": "0x" + "1" * 40},
        {"type": "userFillsByTime", "user": "0x" + "1" * 40},
        {"type": "nope", "user": "0x" + "1" * 40},
        {"type": "meta", "dex": "xyz"},
    ],
)
def test_what_cannot_be_read_is_refused_by_status(place: Place, asked: Any) -> None:
    reply = place.post("/info", asked)

    assert reply.status == 422


def test_nobodys_account_is_empty_and_asking_opens_none(place: Place) -> None:
    nobody = "0x" + "9" * 40

    assert place.ask("userRole", user=nobody) == {"role": "missing"}
    assert place.ask("extraAgents", user=nobody) == []
    assert place.ask("openOrders", user=nobody) == []
    assert place.ask("spotClearinghouseState", user=nobody) == {"balances": []}
    assert place.ask("clearinghouseState", user=nobody)["withdrawable"] == "0.0"
    assert place.books()["accounts"] == {}
