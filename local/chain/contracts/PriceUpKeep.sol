// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Part} from "./Parts.sol";
import {Registry} from "./Registry.sol";
import {PriceAnswer, RequestType} from "./Types.sol";

/// Numbers the orders and asks the keeper for a price; the keeper answers in a later transaction.
/// `refuse` has no counterpart at the venue: it lets a test have any reason for a cancellation.
contract PriceUpKeep is Part {
    error NotKeeper(address a);
    error NotRequester(address a);

    event PriceRequestedV2(
        uint256 indexed orderId,
        uint8 orderType,
        bytes32 feed,
        uint256 timestamp
    );

    address private immutable keeper;
    uint256 public lastOrderId;
    mapping(uint256 => uint8) public requestType;
    mapping(uint256 => bytes32) public requestFeed;
    uint256[] private waiting;

    constructor(Registry registry_, address keeper_) Part(registry_) {
        keeper = keeper_;
    }

    modifier onlyKeeper() {
        if (msg.sender != keeper) revert NotKeeper(msg.sender);
        _;
    }

    function request(uint16 pairIndex, uint8 orderType) external returns (uint256 orderId) {
        if (msg.sender != address(_trading())) revert NotRequester(msg.sender);
        orderId = ++lastOrderId;
        bytes32 feed = _pairs().feedOf(pairIndex);
        (requestType[orderId], requestFeed[orderId]) = (orderType, feed);
        waiting.push(orderId);
        emit PriceRequestedV2(orderId, orderType, feed, block.timestamp);
    }

    function answer(PriceAnswer calldata a) external onlyKeeper {
        _answered(a.orderId);
        uint8 asked = requestType[a.orderId];
        if (asked == RequestType.MARKET_OPEN) _callbacks().openTradeMarketCallback(a);
        else if (asked == RequestType.MARKET_CLOSE) _callbacks().closeTradeMarketCallback(a);
        else if (asked == RequestType.LIMIT_OPEN) _callbacks().executeAutomationOpenOrderCallback(a);
        else _callbacks().executeAutomationCloseOrderCallback(a);
    }

    function refuse(uint256 orderId, uint8 cancelReason) external onlyKeeper {
        _answered(orderId);
        _callbacks().refuse(orderId, cancelReason);
    }

    /// What the keeper has not answered yet. On the chain, so that a reorganisation undoes it too.
    function unanswered() external view returns (uint256[] memory) {
        return waiting;
    }

    function _answered(uint256 orderId) private {
        for (uint256 i; i < waiting.length; i++) {
            if (waiting[i] == orderId) {
                waiting[i] = waiting[waiting.length - 1];
                waiting.pop();
                return;
            }
        }
    }
}
