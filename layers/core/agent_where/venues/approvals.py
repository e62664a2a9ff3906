"""How a user lets a key of ours trade: what the user signs, and what the venue knows of it.

The signature is made in the user's own wallet and posted from there: no key of a user's ever comes
here.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol

from pydantic import JsonValue

from agent_where.domain import Model


class ApprovalRequest(Model):
    """What a wallet is asked to sign, and where the signature goes.

    `typed_data` is the argument of `eth_signTypedData_v4`; `action` and `nonce` are posted to
    `post_to` with the signature. `valid_until`: when the approval ends by itself.
    """

    typed_data: Mapping[str, JsonValue]
    action: Mapping[str, str | int]
    nonce: int
    post_to: str
    valid_until: datetime


class Approvals(Protocol):
    """What a venue knows of who may trade for whom."""

    def approval(self, account: str, signer_address: str) -> datetime | None:
        """Until when a key may trade for an account. None: it may not. Raises VenueUnavailable."""
        ...
