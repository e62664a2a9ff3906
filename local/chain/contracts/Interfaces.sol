// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    OpenLimitOrder,
    PendingAutomation,
    PendingMarketOrder,
    PriceAnswer,
    Trade,
    TradeInfo
} from "./Types.sol";

// What the contracts of the venue ask of each other.

interface ITrading {
    function builderFeeOf(uint256 orderId) external view returns (address, uint32);

    function tradeOfClose(uint256 orderId) external view returns (uint256);
}

interface ICallbacks {
    function maxSl_P() external view returns (uint8);

    function openTradeMarketCallback(PriceAnswer calldata a) external;

    function closeTradeMarketCallback(PriceAnswer calldata a) external;

    function executeAutomationOpenOrderCallback(PriceAnswer calldata a) external;

    function executeAutomationCloseOrderCallback(PriceAnswer calldata a) external;

    function refuse(uint256 orderId, uint8 reason) external;
}

interface IPriceUpKeep {
    function request(uint16 pairIndex, uint8 orderType) external returns (uint256);
}

interface IVault {
    function pay(address to, uint256 amount) external;

    function balance() external view returns (uint256);
}

interface IPairInfos {
    function maxNegativePnlOnOpenP() external view returns (uint8);

    function pairOpeningFees(
        uint16 pairIndex
    ) external view returns (uint32, uint32, uint32, uint16, uint16, uint8);

    function takerFee(uint16 pairIndex, uint256 notional) external view returns (uint256);

    function liquidationMargin(
        uint256 collateral,
        uint32 leverage,
        uint32 maxLeverage
    ) external view returns (uint256);
}

interface IPairsStorage {
    function isPairIndexListed(uint16 pairIndex) external view returns (bool);

    function feedOf(uint16 pairIndex) external view returns (bytes32);

    function pairMinLeverage(uint16 pairIndex) external view returns (uint16);

    function pairMaxLeverage(uint16 pairIndex) external view returns (uint32);

    function pairOvernightMaxLeverage(uint16 pairIndex) external view returns (uint32);

    function effectiveMaxLeverage(uint16 pairIndex, bool isDayTrade) external view returns (uint32);

    function pairMinLevPos(uint16 pairIndex) external view returns (uint64);

    function pairOracleFee(uint16 pairIndex) external view returns (uint64);

    function groupMaxCollateral(uint16 pairIndex) external view returns (uint256);

    function groupCollateral(uint16 pairIndex, bool long) external view returns (uint256);

    function moveGroupCollateral(uint16 pairIndex, bool long, int256 change) external;
}

interface ITradingStorage {
    function maxPendingMarketOrders() external view returns (uint8);

    function pendingOrderIdsCount(address trader) external view returns (uint256);

    function isFull(address trader, uint16 pairIndex) external view returns (bool);

    function isCloseAsked(uint256 tradeId) external view returns (bool);

    function fits(
        uint16 pairIndex,
        bool buy,
        uint256 more,
        uint256 price
    ) external view returns (bool);

    function firstFreeTradeIndex(address trader, uint16 pairIndex) external view returns (uint8);

    function firstFreeLimitIndex(address trader, uint16 pairIndex) external view returns (uint8);

    function getOpenTrade(
        address trader,
        uint16 pairIndex,
        uint8 index
    ) external view returns (Trade memory);

    function getOpenTradeInfo(
        address trader,
        uint16 pairIndex,
        uint8 index
    ) external view returns (TradeInfo memory);

    function getOpenLimitOrder(
        address trader,
        uint16 pairIndex,
        uint8 index
    ) external view returns (OpenLimitOrder memory);

    function getPendingOrder(uint256 orderId) external view returns (PendingMarketOrder memory);

    function getPendingAutomation(uint256 orderId) external view returns (PendingAutomation memory);

    function pull(address from, uint256 amount) external;

    function push(address to, uint256 amount) external;

    function addPending(uint256 orderId, PendingMarketOrder calldata order) external;

    function removePending(uint256 orderId, uint256 closedTradeId) external;

    function addAutomation(uint256 orderId, PendingAutomation calldata asked) external;

    function removeAutomation(uint256 orderId) external;

    function addTrade(Trade calldata t, uint256 tradeId, uint256 oiNotional) external;

    function reduceTrade(
        address trader,
        uint16 pairIndex,
        uint8 index,
        uint16 percentage
    ) external;

    function setTp(address trader, uint16 pairIndex, uint8 index, uint192 tp) external;

    function setSl(address trader, uint16 pairIndex, uint8 index, uint192 sl) external;

    function putLimit(OpenLimitOrder calldata order) external;

    function removeLimit(address trader, uint16 pairIndex, uint8 index) external;
}
