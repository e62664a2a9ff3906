"""What Trading refuses, with which error, in which order; delegation, time-outs, pause and caps."""

from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from local.chain.build import artefacts
from local.chain.rpc import RpcError
from tests.chain.desk import (
    AGENT,
    AGENT_KEY,
    BTC,
    NOBODY,
    NVDA,
    ORACLE_FEE,
    STRANGER,
    STRANGER_KEY,
    USER,
    USER_KEY,
    WEI,
    Desk,
    why,
)

DOLLARS = 10**6
FAR_FUTURE = 4_000_000_000


def refusal(desk: Desk, **changes: Any) -> str:
    return desk.refused("openTrade", *desk.ticket(**changes).arguments())


def done(desk: Desk) -> str:
    desk.venue.deployed.trading.send("done")
    assert desk.refused("closeTradeMarket", BTC, 0, 0, 1, 1) == "IsDone()"
    return refusal(desk)


def paused(desk: Desk) -> str:
    desk.venue.deployed.trading.send("pause")
    return refusal(desk)


def unlisted(desk: Desk) -> str:
    return refusal(desk, pair=52)


def unbounded(desk: Desk) -> str:
    bad = ({"slippage": 0}, {"slippage": 10_000}, {"price": 0}, {"order_type": 1})
    dear = {"builder": STRANGER, "builder_fee": 500_001}
    assert {refusal(desk, **one) for one in (*bad, dear)} == {"WrongParams()"}
    desk.open()
    return desk.refused("closeTradeMarket", BTC, 0, 10_000, 0, 200)


def full(desk: Desk) -> str:
    desk.venue.deployed.trading_storage.send("setMaxTradesPerPair", 1)
    desk.open()
    return refusal(desk)


def waiting(desk: Desk) -> str:
    desk.venue.deployed.trading_storage.send("setMaxPendingMarketOrders", 1)
    desk.venue.keeper.silent()
    desk.ask(desk.ticket())
    return refusal(desk)


def overleveraged(desk: Desk) -> str:
    assert refusal(desk, leverage=0) == "WrongLeverage(0)"
    assert refusal(desk, leverage=99) == "WrongLeverage(99)"
    price = desk.price("NVDAUSD")
    assert refusal(desk, pair=NVDA, leverage=1001, price=price) == "WrongLeverage(1001)"
    by_day = desk.ticket(pair=NVDA, leverage=1001, price=price, is_day_trade=True)
    desk.settlement(desk.ask(by_day))
    return refusal(desk, leverage=10_001)


def too_large(desk: Desk) -> str:
    desk.venue.deployed.trading.send("setMaxAllowedCollateral", 99 * DOLLARS)
    return refusal(desk)


def eaten_by_fees(desk: Desk) -> str:
    return refusal(desk, collateral=100_000)


def too_small(desk: Desk) -> str:
    assert refusal(desk, collateral=555_000) == "BelowMinLevPos()"
    return refusal(desk, collateral=559_000, leverage=980)


def wrong_profit(desk: Desk) -> str:
    assert refusal(desk, tp=desk.price()) == "WrongTP()"
    desk.open()
    assert desk.refused("updateTp", BTC, 0, 0) == "WrongTP()"
    assert desk.refused("updateTp", BTC, 0, desk.price() * 2) == "WrongTP()"
    return refusal(desk, tp=desk.price() + WEI, buy=False)


