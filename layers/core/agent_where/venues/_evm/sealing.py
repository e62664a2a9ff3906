"""A transaction before it is signed, as the core takes it."""

from dataclasses import dataclass
from datetime import timedelta

from agent_where.domain import VenueId
from agent_where.errors import SignerUnavailable
from agent_where.venues._evm.transaction import Fees, Transaction, hash_of, signed
from agent_where.venues.base import Action, ActionKind, Stamp


@dataclass(frozen=True, slots=True)
class Unsent:
    """What is to be done on the chain.

    Args:
        signer_address: who alone may sign it: it was simulated, and its nonce counted, for that.
        sequence: the signer's next nonce as the chain tells.
        nonce: the one it has to carry, in place of an earlier transaction; None: a new one.
        waits: how long it may be on its way before it is replaced.
    """

    venue: VenueId
    kind: ActionKind
    chain_id: int
    to: str
    data: bytes
    gas: int
    fees: Fees
    signer_address: str
    waits: timedelta
    sequence: int | None = None
    nonce: int | None = None

    def sealed(self, stamp: Stamp) -> Action:
        """The raw transaction. `expires_at` is when it may be replaced.

        Raises:
            SignerUnavailable: there is no signature now, or the key is not the one it takes.
        """
        signer_address = stamp.signer.address
        if signer_address != self.signer_address:
            raise SignerUnavailable(
                f"{self.venue}: only {self.signer_address} can sign this {self.kind}, "
                f"and {signer_address} is the account's key now"
            )
        nonce = stamp.nonce if self.nonce is None else self.nonce
        raw = signed(
            Transaction(self.chain_id, nonce, self.fees, self.gas, self.to, self.data),
            stamp.signer,
        )
        return Action(
            kind=self.kind,
            payload=raw,
            expires_at=stamp.now + self.waits,
            nonce=nonce,
            signer_address=signer_address,
            tx_hash=hash_of(raw),
        )
