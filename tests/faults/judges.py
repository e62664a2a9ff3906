"""What must hold when all is at rest, whatever went wrong: each judge names what violates it.

The venues' own books are what the ledger is held against. Nothing here reads what a worker said.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any
from uuid import UUID

from tests.faults.case import Case, MarketOf, case_of, order_id_of
from tests.faults.examined import faults_found
from tests.faults.signal_judges import (
    decisions_told,
    followers_served,
    only_poison_refused,
    signals_decided,
)
from tests.faults.stage import Stage

Judge = Callable[[Case], Iterable[str]]
ENDS = frozenset({"FILLED", "REJECTED", "EXPIRED"})
MOVES = frozenset(
    {
        *((None, "PLANNED"), ("PLANNED", "SENT"), ("PLANNED", "REJECTED")),
        *(("SENT", each) for each in ("ACCEPTED", *ENDS)),
        *(("ACCEPTED", each) for each in ENDS),
    }
)
FORESEEN = frozenset(
    {
        *("DatabaseUnavailable", "QueueUnavailable", "LeaseHeld", "Overtaken"),
        *("VenueUnavailable", "OutcomeUnknown", "SignerUnavailable"),
    }
)
"""What a worker may raise when something fails around it: no rule's refusal, no fault of ours."""
DENIED = "KMS refused it"
"""How a worker says that it may not sign for an order that waits no more: seed 65509."""
_OF_USERS = frozenset({"markets_unexplained", "venue_fills_unknown", "venue_positions_differ"})
"""What the doctor says where a user trades by hand in a market of ours."""
GUARDED = (
    "SELECT p.* FROM positions p JOIN signals s ON s.id = p.signal_id"
    " WHERE p.status = 'OPEN' AND s.risk_model ->> 'stopLoss' IS NOT NULL"
)
"""Open positions that were promised a stop."""


def judge(stage: Stage, errors: list[str], *, is_closed: bool = True) -> list[str]:
    """Every violation, each with the name of what was violated.

    Args:
        is_closed: whether everything has been told to close.
    """
    return violations(case_of(stage, errors), is_closed=is_closed)


def violations(case: Case, *, is_closed: bool) -> list[str]:
    """The same of a case that was read."""
    judges = JUDGES if is_closed else {k: v for k, v in JUDGES.items() if v is not nothing_open}
    return [f"{name}: {words}" for name, found in judges.items() for words in found(case)]


def executed_once(case: Case) -> Iterable[str]:
    """At most one order per signal, deployment and leg has executed at any venue, counted there."""
    executed: dict[tuple[Any, ...], set[str]] = defaultdict(set)
    for fill in case.theirs:
        order = case.orders.get(fill.order_id) if fill.order_id else None
        if order is not None:
            name = f"{order['id']} as {fill.venue}'s {fill.venue_order}"
            executed[order["signal_id"], order["deployment_id"], order["leg"]].add(name)
    for intent, names in executed.items():
        if len(names) > 1:
            yield f"{intent} executed {len(names)} times: {sorted(names)}"


def stored_before_sent(case: Case) -> Iterable[str]:
    """Whatever a venue admitted was stored, with its signer and nonce."""
    stored = {
        (row["signer_address"], row["nonce"])
        for row in case.rows("SELECT signer_address, nonce FROM venue_actions")
    }
    for venue, told in case.books.items():
        for action in told["actions"]:
            if (action["signer"], action["nonce"]) not in stored:
                kind = action["action"]["type"]
                yield f"{venue} admitted {kind} {action['nonce']}, which is stored nowhere"


