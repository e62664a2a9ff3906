"""What others did with single positions: keepers at a bound or a liquidation, users by hand.

A position is looked at where it stood at the setting's depth, and only where it is gone or smaller
are logs searched, by trade id, from the cursor on. Some of what is found may be an order of ours:
`venue_ref` tells which.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from agent_where.domain import ZERO
from agent_where.venues._evm.chain import Chain
from agent_where.venues._evm.logs import Filter, Logs
from agent_where.venues._evm.shapes import Log
from agent_where.venues.base import Cause, Exit, Held
from agent_where.venues.ostium import contracts as on
from agent_where.venues.ostium import events, units
from agent_where.venues.ostium.closing import Closed, Closing
from agent_where.venues.ostium.facts import open_views, opened
from agent_where.venues.ostium.markets import VENUE
from agent_where.venues.ostium.places import Places
from agent_where.venues.ostium.units import FULL_CLOSE, PositionRef

logger = logging.getLogger(__name__)

_AT_ONCE: Final = 10
"""Positions that are asked about in one trip."""
_MOST_RANGES: Final = 50
"""Ranges of blocks that one call searches, each way."""
_ROUNDING: Final = Decimal("0.999999")
"""What of a position has to be missing before it counts: shares of it are cut to whole units."""
_CAUSES: Final = {0: Cause.TAKE_PROFIT, 1: Cause.STOP_LOSS, 2: Cause.LIQUIDATION}
"""By the kind of a keeper's order; of the others none is of a position that we hold."""


@dataclass(frozen=True, slots=True)
class _Missing:
    """A position that is gone, or smaller than the ledger has it."""

    held: Held
    ref: PositionRef
    is_gone: bool


class KeptPositions:
    """Asks.

    Args:
        depth: how many blocks have to lie on top of what is told.
    """

    def __init__(self, chain: Chain, logs: Logs, *, depth: int) -> None:
        self._chain = chain
        self._logs = logs
        self._closing = Closing(chain)
        self._depth = depth

    def exits(
        self, account: str, held: Sequence[Held], places: Places, since: int | None
    ) -> tuple[Sequence[Exit], int]:
        """What became of positions, oldest first, and the last block that was looked at.

        Raises:
            VenueUnavailable: it could not be read.
        """
        last = self._chain.head() - self._depth
        if since is not None and last <= since:
            return (), since
        missing = self._missing(account, held, places, last)
        if not missing:
            return (), last
        start = last if since is None else since
        found, reached = self._forward(missing, places, start, last)
        lost = _unexplained(missing, found) if since is not None else missing
        if lost and reached == last:
            found = [*self._backward(lost, places, start), *found]
            for each in _unexplained(lost, found):
                logger.error("%s: no log says what became of trade %s", VENUE, each.ref)
        return self._told(account, missing, places, found), reached

    def _missing(
        self, account: str, held: Sequence[Held], places: Places, block: int
    ) -> list[_Missing]:
        found = []
        for start in range(0, len(held), _AT_ONCE):
            some = held[start : start + _AT_ONCE]
            refs = [PositionRef.parsed(each.position_ref) for each in some]
            views = [view for ref in refs for view in open_views(places, account.lower(), ref)]
            told = [value for (value,) in self._chain.views(*views, block=block)]
            pairs = zip(some, refs, told[::2], told[1::2], strict=True)
            for each, ref, trade, info in pairs:
                now = opened(trade, info)
                is_gone = not now.size or now.trade_id != ref.trade_id
                if is_gone or units.size_of(now.size) < each.size * _ROUNDING:
                    found.append(_Missing(each, ref, is_gone))
        return found

    def _forward(
        self, missing: Sequence[_Missing], places: Places, since: int, last: int
    ) -> tuple[list[Log], int]:
        wanted, found = _closes(missing, places), list[Log]()
        reached = since
        for number, (end, logs) in enumerate(self._logs.ranges(wanted, since + 1, last), start=1):
            found += logs
            reached = end
            if number == _MOST_RANGES:
                break
        return found, reached

    def _backward(self, missing: Sequence[_Missing], places: Places, last: int) -> list[Log]:
        """What closed positions before the ledger had them, or before anybody asked."""
        wanted, found = _closes(missing, places), list[Log]()
        left = {each.ref.trade_id for each in missing}
        for _ in range(_MOST_RANGES):
            first = max(last - self._logs.most_blocks + 1, 0)
            logs = [log for _, some in self._logs.ranges(wanted, first, last) for log in some]
            found = [*logs, *found]
            left -= {closed.trade_id for closed in map(Closed.told, logs) if _is_whole(closed)}
            last = first - 1
            if not left or last < 0:
                break
        return found

    def _told(
        self, account: str, missing: Sequence[_Missing], places: Places, logs: Sequence[Log]
    ) -> list[Exit]:
        by_trade = {each.ref.trade_id: each for each in missing}
        left = {each.ref.trade_id: each.held.size for each in missing}
        told = []
        for log in logs:
            closed = Closed.told(log)
            each = by_trade[closed.trade_id]
            size = units.portion(left[closed.trade_id], closed.share)
            fill = self._closing.fill(log, places, account.lower(), each.ref, size)
            left[closed.trade_id] = max(left[closed.trade_id] - fill.size, ZERO)
            told.append(
                Exit(
                    position_ref=each.held.position_ref,
                    fill=fill,
                    cause=_cause(log),
                    venue_ref=str(closed.order_id),
                )
            )
        return told


def _closes(missing: Sequence[_Missing], places: Places) -> Filter:
    return events.closes_of([each.ref.trade_id for each in missing], places)


def _unexplained(missing: Sequence[_Missing], found: Sequence[Log]) -> list[_Missing]:
    """Those that are gone, and no log closed them wholly."""
    whole = {closed.trade_id for closed in map(Closed.told, found) if _is_whole(closed)}
    return [each for each in missing if each.is_gone and each.ref.trade_id not in whole]


def _is_whole(closed: Closed) -> bool:
    return closed.share == FULL_CLOSE


def _cause(log: Log) -> Cause:
    if log.topics[0] == on.CLOSE_EXECUTED.topic:
        return Cause.ORDER
    return _CAUSES.get(int(events.fields_of(log)["orderType"]), Cause.ORDER)
