// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Part} from "./Parts.sol";
import {Registry} from "./Registry.sol";

/// The listed pairs, their groups and their least positions.
contract PairsStorage is Part {
    error PairNotListed(uint16 index);

    struct Pair {
        bytes32 from;
        bytes32 to;
        bytes32 feed;
        uint64 tradeSizeRef;
        uint32 overnightMaxLeverage;
        uint32 maxLeverage;
        uint8 groupIndex;
        uint8 feeIndex;
        string oracle;
    }

    struct Group {
        bytes32 name;
        uint16 minLeverage;
        uint32 maxLeverage;
        uint16 maxCollateralP;
    }

    uint16 public pairsCount;
    uint64 public minLevPos = 4_500_000;
    uint64 public oracleFee = 100_000;
    mapping(uint16 => Pair) public pairs;
    mapping(uint16 => bool) public isPairIndexListed;
    mapping(uint8 => Group) public groups;
    mapping(uint8 => mapping(bool => uint256)) private collaterals;

    constructor(Registry registry_) Part(registry_) {}

    modifier listed(uint16 pairIndex) {
        if (!isPairIndexListed[pairIndex]) revert PairNotListed(pairIndex);
        _;
    }

    function addGroups(Group[] calldata added) external onlyGov {
        for (uint8 i; i < added.length; i++) groups[i] = added[i];
    }

    function addPairs(Pair[] calldata added) external onlyGov {
        for (uint256 i; i < added.length; i++) {
            isPairIndexListed[pairsCount] = true;
            pairs[pairsCount++] = added[i];
        }
    }

    function delist(uint16 pairIndex) external onlyGov {
        isPairIndexListed[pairIndex] = false;
    }

    function setOracleFee(uint64 fee) external onlyGov {
        oracleFee = fee;
    }

    function setMaxLeverage(uint16 pairIndex, uint32 value) external onlyGov {
        pairs[pairIndex].maxLeverage = value;
    }

    /// What the callbacks took in or gave back on one side of a pair's group.
    function moveGroupCollateral(uint16 pairIndex, bool long, int256 change) external {
        assert(msg.sender == _at("callbacks"));
        uint256 held = collaterals[pairs[pairIndex].groupIndex][long];
        collaterals[pairs[pairIndex].groupIndex][long] = uint256(int256(held) + change);
    }

    function feedOf(uint16 pairIndex) external view returns (bytes32) {
        return pairs[pairIndex].feed;
    }

    function pairMaxLeverage(uint16 pairIndex) public view listed(pairIndex) returns (uint32) {
        uint32 own = pairs[pairIndex].maxLeverage;
        return own > 0 ? own : groups[pairs[pairIndex].groupIndex].maxLeverage;
    }

    function pairMinLeverage(uint16 pairIndex) external view listed(pairIndex) returns (uint16) {
        return groups[pairs[pairIndex].groupIndex].minLeverage;
    }

    function pairOvernightMaxLeverage(
        uint16 pairIndex
    ) external view listed(pairIndex) returns (uint32) {
        return pairs[pairIndex].overnightMaxLeverage;
    }

    /// What a day trade may have at most, or a trade that lasts over the night.
    function effectiveMaxLeverage(uint16 pairIndex, bool isDayTrade) external view returns (uint32) {
        uint32 overnight = pairs[pairIndex].overnightMaxLeverage;
        return overnight == 0 || isDayTrade ? pairMaxLeverage(pairIndex) : overnight;
    }

    function pairMinLevPos(uint16 pairIndex) external view listed(pairIndex) returns (uint64) {
        return minLevPos;
    }

    function pairOracleFee(uint16 pairIndex) external view listed(pairIndex) returns (uint64) {
        return oracleFee;
    }

    function groupMaxCollateral(
        uint16 pairIndex
    ) external view listed(pairIndex) returns (uint256) {
        uint256 percent = groups[pairs[pairIndex].groupIndex].maxCollateralP;
        return (_vault().balance() * percent) / 100 / 1e2;
    }

    function groupCollateral(uint16 pairIndex, bool long) external view returns (uint256) {
        return collaterals[pairs[pairIndex].groupIndex][long];
    }
}
