"""What to send for an order: pure, from the order, its market and what the account has there.

Sizes are rounded down, and prices so that nobody trades at a worse one than was asked. What cannot
be said, or what the venue would refuse in any case, is VenueRejected before a byte is signed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import ROUND_CEILING, Decimal
from types import MappingProxyType
from typing import ClassVar, Final

from agent_where.domain import ZERO, Market, Order, Purpose, Quote, Refusal
from agent_where.errors import SignerUnavailable, VenueRejected
from agent_where.venues.base import BOUND_MAY_SLIP, Action, ActionKind, Stamp
from agent_where.venues.hyperliquid import grid, units, wire
from agent_where.venues.hyperliquid.answers import Leverage, milliseconds_of, time_of
from agent_where.venues.hyperliquid.ids import client_order_id
from agent_where.venues.hyperliquid.markets import VENUE
from agent_where.venues.hyperliquid.signing import Network, Request, signed_body

EXPIRES_AFTER: Final = timedelta(seconds=8)
"""How long an order may be on its way."""
TOO_LARGE: Final = "ORDER_TOO_LARGE"

_EXITS: Final[Mapping[Purpose, wire.Exit]] = MappingProxyType(
    {
        Purpose.TAKE_PROFIT: wire.Exit.TAKE_PROFIT,
        Purpose.STOP_LOSS: wire.Exit.STOP_LOSS,
    }
)


@dataclass(frozen=True, slots=True)
class Unsent:
    """An action before it is signed.

    Args:
        lasts: how long the venue may take it; None: for ever.
        nonce: the one it has to carry; None: a new one.
        signer_address: who alone may sign it; None: whoever signs for the account today.
    """

    kind: ActionKind
    action: wire.WireAction
    network: Network
    lasts: timedelta | None = None
    nonce: int | None = None
    signer_address: str | None = None
    sequence: ClassVar[None] = None

    def sealed(self, stamp: Stamp) -> Action:
        """The exact bytes, signed.

        Raises:
            SignerUnavailable: there is no signature now, or the key is not the one it takes.
        """
        signer_address = stamp.signer.address
        if self.signer_address not in (None, signer_address):
            raise SignerUnavailable(
                f"{VENUE}: only {self.signer_address} can sign this {self.kind}, "
                f"and {signer_address} is the account's key now"
            )
        nonce = stamp.nonce if self.nonce is None else self.nonce
        until = None if self.lasts is None else milliseconds_of(stamp.now + self.lasts)
        request = Request(self.action, nonce, expires_after=until)
        return Action(
            kind=self.kind,
            payload=signed_body(request, self.network, stamp.signer),
            expires_at=None if until is None else time_of(until),
            nonce=nonce,
            signer_address=signer_address,
        )


def asset_of(market: Market) -> int:
    """The market's id. Raises VenueRejected where it has none."""
    if market.index is None:
        raise _refused(Refusal.NOT_LISTED, f"{market.name} has no index")
    return market.index


def leverage_wanted(order: Order, market: Market) -> int:
    """The order's leverage as the venue takes it: whole, rounded up.

    Raises:
        VenueRejected: it is over the market's.
    """
    whole = int(order.leverage.to_integral_value(ROUND_CEILING))
    if whole > market.max_leverage:
        detail = f"leverage {whole} is over the {market.max_leverage:f} of market {market.name}"
        raise _refused(Refusal.ABOVE_MAX_LEVERAGE, detail)
    return whole


def leverage_change(
    market: Market, wanted: int, current: Leverage, *, isolated: bool
) -> wire.WireAction:
    """Set the account's leverage in the market.

    Args:
        isolated: the market takes nothing else; otherwise the account keeps what it has.
    """
    is_cross = current.is_cross and not isolated
    return wire.update_leverage(asset_of(market), wanted, is_cross=is_cross)


def entry(order: Order, market: Market, quote: Quote, held: Decimal) -> wire.WireAction:
    """Open, or add to, a position.

    Args:
        held: the account's position in the venue's unit, below zero where short.

    Raises:
        VenueRejected: it is too small, too large, or against what is held.
    """
    if held * order.side.sign < 0:
        detail = f"the account holds {held:f} {units.coin_of(market.name)}, which this would close"
        raise _refused(Refusal.OPPOSITE_POSITION, detail)
    decimals = units.size_decimals(market)
    size = grid.size_within(_told(order.size) / market.multiplier, decimals)
    limit = _limit(order, market)
    _refuse_small(size, limit, market)
    _refuse_large(size, max(limit, _taken(order, quote, market)), market)
    return _said(order, market, size, limit, reduce_only=False)


