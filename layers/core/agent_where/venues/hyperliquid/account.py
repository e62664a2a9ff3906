"""An account as the core sees it: what is free, what is open, what was traded, who may sign."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from agent_where.domain import BPS, ZERO, Account, Model, Side
from agent_where.venues import base
from agent_where.venues._answers import malformed
from agent_where.venues.base import AccountFill, Cause
from agent_where.venues.hyperliquid import answers, units
from agent_where.venues.hyperliquid.info import Info
from agent_where.venues.hyperliquid.markets import VENUE
from agent_where.venues.hyperliquid.recent import Recent
from agent_where.venues.hyperliquid.tokens import token_of

_MODE_LASTS: Final = timedelta(minutes=10)
_RATES_LAST: Final = timedelta(hours=1)
_ON_SPOT: Final = frozenset({"unifiedAccount", "portfolioMargin"})
_ON_PERPETUALS: Final = frozenset({"default", "disabled", "dexAbstraction"})

_ELSEWHERE: Final = frozenset("@/:")
"""What the coins of spot pairs and of other dexes have in their names."""


class FeeRates(Model):
    """What an account itself pays, in bps of the notional; below zero is a rebate."""

    taker_bps: Decimal
    maker_bps: Decimal


class OpenPosition(base.OpenPosition):
    """With how it is margined; prices in USD per token."""

    leverage: int
    is_cross: bool
    entry_price: Decimal | None
    liquidation_price: Decimal | None


class Accounts:
    """Reads accounts. How one keeps its collateral, and what it pays, is remembered for a while."""

    def __init__(self, info: Info, clock: Callable[[], datetime]) -> None:
        self._info = info
        self._on_spot: Recent[str, bool] = Recent(_MODE_LASTS, clock)
        self._rates: Recent[str, FeeRates] = Recent(_RATES_LAST, clock)

    def trading(self, account: str, state: answers.Clearinghouse) -> Account:
        """What is free, with `state` as the perpetuals' side. Raises VenueUnavailable."""
        on_spot = self._on_spot.get(account)
        if on_spot is None:
            on_spot = _is_on_spot(self._info.abstraction(account))
            self._on_spot.put(account, on_spot)
        free = self._info.spot_usdc(account) if on_spot else state.withdrawable
        return Account(free_collateral_usd=max(free, ZERO))

    def fee_rates(self, account: str) -> FeeRates:
        """What the account pays on the main dex. Raises VenueUnavailable."""
        rates = self._rates.get(account)
        if rates is None:
            rates = _rates(self._info.fees(account))
            self._rates.put(account, rates)
        return rates

    def positions(self, account: str) -> Sequence[OpenPosition]:
        """Everything that is open on the main dex. Raises VenueUnavailable."""
        return tuple(_position(held) for held in self._info.clearinghouse(account).held())

    def fills(self, account: str, since: datetime) -> Sequence[AccountFill]:
        """Every trade in a perpetual market from then on, oldest first.

        Raises:
            NotAllTold: the venue does not tell all of them, for good or not yet.
            VenueUnavailable: it cannot be asked.
        """
        rows = self._info.fills_since(account, answers.milliseconds_of(since))
        here = [row for row in rows if _ELSEWHERE.isdisjoint(row.coin)]
        return tuple(_fill(row, account) for row in sorted(here, key=lambda row: row.time))

    def approval(self, account: str, signer_address: str) -> datetime | None:
        """Until when a key may trade for the account. None: it may not. Raises VenueUnavailable."""
        ends = [
            answers.time_of(agent.until)
            for agent in self._info.agents(account)
            if agent.address.lower() == signer_address.lower()
        ]
        return max(ends, default=None)


def _is_on_spot(abstraction: str) -> bool:
    if abstraction not in _ON_SPOT | _ON_PERPETUALS:
        raise malformed(VENUE, f"an account of mode {abstraction[:40]!a}")
    return abstraction in _ON_SPOT


def _rates(fees: answers.Fees) -> FeeRates:
    paid = 1 - fees.referral_discount
    return FeeRates(taker_bps=fees.taker * paid * BPS, maker_bps=fees.maker * BPS)


def _position(held: answers.Held) -> OpenPosition:
    token, multiplier = token_of(held.coin)
    return OpenPosition(
        market_name=units.market_of(held.coin),
        token_symbol=token,
        side=Side.LONG if held.size > 0 else Side.SHORT,
        size=abs(held.size) * multiplier,
        leverage=held.leverage.value,
        is_cross=held.leverage.is_cross,
        entry_price=None if held.entry_price is None else held.entry_price / multiplier,
        liquidation_price=(
            None if held.liquidation_price is None else held.liquidation_price / multiplier
        ),
    )


def _fill(row: answers.FillRow, account: str) -> AccountFill:
    token, multiplier = token_of(row.coin)
    return AccountFill(
        fill=units.fill_of(row),
        market_name=units.market_of(row.coin),
        token_symbol=token,
        side=Side.LONG if row.side == "B" else Side.SHORT,
        venue_ref=str(row.order_id),
        client_order_id=None if row.client_id is None else answers.plain(row.client_id),
        held_before=row.start * multiplier,
        direction=answers.plain(row.direction),
        closed_pnl_usd=row.closed_pnl,
        cause=_cause(row, account),
    )


def _cause(row: answers.FillRow, account: str) -> Cause:
    if row.liquidation is not None and row.liquidation.user.lower() == account.lower():
        return Cause.LIQUIDATION
    if row.direction.startswith("Liquidated"):
        return Cause.LIQUIDATION
    if row.direction == "Auto-Deleveraging":
        return Cause.DELEVERAGING
    return Cause.SETTLEMENT if row.direction == "Settlement" else Cause.ORDER
