// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

import {
    ICallbacks,
    IPairInfos,
    IPairsStorage,
    IPriceUpKeep,
    ITrading,
    ITradingStorage,
    IVault
} from "./Interfaces.sol";
import {Registry} from "./Registry.sol";

interface IArbSys {
    function arbBlockNumber() external view returns (uint256);
}

/// What every contract of the venue is made of: it finds the others through the registry.
abstract contract Part {
    error NotGov(address a);

    IArbSys private constant ARB_SYS = IArbSys(address(0x64));

    Registry public immutable registry;

    constructor(Registry registry_) {
        registry = registry_;
    }

    modifier onlyGov() {
        if (msg.sender != registry.gov()) revert NotGov(msg.sender);
        _;
    }

    function _at(bytes32 name) internal view returns (address) {
        return registry.getContractAddress(name);
    }

    function _trading() internal view returns (ITrading) {
        return ITrading(_at("trading"));
    }

    function _callbacks() internal view returns (ICallbacks) {
        return ICallbacks(_at("callbacks"));
    }

    function _store() internal view returns (ITradingStorage) {
        return ITradingStorage(_at("tradingStorage"));
    }

    function _pairs() internal view returns (IPairsStorage) {
        return IPairsStorage(_at("pairsStorage"));
    }

    function _pairInfos() internal view returns (IPairInfos) {
        return IPairInfos(_at("pairInfos"));
    }

    function _oracle() internal view returns (IPriceUpKeep) {
        return IPriceUpKeep(_at("priceRouter"));
    }

    function _vault() internal view returns (IVault) {
        return IVault(_at("vault"));
    }

    /// The L2's block: on the rollup, NUMBER itself is about the chain below.
    function _block() internal view returns (uint256) {
        return ARB_SYS.arbBlockNumber();
    }
}

/// A contract that can be told to stop: paused opens nothing new, done does nothing at all.
abstract contract Pausable is Part {
    error IsPaused();
    error IsDone();

    event Paused(bool paused);
    event Done(bool done);

    bool public isPaused;
    bool public isDone;

    modifier notDone() {
        if (isDone) revert IsDone();
        _;
    }

    modifier notPaused() {
        if (isPaused) revert IsPaused();
        _;
    }

    function pause() external onlyGov {
        isPaused = !isPaused;
        emit Paused(isPaused);
    }

    function done() external onlyGov {
        isDone = !isDone;
        emit Done(isDone);
    }
}
