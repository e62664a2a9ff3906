"""How what does not match between an account's executions and the ledger is told: a table. Pure.

What does not match is found in matching.py; when it is asked for, and what of it is a fault of the
whole, is doctor.py's.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agent_where.matching import Matched
from agent_where.store.books import AccountAt
from agent_where.store.checkups import Row, Weight
from agent_where.venues.base import AccountFill


@dataclass(frozen=True, slots=True)
class Difference:
    """What an account's executions may differ in: how it is told, and where it stands."""

    name: str
    title: str
    todo: str
    of: Callable[[AccountAt, Matched], Sequence[Row]]
    weight: Weight = Weight.FAULT


def _fill(of: AccountAt, told: AccountFill) -> Row:
    what = (of.venue, of.account, told.side, f"{told.fill.size:f}", told.market_name)
    order = told.client_order_id or told.venue_ref
    return Row(
        id=told.fill.venue_fill_id, since=told.fill.at, detail=f"{' '.join(what)} by order {order}"
    )


def _doubled(of: AccountAt, told: AccountFill) -> Row:
    row = _fill(of, told)
    return row.model_copy(update={"detail": f"{row.detail}, at the venue {told.venue_ref}"})


def _missing(of: AccountAt, matched: Matched) -> Iterator[Row]:
    for each in matched.missing:
        what = f"{of.venue} {of.account} order {each.order_id} size {each.size:f}"
        yield Row(id=each.venue_fill_id, since=each.at, detail=what)


def _others(of: AccountAt, matched: Matched) -> Iterator[Row]:
    for name, net in matched.beside.items():
        what = f"{of.venue} {of.account} holds {net:f} there, and the ledger nothing"
        yield Row(id=name, since=None, detail=what)
    for each in matched.others:
        yield _fill(of, each)


DIFFERENCES = (
    Difference(
        "venue_fills_unknown",
        "An execution at the venue that nothing in the ledger accounts for",
        "Ask the user whether it is theirs; after a restore decide with agent-where unowned",
        lambda of, m: [_fill(of, each) for each in m.unowned],
    ),
    Difference(
        "venue_orders_doubled",
        "An order of ours was executed under more than one order id of the venue's",
        "Halt the deployment (controls set deployment ID HALTED), compare with "
        "filled_beyond_order, and report it with both ids: an order was executed twice",
        lambda of, m: [_doubled(of, each) for each in m.doubled],
    ),
    Difference(
        "venue_fills_late",
        "An execution of an order that the ledger has ended otherwise",
        "See that reconcile compares the account: it stores it, and opens what it opened",
        lambda of, m: [_fill(of, each) for each in m.late],
    ),
    Difference(
        "venue_fills_altered",
        "An execution whose size the ledger has otherwise",
        "Report it with its id: fills are append-only",
        lambda of, m: [_fill(of, each) for each in m.altered],
    ),
    Difference(
        "ledger_fills_unknown",
        "An execution in the ledger that the venue does not tell",
        "Look it up at the venue; report it if it is not there",
        lambda of, m: list(_missing(of, m)),
    ),
    Difference(
        "venue_positions_differ",
        "A market with an open position where the venue holds something else than the ledger says",
        "Wait for reconcile, which books what others closed; what stays is markets_unexplained",
        lambda of, m: [
            Row(id=name, since=None, detail=f"{of.venue} {of.account}") for name in m.differing
        ],
    ),
    Difference(
        "venue_trades_of_others",
        "A trade or a holding at the venue that no order of ours made",
        "Nothing, where the user trades there by hand. If they do not, somebody else has the "
        "account or its key: docs/runbook.md, a compromised agent key",
        lambda of, m: list(_others(of, m)),
        Weight.NOTE,
    ),
)
"""In the order in which they are told."""
