// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// Where each contract is, by its name in ASCII, padded with zeros on the right.
contract Registry {
    error NotGov(address a);

    address public immutable gov;
    mapping(bytes32 => address) public getContractAddress;

    constructor() {
        gov = msg.sender;
    }

    function setContractAddress(bytes32 name, address found) external {
        if (msg.sender != gov) revert NotGov(msg.sender);
        getContractAddress[name] = found;
    }
}
