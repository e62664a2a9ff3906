"""How an order ended that was sent earlier: asked of the chain, and never guessed.

A receipt says whether the transaction is in a block and worked, a log what the keeper made of the
order. Ends are told at the depth of the setting alone. What is in no block is sent again as it is,
later replaced by one of its nonce that does nothing; what no keeper answers is taken back.
"""

import logging
from datetime import datetime, timedelta

from agent_where.domain import OrderStatus, Settled
from agent_where.venues._evm.chain import Chain, Reverted, Trace, View
from agent_where.venues._evm.logs import Logs
from agent_where.venues._evm.sealing import Unsent
from agent_where.venues._evm.shapes import Log, Receipt
from agent_where.venues._evm.taken import Taker, taker_of
from agent_where.venues._evm.transaction import parsed
from agent_where.venues.base import Action, ActionKind, Standing
from agent_where.venues.ostium import contracts as on
from agent_where.venues.ostium import events, orders
from agent_where.venues.ostium.contracts import Trade
from agent_where.venues.ostium.ends import Ends
from agent_where.venues.ostium.markets import VENUE
from agent_where.venues.ostium.nudging import Nudging
from agent_where.venues.ostium.places import Places
from agent_where.venues.ostium.refusals import refusal
from agent_where.venues.ostium.sent import Sent, signer_of, tx_hash

logger = logging.getLogger(__name__)

_NOBODY = "0x" + "0" * 40

Next = Settled | Standing | Unsent | Action | None


