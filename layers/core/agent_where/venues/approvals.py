"""How a user lets a key of ours trade: what the user signs, and what the venue knows of it.

The signature is made in the user's own wallet and posted from there: no key of a user's ever comes
here.
"""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from pydantic import JsonValue

from agent_where.domain import Model


class WalletTransaction(Model):
    """A transaction that a wallet is asked to send: the argument of `eth_sendTransaction`.

    `value` in wei and `data` are hexadecimal text, `what` says in a few words what it does.
    """

    what: str
    to: str
    data: str
    value: str = "0x0"
    chain_id: int


class ApprovalRequest(Model):
    """What a wallet is asked to sign, and where the signature goes.

    `typed_data` is the argument of `eth_signTypedData_v4`; `action` and `nonce` are posted to
    `post_to` with the signature. `valid_until`: when the approval ends by itself, or for a venue
    where it does not, until when the signature counts.

    `transactions`: at a venue on a chain, what the wallet sends instead, in this order. Nothing is
    posted there: `post_to` is the contract that takes the signature, as arguments of the function
    that `action` names, from anybody who pays the gas.
    """

    typed_data: Mapping[str, JsonValue]
    action: Mapping[str, str | int]
    nonce: int
    post_to: str
    valid_until: datetime
    transactions: tuple[WalletTransaction, ...] = ()


class Approvals(Protocol):
    """What a venue knows of who may trade for whom."""

    def approval(self, account: str, signer_address: str) -> datetime | None:
        """Until when a key may trade for an account. None: it may not. Raises VenueUnavailable."""
        ...


class Purse(Protocol):
    """What keys have to pay for their transactions, at a venue on a chain."""

    def gas(self, signer_address: str) -> Decimal:
        """In ether. Raises VenueUnavailable."""
        ...
