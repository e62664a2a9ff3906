"""A user's own transactions: signed with the user's key, sent, and seen to have happened."""

from typing import Final

from eth_account.signers.local import LocalAccount

from local.chain.rpc import Rpc, RpcError

_GAS: Final = 1_000_000
_FEE_WEI: Final = 1_000_000_000


def send_from(user: LocalAccount, node: Rpc, to: str, data: bytes) -> str:
    """Send a call and wait for it; the hash of its transaction. The user pays for the gas.

    Args:
        to: the contract's address.

    Raises:
        RpcError: it would revert, or did, or the node refuses it.
    """
    said = {"from": user.address, "to": to, "data": f"0x{data.hex()}"}
    node.ask("eth_call", said, "latest")
    signed = user.sign_transaction(
        {
            "to": bytes.fromhex(to.removeprefix("0x")),
            "data": data,
            "value": 0,
            "gas": _GAS,
            "maxFeePerGas": _FEE_WEI,
            "maxPriorityFeePerGas": 0,
            "nonce": node.number("eth_getTransactionCount", user.address, "pending"),
            "chainId": node.number("eth_chainId"),
            "type": 2,
        }
    )
    sent = str(node.ask("eth_sendRawTransaction", f"0x{bytes(signed.raw_transaction).hex()}"))
    if node.receipt(sent)["status"] != "0x1":
        raise RpcError(3, f"reverted: {sent}", "")
    return sent
