"""One order from PLANNED to its end: check, size, store, send, settle. Never sends twice.

The lease of the venue account is held throughout. What is sent was stored before. How it is signed,
sent and asked about is in sending.py.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID, uuid4

from agent_where.domain import ZERO, Mode, Model, Order, OrderStatus, Purpose, Settled, VenueId
from agent_where.errors import LeaseHeld, Overtaken, UnknownOrder, VenueRejected
from agent_where.execution import plans
from agent_where.execution.excess import beyond
from agent_where.execution.gate import refusal_now
from agent_where.execution.preparing import prepare
from agent_where.execution.sending import Sending, SignerOf
from agent_where.routing.checks import Refused, Terms
from agent_where.store.records import OrderFile, OrderTicket
from agent_where.store.store import Store
from agent_where.venues.base import BOUNDS, Action, Venue

_logger = logging.getLogger(__name__)

LEASE_SECONDS = 60
"""Longer than the function may run, so that a lease outlives the worker that holds it."""


class Outcome(Model):
    """Where an order stands after a worker had it, and the orders that became due with it."""

    order_id: UUID
    status: OrderStatus
    detail: str
    due: tuple[OrderTicket, ...] = ()


class Executor:
    """Carries out orders at the venues it is given.

    Args:
        venues: the venue of that name in a mode, built when first needed.
        supported: the venues that have an adapter.
        max_age: how old a market's last sync may be for an entry.
        ceiling_usd: the most notional that any entry may have, in USD; None: no ceiling.
        signer_of: the signer that a key reference names; None where everything is on paper.
    """

    def __init__(
        self,
        store: Store,
        venues: Callable[[VenueId, Mode], Venue],
        *,
        supported: frozenset[VenueId],
        max_age: timedelta,
        ceiling_usd: Decimal | None = None,
        signer_of: SignerOf | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._venues = venues
        self._supported = supported
        self._max_age = max_age
        self._ceiling_usd = ceiling_usd
        self._clock = clock
        self._asked = clock()
        self._sending = Sending(store, signer_of, sleep=sleep, clock=clock)

    def execute(self, order_id: UUID) -> Outcome:
        """Take the order as far as it goes now. Doing it again finds the work done.

        Raises:
            UnknownOrder: there is none of that id.
            LeaseHeld: another worker has the account; try again soon.
            VenueUnavailable: the venue could not be read and nothing was sent; try again.
        """
        token = uuid4()
        file = self._take(order_id, token)
        if file is None:
            raise UnknownOrder(f"there is no order {order_id}")
        if not _has_work(file):
            return _standing(file.order)
        if not file.leased:
            raise LeaseHeld(f"account {file.order.account} at {file.order.venue} is leased")
        outcome = None
        try:
            outcome = self._advance(file, token)
        finally:
            if outcome is None or not outcome.status.is_end:
                self._store.release_lease(file.order, token)
        return outcome

    def _take(self, order_id: UUID, token: UUID) -> OrderFile | None:
        """The lease, and the order as it is now."""
        self._asked = self._clock()
        return self._store.begin_order(order_id, token, LEASE_SECONDS)

    def _now(self, file: OrderFile) -> datetime:
        """The database's time: what it said with the file, and what passed since it was asked.

        A worker's own clock may be wrong: a fresh price would be old by it, or an old one fresh.
        """
        return file.now + timedelta(seconds=self._clock() - self._asked)

    def _advance(self, file: OrderFile, token: UUID) -> Outcome:
        if file.order.status is OrderStatus.PLANNED:
            if _takes_bounds_back(file):
                return self._close(file, token)
            return self._begin(file, token)
        venue = self._venues(file.order.venue, file.order.mode)
        if file.order.status is OrderStatus.ACCEPTED and _guards_too_much(file):
            self._sending.take_back(venue, file, token)
        return self._conclude(file, self._sending.ask(venue, file, token), token)

    def _close(self, file: OrderFile, token: UUID) -> Outcome:
        """A close of what bounds guard: they stay where they are unless it can go through now."""
        refused = refusal_now(file, self._supported, self._terms(file))
        market = file.book.at(file.order.venue)
        if refused or market is None:
            return self._begin(file, token)
        self._venues(file.order.venue, file.order.mode).quote(market, self._now(file))
        file = self._without_bounds(file, token)
        return self._begin(file, token) if _has_work(file) else _standing(file.order)

    def _without_bounds(self, file: OrderFile, token: UUID) -> OrderFile:
        """Before a close is sized: what its position's bounds did is booked, and they are gone.

        One that fired and is not booked yet would be closed a second time, out of whatever else
        the account holds in the market.

        Raises:
            Overtaken: a bound's end is not known yet.
        """
        for bound_id in file.bounds:
            self._end_bound(bound_id, token)
            fresh = self._take(file.order.id, token)
            file = fresh or file
            if not _has_work(file):
                return file
            if not file.leased:
                raise LeaseHeld(f"the lease of account {file.order.account} was lost")
        if file.bounds:
            raise Overtaken(f"order {file.order.id} waits for the end of {file.bounds[0]}")
        return file

    def _end_bound(self, order_id: UUID, token: UUID) -> None:
        bound = self._store.read_order(order_id, token)
        if bound is None or bound.order.status.is_end:
            return
        venue = self._venues(bound.order.venue, bound.order.mode)
        if bound.order.status is OrderStatus.ACCEPTED:
            self._sending.take_back(venue, bound, token)
            bound = self._store.read_order(order_id, token) or bound
        self._conclude(bound, self._sending.ask(venue, bound, token), token)

    def _begin(self, file: OrderFile, token: UUID) -> Outcome:
        refused = refusal_now(file, self._supported, self._terms(file))
        if refused:
            return self._refuse(file, refused, token)
        venue = self._venues(file.order.venue, file.order.mode)
        try:
            ready = prepare(file, venue, self._ceiling_usd, self._now(file))
            if isinstance(ready, Refused):
                return self._refuse(file, ready, token)
            action = self._sending.order_action(venue, file, ready, token)
        except VenueRejected as error:
            return self._end_without_fills(file, _rejected(error), token)
        if not self._store.mark_sent(ready.order, action, token, self._ceiling_usd):
            return self._overtaken(file, token)
        return self._send(venue, _sent(file, ready.order, action), action, token)

    def _send(self, venue: Venue, file: OrderFile, action: Action, token: UUID) -> Outcome:
        try:
            settled = self._sending.send(venue, file, action, token)
        except VenueRejected as error:
            settled = _rejected(error)
        return self._conclude(file, settled, token)

    def _overtaken(self, file: OrderFile, token: UUID) -> Outcome:
        """Something came in between reading and sending: find out what, and send nothing."""
        fresh = self._store.read_order(file.order.id, token) or file
        if fresh.order.status is not OrderStatus.PLANNED:
            self._store.release_lease(file.order, token)
            return _standing(fresh.order)
        refused = refusal_now(fresh, self._supported, self._terms(fresh))
        if not fresh.leased:
            raise LeaseHeld(f"the lease of account {file.order.account} was lost")
        if refused is None:
            raise Overtaken(f"order {file.order.id} changed while it was prepared")
        return self._refuse(fresh, refused, token)

    def _conclude(self, file: OrderFile, settled: Settled | None, token: UUID) -> Outcome:
        if settled is None:
            return _standing(file.order)
        if settled.status is not OrderStatus.FILLED:
            return self._end_without_fills(file, settled, token)
        _tell_excess(file, settled)
        venue = self._venues(file.order.venue, file.order.mode)
        ending = plans.after_fills(file, settled, takes_bounds=venue.takes_bounds)
        due = self._store.end_filled(file.order, settled, ending, token)
        return _ended(file.order, settled, due)

    def _refuse(self, file: OrderFile, refused: Refused, token: UUID) -> Outcome:
        settled = Settled(status=OrderStatus.REJECTED, code=refused.code, detail=refused.detail)
        return self._end_without_fills(file, settled, token)

    def _end_without_fills(self, file: OrderFile, settled: Settled, token: UUID) -> Outcome:
        order = file.order
        if order.purpose is Purpose.ENTRY:
            failover = plans.failover(file, settled, self._supported, self._terms(file))
            due = self._store.end_without_fills(order, settled, token, failover=failover)
        else:
            next_exit = plans.after_refused_exit(file, settled.code)
            due = self._store.end_without_fills(order, settled, token, next_exit=next_exit)
        return _ended(order, settled, due)

    def _terms(self, file: OrderFile) -> Terms:
        return Terms(signal=file.signal, now=file.now, max_age=self._max_age)


def _tell_excess(file: OrderFile, settled: Settled) -> None:
    """What was executed is booked as it is; that it is too much is for a person to know."""
    order = file.order
    if over := beyond(order, settled.filled_size, file.book.at(order.venue)):
        _logger.error(
            "order %s: %s was executed, %s more than was ordered: was it executed twice?",
            order.id,
            f"{settled.filled_size:f}",
            f"{over:f}",
        )


def _rejected(error: VenueRejected) -> Settled:
    return Settled(status=OrderStatus.REJECTED, code=error.code, detail=error.detail)


def _sent(file: OrderFile, order: Order, action: Action) -> OrderFile:
    """The file as it stands now that its order was stored as SENT."""
    sent = order.model_copy(update={"status": OrderStatus.SENT})
    return file.model_copy(update={"order": sent, "actions": (*file.actions, action)})


def _takes_bounds_back(file: OrderFile) -> bool:
    """Whether bounds of the order's position have to be gone before it is sized."""
    order = file.order
    is_close = order.purpose is Purpose.CLOSE and order.mode is Mode.LIVE
    return is_close and bool(file.bounds)


def _guards_too_much(file: OrderFile) -> bool:
    """Whether it rests at the venue for more than is open: it would close what is not its own."""
    order = file.order
    return order.purpose in BOUNDS and (order.size or ZERO) > (file.open_qty or ZERO)


def _has_work(file: OrderFile) -> bool:
    if file.order.status is OrderStatus.PLANNED:
        return file.due
    return not file.order.status.is_end


def _standing(order: Order) -> Outcome:
    return Outcome(order_id=order.id, status=order.status, detail=order.detail)


def _ended(order: Order, settled: Settled, due: list[OrderTicket]) -> Outcome:
    return Outcome(order_id=order.id, status=settled.status, detail=settled.detail, due=tuple(due))
