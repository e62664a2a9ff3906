// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Orders} from "./Orders.sol";
import {Part} from "./Parts.sol";
import {Registry} from "./Registry.sol";
import {ITradingStorage} from "./Interfaces.sol";
import {
    AutomationType,
    PendingAutomation,
    PendingMarketOrder,
    RequestType,
    Trade
} from "./Types.sol";

/// What traders and their delegates call: the first of the two steps of every order.
contract Trading is Orders {
    error AlreadyMarketClosed(address trader, uint16 pairIndex, uint8 index);
    error ExposureLimits();
    error InvalidInitialization();
    error IsContract(address a);
    error NotCloseMarketTimeoutOrder(uint256 orderId);
    error NotInitializing();
    error NotManager(address a);
    error NotOpenMarketTimeoutOrder(uint256 orderId);
    error NotTradesUpKeep(address a);
    error NotYourOrder(uint256 orderId, address trader);
    error NoTradeToTimeoutFound(uint256 orderId);
    error SafeCastOverflowedUintDowncast(uint8 bits, uint256 value);
    error WaitTimeout(uint256 orderId);

    event MarketOpenTimeoutExecutedV2(uint256 indexed orderId, PendingMarketOrder order);
    event MarketCloseTimeoutExecutedV2(
        uint256 indexed orderId,
        uint256 indexed tradeId,
        PendingMarketOrder order
    );
    event MarketCloseFailed(
        uint256 indexed tradeId,
        address indexed trader,
        uint16 indexed pairIndex
    );
    event OracleFeeRefunded(
        uint256 indexed tradeId,
        address indexed trader,
        uint16 pairIndex,
        uint256 amount
    );
    event AutomationOpenOrderInitiated(
        uint256 indexed orderId,
        address indexed trader,
        uint16 indexed pairIndex,
        uint8 index
    );
    event AutomationCloseOrderInitiated(
        uint256 indexed orderId,
        uint256 indexed tradeId,
        address indexed trader,
        uint16 pairIndex,
        uint8
    );

    constructor(Registry registry_) Part(registry_) {}

    function setMaxAllowedCollateral(uint256 value) external onlyGov {
        maxAllowedCollateral = value;
    }

    function setMarketOrdersTimeout(uint256 value) external onlyGov {
        marketOrdersTimeout = _uint16(value);
    }

    function setTriggerTimeout(uint256 value) external onlyGov {
        triggerTimeout = _uint16(value);
    }

    function openTradeMarketTimeout(uint256 _order) external notDone {
        ITradingStorage store = _store();
        PendingMarketOrder memory order = _ownPending(_order);
        if (order.trade.leverage == 0) revert NotOpenMarketTimeoutOrder(_order);
        _waited(_order, order);
        store.removePending(_order, 0);
        store.push(order.trade.trader, order.trade.collateral);
        emit MarketOpenTimeoutExecutedV2(_order, order);
    }

    function closeTradeMarketTimeout(uint256 _order, bool retry) external notDone {
        PendingMarketOrder memory order = _ownPending(_order);
        Trade memory t = order.trade;
        if (t.leverage > 0) revert NotCloseMarketTimeoutOrder(_order);
        _waited(_order, order);
        ITradingStorage store = _store();
        uint256 tradeId = store.getOpenTradeInfo(t.trader, t.pairIndex, t.index).tradeId;
        uint256 fee = _pairs().pairOracleFee(t.pairIndex);
        store.removePending(_order, closeTradeOf[_order]);
        store.push(t.trader, fee);
        emit OracleFeeRefunded(tradeId, t.trader, t.pairIndex, fee);
        if (retry && !_closeAgain(order)) emit MarketCloseFailed(tradeId, t.trader, t.pairIndex);
        emit MarketCloseTimeoutExecutedV2(_order, tradeId, order);
    }

    /// What the keeper calls when a price lets it end a trade or fill a limit order.
    function executeAutomationOrder(
        uint8 orderType,
        address trader,
        uint16 pairIndex,
        uint8 index,
        uint256
    ) external notDone returns (uint8) {
        if (msg.sender != _at("tradesUpKeep")) revert NotTradesUpKeep(msg.sender);
        ITradingStorage store = _store();
        if (orderType == AutomationType.OPEN) {
            if (store.getOpenLimitOrder(trader, pairIndex, index).leverage == 0)
                revert NoLimitFound(trader, pairIndex, index);
            uint256 filling = _oracle().request(pairIndex, RequestType.LIMIT_OPEN);
            store.addAutomation(
                filling,
                PendingAutomation(trader, pairIndex, index, orderType, filling)
            );
            emit AutomationOpenOrderInitiated(filling, trader, pairIndex, index);
            return 0;
        }
        uint256 tradeId = _openTradeId(trader, pairIndex, index);
        uint256 orderId = _oracle().request(pairIndex, RequestType.LIMIT_CLOSE);
        store.addAutomation(
            orderId,
            PendingAutomation(trader, pairIndex, index, orderType, tradeId)
        );
        emit AutomationCloseOrderInitiated(orderId, tradeId, trader, pairIndex, orderType);
        return 0;
    }

    function _closeAgain(PendingMarketOrder memory order) private returns (bool done) {
        (done, ) = address(this).delegatecall(
            abi.encodeCall(
                this.closeTradeMarket,
                (
                    order.trade.pairIndex,
                    order.trade.index,
                    order.percentage,
                    order.wantedPrice,
                    order.slippageP
                )
            )
        );
    }

    function _ownPending(uint256 orderId) private view returns (PendingMarketOrder memory order) {
        order = _store().getPendingOrder(orderId);
        if (order.block == 0) revert NoTradeToTimeoutFound(orderId);
        if (order.trade.trader != _msgSender()) revert NotYourOrder(orderId, order.trade.trader);
    }

    function _waited(uint256 orderId, PendingMarketOrder memory order) private view {
        if (_block() < order.block + marketOrdersTimeout) revert WaitTimeout(orderId);
    }

    function _uint16(uint256 value) private pure returns (uint16) {
        if (value > type(uint16).max) revert SafeCastOverflowedUintDowncast(16, value);
        return uint16(value);
    }
}
