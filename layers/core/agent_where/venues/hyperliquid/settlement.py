"""How an order ended that was sent: asked of the venue, and never guessed.

By client id under the account's address; quantities, prices and fees from fills alone. A word ends
an order only together with its fills. What the venue does not know may still be on its way: a
no-op with the order's nonce closes that door, and so does time, with the proof written down.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

from agent_where.domain import ZERO, Model, Order, OrderStatus, Refusal, Settled
from agent_where.errors import NotAllTold, OutcomeUnknown
from agent_where.venues.base import CANCELED, TRIGGER_PASSED, Action, ActionKind, Standing
from agent_where.venues.hyperliquid import answers, units, wire
from agent_where.venues.hyperliquid.ids import client_order_id
from agent_where.venues.hyperliquid.info import Info
from agent_where.venues.hyperliquid.markets import VENUE
from agent_where.venues.hyperliquid.orders import Unsent
from agent_where.venues.hyperliquid.replies import OK, Admitted
from agent_where.venues.hyperliquid.signing import Network

logger = logging.getLogger(__name__)

LAG: Final = timedelta(seconds=15)
"""How late fills and look-ups may be, by the venue's own clock; three seconds were seen."""
_ALONE_AFTER: Final = timedelta(seconds=60)
"""From when on time may be the proof where no no-op was ever sent: its key may be gone."""
_SKEW: Final = timedelta(minutes=2)
"""How far the database's clock may be from the venue's."""
_FILLED_WITHIN: Final = timedelta(minutes=10)
"""An order that does not rest is executed at most so long before it is over."""
_SLACK_MS: Final = 1000
_MS: Final = timedelta(milliseconds=1)
_EPOCH: Final = answers.time_of(0)
_STANDING: Final = frozenset({"open", "triggered"})
_FILLED: Final = "filled"
_DROPPED: Final = ("canceled", "rejected", "cancel")
"""How the words for an order that is over end, in lower case."""
_CODES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "minTradeNtlRejected": Refusal.BELOW_MIN_POSITION,
        "perpMarginRejected": Refusal.NO_COLLATERAL,
        "perpMaxPositionRejected": Refusal.ABOVE_MAX_LEVERAGE,
        "badTriggerPxRejected": TRIGGER_PASSED,
    }
)


class Sent(Model):
    """An order with what was sent for it."""

    order: Order
    action: Action
    noops: tuple[Action, ...]
    admitted: Admitted | None
    """What the venue answered, where this process heard it."""

    @property
    def asked(self) -> Decimal:
        """What was ordered in the end, in the venue's unit."""
        return Decimal(_said(self.action)["s"])

    @property
    def began_ms(self) -> int:
        """Before anything of it can have been executed, by the venue's clock."""
        return (self.action.nonce or 0) - _SKEW // _MS

    @property
    def client_id(self) -> str:
        return client_order_id(self.order.id)

    @property
    def coin(self) -> str:
        return units.coin_of(self.order.market_name)

    def executions(self, rows: Sequence[answers.FillRow], order_id: int | None) -> "Executions":
        """The order's own fills among the account's."""
        own = [row for row in rows if row.is_of(order_id, self.client_id)]
        return Executions(rows=tuple(sorted(own, key=lambda row: row.time)))


class Executions(Model):
    """The fills of one order, in the venue's units."""

    rows: tuple[answers.FillRow, ...]

    @property
    def size(self) -> Decimal:
        return sum((row.size for row in self.rows), ZERO)

    def settled(self, asked: Decimal) -> Settled:
        """FILLED with all of them. `asked` is in the venue's unit too."""
        fills = tuple(units.fill_of(row) for row in self.rows)
        detail = f"filled {self.size:f} of {asked:f} coins" if self.size < asked else ""
        return Settled(status=OrderStatus.FILLED, fills=fills, detail=detail)


def sent(order: Order, actions: Sequence[Action], admitted: Admitted | None) -> Sent:
    """What the stored actions say was sent. Raises OutcomeUnknown where there is no order."""
    action = next((each for each in actions if each.kind is ActionKind.ORDER), None)
    if action is None:
        raise OutcomeUnknown(VENUE, f"order {order.id} was sent without stored bytes")
    return Sent(
        order=order,
        action=action,
        noops=tuple(each for each in actions if _closes(each, action)),
        admitted=admitted,
    )


def asset_in(actions: Sequence[Action]) -> int | None:
    """The market's id, as the stored bytes of an order name it. None: there are none."""
    action = next((each for each in actions if each.kind is ActionKind.ORDER), None)
    if action is None:
        return None
    return int(_said(action)["a"])


def _said(order: Action) -> Mapping[str, Any]:
    """The order in stored bytes, as it was put for the venue."""
    said: Mapping[str, Any] = json.loads(order.payload)["action"]["orders"][0]
    return said


def _closes(noop: Action, order: Action) -> bool:
    """Only the order's own key and nonce can close the door on it."""
    return noop.kind is ActionKind.NOOP and (noop.nonce, noop.signer_address) == (
        order.nonce,
        order.signer_address,
    )


