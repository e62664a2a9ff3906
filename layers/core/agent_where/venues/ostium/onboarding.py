"""What a user signs so that a key of ours trades for them: two transactions, or a signature.

`approve` lets the venue's storage take USDC up to an amount; `setDelegate` lets the key place and
close orders, whose proceeds always go to the user. A user without ether for gas signs the
delegation as typed data, which anybody may bring to the contract. A trader has one delegate.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import Field

from agent_where.domain import Model
from agent_where.execution.signers import Signature
from agent_where.venues._eip712 import DOMAIN_FIELDS, Domain, Value, digest
from agent_where.venues.approvals import ApprovalRequest, WalletTransaction
from agent_where.venues.ostium.contracts import APPROVE, SET_DELEGATE, SET_DELEGATE_SIGNED

SIGNATURE_LASTS: Final = timedelta(days=7)
"""How long a signed delegation may be brought to the contract. Once there, it does not end."""
ALLOWANCE_USDC: Final = 1_000_000
"""What `approve` asks for, as the venue's own client does."""

_TYPE: Final = "Delegation"
_FIELDS: Final = {
    "delegator": "address",
    "delegate": "address",
    "nonce": "uint256",
    "expiry": "uint256",
}
_USDC: Final = 1_000_000

_Address = Annotated[str, Field(pattern=r"^0x[0-9a-f]{40}$")]


class Delegating(Model):
    """Where users approve: addresses in lower case, as the settings have them.

    What a user is shown must not hang on what a node says, so these are not asked of the Registry;
    whether the approval took is asked of the chain afterwards.
    """

    chain_id: Annotated[int, Field(gt=0)]
    trading: _Address
    storage: _Address
    usdc: _Address


class Delegation(Model):
    """What is signed in place of a transaction. `nonce` counts a delegator's signed delegations.

    `expiry` is in seconds since 1970.
    """

    delegator: _Address
    delegate: _Address
    nonce: Annotated[int, Field(ge=0)]
    expiry: Annotated[int, Field(gt=0)]

    def values(self) -> dict[str, str | int]:
        """The fields that are signed."""
        return {
            "delegator": self.delegator,
            "delegate": self.delegate,
            "nonce": self.nonce,
            "expiry": self.expiry,
        }


def approval_request(
    places: Delegating, account: str, signer_address: str, now: datetime, *, nonce: int = 0
) -> ApprovalRequest:
    """The request for one key.

    Args:
        account: the user's address.
        nonce: how many delegations of the user were signed and used before; only the signature
            hangs on it, not the transactions.
    """
    ends = now + SIGNATURE_LASTS
    delegation = Delegation(
        delegator=account.lower(),
        delegate=signer_address.lower(),
        nonce=nonce,
        expiry=int(ends.timestamp()),
    )
    return ApprovalRequest.model_validate(
        {
            "typed_data": typed_data(places, delegation),
            "action": {"function": SET_DELEGATE_SIGNED.name, **delegation.values()},
            "nonce": nonce,
            "post_to": places.trading,
            "valid_until": ends,
            "transactions": transactions(places, signer_address),
        }
    )


def transactions(
    places: Delegating, signer_address: str, *, usdc: int = ALLOWANCE_USDC
) -> tuple[WalletTransaction, ...]:
    """What the user's wallet sends. `usdc`: how much the venue may take in all, in whole USDC."""
    approve = APPROVE.call(places.storage, usdc * _USDC)
    delegate = SET_DELEGATE.call(signer_address.lower())
    return (
        WalletTransaction(
            what=f"let the venue take up to {usdc} USDC",
            to=places.usdc,
            data="0x" + approve.hex(),
            chain_id=places.chain_id,
        ),
        WalletTransaction(
            what="let the key trade",
            to=places.trading,
            data="0x" + delegate.hex(),
            chain_id=places.chain_id,
        ),
    )


def typed_data(places: Delegating, delegation: Delegation) -> dict[str, object]:
    """The argument of a wallet's `eth_signTypedData_v4`."""
    return {
        "domain": _domain(places).values(),
        "types": {"EIP712Domain": _listed(DOMAIN_FIELDS), _TYPE: _listed(_FIELDS)},
        "primaryType": _TYPE,
        "message": delegation.values(),
    }


def delegation_digest(places: Delegating, delegation: Delegation) -> bytes:
    """The 32 bytes that the wallet then signs."""
    values: dict[str, Value] = {**delegation.values()}
    return digest(_domain(places), _TYPE, _FIELDS, values)


def signed_delegation(delegation: Delegation, signature: Signature) -> bytes:
    """The call that brings the user's signature to the contract, from whoever pays the gas."""
    return SET_DELEGATE_SIGNED.call(
        delegation.delegator,
        delegation.delegate,
        delegation.nonce,
        delegation.expiry,
        signature.v,
        signature.r.to_bytes(32, "big"),
        signature.s.to_bytes(32, "big"),
    )


def _domain(places: Delegating) -> Domain:
    return Domain("Ostium", "1", places.chain_id, places.trading)


def _listed(fields: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": name, "type": kind} for name, kind in fields.items()]
