// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Pausable} from "./Parts.sol";
import {Reckoning} from "./Reckoning.sol";
import {ITradingStorage} from "./Interfaces.sol";
import {CancelReason, PendingMarketOrder, PriceAnswer, Trade} from "./Types.sol";

/// Money and books of an order's end: opened, closed, liquidated or cancelled.
abstract contract Settling is Pausable {
    error NotPriceUpKeep(address a);
    error WrongParams();

    event MarketOpenExecuted(
        uint256 indexed orderId,
        Trade t,
        uint256 priceImpactP,
        uint256 tradeNotional
    );
    event MarketOpenCanceled(
        uint256 indexed orderId,
        address indexed trader,
        uint256 indexed pairIndex,
        uint8 cancelReason
    );
    event MarketCloseExecutedV2(
        uint256 indexed orderId,
        uint256 indexed tradeId,
        uint256 price,
        uint256 priceImpactP,
        int256 percentProfit,
        uint256 usdcSentToTrader,
        uint256 percentageClosed
    );
    event MarketCloseCanceled(
        uint256 indexed orderId,
        uint256 indexed tradeId,
        address indexed trader,
        uint256 pairIndex,
        uint256 index,
        uint8 cancelReason
    );
    event DevFeeCharged(uint256 indexed tradeId, address indexed trader, uint256 amount);
    event VaultOpeningFeeCharged(uint256 indexed tradeId, address indexed trader, uint256 amount);
    event OracleFeeCharged(uint256 indexed tradeId, address indexed trader, uint256 amount);
    event OracleFeeRefunded(
        uint256 indexed tradeId,
        address indexed trader,
        uint16 pairIndex,
        uint256 amount
    );
    event BuilderFeeCharged(
        uint256 indexed tradeId,
        address indexed trader,
        address indexed builder,
        uint256 amount
    );
    event VaultLiqFeeCharged(
        uint256 indexed orderId,
        uint256 indexed tradeId,
        address indexed trader,
        uint256 amount
    );

    uint8 public maxSl_P = 85;

    modifier onlyOracle() {
        if (msg.sender != address(_oracle())) revert NotPriceUpKeep(msg.sender);
        _;
    }

    function setMaxSl_P(uint256 value) external onlyGov {
        if (value == 0 || value > 100) revert WrongParams();
        maxSl_P = uint8(value);
    }

    /// What speaks against a new position at a price that its sender would take.
    function _reasonAgainst(
        PriceAnswer calldata a,
        Trade memory t,
        uint192 price,
        uint256 impactP
    ) internal view returns (uint8) {
        if (t.tp > 0 && (t.buy ? price >= t.tp : price <= t.tp)) return CancelReason.TP_REACHED;
        if (t.sl > 0 && (t.buy ? price <= t.sl : price >= t.sl)) return CancelReason.SL_REACHED;
        if (!_fits(t, price)) return CancelReason.EXPOSURE_LIMITS;
        if ((impactP * t.leverage) / 1e2 > uint256(_pairInfos().maxNegativePnlOnOpenP()) * 1e18)
            return CancelReason.PRICE_IMPACT;
        if (t.leverage > _pairs().effectiveMaxLeverage(t.pairIndex, t.isDayTrade))
            return CancelReason.MAX_LEVERAGE;
        if (t.isDayTrade && a.isDayTradingClosed) return CancelReason.DAY_TRADE_NOT_ALLOWED;
        return CancelReason.NONE;
    }

    /// Charges the fees and books the trade; its size in base 1e18.
    function _open(uint256 orderId, Trade memory t) internal returns (uint256 base) {
        ITradingStorage store = _store();
        t.collateral -= _chargeOpening(orderId, t);
        t.index = store.firstFreeTradeIndex(t.trader, t.pairIndex);
        t.tp = Reckoning.boundedTp(t);
        t.sl = Reckoning.boundedSl(t, maxSl_P);
        base = Reckoning.baseOf(t.collateral, t.leverage, t.openPrice);
        store.addTrade(t, orderId, base);
        _pairs().moveGroupCollateral(t.pairIndex, t.buy, int256(t.collateral));
    }

    /// Pays out a part of a trade and takes it off the books; what the trader got in USDC.
    function _close(Trade memory t, int256 p, uint16 percentage) internal returns (uint256 sent) {
        uint256 part = (t.collateral * percentage) / 1e4;
        sent = Reckoning.worth(part, p);
        if (sent > part) {
            _store().push(t.trader, part);
            _vault().pay(t.trader, sent - part);
        } else {
            _store().push(t.trader, sent);
            _store().push(address(_vault()), part - sent);
        }
        _takeOff(t, part, percentage);
    }

    function _liquidate(uint256 orderId, uint256 tradeId, Trade memory t) internal returns (uint256) {
        _store().push(address(_vault()), t.collateral);
        emit VaultLiqFeeCharged(orderId, tradeId, t.trader, t.collateral);
        _takeOff(t, t.collateral, 1e4);
        return 0;
    }

    function _cancelOpen(uint256 orderId, PendingMarketOrder memory order, uint8 reason) internal {
        Trade memory t = order.trade;
        uint256 fee = _pairs().pairOracleFee(t.pairIndex);
        _store().removePending(orderId, 0);
        _store().push(address(_vault()), fee);
        _store().push(t.trader, t.collateral - fee);
        emit OracleFeeCharged(orderId, t.trader, fee);
        emit MarketOpenCanceled(orderId, t.trader, t.pairIndex, reason);
    }

    function _cancelClose(
        uint256 orderId,
        PendingMarketOrder memory order,
        uint256 tradeId,
        uint8 reason
    ) internal {
        Trade memory t = order.trade;
        _store().removePending(orderId, tradeId);
        _store().push(address(_vault()), _pairs().pairOracleFee(t.pairIndex));
        emit MarketCloseCanceled(orderId, tradeId, t.trader, t.pairIndex, t.index, reason);
    }

    /// The oracle's fee of a close: back to the trader when nothing is left of the trade.
    function _settleCloseFee(Trade memory t, uint256 tradeId, bool isWhole) internal {
        uint256 fee = _pairs().pairOracleFee(t.pairIndex);
        _store().push(isWhole ? t.trader : address(_vault()), fee);
        if (isWhole) emit OracleFeeRefunded(tradeId, t.trader, t.pairIndex, fee);
    }

    function _isUnder(Trade memory t, uint192 price) internal view returns (bool) {
        uint32 most = _pairs().pairMaxLeverage(t.pairIndex);
        uint256 margin = _pairInfos().liquidationMargin(t.collateral, t.leverage, most);
        return Reckoning.worth(t.collateral, Reckoning.profitP(t, price)) <= margin;
    }

    function _heldTrade(
        address trader,
        uint16 pairIndex,
        uint8 index
    ) internal view returns (Trade memory) {
        return _store().getOpenTrade(trader, pairIndex, index);
    }

    function _heldTradeId(Trade memory t) internal view returns (uint256) {
        return _store().getOpenTradeInfo(t.trader, t.pairIndex, t.index).tradeId;
    }

    function _takeOff(Trade memory t, uint256 part, uint16 percentage) private {
        _pairs().moveGroupCollateral(t.pairIndex, t.buy, -int256(part));
        _store().reduceTrade(t.trader, t.pairIndex, t.index, percentage);
    }

    function _chargeOpening(uint256 orderId, Trade memory t) private returns (uint256) {
        uint256 notional = (t.collateral * t.leverage) / 1e2;
        uint256 taker = _pairInfos().takerFee(t.pairIndex, notional);
        uint256 oracle = _pairs().pairOracleFee(t.pairIndex);
        (, , , , , uint8 vaultPercent) = _pairInfos().pairOpeningFees(t.pairIndex);
        uint256 vaults = (taker * vaultPercent) / 100;
        emit DevFeeCharged(orderId, t.trader, taker - vaults);
        emit VaultOpeningFeeCharged(orderId, t.trader, vaults);
        emit OracleFeeCharged(orderId, t.trader, oracle);
        _store().push(address(_vault()), taker + oracle);
        return taker + oracle + _chargeBuilder(orderId, t, notional);
    }

    function _chargeBuilder(
        uint256 orderId,
        Trade memory t,
        uint256 notional
    ) private returns (uint256 fee) {
        (address builder, uint32 feeP) = _trading().builderFeeOf(orderId);
        if (builder == address(0) || feeP == 0) return 0;
        fee = (notional * feeP) / 100 / 1e6;
        _store().push(builder, fee);
        emit BuilderFeeCharged(orderId, t.trader, builder, fee);
    }

    function _fits(Trade memory t, uint192 price) private view returns (bool) {
        uint256 more = Reckoning.baseOf(t.collateral, t.leverage, price);
        uint256 held = _pairs().groupCollateral(t.pairIndex, t.buy) + t.collateral;
        return
            _store().fits(t.pairIndex, t.buy, more, price) &&
            held <= _pairs().groupMaxCollateral(t.pairIndex);
    }
}
