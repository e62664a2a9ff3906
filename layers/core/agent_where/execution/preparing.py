"""From a PLANNED order to the sized order, with what it was sized on."""

from datetime import datetime
from decimal import Decimal

from agent_where.domain import ZERO, Market, Model, Order, Purpose, Quote, Refusal, SignalAction
from agent_where.execution.sizing import (
    Limits,
    Sized,
    bounds_at,
    lowest_bound,
    size_entry,
    size_exit,
)
from agent_where.routing.checks import Refused
from agent_where.store.records import OrderFile
from agent_where.venues.base import BOUND_MAY_SLIP, Venue


class Ready(Model):
    """A sized order, and the market and quote that it was sized on."""

    order: Order
    market: Market
    quote: Quote


def prepare(
    file: OrderFile, venue: Venue, ceiling_usd: Decimal | None, now: datetime
) -> Ready | Refused:
    """Read the venue and size the order.

    Args:
        ceiling_usd: the most notional that any entry may have, in USD; None: no ceiling.
        now: by the database's clock.

    Raises:
        VenueUnavailable: the venue could not be read.
    """
    market = file.book.at(file.order.venue)
    if market is None:
        return Refused(code=Refusal.NOT_LISTED, detail=f"{file.order.token_symbol} is not listed")
    quote = venue.quote(market, now)
    sized = _size(file, venue, market, quote, ceiling_usd)
    if isinstance(sized, Refused):
        return sized
    order = file.order.model_copy(
        update={
            "collateral_usd": sized.collateral_usd,
            "size": sized.size,
            "limit_price": sized.limit_price,
            "detail": sized.note or file.order.detail,
            **(_bounds(file, quote) if venue.takes_bounds else {}),
        }
    )
    return Ready(order=order, market=market, quote=quote)


def _bounds(file: OrderFile, quote: Quote) -> dict[str, Decimal | None]:
    """What goes with an entry, at the prices that follow from the one it is about to take."""
    side = file.order.side
    if file.order.purpose is not Purpose.ENTRY:
        return {}
    stop_loss, take_profit = bounds_at(quote.price_for(side), side, file.signal.risk)
    return {"stop_loss": stop_loss, "take_profit": take_profit}


def _size(
    file: OrderFile, venue: Venue, market: Market, quote: Quote, ceiling_usd: Decimal | None
) -> Sized | Refused:
    order, signal = file.order, file.signal
    if order.purpose is not Purpose.ENTRY:
        return size_exit(file.open_qty or ZERO, order.side, _may_slip(file), market, quote)
    if signal.size is None:
        return Refused(code=Refusal.BAD_SIGNAL, detail="the signal says no size")
    return size_entry(
        signal.size,
        order.side,
        signal.risk.max_slippage,
        market,
        quote,
        venue.account(order).free_collateral_usd,
        Limits(max_notional_usd=file.max_notional_usd, of_any_order_usd=ceiling_usd),
        lowest_bound(order.side, signal.risk, BOUND_MAY_SLIP),
    )


def _may_slip(file: OrderFile) -> Decimal:
    """What a CLOSE signal says; a close that stands in for a bound may slip as the bound might."""
    said = file.signal.risk.max_slippage
    stands_in = file.order.purpose is Purpose.CLOSE and file.signal.action is SignalAction.OPEN
    return max(said, BOUND_MAY_SLIP) if stands_in else said
