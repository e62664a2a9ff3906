"""Logs by filter, in ranges of blocks as long as a node allows: ascending, none left out."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from pydantic import JsonValue

from agent_where.domain import VenueId
from agent_where.errors import VenueUnavailable
from agent_where.venues._answers import shaped
from agent_where.venues._evm import shapes
from agent_where.venues._evm.rpc import Refused, Rpc
from agent_where.venues._evm.shapes import Log

_SHORTEST: Final = 16
"""A node that refuses even so few blocks refuses for another reason."""

Topics = Sequence[Sequence[str] | None]
"""For each place the topics that fit; None: any."""


class Filter(NamedTuple):
    """Whose logs, and which."""

    addresses: Sequence[str]
    topics: Topics

    def between(self, first: int, last: int) -> JsonValue:
        """The filter as a node takes it, for these blocks, both included."""
        return {
            "address": list(self.addresses),
            "topics": [None if each is None else list(each) for each in self.topics],
            "fromBlock": hex(first),
            "toBlock": hex(last),
        }


class Logs:
    """Reads logs.

    Args:
        most_blocks: the longest range that is asked for; halved for as long as the node refuses.
    """

    def __init__(self, venue: VenueId, rpc: Rpc, *, most_blocks: int) -> None:
        self._venue = venue
        self._rpc = rpc
        self._most = most_blocks

    def ranges(self, wanted: Filter, first: int, last: int) -> Iterator[tuple[int, list[Log]]]:
        """One range after the other: its last block, and its logs in their order.

        Raises:
            VenueUnavailable: the node could not say.
        """
        start = first
        while start <= last:
            end = min(start + self._most - 1, last)
            logs = self._range(wanted, start, end)
            if logs is None:
                self._most = max((end - start + 1) // 2, _SHORTEST)
                continue
            yield end, sorted(logs, key=lambda log: (log.block, log.index))
            start = end + 1

    @property
    def most_blocks(self) -> int:
        """How long a range may be, by the setting and by what the node has refused so far."""
        return self._most

    def _range(self, wanted: Filter, first: int, last: int) -> list[Log] | None:
        """None: the node refuses so many blocks."""
        answer = self._rpc.range_of("eth_getLogs", wanted.between(first, last))
        if not isinstance(answer, Refused):
            return shaped(self._venue, shapes.LOGS, answer)
        if last - first + 1 > _SHORTEST:
            return None
        raise VenueUnavailable(
            self._venue,
            f"the node gives no logs of {last - first + 1} blocks: {answer.message[:120]!a}",
            code="VENUE_UNAVAILABLE",
        )
