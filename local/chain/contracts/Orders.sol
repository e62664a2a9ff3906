// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Delegatable} from "./Delegatable.sol";
import {Pausable} from "./Parts.sol";
import {ITradingStorage} from "./Interfaces.sol";
import {
    BuilderFee,
    OpenLimitOrder,
    OpenOrderType,
    PendingMarketOrder,
    RequestType,
    Trade
} from "./Types.sol";

/// Opening, closing and bounding trades, and limit orders. Checks stand in the venue's order.
abstract contract Orders is Pausable, Delegatable {
    error AboveMaxAllowedCollateral();
    error BelowFees();
    error BelowMinLevPos();
    error MaxPendingMarketOrdersReached(address trader);
    error MaxTradesPerPairReached(address trader, uint16 pairIndex);
    error NoLimitFound(address trader, uint16 pairIndex, uint8 index);
    error NoTradeFound(address trader, uint16 pairIndex, uint8 index);
    error PairNotListed(uint16 index);
    error TriggerPending(address sender, uint16 pairIndex, uint8 index);
    error WrongLeverage(uint32 leverage);
    error WrongParams();
    error WrongSL();
    error WrongTP();

    event MarketOpenOrderInitiated(
        uint256 indexed orderId,
        address indexed trader,
        uint16 indexed pairIndex
    );
    event MarketCloseOrderInitiatedV2(
        uint256 indexed orderId,
        uint256 indexed tradeId,
        address indexed trader,
        uint16 pairIndex,
        uint16 closePercentage
    );
    event OpenLimitPlacedV2(
        address indexed trader,
        uint16 indexed pairIndex,
        uint8 index,
        Trade trade,
        uint8 orderType,
        BuilderFee builderFee
    );
    event OpenLimitUpdated(
        address indexed trader,
        uint16 indexed pairIndex,
        uint8 index,
        uint192 newPrice,
        uint192 newTp,
        uint192 newSl
    );
    event OpenLimitCanceled(address indexed trader, uint16 indexed pairIndex, uint8 index);
    event OracleFeeCharged(
        uint256 indexed tradeId,
        address indexed trader,
        uint16 pairIndex,
        uint256 amount
    );
    event OracleFeeChargedLimitCancelled(address indexed trader, uint16 pairIndex, uint256 amount);
    event TpUpdated(
        uint256 indexed tradeId,
        address indexed trader,
        uint16 indexed pairIndex,
        uint8 index,
        uint192 newTp
    );
    event SlUpdated(
        uint256 indexed tradeId,
        address indexed trader,
        uint16 indexed pairIndex,
        uint8 index,
        uint192 newSl
    );

    uint32 private constant MAX_BUILDER_FEE_P = 500_000;
    uint256 private constant MAX_GAIN_P = 900;

    uint256 public maxAllowedCollateral = 1_000_000e6;
    uint16 public marketOrdersTimeout = 30;
    uint16 public triggerTimeout = 30;
    mapping(uint256 => uint256) internal closeTradeOf;
    mapping(uint256 => BuilderFee) public builderFeeOf;

    function openTrade(
        Trade calldata t,
        BuilderFee calldata bf,
        uint8 orderType,
        uint256 slippageP
    ) external notDone notPaused {
        if (orderType > OpenOrderType.STOP) revert();
        address trader = _msgSender();
        _checkParams(t, bf, orderType, slippageP);
        _checkRoom(trader, t.pairIndex);
        _checkSize(t, bf);
        _checkBounds(t.buy, t.openPrice, t.tp, t.sl);
        _store().pull(trader, t.collateral);
        if (orderType == OpenOrderType.MARKET) _askToOpen(trader, t, bf, uint32(slippageP));
        else _placeLimit(trader, t, bf, orderType);
    }

    function closeTradeMarket(
        uint16 pairIndex,
        uint8 index,
        uint16 closePercentage,
        uint192 marketPrice,
        uint32 slippageP
    ) external notDone {
        if (marketPrice == 0 || slippageP == 0 || slippageP > 1e4 || closePercentage > 1e4)
            revert WrongParams();
        address trader = _msgSender();
        uint16 percentage = closePercentage == 0 ? 1e4 : closePercentage;
        uint256 tradeId = _settledTradeId(trader, pairIndex, index);
        uint256 fee = _pairs().pairOracleFee(pairIndex);
        _store().pull(trader, fee);
        emit OracleFeeCharged(tradeId, trader, pairIndex, fee);
        uint256 orderId = _oracle().request(pairIndex, RequestType.MARKET_CLOSE);
        PendingMarketOrder memory order;
        order.block = _block();
        order.wantedPrice = marketPrice;
        order.slippageP = slippageP;
        order.percentage = percentage;
        order.trade.trader = trader;
        order.trade.pairIndex = pairIndex;
        order.trade.index = index;
        closeTradeOf[orderId] = tradeId;
        _store().addPending(orderId, order);
        emit MarketCloseOrderInitiatedV2(orderId, tradeId, trader, pairIndex, percentage);
    }

    function updateTp(uint16 pairIndex, uint8 index, uint192 newTp) external notDone {
        address trader = _msgSender();
        uint256 tradeId = _settledTradeId(trader, pairIndex, index);
        Trade memory t = _store().getOpenTrade(trader, pairIndex, index);
        uint256 distance = (uint256(t.openPrice) * MAX_GAIN_P) / t.leverage;
        if (newTp == 0) revert WrongTP();
        if (t.buy ? newTp > t.openPrice + distance : newTp + distance < t.openPrice)
            revert WrongTP();
        _store().setTp(trader, pairIndex, index, newTp);
        emit TpUpdated(tradeId, trader, pairIndex, index, newTp);
    }

    function updateSl(uint16 pairIndex, uint8 index, uint192 newSl) external notDone {
        address trader = _msgSender();
        uint256 tradeId = _settledTradeId(trader, pairIndex, index);
        Trade memory t = _store().getOpenTrade(trader, pairIndex, index);
        uint256 distance = (uint256(t.openPrice) * _callbacks().maxSl_P()) / t.leverage;
        if (newSl > 0 && (t.buy ? newSl + distance < t.openPrice : newSl > t.openPrice + distance))
            revert WrongSL();
        _store().setSl(trader, pairIndex, index, newSl);
        emit SlUpdated(tradeId, trader, pairIndex, index, newSl);
    }

    function updateOpenLimitOrder(
        uint16 pairIndex,
        uint8 index,
        uint192 price,
        uint192 tp,
        uint192 sl
    ) external notDone {
        address trader = _msgSender();
        OpenLimitOrder memory held = _limit(trader, pairIndex, index);
        if (price == 0) revert WrongParams();
        _checkBounds(held.buy, price, tp, sl);
        (held.targetPrice, held.tp, held.sl) = (price, tp, sl);
        held.lastUpdated = uint32(block.timestamp);
        _store().putLimit(held);
        emit OpenLimitUpdated(trader, pairIndex, index, price, tp, sl);
    }

    function cancelOpenLimitOrder(uint16 pairIndex, uint8 index) external notDone {
        address trader = _msgSender();
        OpenLimitOrder memory held = _limit(trader, pairIndex, index);
        uint256 fee = _pairs().pairOracleFee(pairIndex);
        _store().removeLimit(trader, pairIndex, index);
        _store().push(address(_vault()), fee);
        _store().push(trader, held.collateral - fee);
        emit OracleFeeChargedLimitCancelled(trader, pairIndex, fee);
        emit OpenLimitCanceled(trader, pairIndex, index);
    }

    function tradeOfClose(uint256 orderId) external view returns (uint256) {
        return closeTradeOf[orderId];
    }

    function _openTradeId(
        address trader,
        uint16 pairIndex,
        uint8 index
    ) internal view returns (uint256) {
        if (_store().getOpenTrade(trader, pairIndex, index).leverage == 0)
            revert NoTradeFound(trader, pairIndex, index);
        return _store().getOpenTradeInfo(trader, pairIndex, index).tradeId;
    }

    /// The id of an open trade that waits for no close.
    function _settledTradeId(
        address trader,
        uint16 pairIndex,
        uint8 index
    ) private view returns (uint256 tradeId) {
        tradeId = _openTradeId(trader, pairIndex, index);
        if (_store().isCloseAsked(tradeId)) revert TriggerPending(trader, pairIndex, index);
    }

    function _askToOpen(
        address trader,
        Trade calldata t,
        BuilderFee calldata bf,
        uint32 slippageP
    ) private {
        uint256 orderId = _oracle().request(t.pairIndex, RequestType.MARKET_OPEN);
        Trade memory own = t;
        own.trader = trader;
        own.index = 0;
        own.openPrice = 0;
        if (_pairs().pairOvernightMaxLeverage(t.pairIndex) == 0) own.isDayTrade = false;
        builderFeeOf[orderId] = bf;
        _store().addPending(
            orderId,
            PendingMarketOrder(_block(), t.openPrice, slippageP, own, 0)
        );
        emit MarketOpenOrderInitiated(orderId, trader, t.pairIndex);
    }

    function _placeLimit(
        address trader,
        Trade calldata t,
        BuilderFee calldata bf,
        uint8 orderType
    ) private {
        ITradingStorage store = _store();
        Trade memory own = t;
        own.trader = trader;
        own.index = store.firstFreeLimitIndex(trader, t.pairIndex);
        OpenLimitOrder memory order;
        order.collateral = t.collateral;
        order.targetPrice = t.openPrice;
        (order.tp, order.sl, order.trader, order.leverage) = (t.tp, t.sl, trader, t.leverage);
        (order.pairIndex, order.orderType, order.index) = (t.pairIndex, orderType, own.index);
        (order.buy, order.isDayTrade) = (t.buy, t.isDayTrade);
        (order.createdAt, order.lastUpdated) = (uint32(block.timestamp), uint32(block.timestamp));
        store.putLimit(order);
        emit OpenLimitPlacedV2(trader, t.pairIndex, own.index, own, orderType, bf);
    }

    function _checkParams(
        Trade calldata t,
        BuilderFee calldata bf,
        uint8 orderType,
        uint256 slippageP
    ) private view {
        if (!_pairs().isPairIndexListed(t.pairIndex)) revert PairNotListed(t.pairIndex);
        bool isMarket = orderType == OpenOrderType.MARKET;
        bool isBounded = isMarket ? slippageP > 0 && slippageP < 1e4 : slippageP == 0;
        bool isDear = bf.builder != address(0) && bf.builderFee > MAX_BUILDER_FEE_P;
        if (!isBounded || isDear || t.openPrice == 0) revert WrongParams();
    }

    function _checkRoom(address trader, uint16 pairIndex) private view {
        ITradingStorage store = _store();
        if (store.isFull(trader, pairIndex)) revert MaxTradesPerPairReached(trader, pairIndex);
        if (store.pendingOrderIdsCount(trader) >= store.maxPendingMarketOrders())
            revert MaxPendingMarketOrdersReached(trader);
    }

    function _checkSize(Trade calldata t, BuilderFee calldata bf) private view {
        uint16 pair = t.pairIndex;
        uint32 most = _pairs().effectiveMaxLeverage(pair, t.isDayTrade);
        if (t.leverage == 0 || t.leverage < _pairs().pairMinLeverage(pair) || t.leverage > most)
            revert WrongLeverage(t.leverage);
        if (t.collateral > maxAllowedCollateral) revert AboveMaxAllowedCollateral();
        uint256 notional = (t.collateral * t.leverage) / 1e2;
        uint256 fees = _pairInfos().takerFee(pair, notional) + _pairs().pairOracleFee(pair);
        if (bf.builder != address(0)) fees += (notional * bf.builderFee) / 100 / 1e6;
        if (fees >= t.collateral) revert BelowFees();
        if (((t.collateral - fees) * t.leverage) / 1e2 < _pairs().pairMinLevPos(pair))
            revert BelowMinLevPos();
    }

    function _checkBounds(bool buy, uint192 price, uint192 tp, uint192 sl) private pure {
        if (tp > 0 && (buy ? tp <= price : tp >= price)) revert WrongTP();
        if (sl > 0 && (buy ? sl >= price : sl <= price)) revert WrongSL();
    }

    function _limit(
        address trader,
        uint16 pairIndex,
        uint8 index
    ) private view returns (OpenLimitOrder memory held) {
        held = _store().getOpenLimitOrder(trader, pairIndex, index);
        if (held.leverage == 0) revert NoLimitFound(trader, pairIndex, index);
    }
}
