// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

// What the contracts of the local venue tell each other. Names, orders and units are the venue's
// published ABI: USDC 1e6, prices 1e18, leverage and slippage 1e2, fees in percent 1e6.

struct Trade {
    uint256 collateral;
    uint192 openPrice;
    uint192 tp;
    uint192 sl;
    address trader;
    uint32 leverage;
    uint16 pairIndex;
    uint8 index;
    bool buy;
    bool isDayTrade;
}

struct TradeInfo {
    uint256 tradeId;
    uint256 oiNotional;
    uint32 initialLeverage;
    uint32 tpLastUpdated;
    uint32 slLastUpdated;
    uint32 createdAt;
    bool deprecatedBeingMarketClosed;
}

struct PendingMarketOrder {
    uint256 block;
    uint192 wantedPrice;
    uint32 slippageP;
    Trade trade;
    uint16 percentage;
}

struct OpenLimitOrder {
    uint256 collateral;
    uint192 targetPrice;
    uint192 tp;
    uint192 sl;
    address trader;
    uint32 leverage;
    uint32 createdAt;
    uint32 lastUpdated;
    uint16 pairIndex;
    uint8 orderType;
    uint8 index;
    bool buy;
    bool isDayTrade;
}

/// A trade that the keeper was asked to end, or a limit order it was asked to fill.
struct PendingAutomation {
    address trader;
    uint16 pairIndex;
    uint8 index;
    uint8 orderType;
    uint256 tradeId;
}

struct BuilderFee {
    address builder;
    uint32 builderFee;
}

struct PriceAnswer {
    uint256 orderId;
    int192 price;
    int192 bid;
    int192 ask;
    bool isDayTradingClosed;
}

library OpenOrderType {
    uint8 internal constant MARKET = 0;
    uint8 internal constant LIMIT = 1;
    uint8 internal constant STOP = 2;
}

library RequestType {
    uint8 internal constant MARKET_OPEN = 0;
    uint8 internal constant MARKET_CLOSE = 1;
    uint8 internal constant LIMIT_OPEN = 2;
    uint8 internal constant LIMIT_CLOSE = 3;
}

library AutomationType {
    uint8 internal constant TP = 0;
    uint8 internal constant SL = 1;
    uint8 internal constant LIQ = 2;
    uint8 internal constant OPEN = 3;
    uint8 internal constant CLOSE_DAY_TRADE = 4;
}

library CancelReason {
    uint8 internal constant NONE = 0;
    uint8 internal constant PAUSED = 1;
    uint8 internal constant MARKET_CLOSED = 2;
    uint8 internal constant SLIPPAGE = 3;
    uint8 internal constant TP_REACHED = 4;
    uint8 internal constant SL_REACHED = 5;
    uint8 internal constant EXPOSURE_LIMITS = 6;
    uint8 internal constant PRICE_IMPACT = 7;
    uint8 internal constant MAX_LEVERAGE = 8;
    uint8 internal constant NO_TRADE = 9;
    uint8 internal constant UNDER_LIQUIDATION = 10;
    uint8 internal constant NOT_HIT = 11;
    uint8 internal constant GAIN_LOSS = 12;
    uint8 internal constant DAY_TRADE_NOT_ALLOWED = 13;
    uint8 internal constant CLOSE_DAY_TRADE_NOT_ALLOWED = 14;
    uint8 internal constant WRONG_TRADE = 15;
}
