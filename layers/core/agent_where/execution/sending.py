"""From what an adapter wants done to what a venue was told: sign, store, send, ask. In that order.

What has no answer is asked about for some seconds here and by reconcile later, and is never sent
anew. Not here: whether an order may be sent at all, and what its end entails (executor.py).
"""

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from uuid import UUID

from agent_where.domain import Order, Settled
from agent_where.errors import (
    BadSetting,
    LeaseHeld,
    OutcomeUnknown,
    SignerUnavailable,
    VenueRejected,
    VenueUnavailable,
)
from agent_where.execution.nonces import Nonces
from agent_where.execution.preparing import Ready
from agent_where.store.records import OrderFile
from agent_where.store.store import Store
from agent_where.venues.base import (
    BOUNDS,
    TOO_LATE,
    Action,
    ActionKind,
    Standing,
    Unsigned,
    Venue,
)

if TYPE_CHECKING:
    from agent_where.execution.signers import Signer

SignerOf = Callable[[str], "Signer"]
"""The signer that a key reference names. Raises BadSetting, SignerUnavailable."""

_logger = logging.getLogger(__name__)

_ASK_AFTER_SECONDS = (0.5, 1.0, 2.0, 4.0)
_ASK_FOR_SECONDS = 10.0
_SEND_AGAIN_AFTER_SECONDS = (0.25, 0.5, 1.0, 2.0)
_MOST_BEFORE_AN_ORDER = 3


