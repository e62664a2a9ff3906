"""A deployment as answered: its row, with what its user has yet to sign."""

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from agent_where.contract.owned import ApprovalView, DeploymentView
from agent_where.domain import VenueId
from agent_where.store.connection import Row


class Unapproved(NamedTuple):
    """A signer that the account's user has not let trade yet. `now`: database time."""

    venue: VenueId
    signer_address: str
    agent_name: str
    now: datetime


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
        signer, name = account["signer_address"], row["agent_name"]
        return ask_for(Unapproved(account["venue"], signer, name, row["now"]))

    accounts = [{**account, "approval": approval(account)} for account in row["accounts"]]
    return DeploymentView.model_validate({**row, "accounts": accounts})
