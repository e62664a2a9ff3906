"""What must hold at rest of signals and messages: none is lost, each is decided and explained.

What was sent is held against the ledger, not what the ledger says was received.
"""

from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from agent_where.store.connection import Row
from tests.faults.case import Case
from tests.faults.fifo import Message
from tests.faults.stage import DEAD


def signals_decided(case: Case) -> Iterable[str]:
    """Every signal that was sent is decided, or lies with the dead letters to be redriven."""
    waiting = [each.body for each in _letters(case) if not _is_refused(each)]
    known = {str(row["id"]): row["decided_at"] for row in case.rows("SELECT * FROM signals")}
    for id_ in sorted({*case.stage.sent, *known}):
        if known.get(id_) is None and not any(id_ in body for body in waiting):
            yield f"signal {id_} is {'not decided' if id_ in known else 'lost'}"


def only_poison_refused(case: Case) -> Iterable[str]:
    """A letter that is never to be redriven is poison, and each poison is such a letter."""
    refused = {each.body for each in _letters(case) if _is_refused(each)}
    for body in sorted(refused - {*case.stage.poison}):
        yield f"given up for good: {body}"
    for body in sorted({*case.stage.poison} - refused):
        yield f"poison that lies nowhere: {body}"


def decisions_told(case: Case) -> Iterable[str]:
    """Each decision and each failover has its one row of history, and each attempt its order."""
    for row in case.rows(
        "SELECT s.id FROM signals s WHERE s.decided_at IS NOT NULL AND s.action = 'OPEN'"
        " AND s.requested_venue = 'MULTI' AND NOT EXISTS (SELECT FROM venue_routing_history h"
        " WHERE h.signal_id = s.id AND h.deployment_id IS NULL AND h.attempt = 1)"
    ):
        yield f"signal {row['id']} was decided, and nothing says why"
    told = {
        (row["signal_id"], row["deployment_id"], row["attempt"]): row["selected_venue"]
        for row in case.rows("SELECT * FROM venue_routing_history WHERE attempt > 1")
    }
    made = {
        (order["signal_id"], order["deployment_id"], order["attempt"]): order["venue"]
        for order in case.orders.values()
        if order["purpose"] == "ENTRY" and order["attempt"] > 1
    }
    for attempt in {*told, *made}:
        if attempt not in told or told[attempt] != made.get(attempt):
            yield f"attempt {attempt}: told {told.get(attempt)}, made {made.get(attempt)}"


def followers_served(case: Case) -> Iterable[str]:
    """Of a routed signal every follower has an order."""
    entries: dict[tuple[UUID, UUID], list[Row]] = defaultdict(list)
    for order in case.orders.values():
        if order["purpose"] == "ENTRY":
            entries[order["signal_id"], order["deployment_id"]].append(order)
    for row in case.rows(
        "SELECT s.id, d.id AS deployment FROM signals s JOIN agent_deployments d USING (agent_id)"
        " WHERE s.action = 'OPEN' AND s.decided_at IS NOT NULL AND s.skipped_reason IS NULL"
    ):
        if (row["id"], row["deployment"]) not in entries:
            yield f"signal {row['id']} has no order for deployment {row['deployment']}"


def _letters(case: Case) -> list[Message]:
    return case.stage.queues[DEAD].messages


def _is_refused(letter: Message) -> bool:
    """Whether a worker said that it never can succeed; one received too often has no reason."""
    return "reason" in letter.attributes
