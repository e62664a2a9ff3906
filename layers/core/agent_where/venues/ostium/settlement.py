"""How an order ended that was sent earlier: asked of the chain, and never guessed.

A receipt says whether the transaction is in a block and worked, a log what the keeper made of the
order. Ends are told at the depth of the setting alone. What is in no block is sent again as it is,
later replaced by one of its nonce that does nothing; what no keeper answers is taken back.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent_where.domain import Order, OrderStatus, Purpose, Settled
from agent_where.errors import OutcomeUnknown, VenueUnavailable
from agent_where.venues._evm.chain import Chain, Reverted, Trace, View
from agent_where.venues._evm.logs import Logs
from agent_where.venues._evm.rpc import UNKNOWN
from agent_where.venues._evm.sealing import Unsent
from agent_where.venues._evm.shapes import Log, Receipt
from agent_where.venues._evm.transaction import hash_of, parsed
from agent_where.venues.base import Action, ActionKind, Standing
from agent_where.venues.ostium import contracts as on
from agent_where.venues.ostium import events, orders
from agent_where.venues.ostium.contracts import Trade
from agent_where.venues.ostium.ends import Ends
from agent_where.venues.ostium.markets import VENUE
from agent_where.venues.ostium.places import Places
from agent_where.venues.ostium.refusals import refusal

logger = logging.getLogger(__name__)

_NOBODY = "0x" + "0" * 40

Next = Settled | Standing | Unsent | Action | None


@dataclass(frozen=True, slots=True)
class Sent:
    """An order with what was sent for it, oldest first."""

    order: Order
    action: Action
    replacements: tuple[Action, ...]
    timeouts: tuple[Action, ...]

    @property
    def opens(self) -> bool:
        return self.order.purpose is Purpose.ENTRY

    @property
    def hashes(self) -> list[str]:
        """Of everything that bears the order's own nonce."""
        return [tx_hash(self.action), *(tx_hash(each) for each in self.in_place_of(self.action))]

    def in_place_of(self, action: Action) -> list[Action]:
        """What was sent to take an action's nonce."""
        nonce = (action.nonce, action.signer_address)
        return [each for each in self.replacements if (each.nonce, each.signer_address) == nonce]


def sent(order: Order, actions: Sequence[Action]) -> Sent:
    """What the stored actions say was sent. Raises OutcomeUnknown where there is no order."""
    action = next((each for each in actions if each.kind is ActionKind.ORDER), None)
    if action is None or action.nonce is None or action.signer_address is None:
        raise OutcomeUnknown(VENUE, f"order {order.id} was sent without stored bytes", code=UNKNOWN)
    return Sent(
        order=order,
        action=action,
        replacements=tuple(each for each in actions if each.kind is ActionKind.REPLACE),
        timeouts=tuple(each for each in actions if each.kind is ActionKind.TIMEOUT),
    )


