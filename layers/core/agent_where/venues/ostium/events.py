"""The venue's logs, read: which order a transaction placed, what ended it, what it was charged."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from agent_where.domain import Order
from agent_where.venues._answers import malformed
from agent_where.venues._evm.abi import Event, Undecodable, topic_of
from agent_where.venues._evm.logs import Filter
from agent_where.venues._evm.shapes import Log, Receipt
from agent_where.venues.ostium import contracts as on
from agent_where.venues.ostium.markets import VENUE
from agent_where.venues.ostium.places import Places

_INITIATED: Final = (on.OPEN_INITIATED, on.CLOSE_INITIATED)
_ENDS: Final = (
    on.OPEN_EXECUTED,
    on.OPEN_CANCELED,
    on.CLOSE_EXECUTED,
    on.CLOSE_CANCELED,
    on.OPEN_TIMED_OUT,
    on.CLOSE_TIMED_OUT,
)
_CLOSES: Final = (on.CLOSE_EXECUTED, on.KEEPER_CLOSED)
_OTHER_FEES: Final = (on.FEE_REFUNDED, on.LIQUIDATION_FEE)
_KNOWN: Final[Mapping[str, Event]] = MappingProxyType(
    {event.topic: event for event in (*_INITIATED, *_ENDS, *_CLOSES, *on.FEE_CHARGED, *_OTHER_FEES)}
)
_CHARGED: Final = frozenset(event.topic for event in on.FEE_CHARGED)


def event_of(log: Log) -> Event | None:
    """Which event it is. None: none that is used."""
    return _KNOWN.get(log.topics[0]) if log.topics else None


def fields_of(log: Log) -> Mapping[str, Any]:
    """Its fields by name. Raises VenueUnavailable where they do not fit the event."""
    event = event_of(log)
    if event is None:
        raise malformed(VENUE, f"a log of {log.topics[:1]}")
    try:
        return event.fields(log.topics, log.data)
    except Undecodable as fault:
        raise malformed(VENUE, f"{event.name}: {fault}") from fault


def placed(receipt: Receipt, order: Order, places: Places) -> int | None:
    """The venue's id of the order that a transaction placed for the account. None: none."""
    for log in receipt.logs:
        if log.address != places.trading or event_of(log) not in _INITIATED:
            continue
        told = fields_of(log)
        if str(told["trader"]).lower() == order.account.lower():
            return int(told["orderId"])
    return None


def ends_of(order_id: int, places: Places) -> Filter:
    """The logs that end an order.

    By topic as well as by id: others carry a trade's id at the same place, and the id of a trade
    is that of the order that opened it.
    """
    topics = [event.topic for event in _ENDS]
    return Filter((places.callbacks, places.trading), (topics, [topic_of(order_id)]))


def closes_of(trade_ids: Sequence[int], places: Places) -> Filter:
    """The logs that close trades, wholly or in part."""
    topics = [event.topic for event in _CLOSES]
    return Filter((places.callbacks,), (topics, None, [topic_of(each) for each in trade_ids]))


def oracle_fee(ids: Sequence[int], *receipts: Receipt) -> int | None:
    """What the oracle kept of an order, in units of USDC. None: no log tells of it.

    Args:
        ids: of the order, and of its trade.
    """
    wanted = {topic_of(each) for each in ids}
    found = False
    kept = 0
    for log in (log for receipt in receipts for log in receipt.logs):
        if len(log.topics) < 2 or log.topics[1] not in wanted:
            continue
        if log.topics[0] in _CHARGED or log.topics[0] == on.FEE_REFUNDED.topic:
            found = True
            amount = int(fields_of(log)["amount"])
            kept += amount if log.topics[0] in _CHARGED else -amount
    return kept if found else None


def liquidation_fee(order_id: int, receipt: Receipt) -> int:
    """What of a close's proceeds went to the vault, in units of USDC."""
    return sum(
        int(fields_of(log)["amount"])
        for log in receipt.logs
        if log.topics[:2] == (on.LIQUIDATION_FEE.topic, topic_of(order_id))
    )
