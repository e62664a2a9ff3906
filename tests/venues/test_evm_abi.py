"""Signatures come to the selectors and topics that the venue publishes; values come back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_where.venues._evm.abi import (
    Event,
    Fault,
    Function,
    Undecodable,
    address_topic,
    name_word,
    topic_of,
)
from agent_where.venues.ostium import contracts as on
from agent_where.venues.ostium.contracts import Trade

PUBLISHED = {
    # of the ABI that comes with the venue's client 3.3.1
    "getContractAddress": "0d2020dd",
    "openTrade": "1365e4e4",
    "closeTradeMarket": "efc10755",
    "openTradeMarketTimeout": "876d3abd",
    "closeTradeMarketTimeout": "3f21ea62",
    "setDelegate": "ca5eb5e1",
    "delegatedAction": "9a10cc32",
    "delegations": "bffe3486",
    "isPaused": "b187bd26",
    "isDone": "8f062227",
    "maxAllowedCollateral": "bf815d2e",
    "marketOrdersTimeout": "410c0b7c",
    "getOpenTrade": "4f786488",
    "getOpenTradeInfo": "54307131",
    "reqID_pendingMarketOrder": "b66e6b05",
    "openInterest": "7a523273",
    "usdc": "3e413bee",
    "isPairIndexListed": "641bc37a",
    "pairMinLevPos": "d9df69f2",
    "pairOracleFee": "baceb009",
    "allowance": "dd62ed3e",
    "approve": "095ea7b3",
    "balanceOf": "70a08231",
}
TOPICS = {
    "MarketOpenOrderInitiated": "fb4a26aa34682aa753cb2aa37ef1bc38eee1af6719db3a8cfe892c50406ea0e0",
    "MarketCloseOrderInitiatedV2": (
        "955808f2a23e3a3fcfd1b56a9d3f3c2a9d90efb4701e855f40f3d4c416299960"
    ),
    "MarketOpenTimeoutExecutedV2": (
        "1ae38b448807d5a36caef08b46b4a6d65a073079644ff6f6504958c5b298ee19"
    ),
    "MarketCloseTimeoutExecutedV2": (
        "14d358e8484ec7da7f69c7d2d381ca9fbb0aa1f496fd13d56a6309418faf86a3"
    ),
    "OracleFeeRefunded": "e23578987dc81cc630ca3edac7702ccf6951f6a27a1ad5eebfd82bed6bb15567",
    "MarketOpenExecuted": "c15478b6b68c100c76ab032fa5268715cb571da48263fd160aa4dc1afebb57ea",
    "MarketOpenCanceled": "1dc3532663e5566091476fb5aba1e514ef733714c83d4feec5723de6f16c3269",
    "MarketCloseExecutedV2": "caa9acf31fbbd991f267d1fe36d806a81db477c3ad5df64ed81b5155b960e8da",
    "MarketCloseCanceled": "0bdd660047df040d813bfc73384d39f74983d32bdbb147c7e4785df9d6f16e15",
    "LimitCloseExecuted": "6d2428396742e21de629bc9398950301d56c1aa493d8de859c4ee751aa02a9b6",
}
ERRORS = """
    80a71fc5 f77a8069 f120e11f eca695e1 b09e78ce 4f9cbad0 5be5878a 46c4ede2 1c49f4d1 f92ee8a9
    756688fe 8baa579f 4f285592 084986e7 1309a563 5c12ea62 e6f47fab 2a917859 a35ee470 17e08e97
    efa9e5be c7fe4d00 502b946d 093650d5 d7e6bcf8 2a19e833 1add0915 432b6c83 5ac89f62 f3d0b126
    cb87b762 6dfcc650 0819bdcd dd9397bb 3e0b1869 35fe85c5 5863f789 083fbd78 a41bb918"""
FUNCTIONS = [each for each in vars(on).values() if isinstance(each, Function)]
EVENTS = [each for each in vars(on).values() if isinstance(each, Event)]

addresses = st.binary(min_size=20, max_size=20).map(lambda raw: "0x" + raw.hex())
trades = st.builds(
    Trade,
    collateral=st.integers(0, 2**256 - 1),
    open_price=st.integers(0, 2**192 - 1),
    take_profit=st.integers(0, 2**192 - 1),
    stop_loss=st.integers(0, 2**192 - 1),
    trader=addresses,
    leverage=st.integers(0, 2**32 - 1),
    pair=st.integers(0, 2**16 - 1),
    slot=st.integers(0, 2**8 - 1),
    is_buy=st.booleans(),
    is_day_trade=st.booleans(),
)


def test_every_function_has_its_published_selector() -> None:
    ours = {each.name: each.selector.hex() for each in FUNCTIONS}

    assert ours.pop("setDelegateWithSignature")  # the published ABI leaves it out
    assert ours == PUBLISHED


def test_every_event_has_its_published_topic() -> None:
    ours = {each.name: each.topic for each in EVENTS}

    assert ours.pop("VaultLiqFeeCharged")  # the published ABI leaves it out
    assert ours == {name: f"0x{topic}" for name, topic in TOPICS.items()}
    assert on.FEE_CHARGED[0].topic == (
        "0x180816fdaede3b97c34fb408fbf4568bc800ae0e67bb519f458a64f1f01e7460"
    )


def test_all_published_errors_are_known_and_no_other() -> None:
    assert {selector.hex() for selector in on.FAULTS} == set(ERRORS.split())
    assert len(on.FAULTS) == 39


@given(trades, st.integers(0, 2), st.integers(0, 2**256 - 1))
def test_an_opening_says_what_it_was_made_of(trade: Trade, kind: int, slippage: int) -> None:
    builder = ("0x" + "0" * 40, 0)

    told, again, *rest = on.OPEN_TRADE.arguments(on.OPEN_TRADE.call(trade, builder, kind, slippage))

    assert Trade(*told) == trade
    assert again == builder
    assert rest == [kind, slippage]


@given(addresses, st.binary(max_size=200))
def test_a_delegated_call_carries_the_other_call_whole(trader: str, call: bytes) -> None:
    assert on.DELEGATED.arguments(on.DELEGATED.call(trader, call)) == (trader, call)


@given(st.sampled_from(FUNCTIONS), st.binary(max_size=600))
def test_whatever_a_contract_returns_is_decoded_or_undecodable(
    function: Function, data: bytes
) -> None:
    try:
        told = function.returned(data)
    except Undecodable:
        return
    assert len(told) == len(function.outputs)


@given(
    st.sampled_from(EVENTS),
    st.lists(st.binary(min_size=32, max_size=32).map(lambda raw: "0x" + raw.hex()), max_size=4),
    st.binary(max_size=600),
)
def test_whatever_a_log_holds_is_decoded_or_undecodable(
    event: Event, topics: list[str], data: bytes
) -> None:
    try:
        told = event.fields([event.topic, *topics], data)
    except Undecodable:
        return
    assert set(told) == {*event.indexed, *event.data}


@pytest.mark.parametrize("value", [-1, 2**16])
def test_a_value_that_does_not_fit_its_type_is_refused(value: int) -> None:
    with pytest.raises(ValueError, match="pairOracleFee"):
        on.ORACLE_FEE.call(value)


def test_another_functions_call_is_not_read_as_ones_own() -> None:
    with pytest.raises(Undecodable, match="a call of 0x876d3abd"):
        on.CLOSE_TIMEOUT.arguments(on.OPEN_TIMEOUT.call(7))


def test_topics_and_names_fill_a_word() -> None:
    assert topic_of(255) == "0x" + "0" * 62 + "ff"
    assert address_topic("0x" + "ab" * 20) == "0x" + "0" * 24 + "ab" * 20
    assert name_word("vault") == b"vault" + bytes(27)
    assert Fault("Error", ("string",)).selector.hex() == "08c379a0"
