"""What the chain says before an order is built, each in one trip with the signer's purse."""

from dataclasses import dataclass

from agent_where.domain import Side
from agent_where.venues._evm.chain import Chain, Purse, View
from agent_where.venues.ostium import contracts as on
from agent_where.venues.ostium.contracts import Trade
from agent_where.venues.ostium.places import Places
from agent_where.venues.ostium.units import PositionRef

_MOST_INTEREST = 2
"""Where the pair's limit lies, beside the interest of its long and its short side."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Whether the venue works, and whether our key may trade. USDC in units."""

    is_paused: bool
    is_done: bool
    delegate: str
    balance: int
    allowance: int
    oracle_fee: int

    @property
    def usable(self) -> int:
        """The USDC that the venue could take."""
        return min(self.balance, self.allowance)


@dataclass(frozen=True, slots=True)
class EntryFacts:
    """What an entry hangs on. Interest is in units of the base, its limit in units of USDC."""

    standing: Standing
    is_listed: bool
    min_notional: int
    max_collateral: int
    interest: int
    max_interest: int


@dataclass(frozen=True, slots=True)
class Open:
    """A trade as it is open. `size` is in units of the base."""

    trade_id: int
    size: int
    trade: Trade


@dataclass(frozen=True, slots=True)
class CloseFacts:
    """What a close hangs on. `held` is what now is at the position's place."""

    standing: Standing
    held: Open


def for_entry(
    chain: Chain, places: Places, *, trader: str, signer: str, pair: int, side: Side
) -> tuple[Purse, EntryFacts]:
    """Read for an entry. Raises VenueUnavailable."""
    direction = 0 if side is Side.LONG else 1
    views = [
        *_standing_views(places, trader, pair),
        View(places.pairs, on.IS_LISTED, (pair,)),
        View(places.pairs, on.MIN_NOTIONAL, (pair,)),
        View(places.trading, on.MAX_COLLATERAL),
        View(places.storage, on.OPEN_INTEREST, (pair, direction)),
        View(places.storage, on.OPEN_INTEREST, (pair, _MOST_INTEREST)),
    ]
    purse, told = chain.views_with_purse(signer, *views)
    *standing, listed, least, most, interest, limit = (value for (value,) in told)
    return purse, EntryFacts(
        standing=_standing(*standing),
        is_listed=listed,
        min_notional=least,
        max_collateral=most,
        interest=interest,
        max_interest=limit,
    )


def for_close(
    chain: Chain, places: Places, *, trader: str, signer: str, ref: PositionRef
) -> tuple[Purse, CloseFacts]:
    """Read for a close. Raises VenueUnavailable."""
    views = [*_standing_views(places, trader, ref.pair), *open_views(places, trader, ref)]
    purse, told = chain.views_with_purse(signer, *views)
    *standing, trade, info = (value for (value,) in told)
    return purse, CloseFacts(standing=_standing(*standing), held=opened(trade, info))


def open_views(places: Places, trader: str, ref: PositionRef) -> tuple[View, View]:
    """The questions that `opened` takes the answers of."""
    where = (trader, ref.pair, ref.slot)
    return (
        View(places.storage, on.OPEN_TRADE_OF, where),
        View(places.storage, on.OPEN_TRADE_INFO, where),
    )


def opened(trade: tuple[object, ...], info: tuple[int, ...]) -> Open:
    """What is open at a place; of size zero where nothing is."""
    told = Trade(*trade)  # type: ignore[arg-type]  # eth-abi decoded it by this very tuple
    trade_id, size, *_ = info
    return Open(trade_id=trade_id, size=size if told.leverage else 0, trade=told)


def _standing_views(places: Places, trader: str, pair: int) -> tuple[View, ...]:
    return (
        View(places.trading, on.IS_PAUSED),
        View(places.trading, on.IS_DONE),
        View(places.callbacks, on.IS_PAUSED),
        View(places.callbacks, on.IS_DONE),
        View(places.trading, on.DELEGATIONS, (trader,)),
        View(places.usdc, on.BALANCE_OF, (trader,)),
        View(places.usdc, on.ALLOWANCE, (trader, places.storage)),
        View(places.pairs, on.ORACLE_FEE, (pair,)),
    )


def _standing(
    trading_paused: bool,  # noqa: FBT001 in the order of the questions
    trading_done: bool,  # noqa: FBT001
    callbacks_paused: bool,  # noqa: FBT001
    callbacks_done: bool,  # noqa: FBT001
    delegate: str,
    balance: int,
    allowance: int,
    oracle_fee: int,
) -> Standing:
    return Standing(
        is_paused=trading_paused or callbacks_paused,
        is_done=trading_done or callbacks_done,
        delegate=delegate,
        balance=balance,
        allowance=allowance,
        oracle_fee=oracle_fee,
    )