class Sending:
    """Talks to venues for one executor.

    Args:
        signer_of: None where nothing is signed: on paper.
    """

    def __init__(
        self,
        store: Store,
        signer_of: SignerOf | None,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._signer_of = signer_of
        self._sleep = sleep
        self._clock = clock

    def order_action(self, venue: Venue, file: OrderFile, ready: Ready, token: UUID) -> Action:
        """The order's own bytes, after what has to be done before it was done.

        Raises:
            VenueRejected: the order cannot be said, or what comes before it was refused.
            Unavailable, VenueUnavailable: nothing of the order was sent; try again.
        """
        for _ in range(_MOST_BEFORE_AN_ORDER):
            wanted = venue.next_action(ready.order, ready.market, ready.quote)
            action = self._sealed(file, wanted, token)
            if action.kind is ActionKind.ORDER:
                return action
            self._do_before(venue, ready.order, action, token)
        raise VenueUnavailable(venue.id, "it wants ever more before the order")

    def send(self, venue: Venue, file: OrderFile, action: Action, token: UUID) -> Settled | None:
        """Send the order's stored bytes, once. None: no end yet.

        Raises:
            VenueRejected: refused for good by the one and only sending.
        """
        try:
            answer = self._send(venue, file.order, action, token)
        except (VenueUnavailable, OutcomeUnknown):
            return self._ask(venue, file, token)
        if isinstance(answer, Settled):
            return answer
        self._store.accept_order(file.order, answer.venue_ref if answer else None)
        rests = file.order.purpose in BOUNDS or answer is None
        return None if rests else self._ask(venue, file, token)

    def ask(self, venue: Venue, file: OrderFile, token: UUID) -> Settled | None:
        """Ask once how an order stands that was sent earlier, and close what doubt can be closed.

        Raises:
            VenueUnavailable, OutcomeUnknown: it could not be asked.
        """
        answer = venue.settle(file.order, file.actions)
        match answer:
            case Settled() | None:
                return answer
            case Standing():
                self._store.accept_order(file.order, answer.venue_ref)
                return None
            case Action():
                return self._send_again(venue, file, answer, token)
            case _:
                return self._close_doubt(venue, file, answer, token)

    def take_back(self, venue: Venue, file: OrderFile, token: UUID) -> None:
        """Have the venue cancel a resting order. What came of it is asked like any other end.

        Without its key it can only be asked.
        """
        wanted = venue.cancel(file.order, file.actions)
        try:
            if wanted is not None:
                self._tell(venue, file, wanted, token)
        except (BadSetting, SignerUnavailable) as error:
            _logger.error("order %s cannot be taken back: %s", file.order.id, error)  # noqa: TRY400 its sentence says it all

    def _send(
        self, venue: Venue, order: Order, action: Action, token: UUID
    ) -> Settled | Standing | None:
        """Send, and while nothing has left this process send the same bytes again.

        Raises as `Venue.send` does.
        """
        for seconds in _SEND_AGAIN_AFTER_SECONDS:
            try:
                return venue.send(order, action)
            except VenueUnavailable:
                self._sleep(seconds)
                if not self._store.actions.may_send(order, action, token):
                    raise
        return venue.send(order, action)

    def _do_before(self, venue: Venue, order: Order, action: Action, token: UUID) -> None:
        """Have done what has to be done before the order.

        Raises:
            VenueRejected: refused, and so is the order.
            Unavailable, VenueUnavailable: it may not be done; nothing of the order was sent.
        """
        try:
            self._do(venue, order, action, token)
        except OutcomeUnknown as error:
            raise VenueUnavailable(venue.id, f"{action.kind}: {error.detail}") from error
        except VenueRejected as error:
            if error.code != TOO_LATE:
                raise
            raise VenueUnavailable(venue.id, f"{action.kind}: {error.detail}") from error

    def _ask(self, venue: Venue, file: OrderFile, token: UUID) -> Settled | None:
        """After a sending: ask for some seconds, then leave it to reconcile."""
        until = self._clock() + _ASK_FOR_SECONDS
        for seconds in _ASK_AFTER_SECONDS:
            if self._clock() + seconds > until:
                return None
            self._sleep(seconds)
            try:
                settled = self.ask(venue, file, token)
            except (VenueUnavailable, OutcomeUnknown):
                continue
            if settled:
                return settled
        return None

    def _send_again(
        self, venue: Venue, file: OrderFile, action: Action, token: UUID
    ) -> Settled | None:
        """Send stored bytes once more. Only an end that the venue tells of counts, no refusal."""
        if not self._store.actions.count_sending(file.order, action, token):
            raise LeaseHeld(f"order {file.order.id}: too late, or its account's lease was lost")
        try:
            answer = venue.send(file.order, action)
        except VenueRejected as error:
            _logger.warning("order %s, sent again, is no evidence: %s", file.order.id, error)
            return None
        except (VenueUnavailable, OutcomeUnknown):
            return None
        if isinstance(answer, Settled):
            return answer
        if action.kind is ActionKind.ORDER:
            self._store.accept_order(file.order, answer.venue_ref if answer else None)
        return None

    def _close_doubt(
        self, venue: Venue, file: OrderFile, wanted: Unsigned, token: UUID
    ) -> Settled | None:
        """Tell the venue what closes the doubt, and ask again knowing what it said."""
        told = self._tell(venue, file, wanted, token)
        if told is None:
            return None
        answer = venue.settle(file.order, (*file.actions, told))
        return answer if isinstance(answer, Settled) else None

    def _tell(self, venue: Venue, file: OrderFile, wanted: Unsigned, token: UUID) -> Action | None:
        """Send what is no order. None: its key is not the account's any more, or no answer came."""
        if not self._may_sign(file, wanted):
            return None
        action = self._sealed(file, wanted, token)
        try:
            outcome = self._do(venue, file.order, action, token)
        except OutcomeUnknown:
            return None
        except VenueRejected as error:
            outcome = error.code
        return action.model_copy(update={"outcome": outcome})

    def _do(self, venue: Venue, order: Order, action: Action, token: UUID) -> str:
        """Store and send what is no order; returns what the venue said of it."""
        if not self._store.actions.store(order, action, token):
            raise LeaseHeld(f"the lease of account {order.account} was lost")
        try:
            answer = venue.send(order, action)
        except VenueRejected as error:
            self._store.actions.tell_outcome(order, action, error.code)
            raise
        outcome = answer.detail if isinstance(answer, Standing) else ""
        self._store.actions.tell_outcome(order, action, outcome or "ok")
        return outcome or "ok"

    def _sealed(self, file: OrderFile, wanted: Action | Unsigned, token: UUID) -> Action:
        if isinstance(wanted, Action):
            return wanted
        return Nonces(self._store).sealed(file, wanted, self._signer(file), token)

    def _signer(self, file: OrderFile) -> "Signer":
        """The account's, seen to be the one that is stored."""
        key_ref, address = file.access.key_ref, file.access.signer_address
        if self._signer_of is None or key_ref is None:
            raise BadSetting(f"no key may sign for account {file.order.account}")
        signer = self._signer_of(key_ref)
        if signer.address != address:
            raise BadSetting(f"the key of account {file.order.account} signs as another address")
        return signer

    def _may_sign(self, file: OrderFile, wanted: Unsigned) -> bool:
        """A nonce is worth something to the key alone that it was first used with."""
        if wanted.nonce is None:
            return True
        used_by = {each.signer_address for each in file.actions if each.nonce == wanted.nonce}
        return used_by == {file.access.signer_address}
