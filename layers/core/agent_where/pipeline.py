"""The way of a signal, top to bottom: read, decide, write, pass its orders on.

Two database round trips for a routed signal: one reads everything the decision needs, one writes
everything it entails. Messages carry ids only; one that comes twice finds the work done.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from uuid import UUID

from agent_where.domain import MULTI, Mode, Model, OrderStatus, SignalAction, VenueId
from agent_where.errors import BadInput, Conflict, Overtaken, UnknownAgent
from agent_where.execution.executor import Executor, Outcome
from agent_where.messages import OrderRef, SignalMessage, SignalRef
from agent_where.planning import decide, plan_closes, plan_entries, tell
from agent_where.queues import Queues
from agent_where.store.records import SignalFile
from agent_where.store.store import Store
from agent_where.venues.base import Exits, Holdings

_CLOSE_TRIES = 5


class SignalStatus(StrEnum):
    """What became of a signal in this run."""

    ROUTED = "ROUTED"
    SKIPPED = "SKIPPED"
    DECIDED_BEFORE = "DECIDED_BEFORE"
    LEFT_TO_OTHERS = "LEFT_TO_OTHERS"


class SignalOutcome(Model):
    """How a signal stands after this run. `orders`: how many were passed on to the order queue."""

    signal_id: UUID
    agent_id: UUID
    status: SignalStatus
    venue: VenueId | None = None
    detail: str = ""
    orders: int = 0
    routing_us: int = 0


def _on_paper(_: VenueId) -> None:
    """Nobody but this system trades there."""


@dataclass(frozen=True)
class Deps:
    """What the pipeline works with.

    `holdings`: None where a venue does not net; `exits`: None where its positions do not stand for
    themselves; of both where it is not compared with.
    """

    store: Store
    queues: Queues
    executor: Callable[[], Executor]
    supported: frozenset[VenueId]
    mode: Mode
    max_age: timedelta
    holdings: Callable[[VenueId], Holdings | None] = _on_paper
    exits: Callable[[VenueId], Exits | None] = _on_paper


def run(message: SignalMessage | SignalRef | OrderRef, deps: Deps) -> SignalOutcome | Outcome:
    """Carry out one queue message, as `take_signal` or `take_order`."""
    if isinstance(message, OrderRef):
        return take_order(message.order_id, deps)
    return take_signal(message, deps)


def take_signal(message: SignalMessage | SignalRef, deps: Deps) -> SignalOutcome:
    """Decide a signal once and pass its orders on; a repeat only passes on what is still due.

    Raises:
        BadInput: no such agent or signal, or another body under the same id.
        Unavailable: the database or the queue is away; the same message may come again.
    """
    started = time.perf_counter_ns()
    file = _read(message, deps.store)
    if file.is_decided:
        deps.queues.send_orders(file.due_orders, again=True)
        return _outcome(file, SignalStatus.DECIDED_BEFORE, orders=len(file.due_orders))
    if file.requested_venue not in (MULTI, *deps.supported) and not file.exposures:
        deps.store.leave_signal(file.id)
        return _outcome(file, SignalStatus.LEFT_TO_OTHERS, venue=file.requested_venue)
    if file.action == SignalAction.CLOSE and file.signal is not None:
        return _close(file, deps)
    return _open(file, deps, started)


def take_order(order_id: UUID, deps: Deps) -> Outcome:
    """Carry out one order, and pass on those that became due with it. Raises as `Executor`."""
    outcome = deps.executor().execute(order_id)
    deps.queues.send_orders(outcome.due)
    return outcome


def put_off(order_id: UUID, why: str, deps: Deps) -> Outcome | None:
    """Have an order that lacks something tried again later: reconcile passes it on when it is due.

    None: it does not wait to be sent any more.
    """
    seconds = deps.store.upkeep.put_off(order_id, why)
    if seconds is None:
        return None
    detail = f"put off for {seconds} s: {why}"
    return Outcome(order_id=order_id, status=OrderStatus.PLANNED, detail=detail)


def _read(message: SignalMessage | SignalRef, store: Store) -> SignalFile:
    if isinstance(message, SignalRef):
        file = store.read_signal(message.signal_id)
        if file is None:
            raise BadInput(f"there is no signal {message.signal_id}", code="UNKNOWN_SIGNAL")
        return _under_its_canonical_token(file, store)
    file = store.insert_signal(message)
    if file is None:
        raise UnknownAgent(f"agentId {message.agent_id}: there is no such agent")
    refuse_other_body(file, message)
    return _under_its_canonical_token(file, store)


def _under_its_canonical_token(file: SignalFile, store: Store) -> SignalFile:
    """A row that others wrote may call its token by another name; it is put under the right one."""
    if file.is_decided or file.signal is None or file.signal.token_symbol == file.token_symbol:
        return file
    return store.rename_token(file.id, file.signal.token_symbol) or file


def refuse_other_body(file: SignalFile, message: SignalMessage) -> None:
    """Raises Conflict when the id already stands for something else."""
    if file.body_hash != message.body_hash:
        raise Conflict(f"signalId {file.id} already stands for another signal")


def _open(file: SignalFile, deps: Deps, started: int) -> SignalOutcome:
    decision = decide(file, deps.supported, deps.max_age)
    entries = plan_entries(file, decision, deps.mode)
    took_us = (time.perf_counter_ns() - started) // 1000
    skipped = decision.skipped_reason or entries.skipped_reason
    told = tell(decision, entries, took_us) if file.requested_venue == MULTI else []
    if not deps.store.decide_signal(decision, told, entries.orders, skipped):
        return _outcome(file, SignalStatus.DECIDED_BEFORE)
    deps.queues.send_orders(entries.tickets)
    return _outcome(
        file,
        SignalStatus.SKIPPED if skipped else SignalStatus.ROUTED,
        venue=decision.selected.venue if decision.selected else None,
        detail=skipped or decision.reason,
        orders=len(entries.orders),
        routing_us=took_us,
    )


def _close(file: SignalFile, deps: Deps) -> SignalOutcome:
    """Close what is held; read again while more turns up between reading and writing."""
    for _ in range(_CLOSE_TRIES):
        closes = plan_closes(file)
        if deps.store.decide_close(file.id, closes.orders, closes.skipped_reason):
            deps.queues.send_orders(closes.tickets)
            status = SignalStatus.SKIPPED if closes.skipped_reason else SignalStatus.ROUTED
            detail = closes.skipped_reason or f"closes {len(closes.orders)}"
            return _outcome(file, status, detail=detail, orders=len(closes.orders))
        file = _read(SignalRef(signal_id=file.id), deps.store)
        if file.is_decided:
            return _outcome(file, SignalStatus.DECIDED_BEFORE)
    raise Overtaken(f"signal {file.id}: positions kept changing while it was decided")


def _outcome(
    file: SignalFile,
    status: SignalStatus,
    *,
    venue: VenueId | None = None,
    detail: str = "",
    orders: int = 0,
    routing_us: int = 0,
) -> SignalOutcome:
    return SignalOutcome(
        signal_id=file.id,
        agent_id=file.agent_id,
        status=status,
        venue=venue,
        detail=detail,
        orders=orders,
        routing_us=routing_us,
    )
