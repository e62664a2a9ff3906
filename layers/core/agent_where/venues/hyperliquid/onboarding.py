"""What a user is asked to sign at Hyperliquid, for a key of ours with a name and an end."""

from datetime import datetime, timedelta
from typing import Final

from agent_where.venues.approvals import ApprovalRequest
from agent_where.venues.hyperliquid.answers import milliseconds_of, time_of
from agent_where.venues.hyperliquid.approval import AgentApproval, approval_action, typed_data
from agent_where.venues.hyperliquid.signing import Network

LASTS: Final = timedelta(days=179)
"""The venue takes 180 days, counted on its own clock."""
_CHAIN: Final[dict[Network, int]] = {"mainnet": 42_161, "testnet": 421_614}
"""Where the venue's users come from, and so their wallets stand: Arbitrum, or its testnet."""


def approval_request(
    network: Network, url: str, signer_address: str, agent_name: str, now: datetime
) -> ApprovalRequest:
    """The request for one key.

    Args:
        url: the API's base.
        agent_name: 16 characters at most; approving it ends what had this name before.
        now: makes the nonce, which is good for a day or two and for one request of this user.
    """
    ends = now + LASTS
    approval = AgentApproval(
        agent_address=signer_address,
        agent_name=agent_name,
        nonce=milliseconds_of(now),
        network=network,
        chain_id=_CHAIN[network],
        valid_until=milliseconds_of(ends),
    )
    return ApprovalRequest.model_validate(
        {
            "typed_data": typed_data(approval),
            "action": approval_action(approval),
            "nonce": approval.nonce,
            "post_to": f"{url.rstrip('/')}/exchange",
            "valid_until": time_of(milliseconds_of(ends)),
        }
    )
