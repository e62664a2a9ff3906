"""What an account's trades at a venue mean for the ledger's positions. Pure.

A venue that nets knows one position per account and market; the ledger knows whose parts it is made
of. Where the venue holds less, the trades that nothing in the ledger accounts for are what closed
the rest: the oldest position first. Where they do not explain the difference, nothing is guessed.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from uuid import UUID

from agent_where.domain import ZERO, Model, Order, OrderStatus, Purpose, Side
from agent_where.ids import is_order_name
from agent_where.store.books import (
    Claim,
    ClosedBy,
    Closure,
    HeldMarket,
    HeldPosition,
    LateFill,
)
from agent_where.venues.base import AccountFill, Cause

_BY_CAUSE: Mapping[Cause, tuple[ClosedBy, str]] = MappingProxyType(
    {
        Cause.ORDER: (ClosedBy.USER, "USER"),
        Cause.LIQUIDATION: (ClosedBy.LIQUIDATION, "LIQUIDATION"),
        Cause.DELEVERAGING: (ClosedBy.VENUE, "DELEVERAGING"),
        Cause.SETTLEMENT: (ClosedBy.VENUE, "SETTLEMENT"),
        Cause.STOP_LOSS: (ClosedBy.TRIGGER, "STOP_LOSS"),
        Cause.TAKE_PROFIT: (ClosedBy.TRIGGER, "TAKE_PROFIT"),
    }
)
_FORGOTTEN = (ClosedBy.SIGNAL, "FORGOTTEN")
"""An order of ours that a restored database knows no more: a CLOSE, or a bound."""


def closed_by(cause: Cause, order: Order | None) -> tuple[ClosedBy, str]:
    """Who closed something, and why. `order`: of ours, if it is one's."""
    if order is None:
        return _BY_CAUSE[cause]
    is_close = order.purpose is Purpose.CLOSE
    return ClosedBy.SIGNAL if is_close else ClosedBy.TRIGGER, order.purpose


class Trade(Model):
    """A trade of the account, and what the ledger knows of it."""

    told: AccountFill
    claim: Claim | None = None

    @property
    def order(self) -> Order | None:
        """Ours, if it is one's."""
        return self.claim.order if self.claim else None

    @property
    def signed_size(self) -> Decimal:
        """What it added to the account's net position, in base units."""
        return self.told.fill.size * self.told.side.sign

    @property
    def unaccounted(self) -> Decimal:
        """How much of it no position of the ledger shows, in base units."""
        size = self.told.fill.size
        return size - self.claim.counted - self.claim.booked if self.claim else size

    def closes(self, side: Side) -> Decimal:
        """How much of a net position of `side` it took unaccounted; below zero where it added."""
        return -self.unaccounted * self.told.side.sign * side.sign

    @property
    def is_late(self) -> bool:
        """Whether it is of an order that had ended as if nothing of it had been executed."""
        if self.claim is None or self.claim.stored or self.claim.order is None:
            return False
        return self.claim.order.status in (OrderStatus.REJECTED, OrderStatus.EXPIRED)

    @property
    def by(self) -> tuple[ClosedBy, str]:
        """Who closed what it closed, and why."""
        if self.order is None and is_order_name(self.told.client_order_id):
            return _FORGOTTEN
        return closed_by(self.told.cause, self.order)


class Verdict(Model):
    """What there is to do about one market. None of it: what can be known is as it should be.

    Args:
        waits: too early to say; nothing is done now.
        under_way: orders of ours that were executed and have not ended: they settle themselves.
        late: to be stored, after which the market is judged anew.
        closures: to be booked.
        fault: why the difference has no explanation; empty: it has.
    """

    waits: bool = False
    under_way: tuple[Order, ...] = ()
    late: tuple[LateFill, ...] = ()
    closures: tuple[Closure, ...] = ()
    fault: str = ""


def agrees(market: HeldMarket, held: Decimal) -> bool:
    """Whether the venue holds what the ledger says, but for less than the least size.

    Both sides at once are nothing that a venue that nets can hold, whatever they come to.
    """
    if len({position.side for position in market.positions}) > 1:
        return False
    gap = abs(held - _net(market))
    return gap == 0 or (market.size_step is not None and gap < market.size_step)


