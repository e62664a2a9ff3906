"""What holds for the simulator's matching whatever is traded: sizes, limits, positions, money."""

from collections import defaultdict
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from local.simulators.hyperliquid.accounts import Leverage
from local.simulators.hyperliquid.actions import perform
from local.simulators.hyperliquid.placing import pass_time
from local.simulators.hyperliquid.wire import OrderAction
from tests.venues.hyperliquid_trader import Place, order

USERS = tuple(f"0x{number:040x}" for number in (0xA, 0xB, 0xC))
DEPOSIT = Decimal(50_000)
STEPS = 40
NEARLY = Decimal("0.0001")
"""USD: each partial close rounds its cost to a millionth."""
FEES = {True: Decimal("0.00045"), False: Decimal("0.00015")}


def wire(chance: Random) -> dict[str, Any]:
    """Any order that is well-formed: mostly near the mark, mostly not reduce-only."""
    is_buy, size = chance.random() < 0.5, str(Decimal(chance.randint(100, 25_000)) / 100_000)
    price = str(chance.randint(59_970, 60_030))
    if chance.random() < 0.15:
        bound = "66000" if is_buy else "54000"
        what = chance.choice(["tp", "sl"])
        return order(size, bound, is_buy=is_buy, reduce_only=True, trigger=(what, price))
    tif = chance.choice(["Ioc", "Ioc", "Gtc", "Gtc", "Alo", "FrontendMarket"])
    reduce_only = chance.random() < 0.2
    if chance.random() < 0.4:
        price = ""
    return order(size, price, is_buy=is_buy, tif=tif, reduce_only=reduce_only)


def step(place: Place, chance: Random) -> None:
    """An order, a move of the mark, a second, or rarely a liquidation."""
    user, what = chance.choice(USERS), chance.random()
    if what < 0.7:
        asked = {"type": "order", "orders": [wire(chance)], "grouping": "na"}
        pass_time(place.simulator.state)
        account = place.simulator.state.ledger.accounts[user]
        perform(place.simulator.state, account, OrderAction.model_validate(asked))
    elif what < 0.85:
        place.tell("price", coin="BTC", price=str(chance.randint(59_980, 60_020)))
    elif what < 0.97:
        place.time.pass_seconds(1)
    elif place.books()["accounts"][user]["positions"]:
        place.tell("liquidate", user=user, coin="BTC")


def played(chance: Random, *, is_cross: bool) -> Place:
    """A place after so many steps, three accounts trading one coin with each other and nobody."""
    place = Place()
    place.tell("depth", coin="BTC", sizes=["0.05", "0.1", "0.2"])
    for user in USERS:
        place.tell("deposit", user=user, usd=str(DEPOSIT))
        account = place.simulator.state.ledger.accounts[user]
        account.leverages["BTC"] = Leverage(10, is_cross=is_cross)
    for _ in range(STEPS):
        step(place, chance)
    return place


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32), st.booleans())
def test_whatever_is_traded_the_books_add_up(seed: int, is_cross: bool) -> None:
    """A seed for each play: drawn step by step, most plays would never fill an order."""
    place = played(Random(seed), is_cross=is_cross)

    accounts = place.books()["accounts"]
    for account in accounts.values():
        sizes_add_up(account)
        position_is_the_sum_of_fills(account)
        equity_is_deposits_and_pnl_less_fees(place, account)
    makers_and_takers_agree(accounts)
    the_book_is_not_crossed(place)


def sizes_add_up(account: Any) -> None:
    """An order's fills are its filled size, never over its size, never outside its limit."""
    filled: dict[int, Decimal] = defaultdict(Decimal)
    for fill in account["fills"]:
        filled[fill["oid"]] += Decimal(fill["sz"])
    orders = {each["oid"]: each for each in account["orders"]}
    assert filled.keys() <= orders.keys()
    for oid, each in orders.items():
        size, left = Decimal(each["origSz"]), Decimal(each["sz"])
        assert Decimal(each["filledSz"]) == filled[oid] <= size
        assert left >= 0
        if not each["reduceOnly"]:
            assert left + filled[oid] == size
        assert (each["status"] == "filled") <= (filled[oid] > 0)
        assert each["status"].endswith("Rejected") <= (filled[oid] == 0)
    for fill in account["fills"]:
        limit, price = Decimal(orders[fill["oid"]]["limitPx"]), Decimal(fill["px"])
        assert price <= limit if fill["side"] == "B" else price >= limit


