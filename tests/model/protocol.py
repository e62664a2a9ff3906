"""The protocol of one signal: two workers, a lease, one venue, lost messages, crashes, one CLOSE.

Each step is one transaction of the ledger, or one thing that happens at or on the way to the venue.
What the ledger lets pass is said once (`Rules`), the moves of an order are read from the migration,
and test_rules.py holds the rest against the real statements. Left out: sizes, prices, other
signals, resting orders, and time, in whose place any lease or message may run out at any moment.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
PLANNED, SENT = "PLANNED", "SENT"
FILLED, REJECTED, EXPIRED = "FILLED", "REJECTED", "EXPIRED"
NONE, WAITING = "", "WAITING"  # not there; PLANNED, but not before its entry's end
ENTRIES, CLOSES = (0, 1), (2, 3)
"""The orders: two attempts to open, two to close. Of closes the real ledger plans ever more."""
MOST_COPIES = (2, 1, 1, 1)
"""How often the same bytes of each order may be sent."""


def moves() -> frozenset[tuple[str, str]]:
    """What an order may become, as the ledger's trigger has it."""
    path = ROOT / "functions" / "setup" / "migrations" / "0005_ledger_rules.sql"
    table = re.search(
        r"\(OLD\.status, NEW\.status\) NOT IN \((.*?)\n    \) THEN", path.read_text(), re.DOTALL
    )
    assert table is not None
    return frozenset(re.findall(r"\('(\w+)', '(\w+)'\)", table[1]))


MOVES = moves()


@dataclass(frozen=True)
class Rules:
    """What the ledger and the worker hold to. Each can be taken away, to see what rests on it."""

    lease_is_asked: bool = True
    """A worker begins, and stores SENT, only under the account's lease."""
    only_planned_is_sent: bool = True
    """SENT is stored by a conditional update of PLANNED."""
    superseded_is_asked_with_sent: bool = True
    """The statement that stores SENT asks once more whether a CLOSE has come."""
    close_supersedes_what_is_planned: bool = True
    """A CLOSE ends entries that were not sent."""
    close_sees_what_is_sent: bool = True
    """A CLOSE plans an order for an entry on its way, which waits for its end."""
    refusal_of_a_repeat_is_no_end: bool = True
    """Only a refusal of the one and only sending ends an order."""
    expired_needs_proof: bool = True
    """EXPIRED: a no-op took the nonce, or the venue's clock is past the bytes' expiry."""
    next_attempt_needs_an_end: bool = True
    """A further attempt is planned with the end of the one before it, not on an unknown outcome."""


class Order(NamedTuple):
    """One order: the ledger's status of it and how often its bytes were sent."""

    status: str = NONE
    copies: int = 0


class AtVenue(NamedTuple):
    """The venue's side of one order.

    `nonce`: what used it up, ORDER or NOOP. `expired`: its bytes are not taken any more.
    `flying`: copies on their way.
    """

    nonce: str = NONE
    executed: int = 0
    refused: bool = False
    expired: bool = False
    flying: tuple[int, ...] = ()


class Worker(NamedTuple):
    """Where a worker is: at what, with which order, and what it knows."""

    at: str = "idle"
    order: int = -1
    knows: str = ""
    copy: int = 0


IDLE = Worker()


class State(NamedTuple):
    """Everything. `lease`: which worker's, None: nobody's, or run out."""

    orders: tuple[Order, ...] = (Order(PLANNED), Order(), Order(), Order())
    venue: tuple[AtVenue, ...] = (AtVenue(),) * 4
    workers: tuple[Worker, ...] = (IDLE, IDLE)
    lease: int | None = None
    closing: bool = False

    def order(self, place: int, order: Order) -> "State":
        old, orders = self.orders[place], list(self.orders)
        ledger = (_real(old.status), _real(order.status))
        assert ledger[0] == ledger[1] or NONE in ledger or ledger in MOVES, ledger
        orders[place] = order
        return self._replace(orders=tuple(orders))

    def at_venue(self, place: int, known: AtVenue) -> "State":
        return self._replace(venue=(*self.venue[:place], known, *self.venue[place + 1 :]))

    def worker(self, who: int, worker: Worker) -> "State":
        return self._replace(workers=(*self.workers[:who], worker, *self.workers[who + 1 :]))

    def released(self, who: int) -> "State":
        """The worker is done, and its lease given back if it is still its own."""
        done = self.worker(who, IDLE)
        return done._replace(lease=None) if self.lease == who else done


