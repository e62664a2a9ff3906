"""The simulator's answers against every recorded one: the same keys and the same kinds of values.

Lists are compared by what is in them, kind by kind; figures in texts stay texts.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account

from tests.venues.hyperliquid_trader import (
    ATOM,
    ETH,
    Place,
    Trader,
    cloid,
    order,
    profit,
    sell,
    stop,
)
from tests.venues.recorded import recorded

FOLDER = Path(__file__).parents[3] / "shared" / "recorded" / "hyperliquid"
Scene = Callable[[Place, Trader], Any]
EMPTY = "0x" + "ee" * 20


def kinds(value: Any) -> Any:
    """Keys and kinds all the way down; a list is the set of the kinds in it."""
    if isinstance(value, dict):
        return {key: kinds(below) for key, below in value.items()}
    if isinstance(value, list):
        return sorted({json.dumps(kinds(below), sort_keys=True) for below in value})
    return type(value).__name__


def short_and_read(place: Place, trader: Trader) -> Any:
    trader.place_all(sell("0.5"), sell("100", "1800", asset=ETH))
    return trader.ask("clearinghouseState")


def filled_status(place: Place, trader: Trader) -> Any:
    oid = trader.order("0.01", tif="FrontendMarket")["filled"]["oid"]
    return trader.ask("orderStatus", oid=oid)


def round_trip(place: Place, trader: Trader) -> Any:
    trader.place_all(order("0.01"), sell("0.01", reduce_only=True))
    return trader.ask("userFillsByTime", startTime=0)


def two_agents(place: Place, trader: Trader) -> Any:
    trader.agent("ok")
    trader.agent("new")
    return trader.ask("extraAgents")


def resting(number: int | None) -> Scene:
    name = None if number is None else cloid(number)
    return lambda _, trader: trader.place_all(
        order("500", "1.5", asset=ATOM, tif="Gtc", cloid=name)
    )


def canceled(by_cloid: bool, twice: bool) -> Scene:
    def scene(_: Place, trader: Trader) -> Any:
        placed = trader.order("500", "1.5", asset=ATOM, tif="Gtc", cloid=cloid(1))["resting"]
        one: dict[str, Any] = {"asset": ATOM, "cloid": cloid(1)}
        kind = "cancelByCloid"
        if not by_cloid:
            one, kind = {"a": ATOM, "o": placed["oid"]}, "cancel"
        answers = [trader.send({"type": kind, "cancels": [one]}) for _ in range(1 + twice)]
        return answers[-1]

    return scene


def without_0x(_: Place, trader: Trader) -> Any:
    """Three orders as they were recorded, and their answers."""
    wires = [
        order("5", "1.5", asset=ATOM, tif="Gtc", cloid=cloid(9)[2:]),
        order("5", "1.5", asset=ATOM, tif="Gtc", cloid=cloid(9)),
        order("500", "1.5", asset=ATOM, tif="Gtc", cloid=cloid(9)),
    ]
    return [trader.place_all(wire) for wire in wires]


def stranger(place: Place, _: Trader) -> Any:
    return Trader(place, Account.create()).place_all(order("0.01"))


def with_children(_: Place, trader: Trader) -> Any:
    family = (order("0.01"), profit("0.01", "66000"), stop("0.01", "55000"))
    return trader.place_all(*family, grouping="normalTpsl")


SCENES: dict[str, Scene] = {
    "exchange_cancelByCloid_error_missing_2025-10-22": canceled(True, True),
    "exchange_cancelByCloid_success_2025-10-22": canceled(True, False),
    "exchange_cancel_error_missing_2025-10-22": canceled(False, True),
    "exchange_cancel_success_2025-10-22": canceled(False, False),
    "exchange_err_action_already_expired_testnet_2026-09-07": lambda _, trader: trader.send(
        {"type": "noop"}, expires=1
    ),
    "exchange_err_unknown_signer_2025-10-22": stranger,
    "exchange_order_error_min_notional_2025-10-22": lambda _, trader: trader.place_all(
        order("5", "1.5", asset=ATOM, tif="Gtc")
    ),
    "exchange_order_error_reduce_only_testnet_2026-09-07": lambda _, trader: trader.place_all(
        order("0.01", reduce_only=True)
    ),
    "exchange_order_filled_2026-01-18": lambda _, trader: trader.place_all(order("0.01")),
    "exchange_order_filled_normalTpsl": with_children,
    "exchange_order_resting_2025-10-22": resting(None),
    "exchange_order_resting_cloid_2025-10-22": resting(3),
    "info_activeAssetData_HYPE_testnet_2025-08-23": lambda _, trader: trader.ask(
        "activeAssetData", coin="ETH"
    ),
    "info_clearinghouseState_empty_2025-12-13": lambda place, _: place.ask(
        "clearinghouseState", user=EMPTY
    ),
    "info_clearinghouseState_short_2026-06": short_and_read,
    "info_extraAgents_2025-09-04": two_agents,
    "info_l2Book_BTC_nSigFigs5_2026-06-22": lambda place, _: place.ask(
        "l2Book", coin="BTC", nSigFigs=5
    ),
    "info_l2Book_empty_SHIA_2024-10-29": lambda place, _: place.ask("l2Book", coin="MATIC"),
    "info_metaAndAssetCtxs_main_2026-02-06": lambda place, _: place.ask("metaAndAssetCtxs"),
    "info_orderStatus_filled_testnet_2025-08-22": filled_status,
    "info_orderStatus_unknownOid_mainnet_2025-08-22": lambda _, trader: trader.ask(
        "orderStatus", oid=cloid(1)
    ),
    "info_userFees_testnet_2026-09-18": lambda _, trader: trader.ask("userFees"),
    "info_userFillsByTime_testnet_2025-08-22": round_trip,
}
COMPARED_BELOW = {
    "exchange_order_cloid_sequence_2025-10-22": "three requests and their answers",
    "info_meta_main_testnet_2025-08-23": "another universe, older than collateralToken",
    "info_spotClearinghouseState_testnet_2025-08-23": "other tokens than the simulator's USDC",
    "info_userRateLimit_2025-08-22": "older than nRequestsSurplus",
}
NOT_SIMULATED = {
    "exchange_perpDeploy_err_2025-12-18": "nobody deploys markets here",
    "info_metaAndAssetCtxs_xyz_2026-02-06": "the main dex alone is simulated",
    "info_perpDexs_2026-06-22": "the main dex alone is simulated: [null]",
}


@pytest.fixture
def place() -> Place:
    return Place()


@pytest.fixture
def trader(place: Place) -> Trader:
    return place.trader()


def test_no_recorded_payload_is_left_out() -> None:
    if not FOLDER.exists():
        pytest.skip("no payloads beside the repository: only where they were recorded")

    assert {path.stem for path in FOLDER.glob("*.json")} == {
        *SCENES,
        *COMPARED_BELOW,
        *NOT_SIMULATED,
    }


@pytest.mark.parametrize("name", SCENES)
def test_an_answer_has_the_keys_and_kinds_of_the_recorded_one(
    name: str, place: Place, trader: Trader
) -> None:
    theirs = recorded(f"hyperliquid/{name}.json")

    assert kinds(SCENES[name](place, trader)) == kinds(theirs)


ALL_WORDS = [name for name in SCENES if "_err" in name or "_success" in name]


@pytest.mark.parametrize("name", ALL_WORDS)
def test_a_refusal_is_in_the_recorded_words(name: str, place: Place, trader: Trader) -> None:
    theirs = json.dumps(recorded(f"hyperliquid/{name}.json"))
    ours = json.dumps(SCENES[name](place, trader))

    assert words(ours) == words(theirs)


def words(text: str) -> list[str]:
    """Without the figures and addresses that differ from case to case."""
    return [word for word in text.split() if not word.startswith(("0x", "asset="))]


def test_a_client_id_without_0x_recovers_to_somebody_else_and_may_be_used_again(
    trader: Trader, place: Place
) -> None:
    theirs = recorded("hyperliquid/exchange_order_cloid_sequence_2025-10-22.json")

    ours = without_0x(place, trader)

    assert kinds(ours) == kinds([each["response"] for each in theirs])
    assert ours[0]["response"].startswith("User or API Wallet 0x")
    assert ours[2]["response"]["data"]["statuses"][0]["resting"]["cloid"] == cloid(9)


def test_a_universe_of_testnet_has_no_key_that_the_simulators_lacks(place: Place) -> None:
    theirs = recorded("hyperliquid/info_meta_main_testnet_2025-08-23.json")
    ours = place.ask("meta")

    assert theirs.keys() == ours.keys() - {"collateralToken"}
    known = {key for entry in ours["universe"] for key in entry}
    assert {key for entry in theirs["universe"] for key in entry} <= known
    assert kinds(ours["marginTables"]) == kinds(theirs["marginTables"])


def test_a_spot_balance_has_the_recorded_keys(place: Place, trader: Trader) -> None:
    theirs = recorded("hyperliquid/info_spotClearinghouseState_testnet_2025-08-23.json")
    place.tell("deposit", user=trader.address, usd="20", spot=True)

    assert kinds(trader.ask("spotClearinghouseState")) == kinds(theirs)


def test_the_rate_limit_has_the_recorded_keys_and_the_surplus(trader: Trader) -> None:
    theirs = recorded("hyperliquid/info_userRateLimit_2025-08-22.json")
    ours = trader.ask("userRateLimit")

    assert ours.pop("nRequestsSurplus") == 10_000
    assert kinds(ours) == kinds(theirs)
