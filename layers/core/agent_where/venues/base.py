"""What a venue can do, seen from the core.

Small Protocols, because they fail differently: a `MarketSource` only reads, a `Venue` trades,
`Holdings` tell what an account has there, whoever traded it, and `Exits` what became of single
positions. An adapter says what to send and reads answers; the executor signs, stores and sends.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, Protocol
from uuid import UUID

from agent_where.domain import (
    Account,
    Fill,
    Market,
    Model,
    Order,
    Positive,
    Purpose,
    Quote,
    Settled,
    Side,
    VenueId,
)

if TYPE_CHECKING:
    from agent_where.execution.signers import Signer


BOUNDS = (Purpose.TAKE_PROFIT, Purpose.STOP_LOSS)
"""What rests at a venue until its price is reached."""
CANCELED = "CANCELED"
"""The code of an order that a venue had and then dropped, by our wish or its own."""
TRIGGER_PASSED = "TRIGGER_PASSED"
"""The code of a bound that cannot wait for its price, since that was reached already."""
TOO_LATE = "TOO_LATE"
"""The code of bytes that came to the venue after their expiry."""
BOUND_MAY_SLIP = Decimal("0.1")
"""How far beyond its price a bound may trade, as a fraction: what venues' own interfaces set."""


class ActionKind(StrEnum):
    """What a stored payload does at the venue."""

    ORDER = "ORDER"
    LEVERAGE = "LEVERAGE"
    NOOP = "NOOP"
    CANCEL = "CANCEL"
    REPLACE = "REPLACE"
    TIMEOUT = "TIMEOUT"


class Action(Model):
    """Exact bytes for a venue: stored before they are sent, and only ever sent as they are.

    `nonce` and `signer_address` are what the bytes were signed with; neither: nothing to sign.
    `is_counted`: the nonce is the next of a sequence, which advances as the bytes are stored.
    `tx_hash`: what a chain calls it. `send_count`: how often it went out, or is about to.
    `outcome`: what the venue said of it, in the adapter's word; None: nothing yet.
    """

    kind: ActionKind
    payload: bytes
    expires_at: datetime | None = None
    nonce: int | None = None
    signer_address: str | None = None
    is_counted: bool = False
    tx_hash: str | None = None
    send_count: int = 1
    outcome: str | None = None


@dataclass(frozen=True, slots=True)
class Stamp:
    """What makes an unsigned action one of its kind: all of it is the database's to give."""

    signer: "Signer"
    nonce: int
    now: datetime
    """Database time: what an expiry is counted from."""


class Unsigned(Protocol):
    """What an adapter wants done, before it is signed."""

    @property
    def kind(self) -> ActionKind: ...

    @property
    def nonce(self) -> int | None:
        """The nonce it has to carry, which an earlier action carried; None: a new one."""
        ...

    @property
    def sequence(self) -> int | None:
        """Where nonces count up, the signer's next one as the chain tells. None: they are times."""
        ...

    def sealed(self, stamp: Stamp) -> Action:
        """The exact bytes, signed. Raises SignerUnavailable; nothing was sent then."""
        ...


class Standing(Model):
    """The venue has an order and will end it later. `venue_ref`: what it calls the order."""

    venue_ref: str | None = None
    detail: str = ""


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

    @property
    def takes_bounds(self) -> bool:
        """Whether stop-loss and take-profit go with the entry, and the venue carries them out."""
        ...

    def quote(self, market: Market, now: datetime) -> Quote:
        """The market's prices. VenueUnavailable: none, or too old by the database's time `now`."""
        ...

    def account(self, order: Order) -> Account:
        """The account the order trades in, in the order's mode. Raises VenueUnavailable."""
        ...

    def next_action(self, order: Order, market: Market, quote: Quote) -> Action | Unsigned:
        """What carries out a sized order: the order itself, or what has to be done before it.

        Whatever is of another kind than ORDER is done first, and then it is asked again.

        Raises:
            VenueRejected: it cannot be said.
            VenueUnavailable: the venue could not be read.
        """
        ...

    def send(self, order: Order, action: Action) -> Settled | Standing | None:
        """Send stored bytes. No end: the venue has the order and will end it later.

        Raises:
            VenueRejected: refused for good, in words the venue documents.
            VenueUnavailable: nothing left this process.
            OutcomeUnknown: everything else after the first byte.
        """
        ...

    def cancel(self, order: Order, actions: Sequence[Action]) -> Unsigned | None:
        """What takes a resting order back, by what was stored of it. None: it ends by itself."""
        ...

    def settle(
        self, order: Order, actions: Sequence[Action]
    ) -> Settled | Standing | Unsigned | Action | None:
        """Ask how an order ended that was sent earlier.

        Returns:
            Its end; that the venue has it; an action that will close the doubt, to be sealed,
            stored and sent before it is asked again; one of `actions`, whose same bytes are to be
            sent once more; or None: not known yet.

        Raises:
            VenueUnavailable, OutcomeUnknown: it could not be asked.
        """
        ...


