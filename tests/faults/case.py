"""What the judges look at: the ledger and the venues' own books, read once at rest."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from uuid import UUID

from agent_where.store.connection import Row
from tests.faults.house import VENUES
from tests.faults.stage import Stage

MarketOf = tuple[str, str, str]
"""A venue, an account there, and a coin."""


@dataclass(frozen=True)
class VenueFill:
    """One execution as a venue has it. `order_id`: None where the order does not carry our name.

    `is_by_hand`: the user traded, not we. `is_forced`: the venue did.
    """

    venue: str
    account: str
    id: str
    size: Decimal
    price: Decimal
    order_id: UUID | None
    coin: str = ""
    is_by_hand: bool = False
    is_forced: bool = False

    @property
    def venue_order(self) -> str:
        """The venue's own number of the order that was executed."""
        return self.id.partition(":")[0]

    @property
    def market(self) -> MarketOf:
        return self.venue, self.account, self.coin


@dataclass(frozen=True)
class Case:
    """A stage at rest, read once."""

    stage: Stage
    errors: list[str]
    books: Mapping[str, Mapping[str, Any]]
    orders: Mapping[UUID, Row]
    theirs: list[VenueFill]

    @property
    def by_hand(self) -> frozenset[MarketOf]:
        """Where the user traded, beside us or alone."""
        return frozenset(fill.market for fill in self.theirs if fill.is_by_hand)

    def rows(self, sql: str) -> list[Row]:
        return self.stage.rows(sql)


def case_of(stage: Stage, errors: list[str]) -> Case:
    """Read the ledger and the venues' books."""
    books = {venue: stage.books(venue) for venue in VENUES}
    orders = {row["id"]: row for row in stage.rows("SELECT * FROM venue_orders")}
    return Case(stage, errors, books, orders, list(_fills(stage, books)))


def _fills(stage: Stage, books: Mapping[str, Mapping[str, Any]]) -> Iterable[VenueFill]:
    for venue, told in books.items():
        for account, book in told["accounts"].items():
            for fill in book["fills"]:
                yield VenueFill(
                    venue,
                    account,
                    f"{fill['oid']}:{fill['tid']}",
                    Decimal(fill["sz"]),
                    Decimal(fill["px"]),
                    order_id_of(fill.get("cloid")),
                    fill["coin"],
                    (venue, fill["oid"]) in stage.by_hand,
                    bool(fill.get("liquidation")),
                )


def order_id_of(client_id: str | None) -> UUID | None:
    """The order that a client id was made from."""
    return UUID(client_id.removeprefix("0x")) if client_id else None
