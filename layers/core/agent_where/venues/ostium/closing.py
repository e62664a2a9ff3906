"""The figures of a close: what was sold, at which price, and what it cost.

An event tells price and proceeds; the trade as it was in the block before tells size, entry and
collateral. A node that keeps no state of that block leaves the size as the ledger has it, and a fee
of nothing, which is logged. A whole close that differs from the ledger by rounding ends all of it.
"""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from agent_where.domain import ZERO, Fill, Side
from agent_where.venues._evm.chain import Chain
from agent_where.venues._evm.shapes import Log
from agent_where.venues.ostium import contracts as on
from agent_where.venues.ostium import events, units
from agent_where.venues.ostium.facts import Open, open_views, opened
from agent_where.venues.ostium.markets import VENUE
from agent_where.venues.ostium.places import Places
from agent_where.venues.ostium.units import FULL_CLOSE, PositionRef

logger = logging.getLogger(__name__)

ROUNDING: Final = Decimal("0.000001")
"""What of a size may be missing: shares of it are cut to whole units."""


@dataclass(frozen=True, slots=True)
class Closed:
    """A close that was carried out. `share` is in hundredths of a percent of the trade."""

    order_id: int
    trade_id: int
    share: int
    price: Decimal
    sent_usd: Decimal

    @property
    def is_whole(self) -> bool:
        """Whether nothing was left of the trade."""
        return self.share == FULL_CLOSE

    @classmethod
    def told(cls, log: Log) -> "Closed":
        """What the event of a close says. Raises VenueUnavailable."""
        fields = events.fields_of(log)
        return cls(
            order_id=int(fields["orderId"]),
            trade_id=int(fields["tradeId"]),
            share=int(fields.get("percentageClosed", FULL_CLOSE)),
            price=units.price_of(fields["price"]),
            sent_usd=units.usd_of(fields["usdcSentToTrader"]),
        )


class Closing:
    """Reads closes."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain

    def fill(self, log: Log, places: Places, trader: str, ref: PositionRef, size: Decimal) -> Fill:
        """The close that a log tells of.

        Args:
            size: what the ledger has of it, in base units, where the chain cannot say any more.

        Raises:
            VenueUnavailable: it could not be read.
        """
        closed = Closed.told(log)
        receipt, block = self._chain.mined(log.tx_hash, log.block)
        paid = closed.sent_usd
        if log.topics[0] == on.CLOSE_EXECUTED.topic:
            paid -= units.usd_of(events.liquidation_fee(closed.order_id, receipt))
            paid = max(paid, ZERO)
        sold, cost = size, ZERO
        before = self._before(log, places, trader, ref)
        if before is not None:
            sold, cost = _figures(before, closed, paid)
            if closed.is_whole and abs(sold - size) <= size * ROUNDING:
                sold = size
        return Fill(
            venue_fill_id=str(closed.order_id),
            size=sold,
            price=closed.price,
            fee_usd=cost,
            at=datetime.fromtimestamp(block.seconds, UTC),
        )

    def _before(self, log: Log, places: Places, trader: str, ref: PositionRef) -> Open | None:
        told = self._chain.past_views(log.block - 1, *open_views(places, trader, ref))
        if told is not None:
            ((trade,), (info,)) = told
            before = opened(trade, info)
            if before.trade_id == ref.trade_id and before.size:
                return before
        logger.error(
            "%s: the node does not say what trade %s was in block %d: its close is booked without "
            "funding and rollover",
            VENUE,
            ref,
            log.block - 1,
        )
        return None


_SIDES: Final = {True: Side.LONG, False: Side.SHORT}


def _figures(before: Open, closed: Closed, paid: Decimal) -> tuple[Decimal, Decimal]:
    """Size and cost of a close, from the trade as it was."""
    size = units.portion(units.size_of(before.size), closed.share)
    collateral = units.usd_of(before.trade.collateral * closed.share // FULL_CLOSE)
    entry = units.price_of(before.trade.open_price)
    side = _SIDES[before.trade.is_buy]
    return size, units.withheld(collateral, entry, closed.price, size, side, paid)
