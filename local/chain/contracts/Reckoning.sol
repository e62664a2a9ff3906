// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {PriceAnswer, Trade} from "./Types.sol";

/// Prices, profits and bounds, in the venue's units; no state.
library Reckoning {
    int256 internal constant MAX_GAIN_P = 900e6;
    int256 internal constant MAX_LOSS_P = -100e6;
    int256 internal constant ALL_P = 100e6;

    /// What a taker gets, and how far that is from the middle, in percent 1e18.
    function taken(
        PriceAnswer calldata a,
        bool buys
    ) internal pure returns (uint192 price, uint256 impactP) {
        price = uint192(buys ? a.ask : a.bid);
        if (a.price == 0) return (price, 0);
        uint256 mid = uint192(a.price);
        impactP = ((price > mid ? price - mid : mid - price) * 100e18) / mid;
    }

    /// Whether a price is worse than the wanted one by more than the slippage, in percent 1e2.
    function slipped(
        uint192 price,
        uint192 wanted,
        uint32 slippageP,
        bool buys
    ) internal pure returns (bool) {
        uint256 most = (uint256(wanted) * slippageP) / 1e4;
        return buys ? price > wanted + most : price + most < wanted;
    }

    /// A position in base 1e18: USDC 1e6 times leverage at a price.
    function baseOf(
        uint256 collateral,
        uint32 leverage,
        uint192 price
    ) internal pure returns (uint256) {
        return (((collateral * leverage) / 1e2) * 1e12 * 1e18) / price;
    }

    /// In percent 1e6 of the collateral, from all lost to nine times won.
    function profitP(Trade memory t, uint192 price) internal pure returns (int256 p) {
        int256 open = int256(uint256(t.openPrice));
        int256 moved = t.buy ? int256(uint256(price)) - open : open - int256(uint256(price));
        p = (moved * ALL_P * int256(uint256(t.leverage))) / open / 1e2;
        if (p > MAX_GAIN_P) return MAX_GAIN_P;
        if (p < MAX_LOSS_P) return MAX_LOSS_P;
    }

    function worth(uint256 collateral, int256 p) internal pure returns (uint256) {
        return (collateral * uint256(ALL_P + p)) / uint256(ALL_P);
    }

    /// A take profit within the greatest gain; none is at it.
    function boundedTp(Trade memory t) internal pure returns (uint192) {
        uint256 distance = (uint256(t.openPrice) * 900) / t.leverage;
        uint256 furthest = t.buy
            ? t.openPrice + distance
            : t.openPrice > distance
                ? t.openPrice - distance
                : 0;
        bool isWithin = t.tp > 0 && (t.buy ? t.tp <= furthest : t.tp >= furthest);
        return isWithin ? t.tp : uint192(furthest);
    }

    /// A stop loss within the greatest loss, in percent; none stays none.
    function boundedSl(Trade memory t, uint8 maxSlP) internal pure returns (uint192) {
        if (t.sl == 0) return 0;
        uint256 distance = (uint256(t.openPrice) * maxSlP) / t.leverage;
        uint256 furthest = t.buy ? t.openPrice - distance : t.openPrice + distance;
        bool isWithin = t.buy ? t.sl >= furthest : t.sl <= furthest;
        return isWithin ? t.sl : uint192(furthest);
    }
}