def wrong_loss(desk: Desk) -> str:
    assert refusal(desk, sl=desk.price()) == "WrongSL()"
    desk.open()
    assert desk.refused("updateSl", BTC, 0, desk.price() * 9 // 10) == "WrongSL()"
    return refusal(desk, sl=desk.price() - WEI, buy=False)


def not_allowed(desk: Desk) -> str:
    desk.venue.approve(USER_KEY, usdc=99)
    return refusal(desk)


def not_there(desk: Desk) -> str:
    return refusal(desk, collateral=1001 * DOLLARS)


def no_trade(desk: Desk) -> str:
    return desk.refused("closeTradeMarket", BTC, 3, 0, 1, 1)


def asked_twice(desk: Desk) -> str:
    desk.open()
    desk.venue.keeper.silent()
    desk.ask_to_close()
    assert desk.refused("updateSl", BTC, 0, 0).startswith("TriggerPending")
    assert desk.refused("updateTp", BTC, 0, desk.price()).startswith("TriggerPending")
    return desk.refused("closeTradeMarket", BTC, 0, 0, desk.price(), 200)


def no_limit(desk: Desk) -> str:
    assert desk.refused("updateOpenLimitOrder", BTC, 1, 1, 0, 0).startswith("NoLimitFound")
    return desk.refused("cancelOpenLimitOrder", BTC, 1)


def nothing_to_take_back(desk: Desk) -> str:
    return desk.refused("openTradeMarketTimeout", 7)


def pending(desk: Desk) -> int:
    desk.venue.keeper.silent()
    return desk.ask(desk.ticket())


def anothers(desk: Desk) -> str:
    return desk.refused("openTradeMarketTimeout", pending(desk), sender=STRANGER)


def not_an_open(desk: Desk) -> str:
    desk.open()
    desk.venue.keeper.silent()
    return desk.refused("openTradeMarketTimeout", desk.ask_to_close())


def not_a_close(desk: Desk) -> str:
    return desk.refused("closeTradeMarketTimeout", pending(desk), False)


def too_early(desk: Desk) -> str:
    order = pending(desk)
    desk.venue.mine(29)
    return desk.refused("openTradeMarketTimeout", order)


def a_strangers_delegation(desk: Desk) -> str:
    return desk.refused("delegatedAction", USER, b"\0\0\0\0", sender=STRANGER)


def handed_on(desk: Desk) -> str:
    trading = desk.venue.deployed.trading
    inner = trading.data("delegatedAction", USER, b"\0\0\0\0")
    assert desk.refused("delegatedAction", USER, inner, sender=AGENT) == "DelegateForbidden()"
    inner = trading.data("setDelegate", STRANGER)
    return desk.refused("delegatedAction", USER, inner, sender=AGENT)


def unknown_call(desk: Desk) -> str:
    return desk.refused("delegatedAction", USER, bytes.fromhex("742088c0"), sender=AGENT)


def short_call(desk: Desk) -> str:
    return desk.refused("delegatedAction", USER, b"\0\0\0", sender=AGENT)


def nobody_to_remove(desk: Desk) -> str:
    return desk.refused("removeDelegate", sender=STRANGER)


def nobody_to_trust(desk: Desk) -> str:
    return desk.refused("setDelegate", NOBODY)


def signed(desk: Desk, *, nonce: int = 0, expiry: int = FAR_FUTURE, key: str = STRANGER_KEY) -> Any:
    """The arguments of setDelegateWithSignature: a stranger trusts the agent."""
    message = {"delegator": STRANGER, "delegate": AGENT, "nonce": nonce, "expiry": expiry}
    kinds = {"delegator": "address", "delegate": "address", "nonce": "uint256", "expiry": "uint256"}
    domain = {
        "name": "Ostium",
        "version": "1",
        "chainId": desk.venue.chain_id,
        "verifyingContract": desk.venue.trading,
    }
    typed = {"Delegation": [{"name": one, "type": kind} for one, kind in kinds.items()]}
    told = Account.sign_message(encode_typed_data(domain, typed, message), key)
    r, s = told.r.to_bytes(32, "big"), told.s.to_bytes(32, "big")
    return (STRANGER, AGENT, nonce, expiry, told.v, r, s)


def expired(desk: Desk) -> str:
    return desk.refused("setDelegateWithSignature", *signed(desk, expiry=1))


def out_of_turn(desk: Desk) -> str:
    return desk.refused("setDelegateWithSignature", *signed(desk, nonce=1))


def signed_by_another(desk: Desk) -> str:
    return desk.refused("setDelegateWithSignature", *signed(desk, key=AGENT_KEY))


def not_the_governor(desk: Desk) -> str:
    assert desk.refused("pause").startswith("NotGov")
    return desk.refused("setMaxAllowedCollateral", 1)


def not_the_keeper(desk: Desk) -> str:
    return desk.refused("executeAutomationOrder", 0, USER, BTC, 0, 0)


def too_long_to_wait(desk: Desk) -> str:
    with pytest.raises(RpcError) as fault:
        desk.venue.deployed.trading.read("setMarketOrdersTimeout", 2**16)
    return why(fault.value)


REFUSALS: dict[Callable[[Desk], str], str] = {
    done: "IsDone()",
    paused: "IsPaused()",
    unlisted: "PairNotListed(52)",
    unbounded: "WrongParams()",
    full: f"MaxTradesPerPairReached({USER.lower()}, 0)",
    waiting: f"MaxPendingMarketOrdersReached({USER.lower()})",
    overleveraged: "WrongLeverage(10001)",
    too_large: "AboveMaxAllowedCollateral()",
    eaten_by_fees: "BelowFees()",
    too_small: "BelowMinLevPos()",
    wrong_profit: "WrongTP()",
    wrong_loss: "WrongSL()",
    not_allowed: "ERC20: transfer amount exceeds allowance",
    not_there: "ERC20: transfer amount exceeds allowance",
    no_trade: f"NoTradeFound({USER.lower()}, 0, 3)",
    asked_twice: f"TriggerPending({USER.lower()}, 0, 0)",
    no_limit: f"NoLimitFound({USER.lower()}, 0, 1)",
    nothing_to_take_back: "NoTradeToTimeoutFound(7)",
    anothers: f"NotYourOrder(1, {USER.lower()})",
    not_an_open: "NotOpenMarketTimeoutOrder(2)",
    not_a_close: "NotCloseMarketTimeoutOrder(1)",
    too_early: "WaitTimeout(1)",
    a_strangers_delegation: f"NotDelegate({USER.lower()}, {STRANGER.lower()})",
    handed_on: "DelegateForbidden()",
    unknown_call: "DelegatedActionFailed()",
    short_call: "InvalidCallData()",
    nobody_to_remove: f"NoDelegate({STRANGER.lower()})",
    nobody_to_trust: "NullAddr()",
    expired: "SignatureExpired()",
    out_of_turn: "InvalidNonce()",
    signed_by_another: "InvalidSignature()",
    not_the_governor: f"NotGov({USER.lower()})",
    not_the_keeper: f"NotTradesUpKeep({USER.lower()})",
    too_long_to_wait: "SafeCastOverflowedUintDowncast(16, 65536)",
}
NEVER_RAISED = {
    "AlreadyMarketClosed": "of older contracts: TriggerPending now",
    "DelegateReentrant": "what could reenter is forbidden before",
    "ExposureLimits": "of topping up, which these contracts do not have",
    "InvalidInitialization": "these contracts are not upgraded",
    "IsContract": "the reference does not say where",
    "NotInitializing": "these contracts are not upgraded",
    "NotManager": "these contracts have a governor only",
}


@pytest.mark.parametrize("cause", REFUSALS, ids=lambda cause: cause.__name__)
def test_trading_refuses_with_its_error(desk: Desk, cause: Callable[[Desk], str]) -> None:
    assert cause(desk) == REFUSALS[cause]


def test_every_error_of_the_published_abi_is_raised_or_said_not_to_be() -> None:
    raised = {one.partition("(")[0] for one in REFUSALS.values() if one.endswith(")")}
    declared = {one["name"] for one in artefacts()["Trading"].abi if one["type"] == "error"}

    assert declared == raised | NEVER_RAISED.keys()


def test_a_balance_too_small_is_told_by_the_token(desk: Desk) -> None:
    desk.venue.approve(USER_KEY, usdc=5000)

    assert refusal(desk, collateral=1001 * DOLLARS) == "ERC20: transfer amount exceeds balance"


def test_a_delegate_is_told_what_the_trader_would_be_told(desk: Desk) -> None:
    inner = desk.venue.deployed.trading.data("openTrade", *desk.ticket(leverage=1).arguments())

    assert desk.refused("delegatedAction", USER, inner, sender=AGENT) == "WrongLeverage(1)"


def test_an_old_selector_is_refused_without_a_word(desk: Desk) -> None:
    for selector in ("0xd119af05", "0x742088c0"):
        with pytest.raises(RpcError) as fault:
            desk.venue.node.ask(
                "eth_call", {"from": USER, "to": desk.venue.trading, "data": selector}, "latest"
            )
        assert why(fault.value) == "nothing"


def test_a_trader_can_trust_an_agent_by_a_signature_that_another_sends(desk: Desk) -> None:
    desk.send("setDelegateWithSignature", *signed(desk), key=AGENT_KEY)

    assert desk.venue.deployed.trading.read("delegations", STRANGER) == AGENT.lower()
    assert desk.refused("setDelegateWithSignature", *signed(desk)) == "InvalidNonce()"


def test_an_order_taken_back_in_time_gives_all_back_and_a_late_answer_does_nothing(
    desk: Desk,
) -> None:
    order = pending(desk)
    desk.venue.mine(30)
    inner = desk.venue.deployed.trading.data("openTradeMarketTimeout", order)

    desk.send("delegatedAction", USER, inner, key=AGENT_KEY)
    desk.venue.keeper.answer(order)

    assert desk.balance() == desk.usdc
    assert desk.events("Callbacks", order) == []
    assert [name for name, _ in desk.events("Trading", order)] == [
        "MarketOpenOrderInitiated",
        "MarketOpenTimeoutExecutedV2",
    ]
    assert desk.trade()[5] == 0


def test_a_close_that_timed_out_can_be_asked_again_at_once(desk: Desk) -> None:
    trade_id = desk.open()
    desk.venue.keeper.silent()
    first = desk.ask_to_close()
    desk.venue.mine(30)

    desk.send("closeTradeMarketTimeout", first, True)
    desk.venue.keeper.fill(exits=False)

    name, told = desk.settlement(first + 1)
    assert (name, told["tradeId"]) == ("MarketCloseExecutedV2", trade_id)
    assert desk.trade()[5] == 0


def test_a_close_that_cannot_be_asked_again_is_told_to_have_failed(desk: Desk) -> None:
    trade_id = desk.open()
    desk.venue.keeper.silent()
    first = desk.ask_to_close()
    desk.venue.approve(USER_KEY, usdc=0)
    desk.venue.mine(30)

    desk.send("closeTradeMarketTimeout", first, True)

    assert "MarketCloseFailed" in [name for name, _ in desk.events("Trading", trade_id)]
    assert desk.trade()[5] == 1000


def test_while_paused_a_trade_can_still_be_closed(desk: Desk) -> None:
    desk.open()
    desk.venue.deployed.trading.send("pause")

    assert desk.settlement(desk.ask_to_close())[0] == "MarketCloseExecutedV2"


def test_a_close_needs_the_oracle_fee_in_the_traders_wallet(desk: Desk) -> None:
    desk.open()
    desk.venue.approve(USER_KEY, usdc=ORACLE_FEE / 2)

    told = desk.refused("closeTradeMarket", BTC, 0, 0, desk.price(), 200)

    assert told == "ERC20: transfer amount exceeds allowance"