class OpenPosition(Model):
    """What an account holds in one market, `size` in base units."""

    market_name: str
    token_symbol: str
    side: Side
    size: Positive


class Cause(StrEnum):
    """Why a trade happened, as far as the venue tells."""

    ORDER = "ORDER"
    """An order of the account's: ours where it bears our client id, else by the user's hand."""
    LIQUIDATION = "LIQUIDATION"
    DELEVERAGING = "DELEVERAGING"
    """A profitable position was closed against somebody's liquidation."""
    SETTLEMENT = "SETTLEMENT"
    """The market was closed for good."""
    STOP_LOSS = "STOP_LOSS"
    TAKE_PROFIT = "TAKE_PROFIT"
    """A bound that went with the entry, carried out by the venue."""


class AccountFill(Model):
    """One trade of an account, whoever ordered it.

    `venue_ref` is the venue's name for the order. `held_before` is the position it met, in base
    units, below zero where short. `direction` is the venue's word for what it did.
    `closed_pnl_usd` is before fees.
    """

    fill: Fill
    market_name: str
    token_symbol: str
    side: Side
    venue_ref: str
    client_order_id: str | None
    held_before: Decimal
    direction: str
    closed_pnl_usd: Decimal
    cause: Cause


class Holdings(Protocol):
    """What accounts have at a venue that nets, as the venue itself knows it."""

    def positions(self, account: str) -> Sequence[OpenPosition]:
        """Everything an account has open, whoever opened it. Raises VenueUnavailable."""
        ...

    def fills(self, account: str, since: datetime) -> Sequence[AccountFill]:
        """All trades of an account since, oldest first. Raises VenueUnavailable, NotAllTold."""
        ...


class Held(Model):
    """A position of ours at a venue where each stands for itself. `size`: open, in base units.

    `booked`: the closes that `size` accounts for already, by their `venue_fill_id`.
    """

    position_id: UUID
    position_ref: str
    market_name: str
    token_symbol: str
    side: Side
    size: Positive
    booked: frozenset[str] = frozenset()


class Exit(Model):
    """One close of a position, wholly or in part, whoever ordered it.

    `fill.size` of a whole close is what was open. `fill.venue_fill_id` and `venue_ref` (the venue's
    name for the closing order) are what `settle` would tell of an order of ours: by them the ledger
    knows its own.
    """

    position_ref: str
    fill: Fill
    cause: Cause
    venue_ref: str


class FoundExits(NamedTuple):
    """What became of positions that the ledger has not booked.

    `cursor`: what to ask from the next time; None: from where this time. `unexplained`: the
    references of those of which less is there than the ledger has, and no close says why.
    """

    exits: Sequence[Exit]
    cursor: int | None
    unexplained: Sequence[str] = ()


class Exits(Protocol):
    """What others did with single positions: keepers, and users by their own hand."""

    def exits(self, account: str, held: Sequence[Held], since: int | None) -> FoundExits:
        """What became of positions.

        Args:
            since: the cursor of the last time; None: it was not asked since they were opened.

        Raises:
            VenueUnavailable: it could not be read, or not all of it; nothing is known then.
        """
        ...
