"""What a venue can do, seen from the core.

Two small Protocols, because they fail differently: a `MarketSource` only reads, a `Venue` trades.
An adapter says what to send and reads answers; the executor stores and sends.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from agent_where.domain import Account, Market, Model, Order, Quote, Settled, VenueId


class ActionKind(StrEnum):
    """What a stored payload does at the venue."""

    ORDER = "ORDER"
    LEVERAGE = "LEVERAGE"
    NOOP = "NOOP"
    CANCEL = "CANCEL"
    REPLACE = "REPLACE"
    TIMEOUT = "TIMEOUT"


class Action(Model):
    """Exact bytes for a venue: stored before they are sent, and only ever sent as they are."""

    kind: ActionKind
    payload: bytes
    expires_at: datetime | None = None


class MarketSource(Protocol):
    """Where a venue's market universe is read."""

    @property
    def id(self) -> VenueId: ...

    def markets(self) -> Sequence[Market]:
        """All markets the venue lists, in canonical units, delisted ones marked inactive.

        Raises:
            VenueUnavailable: no answer, or one that is not the venue's documented shape.
        """
        ...


class Venue(Protocol):
    """One place to trade, in one mode."""

    @property
    def id(self) -> VenueId: ...

    def quote(self, market: Market) -> Quote:
        """The market's current prices. Raises VenueUnavailable."""
        ...

    def account(self, order: Order) -> Account:
        """The account the order trades in, in the order's mode. Raises VenueUnavailable."""
        ...

    def next_action(self, order: Order, market: Market, quote: Quote) -> Action:
        """The bytes that carry out a sized order. Raises VenueRejected where it cannot be said."""
        ...

    def send(self, order: Order, action: Action) -> Settled | None:
        """Send stored bytes. None: the venue has the order and will end it later.

        Raises:
            VenueRejected: refused for good, in words the venue documents.
            VenueUnavailable: nothing left this process.
            OutcomeUnknown: everything else after the first byte.
        """
        ...

    def settle(self, order: Order, actions: Sequence[Action]) -> Settled | None:
        """Ask how an order ended that was sent earlier. None: not known yet."""
        ...
