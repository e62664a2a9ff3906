"""The keys of venue accounts: which lack one, which are theirs, which may trade."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from agent_where.domain import VenueId
from agent_where.store.connection import Database
from agent_where.store.statements import sql


class Lacking(NamedTuple):
    """An account without a signer. `key_ref`: its key is made, and not yet known by address."""

    account: str
    venue: VenueId
    key_ref: str | None


class Signing(NamedTuple):
    """An account with its signer."""

    account: str
    venue: VenueId
    signer_address: str


class Accounts:
    """Reads and writes over one database connection, one round trip each.

    Raises DatabaseUnavailable besides what is told.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def claim_key(self, venues: Sequence[VenueId], account: str | None) -> Lacking | None:
        """An account that the caller makes a key for, alone. `account` None: anybody's."""
        rows = self._database.run(sql("claim_key"), venues=list(venues), account=account)
        return Lacking(**rows[0]) if rows else None

    def keep_key(self, of: Lacking, key_ref: str) -> bool:
        """Store the account's key. False: it has another."""
        told = {"account": of.account, "venue": of.venue, "key_ref": key_ref}
        return bool(self._database.run(sql("keep_key"), **told))

    def keep_signer(self, of: Lacking, key_ref: str, address: str) -> bool:
        """Store what the account's key signs as. False: it is stored, or has another key.

        Raises:
            DatabaseRefused: it signs for another account already.
        """
        told = {"account": of.account, "venue": of.venue, "key_ref": key_ref}
        return bool(self._database.run(sql("keep_signer"), **told, signer_address=address))

    def claim_check(self, venues: Sequence[VenueId], *, new_first: bool) -> Signing | None:
        """A signer that the caller asks the venue about, alone.

        Args:
            new_first: rather one that may be approved at this moment than one that can trade.
        """
        rows = self._database.run(sql("claim_check"), venues=list(venues), new_first=new_first)
        return Signing(**rows[0]) if rows else None

    def store_approval(
        self, of: Signing, until: datetime | None, *, low_on_gas: bool = False
    ) -> bool:
        """Store what the venue said of a signer. Whether it has not let it trade for an hour.

        Args:
            low_on_gas: whether the signer has little left to pay for its transactions.
        """
        said = {"approved_until": until, "low_on_gas": low_on_gas}
        rows = self._database.run(sql("store_approval"), **of._asdict(), **said)
        return bool(rows and rows[0]["over"])

    def retire_key(self, of: Signing) -> str | None:
        """Take its key from the account and return its reference. None: not now."""
        rows = self._database.run(sql("retire_key"), **of._asdict())
        return rows[0]["key_ref"] if rows else None