def tx_hash(action: Action) -> str:
    """What the chain calls an action."""
    return action.tx_hash or hash_of(action.payload)


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
        self._depth = depth
        self._waits = waits

    def settle(self, told: Sent, places: Places, now: datetime) -> Next:
        """How the order ended, or what to do about not knowing. None: ask again later.

        Args:
            now: this process's time, which only says when to replace what is on its way.

        Raises:
            VenueUnavailable: the chain could not be read.
        """
        trace = self._chain.trace(_signer(told.action), told.hashes)
        receipt = trace.receipts.get(tx_hash(told.action))
        if receipt is None:
            return self._without_receipt(told, trace, now)
        if receipt.is_reverted:
            return self._reverted(told, receipt, trace)
        order_id = events.placed(receipt, told.order, places)
        if order_id is None:
            logger.error("%s: %s succeeded and placed no order", VENUE, receipt.tx_hash)
            return None
        return self._placed(told, receipt, order_id, places, now)

    def _without_receipt(self, told: Sent, trace: Trace, now: datetime) -> Next:
        nonce = told.action.nonce or 0
        if trace.count <= nonce:
            return self._nudge(told, told.action, now)
        if told.action.expires_at is not None and now < told.action.expires_at:
            return None  # the answers may be of several nodes, and one of them behind
        deep = self._chain.trace(_signer(told.action), told.hashes, trace.head - self._depth)
        if deep.count <= nonce or tx_hash(told.action) in deep.receipts:
            return None
        return _expired(told, deep, trace.head - self._depth)

    def _nudge(self, told: Sent, action: Action, now: datetime) -> Action | Unsent | None:
        """What brings a nonce on that is in no block: the same bytes, or others that do nothing."""
        others = told.in_place_of(action)
        if not others and action.expires_at is not None and now >= action.expires_at:
            return self._replacement(action)
        latest = others[-1] if others else action
        return None if self._chain.is_known(tx_hash(latest)) else latest

    def _replacement(self, stuck: Action) -> Unsent:
        signer = _signer(stuck)
        fees, gas = self._chain.replacing(parsed(stuck.payload), signer)
        return Unsent(
            venue=VENUE,
            kind=ActionKind.REPLACE,
            chain_id=self._chain.chain_id,
            to=signer,
            data=b"",
            gas=gas,
            fees=fees,
            signer_address=signer,
            waits=self._waits,
            nonce=stuck.nonce,
        )

    def _reverted(self, told: Sent, receipt: Receipt, trace: Trace) -> Settled | None:
        if not self._is_deep(receipt.block, trace.head):
            return None
        call = parsed(told.action.payload)
        why = self._chain.replay(_signer(told.action), call.to, call.data, receipt.block - 1)
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
        return self._ends.settled(told.order, told.action, receipt, end, places)

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
        trace = self._chain.trace(_signer(last), [tx_hash(last)])
        receipt = trace.receipts.get(tx_hash(last))
        if receipt is not None:
            again = receipt.is_reverted and self._is_deep(receipt.block, head)
            return self._taking_back(told, order_id, places) if again else None
        if trace.count <= (last.nonce or 0):
            return self._nudge(told, last, now)
        deep = self._chain.trace(_signer(last), [tx_hash(last)], head - self._depth)
        gone = deep.count > (last.nonce or 0) and not deep.receipts
        return self._taking_back(told, order_id, places) if gone else None

    def _taking_back(self, told: Sent, order_id: int, places: Places) -> Unsent | None:
        signer = (told.order.signer_address or _signer(told.action)).lower()
        data = orders.timeout(told.order, order_id, opens=told.opens)
        gas = self._chain.simulate(signer, places.trading, data)
        if isinstance(gas, Reverted):
            logger.warning("%s: order %d stays: %s", VENUE, order_id, refusal(gas)[1])
            return None
        purse, _ = self._chain.views_with_purse(signer)
        return Unsent(
            venue=VENUE,
            kind=ActionKind.TIMEOUT,
            chain_id=self._chain.chain_id,
            to=places.trading,
            data=data,
            gas=gas,
            fees=self._chain.fees(purse.head),
            signer_address=signer,
            waits=self._waits,
            sequence=purse.next_nonce,
        )

    def _is_deep(self, block: int, head: int) -> bool:
        return block + self._depth <= head


def _expired(told: Sent, deep: Trace, block: int) -> Settled:
    others = [tx_hash(each) for each in told.in_place_of(told.action)]
    by = next((each for each in others if each in deep.receipts), "one that is not ours")
    detail = (
        f"never executed: {tx_hash(told.action)} has no receipt, and at block {block} nonce "
        f"{told.action.nonce} of {told.action.signer_address} was used up by {by}"
    )
    return Settled(status=OrderStatus.EXPIRED, detail=detail)


def _signer(action: Action) -> str:
    if action.signer_address is None:
        raise VenueUnavailable(VENUE, f"{tx_hash(action)} was stored without its signer")
    return action.signer_address.lower()
