"""What the executions at a venue and those in the ledger have in common, and what not. Pure.

It tells; nothing is booked by it. Booking what others closed is comparing.py's, and what follows
from a restore is restoring.py's.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from agent_where.closures import Trade, agrees
from agent_where.domain import ZERO, Model
from agent_where.ids import is_order_name
from agent_where.store.books import HeldMarket
from agent_where.store.restores import Ledger, LedgerFill
from agent_where.venues.base import AccountFill


class Matched(Model):
    """What does not match.

    Args:
        unowned: executions that nothing in the ledger accounts for.
        under_way: executions of orders of ours that have not ended: reconcile settles them.
        late: executions of orders of ours that had ended, and that are not stored.
        altered: executions whose size the ledger has otherwise.
        missing: what the ledger has and the venue does not tell.
        differing: markets where the venue holds something else than the ledger says.
        explained: the ids of what is accounted for.
    """

    unowned: tuple[AccountFill, ...] = ()
    under_way: tuple[AccountFill, ...] = ()
    late: tuple[AccountFill, ...] = ()
    altered: tuple[AccountFill, ...] = ()
    missing: tuple[LedgerFill, ...] = ()
    differing: tuple[str, ...] = ()
    explained: tuple[str, ...] = ()


def match(
    ledger: Ledger,
    held: Mapping[str, Decimal],
    trades: Sequence[Trade],
    since: datetime,
    lag: timedelta,
) -> Matched:
    """Hold one against the other.

    Args:
        held: the venue's net position by market, in base units, below zero where short.
        trades: every one of the account's from `since` on.
        lag: how far the venue's answers may be behind.
    """
    stored = {fill.venue_fill_id: fill for fill in ledger.fills}
    told = {trade.told.fill.venue_fill_id for trade in trades}
    until = ledger.now - lag
    differing = tuple(_differing(ledger, held))
    ended = [t for t in trades if t.order and t.order.status.is_end and not _is_stored(t)]
    return Matched(
        unowned=tuple(t.told for t in trades if _is_unowned(t, differing)),
        under_way=tuple(t.told for t in trades if t.order and not t.order.status.is_end),
        late=tuple(t.told for t in ended if t.unaccounted > 0),
        altered=tuple(t.told for t in trades if _is_altered(t, stored)),
        missing=tuple(
            fill
            for id_, fill in stored.items()
            if id_ not in told and since + lag <= fill.at <= until
        ),
        differing=differing,
        explained=tuple(t.told.fill.venue_fill_id for t in trades if t.unaccounted <= 0),
    )


def _is_unowned(trade: Trade, differing: Sequence[str]) -> bool:
    """A user's own trades matter only where ledger and venue do not agree."""
    if trade.order is not None or trade.unaccounted <= 0:
        return False
    return is_order_name(trade.told.client_order_id) or trade.told.market_name in differing


def _is_stored(trade: Trade) -> bool:
    return trade.claim is not None and trade.claim.stored


def _is_altered(trade: Trade, stored: Mapping[str, LedgerFill]) -> bool:
    kept = stored.get(trade.told.fill.venue_fill_id)
    return kept is not None and kept.size != trade.told.fill.size


def _differing(ledger: Ledger, held: Mapping[str, Decimal]) -> Iterator[str]:
    for each in ledger.markets:
        market = HeldMarket(busy=False, doubtful=False, **dict(each))
        if not agrees(market, held.get(each.name, ZERO)):
            yield each.name
