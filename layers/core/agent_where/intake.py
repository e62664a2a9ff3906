"""Taking a signal in over HTTP: it is stored first, then its id is put on the queue.

What is stored is never lost: reconcile finds an undecided signal that no message carries.
"""

import logging
from contextlib import suppress
from dataclasses import dataclass

from agent_where.callers import Reach
from agent_where.contract.trades import TakenIn
from agent_where.domain import MULTI, VenueId
from agent_where.errors import BadInput, DatabaseUnavailable, QueueUnavailable, UnknownAgent
from agent_where.messages import SignalMessage
from agent_where.pipeline import refuse_other_body
from agent_where.queues import Queues
from agent_where.store.records import SignalFile, SignalTicket
from agent_where.store.store import Store

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Intake:
    """What taking a signal in works with. `supported`: the venues that have an adapter."""

    store: Store
    queues: Queues
    supported: frozenset[VenueId]


def take_in(message: SignalMessage, reach: Reach, intake: Intake) -> TakenIn:
    """Store a signal of an agent in reach once, and enqueue it unless it was decided already.

    Raises:
        UnknownAgent: there is no such agent.
        Conflict: the id stands for another signal.
        BadInput: the venue has no adapter, so that nobody here would trade it; nothing is stored.
        DatabaseUnavailable: nothing was enqueued; the same request may come again.
    """
    agent_venue = intake.store.agent_venue(message.agent_id, reach)
    if agent_venue is None:
        raise UnknownAgent(f"agentId: there is no agent {message.agent_id}")
    venue = message.venue or agent_venue
    if venue not in (MULTI, *intake.supported):
        raise BadInput(f"venue: {venue} is not supported yet", code="VENUE_NOT_SUPPORTED")
    file = intake.store.insert_signal(message)
    if file is None:
        raise UnknownAgent(f"agentId: there is no agent {message.agent_id}")
    refuse_other_body(file, message)
    if not file.is_decided:
        _enqueue(file, intake)
    return TakenIn(signal_id=file.id)


def _enqueue(file: SignalFile, intake: Intake) -> None:
    """A queue that is away is no failure: reconcile is told, or finds out by itself a bit later."""
    try:
        intake.queues.send_signals([SignalTicket(id=file.id, agent_id=file.agent_id)])
    except QueueUnavailable as error:
        _logger.warning("signal %s is left to reconcile: %s", file.id, error)
        with suppress(DatabaseUnavailable):
            intake.store.mark_not_enqueued([file.id])