class Settlement:
    """Asks.

    Args:
        depth: how many blocks have to lie on top of what is told as an end.
        waits: how long a transaction may be on its way before it is replaced.
    """

    def __init__(self, chain: Chain, logs: Logs, *, depth: int, waits: timedelta) -> None:
        self._chain = chain
        self._logs = logs
        self._ends = Ends(chain)
        self._nudging = Nudging(chain, waits=waits)
        self._depth = depth
        self._waits = waits

    def settle(self, told: Sent, places: Places, now: datetime) -> Next:
        """How the order ended, or what to do about not knowing. None: ask again later.

        Args:
            now: this process's time, which only says when to replace what is on its way.

        Raises:
            VenueUnavailable: the chain could not be read.
        """
        trace = self._chain.trace(signer_of(told.action), told.hashes)
        receipt = trace.receipts.get(tx_hash(told.action))
        if receipt is None:
            return self._without_receipt(told, trace, places, now)
        if receipt.is_reverted:
            return self._reverted(told, receipt, trace)
        order_id = events.placed(receipt, told.order, places)
        if order_id is None:
            logger.error("%s: %s succeeded and placed no order", VENUE, receipt.tx_hash)
            return None
        return self._placed(told, receipt, order_id, places, now)

    def _without_receipt(self, told: Sent, trace: Trace, places: Places, now: datetime) -> Next:
        nonce = told.action.nonce or 0
        if trace.count <= nonce:
            return self._nudging.nudge(told, told.action, places, now)
        taker = self._taker(told, trace, now)
        return _expired(told, taker) if taker else None

    def _taker(self, told: Sent, trace: Trace, now: datetime) -> Taker | None:
        """What was executed in the order's place, seen in a block that lies deep. None: not seen.

        That the order has no receipt proves nothing: one URL may stand for several nodes, and the
        one that was asked for the receipt may be behind the one that counted.
        """
        for each in told.in_place_of(told.action):
            receipt = trace.receipts.get(tx_hash(each))
            if receipt is not None:
                is_deep = self._is_deep(receipt.block, trace.head)
                return Taker(receipt.tx_hash, receipt.block) if is_deep else None
        if told.action.expires_at is not None and now < told.action.expires_at:
            return None
        nonce, last = told.action.nonce or 0, trace.head - self._depth
        taker = taker_of(self._chain, signer_of(told.action), nonce, last)
        return None if taker is None or taker.tx_hash == tx_hash(told.action) else taker

    def _reverted(self, told: Sent, receipt: Receipt, trace: Trace) -> Settled | None:
        if not self._is_deep(receipt.block, trace.head):
            return None
        call = parsed(told.action.payload)
        why = self._chain.replay(signer_of(told.action), call.to, call.data, receipt.block - 1)
        code, detail = refusal(why or Reverted(b"", "reverted"))
        return Settled(
            status=OrderStatus.REJECTED,
            code=code,
            detail=f"transaction {receipt.tx_hash} reverted: {detail}",
        )

    def _placed(
        self, told: Sent, receipt: Receipt, order_id: int, places: Places, now: datetime
    ) -> Next:
        stands = Standing(venue_ref=str(order_id), detail="waits for the keeper")
        (pending, (timeout,)) = self._chain.views(
            View(places.storage, on.PENDING_ORDER, (order_id,)),
            View(places.trading, on.ORDERS_TIMEOUT),
        )
        block, _, _, trade, _ = pending
        head = self._chain.head()
        if str(Trade(*trade).trader) != _NOBODY:
            late = head >= block + timeout
            return (self._timeout(told, order_id, places, head, now) or stands) if late else stands
        end = self._end(order_id, places, receipt.block, head)
        if end is None and self._is_deep(receipt.block, head):
            logger.error("%s: order %d is pending no more, and no log ended it", VENUE, order_id)
        if end is None or not self._is_deep(end.block, head):
            return stands
        held_up = self._held_up(told, places, now)
        return held_up or self._ends.settled(told.order, told.action, receipt, end, places)

    def _held_up(
        self, told: Sent, places: Places, now: datetime
    ) -> Action | Unsent | Standing | None:
        """What a take-back still needs that its order ended without: nobody asks after it later.

        In no block, or in one that is undone, its nonce would hold up all that its signer sends
        from then on.
        """
        last = told.timeouts[-1] if told.timeouts else None
        if last is None:
            return None
        signer, nonce = signer_of(last), last.nonce or 0
        trace = self._chain.trace(signer, [])
        if trace.count <= nonce:
            nudge = self._nudging.nudge(told, last, places, now)
            return nudge or Standing(detail=f"ended, while {tx_hash(last)} is in no block")
        deep = self._chain.trace(signer, [], max(trace.head - self._depth, 0))
        is_deep = deep.count > nonce
        return None if is_deep else Standing(detail=f"ended, while {tx_hash(last)} is not deep")

    def _end(self, order_id: int, places: Places, first: int, head: int) -> Log | None:
        for _, logs in self._logs.ranges(events.ends_of(order_id, places), first, head):
            if logs:
                return logs[-1]
        return None

    def _timeout(
        self, told: Sent, order_id: int, places: Places, head: int, now: datetime
    ) -> Action | Unsent | None:
        """Take back what no keeper answered, unless that is on its way."""
        last = told.timeouts[-1] if told.timeouts else None
        if last is None:
            return self._taking_back(told, order_id, places)
        trace = self._chain.trace(signer_of(last), [tx_hash(last)])
        receipt = trace.receipts.get(tx_hash(last))
        if receipt is not None:
            again = receipt.is_reverted and self._is_deep(receipt.block, head)
            return self._taking_back(told, order_id, places) if again else None
        if trace.count <= (last.nonce or 0):
            return self._nudging.nudge(told, last, places, now)
        deep = self._chain.trace(signer_of(last), [tx_hash(last)], head - self._depth)
        gone = deep.count > (last.nonce or 0) and not deep.receipts
        return self._taking_back(told, order_id, places) if gone else None

    def _taking_back(self, told: Sent, order_id: int, places: Places) -> Unsent | None:
        signer = (told.order.signer_address or signer_of(told.action)).lower()
        data = orders.timeout(told.order, order_id, opens=told.opens)
        gas = self._chain.simulate(signer, places.trading, data)
        if isinstance(gas, Reverted):
            logger.warning("%s: order %d stays: %s", VENUE, order_id, refusal(gas)[1])
            return None
        purse, _ = self._chain.views_with_purse(signer)
        fees = self._chain.fees(purse.head, is_exit=True)
        if purse.wei < gas * fees.most:
            need = f"{signer} has {purse.wei} wei, and the gas may cost {gas * fees.most}"
            logger.error("%s: order %d is not taken back: %s", VENUE, order_id, need)
            return None
        return Unsent(
            venue=VENUE,
            kind=ActionKind.TIMEOUT,
            chain_id=self._chain.chain_id,
            to=places.trading,
            data=data,
            gas=gas,
            fees=fees,
            signer_address=signer,
            waits=self._waits,
            sequence=purse.next_nonce,
        )

    def _is_deep(self, block: int, head: int) -> bool:
        return block + self._depth <= head


def _expired(told: Sent, taker: Taker) -> Settled:
    ours = taker.tx_hash in told.hashes
    detail = (
        f"never executed: nonce {told.action.nonce} of {told.action.signer_address} was used up "
        f"in block {taker.block} by {taker.tx_hash}, {'ours' if ours else 'which is not ours'}, "
        f"and not by {tx_hash(told.action)}"
    )
    return Settled(status=OrderStatus.EXPIRED, detail=detail)
