// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Part} from "./Parts.sol";
import {Reckoning} from "./Reckoning.sol";
import {Registry} from "./Registry.sol";
import {Settling} from "./Settling.sol";
import {
    AutomationType,
    CancelReason,
    OpenLimitOrder,
    OpenOrderType,
    PendingAutomation,
    PendingMarketOrder,
    PriceAnswer,
    Trade
} from "./Types.sol";

/// The second of the two steps: what the keeper's answer makes of an order.
contract Callbacks is Settling {
    event LimitOpenExecuted(
        uint256 indexed orderId,
        uint256 limitIndex,
        Trade t,
        uint256 priceImpactP,
        uint256 tradeNotional
    );
    event LimitCloseExecuted(
        uint256 indexed orderId,
        uint256 indexed tradeId,
        uint8 orderType,
        uint256 price,
        uint256 priceImpactP,
        int256 percentProfit,
        uint256 usdcSentToTrader
    );
    event AutomationOpenOrderCanceled(
        uint256 indexed orderId,
        address indexed trader,
        uint256 indexed pairIndex,
        uint8 cancelReason
    );
    event AutomationCloseOrderCanceled(
        uint256 indexed orderId,
        uint256 indexed tradeId,
        address indexed trader,
        uint256 pairIndex,
        uint8 orderType,
        uint8 cancelReason
    );

    constructor(Registry registry_) Part(registry_) {}

    function openTradeMarketCallback(PriceAnswer calldata a) external onlyOracle notDone {
        PendingMarketOrder memory order = _store().getPendingOrder(a.orderId);
        if (order.block == 0) return;
        Trade memory t = order.trade;
        (uint192 price, uint256 impactP) = Reckoning.taken(a, t.buy);
        uint8 reason = _reasonNotToOpen(a, order, price, impactP);
        if (reason != CancelReason.NONE) return _cancelOpen(a.orderId, order, reason);
        _store().removePending(a.orderId, 0);
        t.openPrice = price;
        uint256 base = _open(a.orderId, t);
        emit MarketOpenExecuted(a.orderId, t, impactP, base);
    }

    function closeTradeMarketCallback(PriceAnswer calldata a) external onlyOracle notDone {
        PendingMarketOrder memory order = _store().getPendingOrder(a.orderId);
        if (order.block == 0) return;
        uint256 tradeId = _trading().tradeOfClose(a.orderId);
        Trade memory t = _heldTrade(order.trade.trader, order.trade.pairIndex, order.trade.index);
        (uint192 price, uint256 impactP) = Reckoning.taken(a, !t.buy);
        uint8 reason = CancelReason.NONE;
        if (_heldTradeId(t) != tradeId || tradeId == 0) reason = CancelReason.NO_TRADE;
        else if (a.price == 0) reason = CancelReason.MARKET_CLOSED;
        else if (Reckoning.slipped(price, order.wantedPrice, order.slippageP, !t.buy))
            reason = CancelReason.SLIPPAGE;
        if (reason != CancelReason.NONE) return _cancelClose(a.orderId, order, tradeId, reason);
        _store().removePending(a.orderId, tradeId);
        int256 p = Reckoning.profitP(t, price);
        uint256 sent = _close(t, p, order.percentage);
        _settleCloseFee(t, tradeId, order.percentage == 1e4);
        emit MarketCloseExecutedV2(a.orderId, tradeId, price, impactP, p, sent, order.percentage);
    }

    function executeAutomationOpenOrderCallback(PriceAnswer calldata a) external onlyOracle notDone {
        PendingAutomation memory asked = _store().getPendingAutomation(a.orderId);
        if (asked.trader == address(0)) return;
        OpenLimitOrder memory limit = _store().getOpenLimitOrder(
            asked.trader,
            asked.pairIndex,
            asked.index
        );
        (uint192 price, uint256 impactP) = Reckoning.taken(a, limit.buy);
        Trade memory t = _tradeOf(limit, price);
        uint8 reason = _reasonNotToFill(a, limit, t, impactP);
        if (reason != CancelReason.NONE) return _cancelAutomation(a.orderId, asked, reason);
        _store().removeAutomation(a.orderId);
        _store().removeLimit(asked.trader, asked.pairIndex, asked.index);
        uint256 base = _open(a.orderId, t);
        emit LimitOpenExecuted(a.orderId, asked.index, t, impactP, base);
    }

    function executeAutomationCloseOrderCallback(PriceAnswer calldata a) external onlyOracle notDone {
        PendingAutomation memory asked = _store().getPendingAutomation(a.orderId);
        if (asked.trader == address(0)) return;
        Trade memory t = _heldTrade(asked.trader, asked.pairIndex, asked.index);
        (uint192 price, uint256 impactP) = Reckoning.taken(a, !t.buy);
        uint8 reason = _reasonNotToEnd(a, asked, t, price);
        if (reason != CancelReason.NONE) return _cancelAutomation(a.orderId, asked, reason);
        _store().removeAutomation(a.orderId);
        int256 p = Reckoning.profitP(t, price);
        uint256 sent = asked.orderType == AutomationType.LIQ
            ? _liquidate(a.orderId, asked.tradeId, t)
            : _close(t, p, 1e4);
        emit LimitCloseExecuted(
            a.orderId,
            asked.tradeId,
            asked.orderType,
            price,
            impactP,
            p,
            sent
        );
    }

    /// For the keeper: which of its exits an open trade has reached at a price, if any has.
    function reached(
        address trader,
        uint16 pairIndex,
        uint8 index,
        uint192 price
    ) external view returns (bool isReached, uint8 orderType) {
        Trade memory t = _heldTrade(trader, pairIndex, index);
        if (t.leverage == 0) return (false, 0);
        if (_isHit(AutomationType.LIQ, t, price)) return (true, AutomationType.LIQ);
        if (_isHit(AutomationType.SL, t, price)) return (true, AutomationType.SL);
        return (_isHit(AutomationType.TP, t, price), AutomationType.TP);
    }

    /// No counterpart at the venue: cancels with the reason that the keeper was told.
    function refuse(uint256 orderId, uint8 reason) external onlyOracle {
        PendingMarketOrder memory order = _store().getPendingOrder(orderId);
        PendingAutomation memory asked = _store().getPendingAutomation(orderId);
        if (asked.trader != address(0)) _cancelAutomation(orderId, asked, reason);
        else if (order.block == 0) return;
        else if (order.trade.leverage > 0) _cancelOpen(orderId, order, reason);
        else _cancelClose(orderId, order, _trading().tradeOfClose(orderId), reason);
    }

    function _reasonNotToOpen(
        PriceAnswer calldata a,
        PendingMarketOrder memory order,
        uint192 price,
        uint256 impactP
    ) private view returns (uint8) {
        if (isPaused) return CancelReason.PAUSED;
        if (a.price == 0) return CancelReason.MARKET_CLOSED;
        if (Reckoning.slipped(price, order.wantedPrice, order.slippageP, order.trade.buy))
            return CancelReason.SLIPPAGE;
        return _reasonAgainst(a, order.trade, price, impactP);
    }

    function _reasonNotToFill(
        PriceAnswer calldata a,
        OpenLimitOrder memory limit,
        Trade memory t,
        uint256 impactP
    ) private view returns (uint8) {
        if (isPaused) return CancelReason.PAUSED;
        if (a.price == 0) return CancelReason.MARKET_CLOSED;
        if (limit.leverage == 0) return CancelReason.NO_TRADE;
        bool isAbove = t.openPrice >= limit.targetPrice;
        bool isBelow = t.openPrice <= limit.targetPrice;
        bool waitsBelow = (limit.orderType == OpenOrderType.LIMIT) == limit.buy;
        if (waitsBelow ? !isBelow : !isAbove) return CancelReason.NOT_HIT;
        return _reasonAgainst(a, t, t.openPrice, impactP);
    }

    function _reasonNotToEnd(
        PriceAnswer calldata a,
        PendingAutomation memory asked,
        Trade memory t,
        uint192 price
    ) private view returns (uint8) {
        if (_heldTradeId(t) != asked.tradeId || t.leverage == 0) return CancelReason.NO_TRADE;
        if (asked.orderType == AutomationType.CLOSE_DAY_TRADE)
            return
                t.isDayTrade && a.isDayTradingClosed
                    ? CancelReason.NONE
                    : CancelReason.CLOSE_DAY_TRADE_NOT_ALLOWED;
        if (a.price == 0) return CancelReason.MARKET_CLOSED;
        return _isHit(asked.orderType, t, price) ? CancelReason.NONE : CancelReason.NOT_HIT;
    }

    function _isHit(uint8 orderType, Trade memory t, uint192 price) private view returns (bool) {
        if (orderType == AutomationType.TP)
            return t.tp > 0 && (t.buy ? price >= t.tp : price <= t.tp);
        if (orderType == AutomationType.SL)
            return t.sl > 0 && (t.buy ? price <= t.sl : price >= t.sl);
        return orderType == AutomationType.LIQ && _isUnder(t, price);
    }

    function _cancelAutomation(
        uint256 orderId,
        PendingAutomation memory asked,
        uint8 reason
    ) private {
        _store().removeAutomation(orderId);
        if (asked.orderType == AutomationType.OPEN)
            emit AutomationOpenOrderCanceled(orderId, asked.trader, asked.pairIndex, reason);
        else
            emit AutomationCloseOrderCanceled(
                orderId,
                asked.tradeId,
                asked.trader,
                asked.pairIndex,
                asked.orderType,
                reason
            );
    }

    function _tradeOf(
        OpenLimitOrder memory limit,
        uint192 price
    ) private pure returns (Trade memory t) {
        (t.collateral, t.openPrice, t.tp, t.sl) = (limit.collateral, price, limit.tp, limit.sl);
        (t.trader, t.leverage, t.pairIndex) = (limit.trader, limit.leverage, limit.pairIndex);
        (t.buy, t.isDayTrade) = (limit.buy, limit.isDayTrade);
    }
}