class Settlement:
    """Asks."""

    def __init__(self, info: Info, network: Network) -> None:
        self._info = info
        self._network = network

    def settle(self, told: Sent, now: datetime) -> Settled | Standing | Unsent | None:
        """How the order ended, or what to do about not knowing. None: ask again later.

        Args:
            now: this process's time, which only says whether it is too early for a no-op.

        Raises:
            VenueUnavailable: the venue cannot be asked.
        """
        if told.admitted and told.admitted.filled is not None:
            own = self._executions(told, told.admitted.order_id, told.began_ms)
            if own.size == told.admitted.filled:
                return own.settled(told.asked)
        known = self._info.order(told.order.account, told.client_id)
        if known is not None:
            return self._known(told, known)
        if told.admitted or told.order.status is OrderStatus.ACCEPTED:
            return None  # it was there, so the look-up is late and proves nothing
        if told.action.expires_at is not None and now < told.action.expires_at:
            return None
        return self._missing(told)

    def _known(self, told: Sent, known: answers.Known) -> Settled | Standing | None:
        order = known.order
        if known.status in _STANDING:
            return Standing(venue_ref=str(order.order_id), detail=known.status)
        if known.status != _FILLED and not known.status.lower().endswith(_DROPPED):
            logger.error("%s: order %s is %s: unknown word", VENUE, told.client_id, known.status)
            return None
        since = max(order.placed, known.since - _FILLED_WITHIN // _MS)
        own = self._executions(told, order.order_id, since)
        if own.size and own.size == order.size - order.left:
            return own.settled(order.size)
        state = self._info.clearinghouse(told.order.account)
        if state.time < known.since + LAG // _MS:
            return None
        own = self._all_executions(told, order, since)
        if own.rows:
            return own.settled(order.size)
        if known.status == _FILLED:
            logger.error("%s: order %s is filled, without any fill", VENUE, told.client_id)
            return None
        return _dropped(known.status)

    def _missing(self, told: Sent) -> Settled | Unsent | None:
        """The venue knows no such order: prove that it never will, or go about it."""
        if any(noop.outcome == OK for noop in told.noops):
            return _expired(
                f"a no-op with its nonce {told.action.nonce} by its key "
                f"{told.action.signer_address} was admitted, so it never was and cannot be"
            )
        state = self._info.clearinghouse(told.order.account)
        late = answers.time_of(state.time) - (told.action.expires_at or _EPOCH)
        if late > LAG and (told.noops or late > _ALONE_AFTER):
            proven = self._by_time(told, state, late)
            if proven is not None:
                return proven
        if told.noops or told.action.nonce is None:
            return None
        return Unsent(
            kind=ActionKind.NOOP,
            action=wire.noop(),
            network=self._network,
            nonce=told.action.nonce,
            signer_address=told.action.signer_address,
        )

    def _by_time(self, told: Sent, state: answers.Clearinghouse, late: timedelta) -> Settled | None:
        """Its expiry is long past: what the account's fills say about it."""
        rows = self._info.fills(told.order.account, max(told.began_ms, 0))
        own = told.executions(rows, None)
        if own.rows:
            over = own.rows[-1].time <= state.time - LAG // _MS
            return own.settled(told.asked) if over else None
        held = state.of(told.coin)
        size = held.size if held else ZERO
        if not _explains(rows, told.coin, size):
            logger.error("%s: no fill leads to the %s of %s", VENUE, size, told.coin)
            return None
        return _expired(
            f"the venue's clock is {late.total_seconds():.0f} s past its expiry, its look-up knows "
            f"no {told.client_id}, no fill carries that, and other fills explain the position "
            f"of {size:f} {told.coin}"
        )

    def _all_executions(self, told: Sent, order: answers.Placed, lately_ms: int) -> Executions:
        """Its fills since it was placed.

        An account may have had too many since for the venue to tell. Then what was executed lately
        has to be what the order itself says.

        Raises:
            NotAllTold: it is not, or not everything is read yet.
        """
        try:
            return self._executions(told, order.order_id, order.placed)
        except NotAllTold as fault:
            if not fault.for_good:
                raise
            lately = self._executions(told, order.order_id, lately_ms)
            if lately.size != order.size - order.left:
                raise
            return lately

    def _executions(self, told: Sent, order_id: int | None, since_ms: int) -> Executions:
        rows = self._info.fills_since(told.order.account, max(since_ms - _SLACK_MS, 0))
        return told.executions(rows, order_id)


def _explains(rows: Sequence[answers.FillRow], coin: str, size: Decimal) -> bool:
    """Whether the latest of these fills leaves the position that there is."""
    here = [row for row in rows if row.coin == coin]
    if not here:
        return size == 0
    newest = max(row.time for row in here)
    last = [row for row in here if row.time == newest]
    ends = {row.end for row in last}
    return size in (ends - {row.start for row in last} or ends)


def _dropped(word: str) -> Settled:
    code = _CODES.get(word, Refusal.VENUE_REFUSED)
    if not word.lower().endswith("rejected"):
        code = CANCELED
    detail = f"the venue ended it as {word}, and nothing of it was executed"
    return Settled(status=OrderStatus.REJECTED, code=code, detail=detail)


def _expired(proof: str) -> Settled:
    return Settled(status=OrderStatus.EXPIRED, detail=f"never executed: {proof}")
