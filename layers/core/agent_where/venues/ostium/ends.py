"""How an order ended, from the log that ended it."""

import logging
from datetime import UTC, datetime
from decimal import Decimal

from agent_where.domain import ZERO, Fill, Order, OrderStatus, Settled
from agent_where.venues._answers import malformed
from agent_where.venues._evm.abi import Undecodable
from agent_where.venues._evm.chain import Chain, View
from agent_where.venues._evm.shapes import Log, Receipt
from agent_where.venues._evm.transaction import parsed
from agent_where.venues.base import Action
from agent_where.venues.ostium import contracts as on
from agent_where.venues.ostium import events, units
from agent_where.venues.ostium.closing import Closing
from agent_where.venues.ostium.contracts import Trade
from agent_where.venues.ostium.markets import VENUE
from agent_where.venues.ostium.places import Places
from agent_where.venues.ostium.refusals import TIMED_OUT, cancelled
from agent_where.venues.ostium.units import PositionRef

logger = logging.getLogger(__name__)


class Ends:
    """Reads ends. Whether a log is deep enough to be one is asked before."""

    def __init__(self, chain: Chain) -> None:
        self._chain = chain
        self._closing = Closing(chain)

    def settled(
        self, order: Order, sent: Action, placing: Receipt, log: Log, places: Places
    ) -> Settled:
        """The end.

        Args:
            sent: the order's own transaction.
            placing: its receipt.
            log: one of those that `events.ends_of` finds.

        Raises:
            VenueUnavailable: it could not be read.
        """
        event = events.event_of(log)
        if event is on.OPEN_EXECUTED:
            return self._opened(sent, log)
        if event is on.CLOSE_EXECUTED:
            return self._closed(order, placing, log, places)
        fee = self._fee(placing, log, places)
        if event in (on.OPEN_TIMED_OUT, on.CLOSE_TIMED_OUT):
            code, detail = TIMED_OUT, "no keeper answered in time, and it was taken back"
        else:
            code, detail = cancelled(int(events.fields_of(log)["cancelReason"]))
        return Settled(
            status=OrderStatus.REJECTED, code=code, detail=detail, fee_usd=max(fee, ZERO)
        )

    def _opened(self, sent: Action, log: Log) -> Settled:
        fields = events.fields_of(log)
        trade, order_id = Trade(*fields["t"]), int(fields["orderId"])
        block = self._chain.block(log.block)
        fill = Fill(
            venue_fill_id=str(order_id),
            size=units.size_of(fields["tradeNotional"]),
            price=units.price_of(trade.open_price),
            fee_usd=units.usd_of(staked(sent) - trade.collateral),
            at=datetime.fromtimestamp(block.seconds, UTC),
        )
        return Settled(
            status=OrderStatus.FILLED,
            fills=(fill,),
            position_ref=str(PositionRef(trade.pair, trade.slot, order_id)),
            stop_loss=units.bound_of(trade.stop_loss),
            take_profit=units.bound_of(trade.take_profit),
        )

    def _closed(self, order: Order, placing: Receipt, log: Log, places: Places) -> Settled:
        ref = PositionRef.parsed(order.position_ref or "")
        fill = self._closing.fill(log, places, order.account.lower(), ref, order.size or ZERO)
        kept = self._fee(placing, log, places)
        fill = fill.model_copy(update={"fee_usd": fill.fee_usd + kept})
        return Settled(status=OrderStatus.FILLED, fills=(fill,))

    def _fee(self, placing: Receipt, log: Log, places: Places) -> Decimal:
        """What the oracle kept, in USD.

        A cancelled opening is charged what the venue asks for now where no log tells of it.
        """
        fields = events.fields_of(log)
        ids = [int(fields["orderId"]), *([int(fields["tradeId"])] if "tradeId" in fields else [])]
        ending, _ = self._chain.mined(log.tx_hash, log.block)
        kept = events.oracle_fee(ids, placing, ending)
        if kept is None and events.event_of(log) is on.OPEN_CANCELED:
            pair = int(fields["pairIndex"])
            ((kept,),) = self._chain.views(View(places.pairs, on.ORACLE_FEE, (pair,)))
        return units.usd_of(kept or 0)  # below zero where more came back than was taken


def staked(sent: Action) -> int:
    """What an entry's stored transaction staked, in units of USDC. Raises VenueUnavailable."""
    try:
        _, call = on.DELEGATED.arguments(parsed(sent.payload).data)
        trade, *_ = on.OPEN_TRADE.arguments(call)
    except (Undecodable, ValueError) as fault:
        raise malformed(VENUE, f"the stored bytes of an entry open nothing: {fault}") from fault
    return Trade(*trade).collateral
