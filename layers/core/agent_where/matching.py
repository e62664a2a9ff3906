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
        unowned: executions that nothing in the ledger accounts for, and nobody has decided about.
        under_way: executions of orders of ours that have not ended: reconcile settles them.
        late: executions of orders of ours that had ended, and that are not stored.
        altered: executions whose size the ledger has otherwise.
        missing: what the ledger has and the venue does not tell.
        differing: markets with open positions where the venue holds something else than the ledger
            says.
        doubled: executions of an order of ours under another order id of the venue's than the first
            that it was executed under.
        others: executions that no order of ours made and that no position of the ledger shows: by
            the user's hand, or whoever else has the account. What is `unowned` is not among them.
        beside: what is held where the ledger has no position, by market, below zero where short.
        explained: the ids of what is accounted for.
    """

    unowned: tuple[AccountFill, ...] = ()
    under_way: tuple[AccountFill, ...] = ()
    late: tuple[AccountFill, ...] = ()
    altered: tuple[AccountFill, ...] = ()
    missing: tuple[LedgerFill, ...] = ()
    differing: tuple[str, ...] = ()
    doubled: tuple[AccountFill, ...] = ()
    others: tuple[AccountFill, ...] = ()
    beside: Mapping[str, Decimal] = {}
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
        unowned=tuple(
            t.told
            for t in trades
            if _is_unowned(t, differing) and t.told.fill.venue_fill_id not in ledger.decided
        ),
        under_way=tuple(t.told for t in trades if t.order and not t.order.status.is_end),
        late=tuple(t.told for t in ended if t.unaccounted > 0),
        altered=tuple(t.told for t in trades if _is_altered(t, stored)),
        missing=tuple(
            fill
            for id_, fill in stored.items()
            if id_ not in told and since + lag <= fill.at <= until
        ),
        differing=differing,
        doubled=tuple(_doubled(trades)),
        others=tuple(
            t.told
            for t in trades
            if _is_unknown(t)
            and not _is_unowned(t, differing)
            and t.told.fill.venue_fill_id not in ledger.decided
        ),
        beside=dict(_beside(ledger, held, trades)),
        explained=tuple(t.told.fill.venue_fill_id for t in trades if t.unaccounted <= 0),
    )


def _is_unowned(trade: Trade, differing: Sequence[str]) -> bool:
    """A user's own trades matter only where ledger and venue do not agree."""
    if not _is_unknown(trade):
        return False
    return is_order_name(trade.told.client_order_id) or trade.told.market_name in differing


def _is_unknown(trade: Trade) -> bool:
    return trade.order is None and trade.unaccounted > 0


def _doubled(trades: Sequence[Trade]) -> Iterator[AccountFill]:
    """However often an order is executed in parts, the venue has one name for it."""
    first: dict[str, str] = {}
    for told in (trade.told for trade in trades):
        name = told.client_order_id
        if (
            name
            and is_order_name(name)
            and first.setdefault(name, told.venue_ref) != told.venue_ref
        ):
            yield told


def _beside(
    ledger: Ledger, held: Mapping[str, Decimal], trades: Sequence[Trade]
) -> Iterator[tuple[str, Decimal]]:
    """What an order of ours may have opened, and is not booked yet, is none of it."""
    ours = {each.name for each in ledger.markets}
    ours |= {t.told.market_name for t in trades if t.order and t.unaccounted > 0}
    for name, net in held.items():
        if net and name not in ours:
            yield name, net


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
