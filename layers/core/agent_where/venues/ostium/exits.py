"""What others did with single positions: keepers at a bound or a liquidation, users by hand.

A position is looked at where it stood at the setting's depth, and only where less is there than the
ledger has are logs searched, by trade id: from the cursor on, and backwards for as long as what was
found does not add up. Some of it may be an order of ours: `venue_ref` tells which.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain as joined
from itertools import islice
from typing import Final, NamedTuple

from agent_where.domain import ZERO
from agent_where.venues._evm.chain import Chain
from agent_where.venues._evm.logs import Filter, Logs
from agent_where.venues._evm.shapes import Log
from agent_where.venues.base import Cause, Exit, FoundExits, Held
from agent_where.venues.ostium import contracts as on
from agent_where.venues.ostium import events, units
from agent_where.venues.ostium.closing import ROUNDING, Closed, Closing
from agent_where.venues.ostium.facts import open_views, opened
from agent_where.venues.ostium.markets import VENUE
from agent_where.venues.ostium.places import Places
from agent_where.venues.ostium.units import PositionRef

logger = logging.getLogger(__name__)

_AT_ONCE: Final = 10
"""Positions that are asked about in one trip."""
_MOST_RANGES: Final = 50
"""Ranges of blocks that one search covers, each way."""
_CAUSES: Final = {0: Cause.TAKE_PROFIT, 1: Cause.STOP_LOSS, 2: Cause.LIQUIDATION}
"""By the kind of a keeper's order; of the others none is of a position that we hold."""


class _Close(NamedTuple):
    """A close. `is_whole`: it left nothing of the trade."""

    told: Exit
    is_whole: bool


@dataclass(frozen=True, slots=True)
class _Missing:
    """A position of which less is there than the ledger has. `size`: what is there."""

    held: Held
    ref: PositionRef
    size: Decimal

    def lacks(self, closes: Sequence[_Close]) -> Decimal:
        """What of it these closes do not explain, in base units; zero within rounding."""
        exits = [told for told, _ in closes if told.position_ref == self.held.position_ref]
        rest = self.held.size - self.size - sum((each.fill.size for each in exits), ZERO)
        return rest if rest > self.held.size * ROUNDING else ZERO


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
    ) -> FoundExits:
        """What became of positions, oldest first; the cursor is the last block that was looked at.

        It stays where a position has no explanation: a node may tell of its blocks before
        it tells of their logs.

        Raises:
            VenueUnavailable: it could not be read.
        """
        last = self._chain.head() - self._depth
        if since is not None and last <= since:
            return FoundExits((), since)
        missing = self._missing(account, held, places, last)
        if not missing:
            return FoundExits((), last)
        start = last if since is None else since
        logs, reached = self._forward(missing, places, start, last)
        closes = self._closes_of(account, missing, places, logs)
        if lost := _lost(missing, closes):
            for more in self._backward(lost, places, (reached + 1, last), (0, start)):
                logs += more
                closes = self._closes_of(account, missing, places, logs) if more else closes
                if not _lost(missing, closes):
                    break
        closes = _ended(missing, closes)
        unexplained = [each.held.position_ref for each in _lost(missing, closes)]
        for ref in unexplained:
            logger.error("%s: no log says what became of trade %s", VENUE, ref)
        cursor = None if unexplained and reached == last else reached
        return FoundExits([told for told, _ in closes], cursor, unexplained)

    def _missing(
        self, account: str, held: Sequence[Held], places: Places, block: int
    ) -> list[_Missing]:
        found = []
        for start in range(0, len(held), _AT_ONCE):
            some = held[start : start + _AT_ONCE]
            refs = [PositionRef.parsed(each.position_ref) for each in some]
            views = [view for ref in refs for view in open_views(places, account.lower(), ref)]
            told = [value for (value,) in self._chain.views(*views, block=block)]
            for each, ref, trade, info in zip(some, refs, told[::2], told[1::2], strict=True):
                now = opened(trade, info)
                size = units.size_of(now.size) if now.trade_id == ref.trade_id else ZERO
                found.append(_Missing(each, ref, size))
        return [each for each in found if each.lacks(())]

    def _forward(
        self, missing: Sequence[_Missing], places: Places, since: int, last: int
    ) -> tuple[list[Log], int]:
        found, reached = list[Log](), since
        ranges = self._logs.ranges(_closes(missing, places), since + 1, last)
        for end, logs in islice(ranges, _MOST_RANGES):
            found += logs
            reached = end
        return found, reached

    def _backward(
        self, missing: Sequence[_Missing], places: Places, *spans: tuple[int, int]
    ) -> Iterator[list[Log]]:
        """The logs of one range after the other, the newest first.

        Of what closed positions beyond where the search from the cursor came, before the ledger
        had them, before anybody asked, or when a node did not tell of it.
        """
        wanted = _closes(missing, places)
        each_way = (islice(self._back(wanted, *span), _MOST_RANGES) for span in spans)
        return joined.from_iterable(each_way)

    def _back(self, wanted: Filter, first: int, last: int) -> Iterator[list[Log]]:
        while first <= last:
            start = max(last - self._logs.most_blocks + 1, first)
            yield [log for _, some in self._logs.ranges(wanted, start, last) for log in some]
            last = start - 1

    def _closes_of(
        self, account: str, missing: Sequence[_Missing], places: Places, logs: Sequence[Log]
    ) -> list[_Close]:
        """What the logs tell that is not booked yet, oldest first."""
        by_trade = {each.ref.trade_id: each for each in missing}
        left = {each.ref.trade_id: each.held.size for each in missing}
        closes = []
        for log in sorted(logs, key=lambda log: (log.block, log.index)):
            closed = Closed.told(log)
            each = by_trade[closed.trade_id]
            if str(closed.order_id) in each.held.booked:
                continue
            size = units.portion(left[closed.trade_id], closed.share)
            fill = self._closing.fill(log, places, account.lower(), each.ref, size)
            left[closed.trade_id] = max(left[closed.trade_id] - fill.size, ZERO)
            told = Exit(
                position_ref=each.held.position_ref,
                fill=fill,
                cause=_cause(log),
                venue_ref=str(closed.order_id),
            )
            closes.append(_Close(told, closed.is_whole))
        return closes


def _closes(missing: Sequence[_Missing], places: Places) -> Filter:
    return events.closes_of([each.ref.trade_id for each in missing], places)


def _lost(missing: Sequence[_Missing], closes: Sequence[_Close]) -> list[_Missing]:
    """Those that the closes do not explain."""
    return [each for each in missing if each.lacks(closes)]


def _ended(missing: Sequence[_Missing], closes: Sequence[_Close]) -> list[_Close]:
    """The closes, a whole one as of all that the ledger has, though the chain had less."""
    lacking = {each.held.position_ref: each.lacks(closes) for each in missing}
    ended = []
    for told, is_whole in closes:
        more = lacking[told.position_ref] if is_whole else ZERO
        if more:
            logger.error(
                "%s: no log says what closed %s of trade %s: it is booked as part of order %s",
                VENUE,
                f"{more:f}",
                told.position_ref,
                told.venue_ref,
            )
        fill = told.fill.model_copy(update={"size": told.fill.size + more})
        ended.append(_Close(told.model_copy(update={"fill": fill}), is_whole))
    return ended


def _cause(log: Log) -> Cause:
    if log.topics[0] == on.CLOSE_EXECUTED.topic:
        return Cause.ORDER
    return _CAUSES.get(int(events.fields_of(log)["orderType"]), Cause.ORDER)
