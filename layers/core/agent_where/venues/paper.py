"""Trading on paper: a venue's real markets and prices, fills that are only written down.

The outcome of a paper order is a pure function of its stored bytes, so that sending and settling
say the same however often they are asked: a crash between the two changes nothing.
"""

import json
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import ROUND_UP, Decimal

from agent_where.domain import (
    BPS,
    Account,
    Fill,
    Market,
    Order,
    OrderStatus,
    Quote,
    Refusal,
    Settled,
    Side,
    VenueId,
)
from agent_where.errors import OutcomeUnknown, VenueRejected, VenueUnavailable
from agent_where.rounding import on_grid
from agent_where.venues.base import Action, ActionKind

_MICRO_USD = Decimal("0.000001")

FreeCollateral = Callable[[str, VenueId], Decimal]
"""What an account has free at a venue on paper, in USD."""


class PaperVenue:
    """A venue on paper.

    Args:
        venue: whose markets it trades.
        free_collateral: read from the ledger.
        clock: aware UTC; when fills happen.
        slippage_bps: how much worse than the synced price every order fills, in bps.
        depth_usd: the most notional one order can take; the rest of it is cancelled.
    """

    takes_bounds = False

    def __init__(
        self,
        venue: VenueId,
        free_collateral: FreeCollateral,
        clock: Callable[[], datetime],
        *,
        slippage_bps: Decimal,
        depth_usd: Decimal,
    ) -> None:
        self.id = venue
        self._free_collateral = free_collateral
        self._clock = clock
        self._slippage = slippage_bps / BPS
        self._depth_usd = depth_usd

    def quote(self, market: Market, now: datetime) -> Quote:  # noqa: ARG002 (a sync's age is the gate's)
        """The synced price, moved by the slippage to either side."""
        if market.price_usd is None or market.last_synced is None:
            raise VenueUnavailable(self.id, f"{market.name} has no synced price")
        return Quote(
            bid=market.price_usd * (1 - self._slippage),
            ask=market.price_usd * (1 + self._slippage),
            at=market.last_synced,
        )

    def account(self, order: Order) -> Account:
        """The starting balance and what the ledger made of it."""
        return Account(free_collateral_usd=self._free_collateral(order.account, self.id))

    def next_action(self, order: Order, market: Market, quote: Quote) -> Action:
        """Everything its outcome depends on."""
        price = quote.price_for(order.side)
        terms = {
            "order": str(order.id),
            "side": order.side,
            "size": _text(order.size),
            "limitPrice": _text(order.limit_price),
            "price": _text(price),
            "fillable": _text(on_grid(self._depth_usd / price, market.size_step)),
            "takerFeeBps": _text(market.taker_fee_bps),
            "orderFeeUsd": _text(market.order_fee_usd),
            "at": self._clock().isoformat(),
        }
        return Action(kind=ActionKind.ORDER, payload=json.dumps(terms).encode())

    def send(self, order: Order, action: Action) -> Settled | None:
        """Fill it, wholly or in part, or refuse it."""
        terms = json.loads(action.payload)
        size, price = Decimal(terms["size"]), Decimal(terms["price"])
        limit, side = Decimal(terms["limitPrice"]), Side(terms["side"])
        if (price - limit) * side.sign > 0:
            detail = f"no {side} at {price:f} or better than the limit {limit:f}"
            raise VenueRejected(self.id, detail, code=Refusal.VENUE_REFUSED)
        filled = min(size, Decimal(terms["fillable"]))
        if filled <= 0:
            raise VenueRejected(self.id, "no depth at all", code=Refusal.VENUE_REFUSED)
        fee = filled * price * Decimal(terms["takerFeeBps"]) / BPS + Decimal(terms["orderFeeUsd"])
        fill = Fill(
            venue_fill_id=f"paper-{order.id}",
            size=filled,
            price=price,
            fee_usd=fee.quantize(_MICRO_USD, ROUND_UP),
            at=datetime.fromisoformat(terms["at"]),
        )
        partly = f"filled {filled:f} of {size:f}, the rest cancelled" if filled < size else ""
        return Settled(status=OrderStatus.FILLED, fills=(fill,), detail=partly)

    def cancel(self, order: Order, actions: Sequence[Action]) -> None:
        """Nothing rests on paper."""

    def settle(self, order: Order, actions: Sequence[Action]) -> Settled | None:
        """What sending it said, or would have said."""
        stored = [action for action in actions if action.kind is ActionKind.ORDER]
        if not stored:
            raise OutcomeUnknown(self.id, f"order {order.id} was sent without stored bytes")
        try:
            return self.send(order, stored[0])
        except VenueRejected as error:
            return Settled(status=OrderStatus.REJECTED, code=error.code, detail=error.detail)


def _text(number: Decimal | None) -> str:
    return format(number or Decimal(0), "f")
