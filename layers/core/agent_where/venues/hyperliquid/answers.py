"""The shapes of the venue's answers, under its names and in its units; only what is used of them.

Pure: plain JSON in, models out. Keys that are not known are ignored, and those that the venue
leaves out where they do not apply may be absent. What a word or a figure means is said elsewhere.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import Field, TypeAdapter

from agent_where.venues._answers import Figure, Part, Text

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_MS: Final = 253_402_300_799_999
"""The end of the year 9999, which is the end of Python's calendar."""

_NOT_PLAIN: Final = re.compile(r"[^ -~]")
_MOST_WORDS: Final = 300

Milliseconds = Annotated[int, Field(ge=0, le=_LAST_MS)]
"""Since 1970."""
Whole = Annotated[int, Field(ge=0, lt=2**63)]
"""An id, or a count."""
Above = Annotated[Figure, Field(gt=0)]


def time_of(milliseconds: int) -> datetime:
    """The venue's time as aware UTC, exactly."""
    return _EPOCH + timedelta(milliseconds=milliseconds)


def milliseconds_of(at: datetime) -> int:
    """An aware time as the venue writes it, rounded down."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def plain(words: str) -> str:
    """The venue's words as they can be stored: printable ASCII, and not too many."""
    return _NOT_PLAIN.sub("?", words[:_MOST_WORDS])


class Level(Part):
    """One price of a book, in USD for one of the coin."""

    price: Above = Field(alias="px")
    size: Above = Field(alias="sz")


class Book(Part):
    """Both sides of a book, best price first: bids, then asks."""

    coin: str
    time: Milliseconds
    levels: tuple[list[Level], list[Level]]


class Leverage(Part):
    """How an account trades one coin."""

    type: Literal["cross", "isolated"]
    value: Annotated[int, Field(ge=1, le=1000)]

    @property
    def is_cross(self) -> bool:
        return self.type == "cross"


class Held(Part):
    """One coin's position. `size` is below zero where it is short."""

    coin: Text
    size: Figure = Field(alias="szi")
    leverage: Leverage
    entry_price: Figure | None = Field(default=None, alias="entryPx")
    liquidation_price: Figure | None = Field(default=None, alias="liquidationPx")


class _Listed(Part):
    position: Held


class Clearinghouse(Part):
    """An account's perpetuals on the main dex."""

    withdrawable: Figure
    time: Milliseconds
    listed: list[_Listed] = Field(alias="assetPositions")

    def held(self) -> tuple[Held, ...]:
        """All open positions."""
        return tuple(each.position for each in self.listed if each.position.size)

    def of(self, coin: str) -> Held | None:
        """The position in a coin, where there is one."""
        return next((each for each in self.held() if each.coin == coin), None)


class Balance(Part):
    """A balance of the spot side; `hold` is bound by orders and positions."""

    token: Whole
    total: Figure
    hold: Figure


class Spot(Part):
    """An account's spot balances."""

    balances: list[Balance]


class Fees(Part):
    """An account's rates, as fractions of the notional."""

    taker: Figure = Field(alias="userCrossRate")
    maker: Figure = Field(alias="userAddRate")
    referral_discount: Annotated[Figure, Field(ge=0, le=1)] = Field(
        default=Decimal(0), alias="activeReferralDiscount"
    )


class ActiveAsset(Part):
    """What an account has set for a coin, with or without a position in it."""

    leverage: Leverage


class Placed(Part):
    """An order as it was placed, and how much of it is left."""

    coin: str
    order_id: Whole = Field(alias="oid")
    placed: Milliseconds = Field(alias="timestamp")
    size: Figure = Field(alias="origSz")
    left: Figure = Field(alias="sz")


class Known(Part):
    """An order that the venue knows. `status` is the venue's word, `since` when it became so."""

    order: Placed
    status: Text
    since: Milliseconds = Field(alias="statusTimestamp")


class LookedUp(Part):
    """The answer to `orderStatus`."""

    status: Literal["order", "unknownOid"]
    order: Known | None = None


class Liquidation(Part):
    """Whose position a forced trade closed."""

    user: str = Field(alias="liquidatedUser")


class FillRow(Part):
    """One trade of one account. `start` is its position before, below zero where short."""

    coin: Text
    price: Above = Field(alias="px")
    size: Above = Field(alias="sz")
    side: Literal["A", "B"]
    time: Milliseconds
    start: Figure = Field(alias="startPosition")
    direction: str = Field(default="", alias="dir")
    closed_pnl: Figure = Field(default=Decimal(0), alias="closedPnl")
    order_id: Whole = Field(alias="oid")
    trade_id: Whole = Field(alias="tid")
    fee: Figure
    fee_token: str = Field(default="USDC", alias="feeToken")
    client_id: str | None = Field(default=None, alias="cloid")
    liquidation: Liquidation | None = None

    @property
    def end(self) -> Decimal:
        """The position after it."""
        return self.start + (self.size if self.side == "B" else -self.size)

    def is_of(self, order_id: int | None, client_id: str) -> bool:
        """Whether it is an execution of this order; the client id is not always told."""
        return self.order_id == order_id or self.client_id == client_id


class Agent(Part):
    """A key that may trade for an account."""

    address: str
    until: Milliseconds = Field(alias="validUntil")


class Asset(Part):
    """An entry of the universe; what does not apply is left out."""

    name: str
    only_isolated: bool | None = Field(default=None, alias="onlyIsolated")
    margin_mode: str | None = Field(default=None, alias="marginMode")

    @property
    def is_isolated_only(self) -> bool:
        """Whether each position has to have a margin of its own."""
        return bool(self.only_isolated) or self.margin_mode in {"strictIsolated", "noCross"}


class Universe(Part):
    """All markets of the main dex, in the order of their ids."""

    universe: list[Asset]


BOOK: Final = TypeAdapter(Book)
CLEARINGHOUSE: Final = TypeAdapter(Clearinghouse)
SPOT: Final = TypeAdapter(Spot)
FEES: Final = TypeAdapter(Fees)
ACTIVE_ASSET: Final = TypeAdapter(ActiveAsset)
LOOKED_UP: Final = TypeAdapter(LookedUp)
FILL_ROWS: Final = TypeAdapter(list[FillRow])
AGENTS: Final = TypeAdapter(list[Agent])
UNIVERSE: Final = TypeAdapter(Universe)
ABSTRACTION: Final = TypeAdapter(str)
