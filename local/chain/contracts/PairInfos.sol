// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Part} from "./Parts.sol";
import {Registry} from "./Registry.sol";

/// Opening fees and the bounds of losses. Funding and rollover stand still at zero here, and the
/// taker's fee is always charged.
contract PairInfos is Part {
    struct PairOpeningFees {
        uint32 makerFeeP;
        uint32 takerFeeP;
        uint32 usageFeeP;
        uint16 utilizationThresholdP;
        uint16 makerMaxLeverage;
        uint8 vaultFeePercent;
    }

    mapping(uint16 => PairOpeningFees) public pairOpeningFees;
    uint8 public maxNegativePnlOnOpenP = 40;
    uint8 public liqMarginThresholdP = 25;

    constructor(Registry registry_) Part(registry_) {}

    function setOpeningFees(uint16 first, PairOpeningFees[] calldata fees) external onlyGov {
        for (uint16 i; i < fees.length; i++) pairOpeningFees[first + i] = fees[i];
    }

    function setMaxNegativePnlOnOpenP(uint256 value) external onlyGov {
        maxNegativePnlOnOpenP = uint8(value);
    }

    /// Of a notional in USDC 1e6.
    function takerFee(uint16 pairIndex, uint256 notional) external view returns (uint256) {
        return (notional * pairOpeningFees[pairIndex].takerFeeP) / 100 / 1e6;
    }

    /// What a trade must be worth, in USDC 1e6, not to be liquidated.
    function liquidationMargin(
        uint256 collateral,
        uint32 leverage,
        uint32 maxLeverage
    ) external view returns (uint256) {
        return (collateral * liqMarginThresholdP * leverage) / maxLeverage / 100;
    }
}