def judge(
    market: HeldMarket, held: Decimal, trades: Sequence[Trade], now: datetime, lag: timedelta
) -> Verdict:
    """What to do about a market where ledger and venue differ, or an order's end is in doubt.

    Args:
        held: the venue's net position, in base units, below zero where short.
        trades: the market's, oldest first, from before the difference can have arisen.
        lag: how far the venue's answers may be behind.
    """
    orders = {trade.order.id: trade.order for trade in trades if trade.order}
    under_way = tuple(order for order in orders.values() if not order.status.is_end)
    if under_way or (trades and now - trades[-1].told.fill.at < lag):
        return Verdict(waits=True, under_way=under_way)
    late = [trade for trade in trades if trade.is_late]
    if not late and (not market.positions or agrees(market, held)):
        return Verdict()
    if not _lead_to(held, trades):
        return Verdict(fault="the trades that it tells do not lead there")
    if late:
        return Verdict(late=tuple(_late_fill(trade) for trade in late))
    return _explained(market, held, trades)


def _explained(market: HeldMarket, held: Decimal, trades: Sequence[Trade]) -> Verdict:
    astray = next((t.order for t in trades if t.order and t.claim and not t.claim.stored), None)
    if astray is not None:
        return Verdict(fault=f"order {astray.id} is FILLED and was executed once more")
    sides = {position.side for position in market.positions}
    if len(sides) > 1:
        return Verdict(fault="the ledger has both sides open")
    (side,) = sides
    lacking = (_net(market) - held) * side.sign
    if lacking < 0:
        return Verdict(fault="it holds more")
    closing = _closing(trades, side, lacking, market.size_step or ZERO)
    if closing is None:
        return Verdict(fault="no trades explain it")
    return Verdict(closures=tuple(_shared(closing, market.positions)))


def _net(market: HeldMarket) -> Decimal:
    return sum((each.open_qty * each.side.sign for each in market.positions), ZERO)


def _lead_to(held: Decimal, trades: Sequence[Trade]) -> bool:
    """Whether the trades are all there are: from the position that the first met to this one.

    Several at the same moment may be told in any order, so any of them may have been the first.
    """
    total = sum((trade.signed_size for trade in trades), ZERO)
    first = [t.told for t in trades if t.told.fill.at == trades[0].told.fill.at]
    return any(each.held_before + total == held for each in first)


def _late_fill(trade: Trade) -> LateFill:
    assert trade.order is not None
    return LateFill(order=trade.order, fill=trade.told.fill)


def _closing(
    trades: Sequence[Trade], side: Side, lacking: Decimal, step: Decimal
) -> list[tuple[Trade, Decimal]] | None:
    """Which trades took what is lacking, and how much of it each. None: they do not explain it.

    Goes back to the last moment at which the account held all that the ledger says, or more: what
    is lacking was closed since. What it held beyond that was the user's own, and went first.
    """
    left, first, gap = lacking, len(trades), lacking
    while gap > 0 and gap >= step:
        if first == 0:
            return None
        first -= 1
        gap -= trades[first].closes(side)
    own, taken = max(-gap, ZERO), []
    for trade in trades[first:]:
        size = max(trade.closes(side), ZERO)
        kept = min(size, own)
        part = min(size - kept, left)
        own, left = own - kept, left - part
        if part > 0:
            taken.append((trade, part))
    return taken


def _shared(
    closing: Sequence[tuple[Trade, Decimal]], positions: Sequence[HeldPosition]
) -> Iterator[Closure]:
    """Over the positions, the oldest first; an order's own position before all others.

    What there is beyond them was not the ledger's.
    """
    left = {position.id: position.open_qty for position in positions}
    for trade, size in closing:
        own = trade.order.position_id if trade.order else None
        for position in sorted(left, key=lambda id_: id_ != own):
            part = min(size, left[position])
            if part > 0:
                left[position] -= part
                size -= part  # noqa: PLW2901 what is left of it
                yield _closure(trade, position, part)


def _closure(trade: Trade, position: UUID, size: Decimal) -> Closure:
    fill, (closed_by, reason) = trade.told.fill, trade.by
    whole = size == fill.size
    return Closure(
        venue_fill_id=fill.venue_fill_id,
        position_id=position,
        size=size,
        fill_size=fill.size,
        price=fill.price,
        fee_usd=fill.fee_usd if whole else fill.fee_usd * size / fill.size,
        closed_by=closed_by,
        reason=reason,
        at=fill.at,
    )
