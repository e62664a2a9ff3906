// SPDX-License-Identifier: MIT
pragma solidity 0.8.37;

/// One account may act for another here, except in handing that right on.
abstract contract Delegatable {
    error DelegateForbidden();
    error DelegateReentrant();
    error DelegatedActionFailed();
    error InvalidCallData();
    error InvalidNonce();
    error InvalidSignature();
    error NoDelegate(address a);
    error NotDelegate(address trader, address caller);
    error NullAddr();
    error SignatureExpired();

    event DelegateAdded(address indexed delegator, address indexed delegate);
    event DelegateRemoved(address indexed delegator, address indexed delegate);

    bytes32 public constant DELEGATION_TYPEHASH =
        keccak256("Delegation(address delegator,address delegate,uint256 nonce,uint256 expiry)");
    bytes32 private constant DOMAIN_TYPEHASH =
        keccak256(
            "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
        );

    mapping(address => address) public delegations;
    mapping(address => uint256) public delegatableNonces;
    address private actingFor;

    function setDelegate(address delegate) external {
        _delegate(msg.sender, delegate);
    }

    function setDelegateWithSignature(
        address delegator,
        address delegate,
        uint256 nonce,
        uint256 expiry,
        uint8 v,
        bytes32 r,
        bytes32 s
    ) external {
        if (block.timestamp > expiry) revert SignatureExpired();
        if (nonce != delegatableNonces[delegator]) revert InvalidNonce();
        bytes32 told = keccak256(
            abi.encode(DELEGATION_TYPEHASH, delegator, delegate, nonce, expiry)
        );
        bytes32 signed = keccak256(abi.encodePacked(hex"1901", DOMAIN_SEPARATOR(), told));
        address signer = ecrecover(signed, v, r, s);
        if (signer == address(0) || signer != delegator) revert InvalidSignature();
        delegatableNonces[delegator]++;
        _delegate(delegator, delegate);
    }

    function removeDelegate() external {
        address delegate = delegations[msg.sender];
        if (delegate == address(0)) revert NoDelegate(msg.sender);
        delete delegations[msg.sender];
        emit DelegateRemoved(msg.sender, delegate);
    }

    function delegatedAction(
        address trader,
        bytes calldata call_data
    ) external returns (bytes memory) {
        if (call_data.length < 4) revert InvalidCallData();
        if (_isForbidden(bytes4(call_data[:4]))) revert DelegateForbidden();
        if (delegations[trader] != msg.sender) revert NotDelegate(trader, msg.sender);
        if (actingFor != address(0)) revert DelegateReentrant();
        actingFor = trader;
        (bool done, bytes memory told) = address(this).delegatecall(call_data);
        actingFor = address(0);
        if (!done) {
            if (told.length == 0) revert DelegatedActionFailed();
            assembly {
                revert(add(told, 32), mload(told))
            }
        }
        return told;
    }

    function DOMAIN_SEPARATOR() public view returns (bytes32) {
        return
            keccak256(
                abi.encode(
                    DOMAIN_TYPEHASH,
                    keccak256("Ostium"),
                    keccak256("1"),
                    block.chainid,
                    address(this)
                )
            );
    }

    /// Who acts: the trader for whom a delegate does, else whoever calls.
    function _msgSender() public view returns (address) {
        return actingFor == address(0) ? msg.sender : actingFor;
    }

    function _delegate(address delegator, address delegate) private {
        if (delegate == address(0)) revert NullAddr();
        delegations[delegator] = delegate;
        emit DelegateAdded(delegator, delegate);
    }

    function _isForbidden(bytes4 selector) private pure returns (bool) {
        return
            selector == this.setDelegate.selector ||
            selector == this.setDelegateWithSignature.selector ||
            selector == this.removeDelegate.selector ||
            selector == this.delegatedAction.selector;
    }
}