Step = tuple[str, State]


def _real(status: str) -> str:
    return PLANNED if status == WAITING else status


class Protocol:
    """All that may happen next."""

    def __init__(self, rules: Rules | None = None, *, with_close: bool = True) -> None:
        self.rules = rules or Rules()
        self._with_close = with_close

    def steps(self, state: State) -> Iterator[Step]:
        """Each with the state after it, in the one form of all that differ in nothing to come."""
        for name, after in self._steps(state):
            yield name, plain(after)

    def _steps(self, state: State) -> Iterator[Step]:
        for who in range(len(state.workers)):
            yield from self._worker(state, who)
        for place in range(len(state.orders)):
            yield from self._network(state, place)
        if state.lease is not None:
            yield "the lease runs out", state._replace(lease=None)
        if self._with_close and not state.closing:
            yield "a CLOSE is decided", self._close(state)

    # The worker

    def _worker(self, state: State, who: int) -> Iterator[Step]:
        worker = state.workers[who]
        told = f"worker {who}, order {worker.order}"
        if worker.at == "idle":
            yield from self._begins(state, who)
            return
        yield f"worker {who} dies", state.worker(who, IDLE)
        match worker.at:
            case "read":
                yield from self._prepares(state, who, worker)
            case "send":
                yield f"{told}: sends", _sends(state, who, worker)
            case "wait":
                yield f"{told}: hears nothing", state.worker(who, Worker("ask", worker.order))
            case "ask":
                yield from self._asks(state, who, worker)
            case "end":
                yield f"{told}: stores {worker.knows}", self._ends(state, who, worker)

    def _begins(self, state: State, who: int) -> Iterator[Step]:
        """A message, once or again, or reconcile: whatever is unfinished may be taken up."""
        if self.rules.lease_is_asked and state.lease is not None:
            return
        for place, order in enumerate(state.orders):
            if order.status in (PLANNED, SENT):
                at = "read" if order.status == PLANNED else "ask"
                leased = state._replace(lease=who)
                knows = "superseded" if place in ENTRIES and state.closing else ""
                yield (
                    f"worker {who} takes order {place}, {order.status}",
                    leased.worker(who, Worker(at, place, knows)),
                )

    def _prepares(self, state: State, who: int, worker: Worker) -> Iterator[Step]:
        place, told = worker.order, f"worker {who}, order {worker.order}"
        order = state.orders[place]
        if worker.knows == "superseded":
            if order.status == PLANNED:
                refused = self._after_end(state.order(place, Order(REJECTED)), place)
                yield f"{told}: refuses it, superseded", refused.released(who)
            else:
                yield f"{told}: finds it moved on", state.released(who)
            return
        if self._may_be_sent(state, who, place):
            sent = order._replace(status=SENT, copies=order.copies + 1)
            stored = state.order(place, sent)
            if order.status == SENT:  # other bytes under another nonce: only without the rule
                other = state.venue[place]._replace(nonce=NONE, refused=False, expired=False)
                stored = stored.at_venue(place, other)
            yield f"{told}: stores SENT", stored.worker(who, Worker("send", place, "", sent.copies))
        else:
            yield f"{told}: may not send", state.released(who)

    def _may_be_sent(self, state: State, who: int, place: int) -> bool:
        """The statement that stores SENT."""
        rules, order = self.rules, state.orders[place]
        if rules.lease_is_asked and state.lease != who:
            return False
        sendable = (PLANNED,) if rules.only_planned_is_sent else (PLANNED, SENT)
        if order.status not in sendable or order.copies >= MOST_COPIES[place]:
            return False
        if place in ENTRIES:
            return not (rules.superseded_is_asked_with_sent and state.closing)
        return held(state) > 0 and not any(
            state.orders[each].status == SENT for each in CLOSES if each != place
        )

    def _asks(self, state: State, who: int, worker: Worker) -> Iterator[Step]:
        """The venue's books, and what closes the doubt where they know nothing."""
        place, told = worker.order, f"worker {who}, order {worker.order}"
        known, order = state.venue[place], state.orders[place]
        yield f"{told}: leaves it to another run", state.released(who)
        if not self.rules.next_attempt_needs_an_end and place == 0:
            planned = self._planned_again(state, place)
            if planned is not state:
                yield f"{told}: tries anew without an end", planned.released(who)
        if known.executed:
            yield f"{told}: finds its fill", state.worker(who, Worker("end", place, FILLED))
        elif known.refused:
            yield f"{told}: finds it refused", state.worker(who, Worker("end", place, REJECTED))
        elif known.expired or known.nonce == "NOOP" or not self.rules.expired_needs_proof:
            yield f"{told}: finds nothing", state.worker(who, Worker("end", place, EXPIRED))
        else:
            closed = state.at_venue(place, known._replace(nonce="NOOP"))
            yield (
                f"{told}: a no-op takes its nonce",
                closed.worker(who, Worker("end", place, EXPIRED)),
            )
            yield f"{told}: the no-op's answer is lost", closed.released(who)
            yield from self._sends_again(state, who, place, order)

    def _sends_again(self, state: State, who: int, place: int, order: Order) -> Iterator[Step]:
        """The same bytes, under the lease, while the order has no end."""
        leased = state.lease == who or not self.rules.lease_is_asked
        if leased and order.status == SENT and order.copies < MOST_COPIES[place]:
            more = order._replace(copies=order.copies + 1)
            yield (
                f"worker {who}, order {place}: may send the same again",
                state.order(place, more).worker(who, Worker("send", place, "", more.copies)),
            )

    def _ends(self, state: State, who: int, worker: Worker) -> State:
        place, order = worker.order, state.orders[worker.order]
        if (order.status, worker.knows) not in MOVES:
            return state.released(who)  # the ledger's trigger refuses: it has ended meanwhile
        ended = state.order(place, order._replace(status=worker.knows))
        return self._after_end(ended, place).released(who)

    # The way there and back

    def _network(self, state: State, place: int) -> Iterator[Step]:
        known = state.venue[place]
        if state.orders[place].copies and not known.expired:
            late = known._replace(expired=True, flying=())
            yield f"order {place}: its bytes expire, on their way too", state.at_venue(place, late)
        for copy in known.flying:
            left = known._replace(flying=tuple(each for each in known.flying if each != copy))
            for answer, after in _arrives(left, place, held_there(state)):
                yield from self._heard(state.at_venue(place, after), place, copy, answer)

    def _heard(self, state: State, place: int, copy: int, answer: str) -> Iterator[Step]:
        """An answer is lost, or reaches whoever waits for it."""
        yield f"order {place}, copy {copy}: arrives, {answer}, and the answer is lost", state
        only = state.orders[place].copies == 1 or not self.rules.refusal_of_a_repeat_is_no_end
        for who, worker in enumerate(state.workers):
            if worker.at != "wait" or (worker.order, worker.copy) != (place, copy):
                continue
            knows = Worker("ask", place)
            if answer == FILLED:
                knows = Worker("end", place, FILLED)
            elif answer == "refused" and only:
                knows = Worker("end", place, REJECTED)
            yield f"worker {who}, order {place}, copy {copy}: {answer}", state.worker(who, knows)

    # What belongs to a change, in its transaction

    def _after_end(self, state: State, place: int) -> State:
        filled = state.orders[place].status == FILLED
        if place in CLOSES:
            return state if filled else self._planned_again(state, place)
        for each in CLOSES:
            if state.orders[each].status == WAITING:
                due = Order(PLANNED if filled else REJECTED)
                state = state.order(each, due)
        if filled or state.closing:
            return state
        return self._planned_again(state, place)

    @staticmethod
    def _planned_again(state: State, place: int) -> State:
        following = place + 1
        if following in (1, 3) and state.orders[following].status == NONE:
            return state.order(following, Order(PLANNED))
        return state

    def _close(self, state: State) -> State:
        """Supersedes what was not sent, and plans a close for what is open or on its way."""
        state = state._replace(closing=True)
        for place in ENTRIES:
            status = state.orders[place].status
            if status == PLANNED and self.rules.close_supersedes_what_is_planned:
                state = state.order(place, Order(REJECTED))
            elif status == FILLED:
                state = state.order(CLOSES[0], Order(PLANNED))
            elif status == SENT and self.rules.close_sees_what_is_sent:
                state = state.order(CLOSES[0], Order(WAITING))
        return state


