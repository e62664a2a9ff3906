"""Carries a scenario out: one process moves at a time, so that a seed replays exactly.

Which of the processes that wait at a point goes on, which message is delivered next and what goes
wrong where is drawn from the seed. The world's clock moves only here.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from tests.faults.breaking import QUEUE_FAULTS, let_go, strike
from tests.faults.faulting import Fault, Faults, Kind, NoFaults
from tests.faults.fifo import BadReceipt, Fifo
from tests.faults.house import BEGINNING
from tests.faults.points import Point
from tests.faults.runtime import AtPoint, Dead, Ended, HarnessFault, Instance
from tests.faults.sqs import event
from tests.faults.stage import DEAD, ORDERS, SIGNALS, Stage

TICK_SECONDS = 0.02
RECONCILE_EVERY = 60.0
TIME_OUT_SECONDS = {"route_execute": 20.0, "reconcile": 50.0, "market_sync": 60.0}
_MOST_STEPS = 60_000


@dataclass
class Run:
    """One invocation under way. `queue`: None for one that a schedule began.

    `queue_fault`: what its calls of a queue meet, pauses between its tries included.
    """

    instance: Instance
    began: float
    queue: Fifo | None = None
    body: str = ""
    handle: str = ""
    at: Point = ("before", "start", "")
    frozen_until: float = 0.0
    queue_fault: str | None = None


@dataclass
class Act:
    """Something that happens at a time, whatever the system does meanwhile."""

    at: float
    what: str
    do: Callable[[], object]


@dataclass
class Director:
    """Plays acts on a stage until all is at rest.

    Args:
        workers: how many messages of one queue are in work at once.
        time_outs: whether an invocation is ended when its time is up; else it goes on, as in a
            sandbox that was frozen together with its clock.
        skews: how far the clocks of functions may be ahead of the world's, in seconds.
        patience_seconds: of the world's time, until what does not come to rest never will.
    """

    stage: Stage
    rng: random.Random
    faults: Faults
    workers: int = 2
    time_outs: bool = True
    skews: Sequence[float] = (0.0,)
    patience_seconds: float = 7200.0
    acts: list[Act] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    struck: Counter[StrEnum] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    deaths: int = 0
    points: int = 0
    _runs: list[Run] = field(default_factory=list)
    _next_reconcile: float = 0.0
    _resume: list[Act] = field(default_factory=list)

    def play(self) -> bool:
        """Whether it all came to rest in time."""
        until = self.stage.clock.now + self.patience_seconds
        self._next_reconcile = self.stage.clock.now + RECONCILE_EVERY
        for _ in range(_MOST_STEPS):
            if self._over():
                return True
            if self.stage.clock.now > until:
                return False
            self._step()
        raise HarnessFault("it goes on for ever")

    def calm(self) -> None:
        """From now on nothing goes wrong: what was away is back, and all clocks go right."""
        self.faults = NoFaults()
        if any(self.skews):
            self.skews = (0.0,)
            self.stage.dismiss()
        for act in self._resume:
            act.do()
        self._resume.clear()

    # One step

    def _step(self) -> None:
        now = self.stage.clock.now
        due = next((act for act in self._all_acts() if act.at <= now), None)
        if due is not None:
            self._act(due)
            return
        choices: list[Callable[[], None]] = [
            *(lambda run=run: self._go_on(run) for run in self._runs if run.frozen_until <= now),
            *(
                lambda queue=queue, group=message.group: self._deliver(queue, group)
                for queue in (self.stage.queues[SIGNALS], self.stage.queues[ORDERS])
                if self._busy(queue) < self.workers
                for message in queue.receivable()
            ),
        ]
        if now >= self._next_reconcile and not self._is_scheduled("reconcile"):
            choices.append(lambda: self._schedule("reconcile"))
        if not choices:
            self._pass_time()
            return
        self.rng.choice(choices)()

    def _all_acts(self) -> list[Act]:
        return sorted([*self.acts, *self._resume], key=lambda act: act.at)

    def _act(self, act: Act) -> None:
        self._note(act.what)
        (self.acts if act in self.acts else self._resume).remove(act)
        act.do()

    def _pass_time(self) -> None:
        moments = [run.frozen_until for run in self._runs]
        moments += [act.at for act in self._all_acts()]
        for name in (SIGNALS, ORDERS):
            moments += [each.visible_at for each in self.stage.queues[name].messages]
        later = [each for each in moments if each > self.stage.clock.now]
        if not later or self.unfinished():  # else a run of reconcile would find nothing to do
            later += [self._next_reconcile] * (self._next_reconcile > self.stage.clock.now)
        self.stage.move_clock(min(later))

    def _busy(self, queue: Fifo) -> int:
        return sum(run.queue is queue for run in self._runs)

    def _is_scheduled(self, function: str) -> bool:
        return any(run.instance.function == function for run in self._runs)

    def _deliver(self, queue: Fifo, group: str) -> None:
        message = queue.receive(group)
        if message is None:
            return
        self._note(f"{queue.name} delivers {message.body} for the {message.receive_count}. time")
        run = Run(self._hire("route_execute"), self.stage.clock.now, queue)
        run.body, run.handle = message.body, message.handle
        self._begin(run, event(message, queue.name))

    def _schedule(self, function: str) -> None:
        self._next_reconcile = self.stage.clock.now + RECONCILE_EVERY
        self.invoke(function)

    def invoke(self, function: str) -> None:
        """Start a function that no queue starts."""
        self._note(f"{function} is scheduled")
        self._begin(Run(self._hire(function), self.stage.clock.now), {})

    def _begin(self, run: Run, told: dict[str, object]) -> None:
        self.stage.move_clock(self.stage.clock.now + TICK_SECONDS)
        self._runs.append(run)
        self.stage.house.runtime.invoke(run.instance, told)
        self._follow(run)

    def _hire(self, function: str) -> Instance:
        warm = [each for each in self.stage.idle if each.function == function]
        if not warm:
            return self.stage.cold(function, skew=self.rng.choice(self.skews))
        chosen = self.rng.choice(warm)
        self.stage.idle.remove(chosen)
        return chosen

    # One process

    def _go_on(self, run: Run) -> None:
        limit = TIME_OUT_SECONDS[run.instance.function]
        if self.time_outs and self.stage.clock.now - run.began > limit:
            self._note(f"{run.instance.id} timed out at {run.at}")
            self._die(run)
            return
        fault = self.faults.at(run.at)
        if fault is not None and self._strike(run, fault):
            return
        self.stage.house.queues.fault = run.queue_fault
        run.instance.say("go", self.stage.clock.now)
        self._follow(run)

    def _follow(self, run: Run) -> None:
        """Until it waits again, or has ended."""
        happened = run.instance.next_event()
        let_go(self.stage)
        match happened:
            case AtPoint(point):
                self.points += 1
                run.at = point
                self._note(f"{run.instance.id} {' '.join(point)}")
                if point[1] == "sleep":
                    run.frozen_until = self.stage.clock.now + float(point[2])
                else:
                    run.queue_fault = None
            case Ended():
                self.stage.move_clock(self.stage.clock.now + TICK_SECONDS)
                self._end(run, happened)
            case Dead():
                self._note(f"{run.instance.id} is dead")
                self._runs.remove(run)

    def _end(self, run: Run, ended: Ended) -> None:
        self._runs.remove(run)
        self.stage.idle.append(run.instance)
        self._note(
            f"{run.instance.id} ended: {(ended.error or '').partition(':')[0] or ended.answer}"
        )
        self.errors += [f"{what}: {detail}" for what, detail in run.instance.told]
        run.instance.told.clear()
        if ended.error:
            self.errors.append(ended.error)
        failed = ended.error or (ended.answer or {}).get("batchItemFailures")
        if run.queue is not None and not failed:
            try:
                run.queue.delete(run.handle)
            except BadReceipt:
                self._note(f"{run.body} is delivered elsewhere meanwhile")

    def _die(self, run: Run) -> None:
        self.deaths += 1
        run.instance.say("die", self.stage.clock.now)
        while not isinstance(run.instance.next_event(), Dead):
            pass
        self._runs.remove(run)

    # What goes wrong

    def _strike(self, run: Run, fault: Fault) -> bool:
        """Whether the process does not go on now."""
        self.struck[fault.kind] += 1
        self._note(f"!! {fault} at {' '.join(run.at)} of {run.instance.id}")
        now = self.stage.clock.now
        match fault.kind:
            case Kind.DIE:
                self._die(run)
                return True
            case Kind.FREEZE:
                run.frozen_until = now + fault.seconds
                return True
        run.queue_fault = QUEUE_FAULTS.get(fault.kind)
        recovery = strike(self.stage, fault.kind, lambda: self._venue_of(run))
        if recovery is not None:
            self._resume.append(Act(now + fault.seconds, *recovery))
        return False

    def _venue_of(self, run: Run) -> str:
        servers = self.stage.house.servers
        port = run.at[2].partition("/")[0]
        return next(name for name, server in servers.items() if server.url.endswith(f":{port}"))

    # Whether it is over

    def _over(self) -> bool:
        if self._runs or self.acts or self._resume:
            return False
        if any(self.stage.queues[name].messages for name in (SIGNALS, ORDERS)):
            return False
        return not self.unfinished()

    def unfinished(self) -> list[str]:
        """What the ledger still has to do, in words; nothing that only waits for a price.

        A bound that was taken back waits for no price, but for its end and another in its place.
        """
        buried = {message.body for message in self.stage.queues[DEAD].messages}
        signals = self.stage.rows("SELECT id FROM signals WHERE decided_at IS NULL")
        orders = self.stage.rows(
            "SELECT leg, attempt, status FROM venue_orders WHERE status = 'SENT'"
            " OR (status = 'PLANNED' AND (due_at IS NOT NULL OR after_order_id IS NOT NULL))"
            " OR (status = 'ACCEPTED' AND NOT (purpose IN ('TAKE_PROFIT', 'STOP_LOSS')"
            " AND EXISTS (SELECT FROM positions p WHERE p.id = position_id AND p.status = 'OPEN')"
            " AND NOT EXISTS (SELECT FROM venue_actions a WHERE a.order_id = venue_orders.id"
            " AND a.kind = 'CANCEL' AND a.outcome = 'OK')))"
        )
        return [
            f"signal {row['id']}" for row in signals if not any(str(row["id"]) in b for b in buried)
        ] + [f"{row['leg']} {row['attempt']} is {row['status']}" for row in orders]

    def _note(self, words: str) -> None:
        self.log.append(f"{self.stage.clock.now - BEGINNING:9.2f} {words}")