def fills_agree(case: Case) -> Iterable[str]:
    """Each fill of ours at a venue is one row of the ledger, with its size and price.

    Ours is whatever neither a user made by hand nor the venue itself.
    """
    ours = {
        (row["venue"], row["venue_fill_id"]): row for row in case.rows("SELECT * FROM venue_fills")
    }
    seen = set()
    for fill in case.theirs:
        if fill.order_id is None:
            if not (fill.is_by_hand or fill.is_forced):
                yield f"fill {fill.id} at {fill.venue} has no name of ours, and is nobody else's"
            continue
        if fill.order_id not in case.orders:
            yield f"{fill.venue} filled {fill.order_id}, which is no order of the ledger"
        seen.add((fill.venue, fill.id))
        row = ours.get((fill.venue, fill.id))
        if row is None:
            yield f"fill {fill.id} of {fill.order_id} at {fill.venue} is not in the ledger"
        elif (row["size"], row["price"], row["order_id"]) != (fill.size, fill.price, fill.order_id):
            yield f"fill {fill.id} is {row['size']} at {row['price']} in the ledger, not {fill}"
    for venue, id_ in ours.keys() - seen:
        yield f"the ledger has fill {id_} at {venue}, which the venue does not know"


def positions_agree(case: Case) -> Iterable[str]:
    """What is open in the ledger is what each account holds at its venue.

    Where the user traded by hand it is a part of that: the rest is the user's own.
    """
    ours: Counter[MarketOf] = Counter()
    for row in case.rows("SELECT * FROM positions WHERE status = 'OPEN'"):
        key = (row["venue"], row["account"], row["token_symbol"])
        ours[key] += row["open_qty"] if row["side"] == "LONG" else -row["open_qty"]
    theirs: Counter[MarketOf] = Counter()
    for venue, told in case.books.items():
        for account, book in told["accounts"].items():
            for coin, held in book["positions"].items():
                theirs[venue, account, coin] = Decimal(held["size"])  # type: ignore[assignment]
    for key in {*ours, *theirs}:
        is_part = key in case.by_hand and (theirs[key] - ours[key]) * ours[key] >= 0
        if ours[key] != theirs[key] and not is_part:
            yield f"{' '.join(key)}: {ours[key]} in the ledger, {theirs[key]} at the venue"


def only_ours_closed(case: Case) -> Iterable[str]:
    """Exits have closed no more than entries had opened: what a user holds is never sold."""
    opened, closed = Counter[MarketOf](), Counter[MarketOf]()
    for fill in case.theirs:
        order = case.orders.get(fill.order_id) if fill.order_id else None
        if order is not None:
            (opened if order["purpose"] == "ENTRY" else closed)[fill.market] += fill.size  # type: ignore[assignment]
    for key, size in closed.items():
        if size > opened[key]:
            yield f"{' '.join(key)}: {size} were closed of {opened[key]} that were opened"


def positions_add_up(case: Case) -> Iterable[str]:
    """A position is the sum of its fills and closures."""
    for row in case.rows(
        "SELECT p.id, p.qty, p.open_qty, p.pnl, p.status, b.open_qty AS left, b.pnl AS made,"
        " (SELECT sum(f.size) FROM venue_orders o JOIN venue_fills f ON f.order_id = o.id"
        "  WHERE o.position_id = p.id AND o.purpose = 'ENTRY') AS bought"
        " FROM positions p LEFT JOIN LATERAL books_of(p.id) b ON true WHERE NOT p.unexpected"
    ):
        if row["qty"] != row["bought"]:
            yield f"position {row['id']} is {row['qty']}, and {row['bought']} was executed"
        if row["left"] is not None and (row["left"], row["made"]) != (row["open_qty"], row["pnl"]):
            yield f"position {row['id']} has {row['open_qty']} open, its books {row['left']}"
        if row["status"] == "CLOSED" and (row["open_qty"] or row["left"] is None):
            yield f"position {row['id']} is CLOSED, and nothing says how"


def nothing_open(case: Case) -> Iterable[str]:
    """Whatever was told to close has closed."""
    for row in case.rows("SELECT id, venue, open_qty FROM positions WHERE status = 'OPEN'"):
        yield f"position {row['id']} at {row['venue']} still has {row['open_qty']} open"


def positions_guarded(case: Case) -> Iterable[str]:
    """For each open position that was promised a stop, one for all of it rests at its venue.

    A venue that takes stops with the entry has judges of its own for that.
    """
    resting = {
        order_id_of(order["cloid"]): Decimal(order["sz"])
        for told in case.books.values()
        for book in told["accounts"].values()
        for order in book["orders"]
        if order["status"] == "open" and order.get("cloid")
    }
    stops: dict[UUID, Decimal] = defaultdict(Decimal)
    for order in case.orders.values():
        if order["purpose"] == "STOP_LOSS":
            stops[order["position_id"]] += resting.get(order["id"], Decimal(0))
    for row in case.rows(GUARDED):
        if not row["carries_bounds"] and stops[row["id"]] < row["open_qty"]:
            guarded = f"{stops[row['id']]} of {row['open_qty']}"
            yield f"position {row['id']} at {row['venue']}: a stop for {guarded} rests there"


