"""How a user lets our key trade: `approveAgent`, signed in the user's own wallet.

An approved agent can trade and set leverage; it cannot withdraw, and cannot approve another. An
address is approved once and never again: the venue forgets its nonces, and its old actions could
be sent anew.
"""

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import Field

from agent_where.domain import Model
from agent_where.execution.signers import Signature
from agent_where.venues._eip712 import DOMAIN_FIELDS, Domain, Value, digest
from agent_where.venues.hyperliquid.signing import Network, Request, body
from agent_where.venues.hyperliquid.wire import WireAction

_TYPE: Final = "HyperliquidTransaction:ApproveAgent"
_FIELDS: Final = {
    "hyperliquidChain": "string",
    "agentAddress": "address",
    "agentName": "string",
    "nonce": "uint64",
}
_CHAIN: Final[dict[Network, str]] = {"mainnet": "Mainnet", "testnet": "Testnet"}

AgentName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,15}$")]


class AgentApproval(Model):
    """What the user is asked to sign.

    `nonce` is milliseconds of the epoch. `chain_id` is the chain that the wallet stands on: wallets
    sign for no other, and the venue takes any. Approving a name again ends what it named before.
    """

    agent_address: Annotated[str, Field(pattern=r"^0x[0-9a-f]{40}$")]
    agent_name: AgentName
    nonce: Annotated[int, Field(ge=0, lt=2**53)]
    network: Network
    chain_id: Annotated[int, Field(gt=0)]
    valid_until: Annotated[int, Field(gt=0)] | None = None
    """Milliseconds of the epoch, 180 days ahead at most; None is the venue's own limit."""

    def values(self) -> dict[str, str | int]:
        """The fields that are signed."""
        until = "" if self.valid_until is None else f" valid_until {self.valid_until}"
        return {
            "hyperliquidChain": _CHAIN[self.network],
            "agentAddress": self.agent_address,
            "agentName": f"{self.agent_name}{until}",
            "nonce": self.nonce,
        }


def typed_data(approval: AgentApproval) -> dict[str, object]:
    """The argument of a wallet's `eth_signTypedData_v4`."""
    return {
        "domain": _domain(approval).values(),
        "types": {"EIP712Domain": _listed(DOMAIN_FIELDS), _TYPE: _listed(_FIELDS)},
        "primaryType": _TYPE,
        "message": approval.values(),
    }


def approval_digest(approval: AgentApproval) -> bytes:
    """The 32 bytes that the wallet then signs."""
    values: dict[str, Value] = {**approval.values()}
    return digest(_domain(approval), _TYPE, _FIELDS, values)


def approval_action(approval: AgentApproval) -> WireAction:
    """The action that the user's signature is for."""
    values = approval.values()
    return {
        "type": "approveAgent",
        "agentAddress": values["agentAddress"],
        "agentName": values["agentName"],
        "nonce": values["nonce"],
        "signatureChainId": hex(approval.chain_id),
        "hyperliquidChain": values["hyperliquidChain"],
    }


def approval_body(approval: AgentApproval, signature: Signature) -> bytes:
    """The bytes that bring the user's signature to the venue."""
    return body(Request(approval_action(approval), approval.nonce), signature)


def _domain(approval: AgentApproval) -> Domain:
    return Domain(name="HyperliquidSignTransaction", version="1", chain_id=approval.chain_id)


def _listed(fields: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in fields.items()]
