"""Which nonce an action is signed with. It is the database's to give, whatever a node says.

At some venues a nonce is a time, taken before the bytes are made. On a chain it is the signer's
next number: it is given in the statement that stores the bytes, so that what comes to nothing
before leaves no gap, and not while an earlier transaction of the signer has no receipt.
"""

from typing import TYPE_CHECKING
from uuid import UUID

from agent_where.errors import LeaseHeld, VenueUnavailable
from agent_where.store.records import OrderFile
from agent_where.store.store import Store
from agent_where.venues.base import Action, Stamp, Unsigned

if TYPE_CHECKING:
    from agent_where.execution.signers import Signer


class Nonces:
    """The nonces of one executor's orders, each under the lease of its account."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def sealed(self, file: OrderFile, wanted: Unsigned, signer: "Signer", token: UUID) -> Action:
        """The exact bytes, signed with the nonce that they have to carry.

        Raises:
            LeaseHeld: the lease is lost.
            VenueUnavailable: an earlier transaction of the signer has no receipt yet.
            SignerUnavailable: nothing was signed.
        """
        if wanted.nonce is not None:
            return wanted.sealed(Stamp(signer=signer, nonce=wanted.nonce, now=file.now))
        if wanted.sequence is None:
            return wanted.sealed(self._time(file, signer, token))
        action = wanted.sealed(self._next(file, wanted.sequence, signer, token))
        return action.model_copy(update={"is_counted": True})

    def _time(self, file: OrderFile, signer: "Signer", token: UUID) -> Stamp:
        taken = self._store.actions.take_nonce(file.order, token)
        if taken is None:
            raise _lost(file)
        nonce, now = taken
        return Stamp(signer=signer, nonce=nonce, now=now)

    def _next(self, file: OrderFile, sequence: int, signer: "Signer", token: UUID) -> Stamp:
        """The chain's word, where it is not behind ours: somebody else may have used the key."""
        last = self._store.actions.last_nonce(file.order, token)
        if last is None:
            raise _lost(file)
        if sequence <= last.nonce:
            detail = (
                f"transaction {last.tx_hash or 'unknown'} with nonce {last.nonce} of "
                f"{signer.address} has no receipt yet: the next on chain is {sequence}"
            )
            raise VenueUnavailable(file.order.venue, detail, code="NONCE_PENDING")
        return Stamp(signer=signer, nonce=sequence, now=last.now)


def _lost(file: OrderFile) -> LeaseHeld:
    return LeaseHeld(f"the lease of account {file.order.account} was lost")