def intents_end(case: Case) -> Iterable[str]:
    """Every order has ended, but for bounds of a position that is open."""
    open_ = {row["id"] for row in case.rows("SELECT id FROM positions WHERE status = 'OPEN'")}
    for order in case.orders.values():
        waits = order["status"] == "ACCEPTED" or (
            order["status"] == "PLANNED" and order["due_at"] is None
        )
        bound = order["purpose"] in ("TAKE_PROFIT", "STOP_LOSS") and order["position_id"] in open_
        if order["status"] not in ENDS and not (waits and bound):
            yield f"{order['leg']} {order['attempt']} ({order['id']}) is {order['status']} for ever"


def nothing_rests(case: Case) -> Iterable[str]:
    """No order of ours is open at a venue that the ledger takes for ended."""
    for venue, told in case.books.items():
        for book in told["accounts"].values():
            for order in book["orders"]:
                row = case.orders.get(order_id_of(order.get("cloid")) or UUID(int=0))
                if order["status"] == "open" and (row is None or row["status"] in ENDS):
                    yield f"{venue}: {order.get('cloid')} rests, {row and row['status']} here"


def moves_allowed(case: Case) -> Iterable[str]:
    """No order has moved outside its table, or more than once to where it is."""
    for row in case.rows("SELECT * FROM moves"):
        if (row["was"], row["became"]) not in MOVES:
            yield f"order {row['order_id']} went from {row['was']} to {row['became']}"


def nothing_unforeseen(case: Case) -> Iterable[str]:
    """Workers raised only what they may raise when something fails around them."""
    for error in sorted(set(case.errors)):
        is_denied = error.startswith("BadSetting:") and DENIED in error
        if error.partition(":")[0] not in FORESEEN and not is_denied:
            yield error


def nothing_unexplained(case: Case) -> Iterable[str]:
    """No market of an account is without an explanation, and no position came unexpected.

    What a user did by hand beside ours is none of ours to explain, and is told as just that.
    """
    theirs = {(venue, account) for venue, account, _ in case.by_hand}
    for row in case.rows("SELECT * FROM venue_accounts WHERE unexplained <> '{}'"):
        if (row["venue"], row["account"]) not in theirs:
            yield f"account {row['account']}: {row['unexplained']}"
    for row in case.rows("SELECT id FROM positions WHERE unexpected"):
        yield f"order {row['id']} executed after it had ended as if it had not"


def doctor_content(case: Case) -> Iterable[str]:
    """The doctor, who reads ledger and venues on his own, finds no fault either.

    That a user holds more, or less, by hand than the ledger does is no fault of ours, but his to
    tell.
    """
    theirs = {account for _, account, _ in case.by_hand}
    for fault in faults_found(case.stage):
        is_theirs = any(account in f"{fault.id} {fault.detail}" for account in theirs)
        if fault.check not in _OF_USERS or not is_theirs:
            yield f"{fault.check}: {fault.id}: {fault.detail}"


JUDGES: Mapping[str, Judge] = {
    "executed once": executed_once,
    "stored before sent": stored_before_sent,
    "fills agree": fills_agree,
    "positions agree": positions_agree,
    "only ours closed": only_ours_closed,
    "positions add up": positions_add_up,
    "nothing open": nothing_open,
    "positions guarded": positions_guarded,
    "intents end": intents_end,
    "nothing rests": nothing_rests,
    "signals decided": signals_decided,
    "only poison refused": only_poison_refused,
    "decisions told": decisions_told,
    "moves allowed": moves_allowed,
    "followers served": followers_served,
    "nothing unforeseen": nothing_unforeseen,
    "nothing unexplained": nothing_unexplained,
    "doctor content": doctor_content,
}
