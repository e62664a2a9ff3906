"""What is sent to a venue, from its nonce to what the venue said of it. One method a statement.

The order itself is stored by `Store.mark_sent`, with the move to SENT; here is all the rest.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from agent_where.domain import Order
from agent_where.store.connection import Database, Row
from agent_where.store.statements import action_params, sql
from agent_where.venues.base import Action


class LastNonce(NamedTuple):
    """The last nonce that a signer used of its sequence, -1 before the first, and by what.

    `now`: database time. `tx_hash`: None where nothing of it is stored under a hash.
    """

    nonce: int
    now: datetime
    tx_hash: str | None


class Actions:
    """Over one database connection. Raises DatabaseUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take_nonce(self, order: Order, token: UUID) -> tuple[int, datetime] | None:
        """A nonce for the order's account, and database time. None: the lease is lost."""
        rows = self._run("take_nonce", account=order.account, venue=order.venue, token=token)
        return (rows[0]["nonce"], rows[0]["now"]) if rows else None

    def last_nonce(self, order: Order, token: UUID) -> LastNonce | None:
        """Where the sequence of the account's signer stands. None: the lease is lost."""
        rows = self._run("read_nonce", account=order.account, venue=order.venue, token=token)
        return LastNonce(**rows[0]) if rows else None

    def store(self, order: Order, action: Action, token: UUID) -> bool:
        """What is sent beside the order itself.

        False: the lease is lost, or the nonce was given meanwhile. Send nothing.
        """
        params = action_params(action)
        return bool(self._run("store_action", id=order.id, kind=action.kind, token=token, **params))

    def count_sending(self, order: Order, action: Action, token: UUID) -> bool:
        """Stored bytes are about to go once more. False: too late, or the lease is lost."""
        told = {"id": order.id, "kind": action.kind, "payload": action.payload, "token": token}
        return bool(self._run("count_sending", **told))

    def may_send(self, order: Order, action: Action, token: UUID) -> bool:
        """Whether stored bytes may still be sent: they are in time, and the lease is ours."""
        return bool(
            self._run("may_send", id=order.id, kind=action.kind, nonce=action.nonce, token=token)
        )

    def tell_outcome(self, order: Order, action: Action, outcome: str) -> None:
        """Keep what the venue said of an action."""
        self._run(
            "tell_outcome", id=order.id, kind=action.kind, nonce=action.nonce, outcome=outcome
        )

    def _run(self, name: str, /, **params: object) -> list[Row]:
        return self._database.run(sql(name), **params)