def position_is_the_sum_of_fills(account: Any) -> None:
    """Each fill starts where the last ended and earns what its part had cost; reduce-only never
    opens; words say what happened.
    """
    reduce_only = {each["oid"] for each in account["orders"] if each["reduceOnly"]}
    size, cost = Decimal(0), Decimal(0)
    for fill in account["fills"]:
        assert Decimal(fill["startPosition"]) == size
        signed = Decimal(fill["sz"]) * (1 if fill["side"] == "B" else -1)
        if fill["oid"] in reduce_only:
            assert size * signed < 0
            assert abs(signed) <= abs(size)
        if not fill["dir"].startswith("Liquidated"):
            assert fill["dir"] == words(size, size + signed)
        closed = -signed if abs(signed) <= abs(size) else size
        closed = closed if size * signed < 0 else Decimal(0)
        at_cost = cost / size * closed if closed else Decimal(0)
        pnl = closed * Decimal(fill["px"]) - at_cost
        assert abs(Decimal(fill["closedPnl"]) - pnl) <= NEARLY
        cost += (signed + closed) * Decimal(fill["px"]) - at_cost
        size += signed
    held = account["positions"].get("BTC", {"size": "0", "costUsd": "0"})
    assert Decimal(held["size"]) == size
    assert abs(Decimal(held["costUsd"]) - cost) <= NEARLY
    resting = [each for each in account["orders"] if each["status"] == "open"]
    assert size or not [each for each in resting if each["reduceOnly"]]


def words(start: Decimal, end: Decimal) -> str:
    if start * end < 0:
        return "Long > Short" if start > 0 else "Short > Long"
    side = "Long" if start + end > 0 else "Short"
    return f"Open {side}" if abs(end) > abs(start) else f"Close {side}"


def equity_is_deposits_and_pnl_less_fees(place: Place, account: Any) -> None:
    """By two ways: realised pnl plus what is open, and cash flows alone."""
    mark = Decimal(place.ask("metaAndAssetCtxs")[1][0]["markPx"])
    flows, fees, pnl = Decimal(0), Decimal(0), Decimal(0)
    for fill in account["fills"]:
        notional = Decimal(fill["sz"]) * Decimal(fill["px"])
        flows -= notional if fill["side"] == "B" else -notional
        fee = Decimal(fill["fee"])
        assert 0 <= notional * FEES[fill["crossed"]] - fee < Decimal("0.000001")
        fees += fee
        pnl += Decimal(fill["closedPnl"])
    held = account["positions"].get("BTC", {"size": "0", "costUsd": "0"})
    size, cost = Decimal(held["size"]), Decimal(held["costUsd"])
    equity = Decimal(account["equityUsd"])
    assert equity == DEPOSIT - fees + flows + size * mark
    assert Decimal(account["cashUsd"]) == DEPOSIT - fees + pnl
    assert equity == DEPOSIT - fees + pnl + size * mark - cost


def makers_and_takers_agree(accounts: Any) -> None:
    """A trade between accounts has one price and size, one buyer, one seller, one taker."""
    trades: dict[int, list[Any]] = defaultdict(list)
    for user, account in accounts.items():
        for fill in account["fills"]:
            trades[fill["tid"]].append((user, fill))
    for sides in trades.values():
        if len(sides) == 1:
            continue
        (first, one), (second, other) = sides
        assert first != second
        assert (one["px"], one["sz"]) == (other["px"], other["sz"])
        assert {one["side"], other["side"]} == {"A", "B"}
        assert {one["crossed"], other["crossed"]} == {True, False}


def the_book_is_not_crossed(place: Place) -> None:
    bids, asks = place.ask("l2Book", coin="BTC")["levels"]
    if bids and asks:
        assert Decimal(bids[0]["px"]) < Decimal(asks[0]["px"])


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 227), st.integers(0, 10_000_000))
def test_every_level_of_every_market_is_on_the_grid_and_the_same_for_the_same_second(
    asset: int, seconds: int
) -> None:
    place, again = Place(), Place()
    for one in (place, again):
        one.time.pass_seconds(seconds)
    coin = place.simulator.state.markets.coins[asset]

    book = place.ask("l2Book", coin=coin.name)

    assert again.ask("l2Book", coin=coin.name) == book
    for side in book["levels"]:
        assert len(side) in (0, 20)
        for level in side:
            assert coin.on_tick(Decimal(level["px"]))
            assert coin.on_lot(Decimal(level["sz"]))
            assert Decimal(level["sz"]) > 0
    prices = [Decimal(level["px"]) for side in book["levels"] for level in side]
    assert len(set(prices)) == len(prices)


@given(st.sampled_from([2, 3, 4, 5]))
def test_a_coarse_book_holds_what_the_fine_one_does(figures: int) -> None:
    place = Place()
    place.tell("depth", coin="BTC", sizes=["1"] * 15)

    book = place.ask("l2Book", coin="BTC", nSigFigs=figures)

    step = Decimal(10) ** (5 - figures)
    for side in book["levels"]:
        assert sum(Decimal(level["sz"]) for level in side) == 15
        assert all(Decimal(level["px"]) % step == 0 for level in side)
    assert Decimal(book["spread"]) == Decimal(book["levels"][1][0]["px"]) - Decimal(
        book["levels"][0][0]["px"]
    )


def test_a_coarseness_that_the_venue_lacks_is_its_fault() -> None:
    for figures in (1, 6, "5"):
        reply = Place().post("/info", {"type": "l2Book", "coin": "BTC", "nSigFigs": figures})
        assert (reply.status, reply.body) == (500, b"null")
