"""The venue's contracts as far as they are used: functions, events and errors of the current ABI.

Opening has had three selectors so far, and with each change of the trade's tuple the event of an
opened trade has another topic: what is here is of April 2026 and later.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from agent_where.venues._evm.abi import Event, Fault, Function

TRADE: Final = "(uint256,uint192,uint192,uint192,address,uint32,uint16,uint8,bool,bool)"
"""collateral, openPrice, tp, sl, trader, leverage, pairIndex, index, buy, isDayTrade."""
_BUILDER: Final = "(address,uint32)"
_INFO: Final = "(uint256,uint256,uint32,uint32,uint32,uint32,bool)"
_PENDING: Final = f"(uint256,uint192,uint32,{TRADE},uint16)"


class Trade(NamedTuple):
    """The tuple of a trade: collateral in 1e-6 USDC, prices in 1e-18, leverage in hundredths."""

    collateral: int
    open_price: int
    take_profit: int
    stop_loss: int
    trader: str
    leverage: int
    pair: int
    slot: int
    is_buy: bool
    is_day_trade: bool


# Registry
GET_CONTRACT: Final = Function("getContractAddress", ("bytes32",), ("address",))

# Trading
OPEN_TRADE: Final = Function("openTrade", (TRADE, _BUILDER, "uint8", "uint256"))
CLOSE_TRADE: Final = Function(
    "closeTradeMarket", ("uint16", "uint8", "uint16", "uint192", "uint32")
)
OPEN_TIMEOUT: Final = Function("openTradeMarketTimeout", ("uint256",))
CLOSE_TIMEOUT: Final = Function("closeTradeMarketTimeout", ("uint256", "bool"))
DELEGATED: Final = Function("delegatedAction", ("address", "bytes"), ("bytes",))
SET_DELEGATE: Final = Function("setDelegate", ("address",))
SET_DELEGATE_SIGNED: Final = Function(
    "setDelegateWithSignature",
    ("address", "address", "uint256", "uint256", "uint8", "bytes32", "bytes32"),
)
DELEGATIONS: Final = Function("delegations", ("address",), ("address",))
IS_PAUSED: Final = Function("isPaused", (), ("bool",))
IS_DONE: Final = Function("isDone", (), ("bool",))
MAX_COLLATERAL: Final = Function("maxAllowedCollateral", (), ("uint256",))
ORDERS_TIMEOUT: Final = Function("marketOrdersTimeout", (), ("uint16",))

# TradingStorage
OPEN_TRADE_OF: Final = Function("getOpenTrade", ("address", "uint16", "uint8"), (TRADE,))
OPEN_TRADE_INFO: Final = Function("getOpenTradeInfo", ("address", "uint16", "uint8"), (_INFO,))
PENDING_ORDER: Final = Function(
    "reqID_pendingMarketOrder", ("uint256",), ("uint256", "uint192", "uint32", TRADE, "uint16")
)
OPEN_INTEREST: Final = Function("openInterest", ("uint16", "uint256"), ("uint256",))
USDC: Final = Function("usdc", (), ("address",))

# PairsStorage
IS_LISTED: Final = Function("isPairIndexListed", ("uint16",), ("bool",))
MIN_NOTIONAL: Final = Function("pairMinLevPos", ("uint16",), ("uint64",))
ORACLE_FEE: Final = Function("pairOracleFee", ("uint16",), ("uint64",))

# USDC
BALANCE_OF: Final = Function("balanceOf", ("address",), ("uint256",))
ALLOWANCE: Final = Function("allowance", ("address", "address"), ("uint256",))
APPROVE: Final = Function("approve", ("address", "uint256"), ("bool",))

OPEN_INITIATED: Final = Event(
    "MarketOpenOrderInitiated",
    {"orderId": "uint256", "trader": "address", "pairIndex": "uint16"},
)
CLOSE_INITIATED: Final = Event(
    "MarketCloseOrderInitiatedV2",
    {"orderId": "uint256", "tradeId": "uint256", "trader": "address"},
    {"pairIndex": "uint16", "closePercentage": "uint16"},
)
OPEN_TIMED_OUT: Final = Event(
    "MarketOpenTimeoutExecutedV2", {"orderId": "uint256"}, {"order": _PENDING}
)
CLOSE_TIMED_OUT: Final = Event(
    "MarketCloseTimeoutExecutedV2",
    {"orderId": "uint256", "tradeId": "uint256"},
    {"order": _PENDING},
)
OPEN_EXECUTED: Final = Event(
    "MarketOpenExecuted",
    {"orderId": "uint256"},
    {"t": TRADE, "priceImpactP": "uint256", "tradeNotional": "uint256"},
)
OPEN_CANCELED: Final = Event(
    "MarketOpenCanceled",
    {"orderId": "uint256", "trader": "address", "pairIndex": "uint256"},
    {"cancelReason": "uint8"},
)
CLOSE_EXECUTED: Final = Event(
    "MarketCloseExecutedV2",
    {"orderId": "uint256", "tradeId": "uint256"},
    {
        "price": "uint256",
        "priceImpactP": "uint256",
        "percentProfit": "int256",
        "usdcSentToTrader": "uint256",
        "percentageClosed": "uint256",
    },
)
CLOSE_CANCELED: Final = Event(
    "MarketCloseCanceled",
    {"orderId": "uint256", "tradeId": "uint256", "trader": "address"},
    {"pairIndex": "uint256", "index": "uint256", "cancelReason": "uint8"},
)
KEEPER_CLOSED: Final = Event(
    "LimitCloseExecuted",
    {"orderId": "uint256", "tradeId": "uint256"},
    {
        "orderType": "uint8",
        "price": "uint256",
        "priceImpactP": "uint256",
        "percentProfit": "int256",
        "usdcSentToTrader": "uint256",
    },
)
_TRADE_AND_TRADER: Final = {"tradeId": "uint256", "trader": "address"}
FEE_CHARGED: Final = (
    Event("OracleFeeCharged", _TRADE_AND_TRADER, {"pairIndex": "uint16", "amount": "uint256"}),
    Event("OracleFeeCharged", _TRADE_AND_TRADER, {"amount": "uint256"}),
)
"""Trading's, and the shorter one of Callbacks. Without a trade `tradeId` is the order's."""
FEE_REFUNDED: Final = Event(
    "OracleFeeRefunded", _TRADE_AND_TRADER, {"pairIndex": "uint16", "amount": "uint256"}
)
LIQUIDATION_FEE: Final = Event(
    "VaultLiqFeeCharged",
    {"orderId": "uint256", "tradeId": "uint256", "trader": "address"},
    {"amount": "uint256"},
)
"""What a market close of a trade at its end leaves to the vault of what it names as sent."""

_FAULTS: Final = (
    Fault("AboveMaxAllowedCollateral"),
    Fault("AlreadyMarketClosed", ("address", "uint16", "uint8")),
    Fault("BelowFees"),
    Fault("BelowMinLevPos"),
    Fault("DelegateForbidden"),
    Fault("DelegateReentrant"),
    Fault("DelegatedActionFailed"),
    Fault("ExposureLimits"),
    Fault("InvalidCallData"),
    Fault("InvalidInitialization"),
    Fault("InvalidNonce"),
    Fault("InvalidSignature"),
    Fault("IsContract", ("address",)),
    Fault("IsDone"),
    Fault("IsPaused"),
    Fault("MaxPendingMarketOrdersReached", ("address",)),
    Fault("MaxTradesPerPairReached", ("address", "uint16")),
    Fault("NoDelegate", ("address",)),
    Fault("NoLimitFound", ("address", "uint16", "uint8")),
    Fault("NoTradeFound", ("address", "uint16", "uint8")),
    Fault("NoTradeToTimeoutFound", ("uint256",)),
    Fault("NotCloseMarketTimeoutOrder", ("uint256",)),
    Fault("NotDelegate", ("address", "address")),
    Fault("NotGov", ("address",)),
    Fault("NotInitializing"),
    Fault("NotManager", ("address",)),
    Fault("NotOpenMarketTimeoutOrder", ("uint256",)),
    Fault("NotTradesUpKeep", ("address",)),
    Fault("NotYourOrder", ("uint256", "address")),
    Fault("NullAddr"),
    Fault("PairNotListed", ("uint16",)),
    Fault("SafeCastOverflowedUintDowncast", ("uint8", "uint256")),
    Fault("SignatureExpired"),
    Fault("TriggerPending", ("address", "uint16", "uint8")),
    Fault("WaitTimeout", ("uint256",)),
    Fault("WrongLeverage", ("uint32",)),
    Fault("WrongParams"),
    Fault("WrongSL"),
    Fault("WrongTP"),
)
FAULTS: Final[Mapping[bytes, Fault]] = MappingProxyType({each.selector: each for each in _FAULTS})
"""All errors of Trading, by their selectors."""
