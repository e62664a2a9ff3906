"""A deployment as answered: its row, with what its user has yet to sign."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from agent_where.contract.owned import ApprovalView, DeploymentView
from agent_where.domain import VenueId
from agent_where.store.connection import Row


class Unapproved(NamedTuple):
    """A signer that its account's user does not let trade. `now`: database time.

    `was_approved`: it could trade once, and no longer can.
    """

    venue: VenueId
    account: str
    signer_address: str
    agent_name: str
    now: datetime
    was_approved: bool


AskFor = Callable[[Unapproved], ApprovalView | None]
"""What is to be signed for it; None: nothing."""


def nothing_to_sign(_: Unapproved) -> None:
    """On paper nobody is asked for anything."""
    return


def deployment_view(row: Row, ask_for: AskFor) -> DeploymentView:
    """A row of `read_deployments.sql`, as answered."""

    def approval(account: Row) -> ApprovalView | None:
        if not account["awaits_approval"]:
            return None
        return ask_for(
            Unapproved(
                venue=account["venue"],
                account=account["account"],
                signer_address=account["signer_address"],
                agent_name=row["agent_name"],
                now=row["now"],
                was_approved=account["was_approved"],
            )
        )

    inner = ("awaits_approval", "was_approved")
    accounts = [
        {name: told for name, told in account.items() if name not in inner}
        | {"approval": approval(account)}
        for account in row["accounts"]
    ]
    return DeploymentView.model_validate({**row, "accounts": accounts})