def plain(state: State) -> State:
    """Without what can make no difference any more; which worker is which makes none."""
    venue = list(state.venue)
    for place, known in enumerate(venue):
        is_over = state.orders[place].status in (REJECTED, EXPIRED, FILLED) and not (
            known.flying or any(worker.order == place for worker in state.workers)
        )
        if is_over and not known.expired:
            venue[place] = known._replace(expired=True)
    first, second = state.workers
    lease = state.lease
    if second < first:
        first, second = second, first
        lease = None if lease is None else 1 - lease
    return state._replace(venue=tuple(venue), workers=(first, second), lease=lease)


def _sends(state: State, who: int, worker: Worker) -> State:
    """What is sent after its expiry never arrives as anything but too late."""
    known = state.venue[worker.order]
    flying = known.flying if known.expired else (*known.flying, worker.copy)
    waiting = Worker("wait", worker.order, "", worker.copy)
    return state.at_venue(worker.order, known._replace(flying=flying)).worker(who, waiting)


def _arrives(known: AtVenue, place: int, held: int) -> Iterator[tuple[str, AtVenue]]:
    """What the venue makes of a copy. It may refuse one for its own reasons before it looks at the
    nonce, a second copy of an executed order too."""
    if known.nonce:
        yield "used nonce", known
        yield "refused", known
        return
    if place in CLOSES and held <= 0:
        yield "refused", known._replace(nonce="ORDER", refused=True)
        return
    yield FILLED, known._replace(nonce="ORDER", executed=known.executed + 1)
    yield "refused", known._replace(nonce="ORDER", refused=True)


