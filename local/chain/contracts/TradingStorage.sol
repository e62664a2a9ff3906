// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Part} from "./Parts.sol";
import {Registry} from "./Registry.sol";
import {
    OpenLimitOrder,
    PendingAutomation,
    PendingMarketOrder,
    Trade,
    TradeInfo
} from "./Types.sol";
import {Usdc} from "./Usdc.sol";

/// Holds the collateral and every trade, order and open interest; decides nothing.
contract TradingStorage is Part {
    error NotTradingOrCallbacks(address a);

    Usdc public immutable usdc;
    uint8 public maxTradesPerPair = 10;
    uint8 public maxPendingMarketOrders = 50;
    mapping(address => mapping(uint16 => uint32)) public openTradesCount;
    mapping(address => mapping(uint16 => uint8)) public pendingMarketOpenCount;
    mapping(address => mapping(uint16 => uint8)) public openLimitOrdersCount;
    mapping(uint256 => PendingMarketOrder) public reqID_pendingMarketOrder;
    mapping(uint256 => PendingAutomation) public pendingAutomation;
    /// By 0 the longs and by 1 the shorts, in base 1e18; by 2 the most of either, in USD 1e6.
    mapping(uint16 => uint256[3]) public openInterest;
    mapping(uint256 => bool) public isCloseAsked;
    mapping(address => mapping(uint16 => mapping(uint8 => Trade))) private trades;
    mapping(address => mapping(uint16 => mapping(uint8 => TradeInfo))) private infos;
    mapping(address => mapping(uint16 => mapping(uint8 => OpenLimitOrder))) private limits;
    mapping(address => uint256[]) private pendingIds;
    Trade[] private openKeys;

    constructor(Registry registry_, Usdc usdc_) Part(registry_) {
        usdc = usdc_;
    }

    modifier onlyVenue() {
        if (msg.sender != _at("trading") && msg.sender != _at("callbacks"))
            revert NotTradingOrCallbacks(msg.sender);
        _;
    }

    function setMaxTradesPerPair(uint8 value) external onlyGov {
        maxTradesPerPair = value;
    }

    function setMaxPendingMarketOrders(uint8 value) external onlyGov {
        maxPendingMarketOrders = value;
    }

    function setOpenInterest(uint16 first, uint256[3][] calldata held) external onlyGov {
        for (uint16 i; i < held.length; i++) openInterest[first + i] = held[i];
    }

    function pull(address from, uint256 amount) external onlyVenue {
        usdc.transferFrom(from, address(this), amount);
    }

    function push(address to, uint256 amount) external onlyVenue {
        usdc.transfer(to, amount);
    }

    function addPending(uint256 orderId, PendingMarketOrder calldata order) external onlyVenue {
        Trade calldata t = order.trade;
        reqID_pendingMarketOrder[orderId] = order;
        pendingIds[t.trader].push(orderId);
        if (t.leverage > 0) pendingMarketOpenCount[t.trader][t.pairIndex]++;
        else isCloseAsked[infos[t.trader][t.pairIndex][t.index].tradeId] = true;
    }

    function removePending(uint256 orderId, uint256 closedTradeId) external onlyVenue {
        Trade storage t = reqID_pendingMarketOrder[orderId].trade;
        if (t.leverage > 0) pendingMarketOpenCount[t.trader][t.pairIndex]--;
        else isCloseAsked[closedTradeId] = false;
        uint256[] storage ids = pendingIds[t.trader];
        for (uint256 i; i < ids.length; i++) {
            if (ids[i] == orderId) {
                ids[i] = ids[ids.length - 1];
                ids.pop();
                break;
            }
        }
        delete reqID_pendingMarketOrder[orderId];
    }

    function addAutomation(
        uint256 orderId,
        PendingAutomation calldata asked
    ) external onlyVenue {
        pendingAutomation[orderId] = asked;
    }

    function removeAutomation(uint256 orderId) external onlyVenue {
        delete pendingAutomation[orderId];
    }

    function addTrade(Trade calldata t, uint256 tradeId, uint256 oiNotional) external onlyVenue {
        uint32 now_ = uint32(block.timestamp);
        trades[t.trader][t.pairIndex][t.index] = t;
        infos[t.trader][t.pairIndex][t.index] = TradeInfo(
            tradeId,
            oiNotional,
            t.leverage,
            now_,
            now_,
            now_,
            false
        );
        openTradesCount[t.trader][t.pairIndex]++;
        openKeys.push(t);
        openInterest[t.pairIndex][t.buy ? 0 : 1] += oiNotional;
    }

    /// Takes a part off a trade, or all of it; the trade is gone once nothing is left.
    function reduceTrade(
        address trader,
        uint16 pairIndex,
        uint8 index,
        uint16 percentage
    ) external onlyVenue {
        Trade storage t = trades[trader][pairIndex][index];
        TradeInfo storage info = infos[trader][pairIndex][index];
        uint256 oiClosed = (info.oiNotional * percentage) / 1e4;
        openInterest[pairIndex][t.buy ? 0 : 1] -= oiClosed;
        if (percentage == 1e4) {
            delete trades[trader][pairIndex][index];
            delete infos[trader][pairIndex][index];
            openTradesCount[trader][pairIndex]--;
            _forget(trader, pairIndex, index);
        } else {
            t.collateral -= (t.collateral * percentage) / 1e4;
            info.oiNotional -= oiClosed;
        }
    }

    function setTp(address trader, uint16 pairIndex, uint8 index, uint192 tp) external onlyVenue {
        trades[trader][pairIndex][index].tp = tp;
        infos[trader][pairIndex][index].tpLastUpdated = uint32(block.timestamp);
    }

    function setSl(address trader, uint16 pairIndex, uint8 index, uint192 sl) external onlyVenue {
        trades[trader][pairIndex][index].sl = sl;
        infos[trader][pairIndex][index].slLastUpdated = uint32(block.timestamp);
    }

    function putLimit(OpenLimitOrder calldata order) external onlyVenue {
        OpenLimitOrder storage held = limits[order.trader][order.pairIndex][order.index];
        if (held.leverage == 0) openLimitOrdersCount[order.trader][order.pairIndex]++;
        limits[order.trader][order.pairIndex][order.index] = order;
    }

    function removeLimit(address trader, uint16 pairIndex, uint8 index) external onlyVenue {
        delete limits[trader][pairIndex][index];
        openLimitOrdersCount[trader][pairIndex]--;
    }

    function getOpenTrade(
        address _trader,
        uint16 _pairIndex,
        uint8 _index
    ) external view returns (Trade memory) {
        return trades[_trader][_pairIndex][_index];
    }

    function getOpenTradeInfo(
        address _trader,
        uint16 _pairIndex,
        uint8 _index
    ) external view returns (TradeInfo memory) {
        return infos[_trader][_pairIndex][_index];
    }

    function getOpenLimitOrder(
        address _trader,
        uint16 _pairIndex,
        uint8 _index
    ) external view returns (OpenLimitOrder memory) {
        return limits[_trader][_pairIndex][_index];
    }

    function getPendingOrder(uint256 orderId) external view returns (PendingMarketOrder memory) {
        return reqID_pendingMarketOrder[orderId];
    }

    function getPendingAutomation(
        uint256 orderId
    ) external view returns (PendingAutomation memory) {
        return pendingAutomation[orderId];
    }

    /// The open interest of the first pairs, so many.
    function everyOpenInterest(uint16 count) external view returns (uint256[3][] memory every) {
        every = new uint256[3][](count);
        for (uint16 i; i < count; i++) every[i] = openInterest[i];
    }

    function getPendingOrderIds(address _trader) external view returns (uint256[] memory) {
        return pendingIds[_trader];
    }

    function pendingOrderIdsCount(address _trader) public view returns (uint256) {
        return pendingIds[_trader].length;
    }

    function firstFreeTradeIndex(address trader, uint16 pairIndex) external view returns (uint8 free) {
        while (trades[trader][pairIndex][free].leverage > 0) free++;
    }

    function firstFreeLimitIndex(address trader, uint16 pairIndex) external view returns (uint8 free) {
        while (limits[trader][pairIndex][free].leverage > 0) free++;
    }

    /// Whether one more trade, order or limit of this pair is too many for a trader.
    function isFull(address trader, uint16 pairIndex) external view returns (bool) {
        uint256 held = uint256(openTradesCount[trader][pairIndex]) +
            pendingMarketOpenCount[trader][pairIndex] +
            openLimitOrdersCount[trader][pairIndex];
        return held >= maxTradesPerPair;
    }

    /// Whether a side of a pair takes this much more, in base 1e18 at a price.
    function fits(uint16 pairIndex, bool buy, uint256 more, uint256 price) external view returns (bool) {
        uint256 side = openInterest[pairIndex][buy ? 0 : 1] + more;
        return (side * price) / 1e18 / 1e12 <= openInterest[pairIndex][2];
    }

    /// Every open trade there is, for the keeper: whose, on which pair, at which index.
    function everyOpenTrade() external view returns (Trade[] memory) {
        return openKeys;
    }

    function _forget(address trader, uint16 pairIndex, uint8 index) private {
        for (uint256 i; i < openKeys.length; i++) {
            Trade storage key = openKeys[i];
            if (key.trader == trader && key.pairIndex == pairIndex && key.index == index) {
                openKeys[i] = openKeys[openKeys.length - 1];
                openKeys.pop();
                return;
            }
        }
    }
}
