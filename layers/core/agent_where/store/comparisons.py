"""Comparing the ledger with a venue, account by account: what it reads and what it books.

One method a statement, or one a transaction. Everything is done under the account's lease.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple
from uuid import UUID

from agent_where.domain import Model, VenueId
from agent_where.store.books import (
    AccountAt,
    Books,
    Claim,
    Closure,
    HeldPosition,
    LateFill,
    SingleBooks,
)
from agent_where.store.connection import Database, Json
from agent_where.store.records import OrderTicket, order_from_row
from agent_where.store.statements import sql, statement, tickets
from agent_where.venues.base import AccountFill, Exit

LEASE_SECONDS = 60
SETTLING_SECONDS = 15
"""How long a venue's answers may be behind what has just happened there."""


class Booked(NamedTuple):
    """What is left of the positions that were closed, and the orders that are due because of it."""

    open_qty: Mapping[UUID, Decimal]
    due: list[OrderTicket]


class Found(Model):
    """What comparing one account came to.

    `as_of`: when all of it agreed; None: not this time. `unexplained`: the markets where ledger and
    venue do not agree, and nobody knows why. `cursor`: up to where all exits are booked; None: as
    before.
    """

    as_of: datetime | None
    unexplained: tuple[str, ...]
    booked: int = 0
    due: tuple[OrderTicket, ...] = ()
    cursor: int | None = None


class Comparisons:
    """Over one database connection. Raises DatabaseUnavailable, and DatabaseRefused where told."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def due(self, venues: Sequence[VenueId], at_most: int) -> list[AccountAt]:
        """The accounts to compare that nobody works for, the one compared longest ago first."""
        rows = self._database.run(sql("accounts_to_compare"), venues=list(venues), at_most=at_most)
        return [AccountAt(**row) for row in rows]

    def begin(self, of: AccountAt, token: UUID) -> Books | None:
        """Take the account's lease if it is free, and read its books. None: it is not."""
        *_, rows = self._database.run_together(
            statement("take_account", **of._asdict(), token=token, seconds=LEASE_SECONDS),
            statement("read_books", **self._reading(of, token)),
        )
        return Books.model_validate(rows[0]) if rows else None

    def begin_single(self, of: AccountAt, token: UUID) -> SingleBooks | None:
        """As `begin`, at a venue where each position stands for itself."""
        *_, rows = self._database.run_together(
            statement("take_account", **of._asdict(), token=token, seconds=LEASE_SECONDS),
            statement("read_single_books", **of._asdict(), token=token),
        )
        return SingleBooks.model_validate(rows[0]) if rows else None

    def books(self, of: AccountAt, token: UUID) -> Books | None:
        """The books as they stand now. None: the lease is lost."""
        rows = self._database.run(sql("read_books"), **self._reading(of, token))
        return Books.model_validate(rows[0]) if rows else None

    def claims(self, of: AccountAt, trades: Sequence[AccountFill | Exit]) -> dict[str, Claim]:
        """What the ledger knows of these trades, by their ids."""
        told = [
            {
                "venue_fill_id": trade.fill.venue_fill_id,
                "venue_ref": trade.venue_ref,
                "client_order_id": getattr(trade, "client_order_id", None),
            }
            for trade in trades
        ]
        rows = self._database.run(sql("read_claims"), **of._asdict(), executions=Json(told))
        known = [
            Claim.model_validate(row | {"order": row["order"] and order_from_row(row["order"])})
            for row in rows
        ]
        return {claim.venue_fill_id: claim for claim in known}

    def keep_late(self, late: Sequence[LateFill], token: UUID) -> list[UUID]:
        """Store executions of orders that had ended without any, and open what they opened.

        Returns the positions that were opened. Raises DatabaseRefused: one is stored already.
        """
        orders = sorted({each.order.id for each in late})
        fills = [{"order_id": each.order.id, **each.fill.model_dump()} for each in late]
        _, opened = self._database.run_together(
            statement("insert_late_fills", fills=Json(fills), token=token),
            statement("open_unexpected", orders=orders),
        )
        return [row["id"] for row in opened]

    def book(
        self,
        of: AccountAt,
        token: UUID,
        closures: Sequence[Closure],
        seen: Sequence[HeldPosition],
    ) -> Booked | None:
        """Book what was closed at the venue, all of it, with what follows from that.

        Args:
            seen: the positions that the closures were worked out from.

        Returns None where these changed meanwhile, or the lease is lost: nothing is booked then.
        Raises DatabaseRefused: it contradicts the ledger.
        """
        positions = sorted({closure.position_id for closure in closures})
        booked, reduced, _, resting = self._database.run_together(
            statement(
                "book_closures",
                **of._asdict(),
                token=token,
                closures=Json([closure.model_dump() for closure in closures]),
                seen=Json([each.model_dump(include={"id", "open_qty"}) for each in seen]),
            ),
            statement("reduce_closed", positions=positions),
            statement("void_closed", positions=positions),
            statement("wake_closed", positions=positions),
        )
        if not booked:
            return None
        return Booked({row["id"]: row["open_qty"] for row in reduced}, tickets(resting))

    def end(self, of: AccountAt, token: UUID, found: Found) -> None:
        """Write down what a comparison came to, and give the lease back."""
        self._database.run(
            sql("end_comparing"),
            **of._asdict(),
            token=token,
            as_of=found.as_of,
            unexplained=list(found.unexplained),
            cursor=found.cursor,
        )

    @staticmethod
    def _reading(of: AccountAt, token: UUID) -> dict[str, object]:
        return {**of._asdict(), "token": token, "settling_seconds": SETTLING_SECONDS}