def close(order: Order, market: Market, quote: Quote, held: Decimal) -> wire.WireAction:
    """Close at once: at most what is open, and at most what one order may be worth.

    Arguments and errors as `entry`.
    """
    limit = _limit(order, market)
    most = grid.largest_order_usd(market.max_leverage) / max(limit, _taken(order, quote, market))
    size = _closable(order, market, held, most)
    if size < abs(held):  # what closes a whole position may be worth less than the minimum
        _refuse_small(size, limit, market)
    return _said(order, market, size, limit, reduce_only=True)


def trigger(order: Order, market: Market, held: Decimal) -> wire.WireAction:
    """Close when the mark price reaches the order's trigger. Arguments and errors as `entry`.

    Whoever holds less than it is to guard is told so too late, or has closed some by hand: it is
    refused as NOTHING_TO_CLOSE, since what rests for less would leave the rest without a stop.
    """
    size = _closable(order, market, held)
    if size < grid.size_within(_told(order.size) / market.multiplier, units.size_decimals(market)):
        detail = f"the account holds {held:f} {units.coin_of(market.name)}, less than it guards"
        raise _refused(Refusal.NOTHING_TO_CLOSE, detail)
    decimals = units.size_decimals(market)
    leg = _EXITS[order.purpose]
    asked = _told(order.trigger_price) * market.multiplier
    price = grid.trigger_bound(
        asked, order.side.opposite, decimals, gains=leg is wire.Exit.TAKE_PROFIT
    )
    worst = price * (1 + order.side.sign * BOUND_MAY_SLIP)
    limit = grid.price_bound(worst, order.side, decimals)
    if price <= 0 or limit <= 0:
        raise _refused(Refusal.NO_PRICE, f"{asked:f} is under the grid's first step")
    if size < abs(held):
        _refuse_small(size, limit, market)
    _refuse_large(size, limit, market)
    waits = wire.Trigger(price=price, exit=leg)
    return _said(order, market, size, limit, reduce_only=True, kind=waits)


def _closable(order: Order, market: Market, held: Decimal, most: Decimal | None = None) -> Decimal:
    """How much of the order there is to close, in the venue's unit; `most` bounds it too."""
    coin = units.coin_of(market.name)
    if held * order.side.sign >= 0:
        detail = f"the account holds {held:f} {coin}, of which a {order.side} closes nothing"
        raise _refused(Refusal.NOTHING_TO_CLOSE, detail)
    wanted = min(_told(order.size) / market.multiplier, abs(held), most or abs(held))
    size = grid.size_within(wanted, units.size_decimals(market))
    if size <= 0:
        raise _refused(Refusal.DUST, f"{wanted:f} {coin} is under the step of market {market.name}")
    return size


def _limit(order: Order, market: Market) -> Decimal:
    asked = _told(order.limit_price) * market.multiplier
    limit = grid.price_bound(asked, order.side, units.size_decimals(market))
    if limit <= 0:
        raise _refused(Refusal.NO_PRICE, f"{asked:f} is under the grid's first step")
    return limit


def _taken(order: Order, quote: Quote, market: Market) -> Decimal:
    """The price that the order would take now, in the venue's unit."""
    return quote.price_for(order.side) * market.multiplier


def _said(
    order: Order,
    market: Market,
    size: Decimal,
    limit: Decimal,
    *,
    reduce_only: bool,
    kind: wire.TimeInForce | wire.Trigger = wire.TimeInForce.IOC,
) -> wire.WireAction:
    return wire.order(
        wire.OrderTerms(
            asset=asset_of(market),
            is_buy=order.side.sign > 0,
            limit_price=limit,
            size=size,
            reduce_only=reduce_only,
            kind=kind,
            client_id=client_order_id(order.id),
        )
    )


def _refuse_small(size: Decimal, limit: Decimal, market: Market) -> None:
    if size <= 0 or grid.is_under_minimum(size, limit):
        detail = (
            f"{size:f} at the limit {limit:f} is under the {grid.MIN_NOTIONAL_USD:f} USD "
            f"of market {market.name}"
        )
        raise _refused(Refusal.BELOW_MIN_POSITION, detail)


def _refuse_large(size: Decimal, price: Decimal, market: Market) -> None:
    most = grid.largest_order_usd(market.max_leverage)
    if size * price > most:
        detail = f"{size:f} at {price:f} is over the {most:f} USD of one order in {market.name}"
        raise _refused(TOO_LARGE, detail)


def _told(figure: Decimal | None) -> Decimal:
    """A figure that sizing has filled in."""
    if figure is None or figure <= ZERO:
        raise _refused(Refusal.BAD_SIGNAL, "the order was not sized")
    return figure


def _refused(code: str, detail: str) -> VenueRejected:
    return VenueRejected(VENUE, detail, code=code)
