// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {Part} from "./Parts.sol";
import {Registry} from "./Registry.sol";
import {Usdc} from "./Usdc.sol";

/// The other side of every trade: takes what traders lose and pays what they win.
contract Vault is Part {
    error NotCallbacks(address a);

    Usdc private immutable usdc;

    constructor(Registry registry_, Usdc usdc_) Part(registry_) {
        usdc = usdc_;
    }

    function pay(address to, uint256 amount) external {
        if (msg.sender != address(_callbacks())) revert NotCallbacks(msg.sender);
        usdc.transfer(to, amount);
    }

    function balance() external view returns (uint256) {
        return usdc.balanceOf(address(this));
    }
}