def held(state: State) -> int:
    """What the ledger says is open."""
    opened = sum(state.orders[each].status == FILLED for each in ENTRIES)
    return opened - sum(state.orders[each].status == FILLED for each in CLOSES)


def held_there(state: State) -> int:
    """What the venue says is open."""
    opened = sum(state.venue[each].executed for each in ENTRIES)
    return opened - sum(state.venue[each].executed for each in CLOSES)


def is_rest(state: State) -> bool:
    """Nothing is under way and nothing is left to do."""
    return (
        all(worker == IDLE for worker in state.workers)
        and all(order.status not in (PLANNED, WAITING, SENT) for order in state.orders)
        and not any(known.flying for known in state.venue)
    )


def fault_of(state: State) -> str:
    """What must never be: everywhere, and once nothing is under way any more."""
    for legs, what in ((ENTRIES, "entry"), (CLOSES, "close")):
        if sum(state.venue[each].executed for each in legs) > 1:
            return f"the {what} was executed twice"
    for place, order in enumerate(state.orders):
        executed = state.venue[place].executed
        if order.status in (REJECTED, EXPIRED) and executed:
            return f"order {place} is {order.status} and was executed"
        if order.status == FILLED and not executed:
            return f"order {place} is FILLED and was not executed"
    if not is_rest(state):
        return ""
    if held(state) != held_there(state):
        return "the venue holds what the ledger does not"
    tried_enough = state.orders[CLOSES[1]].status in (REJECTED, EXPIRED)
    if state.closing and held_there(state) and not tried_enough:
        return "a CLOSE was decided, and the position stays"
    return ""
