"""Signals at a steady rate by the real clock, with faults: what is lost or doubled, and how fast.

The functions run freely in processes of their own, several for each queue; invocations are killed,
deliveries come twice, the line to the database is cut and the queue fails now and then. Many
wallets trade on paper, since a venue's own limits would be reached long before the system's; few
trade at the simulated venues, whose books are then judged as after any scenario.
"""

import json
import os
import random
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty
from typing import Any
from uuid import UUID, uuid4

from agent_where.execution.executor import LEASE_SECONDS
from agent_where.store.connection import Row
from tests.faults.disturbing import DELIVERED_AGAIN, FAULTS
from tests.faults.fifo import BadReceipt, Fifo
from tests.faults.house import COIN, House
from tests.faults.judges import judge
from tests.faults.real_stage import real_stage
from tests.faults.runtime import Dead, Ended, Instance
from tests.faults.sqs import event
from tests.faults.stage import DEAD, ORDERS, SIGNALS, Stage, wallet

_TIME_OUT_SECONDS = 20.0
_RECONCILE_EVERY = 15.0
_FLAT_KB = 4096
"""How much the memory of an instance may move in half a run, KiB."""
_FORESEEN = frozenset({"SIGNAL_EXPIRED", "EXPIRED"})
"""Why an entry may come to nothing: it was too late, or proven never to have executed."""
_PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024
_WORKERS = {SIGNALS: 2, ORDERS: 4}


@dataclass(frozen=True)
class Plan:
    """What to do. `rate`: signals a second; `faults`: the share of invocations that meet one.

    `is_live`: trades at the simulated venues, with at most sixteen wallets.
    """

    rate: float
    seconds: float
    wallets: int = 200
    is_live: bool = False
    faults: float = 0.05
    patience_seconds: float = 400.0


@dataclass
class Load:
    """One run over a stage on the real clock."""

    stage: Stage
    plan: Plan
    rng: random.Random
    struck: Counter[str] = field(default_factory=Counter)
    memory_kb: dict[str, list[int]] = field(default_factory=dict)
    sent: list[UUID] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> dict[str, Any]:
        """Send, wait until all is done, judge, and tell the figures."""
        agents = self._followed()
        threads = [
            threading.Thread(target=self._poll, args=(self.stage.queues[name],))
            for name, count in _WORKERS.items()
            for _ in range(count)
        ]
        threads.append(threading.Thread(target=self._reconcile))
        for thread in threads:
            thread.start()
        began = time.monotonic()
        self._send(agents, began)
        sending = time.monotonic() - began
        backlog = self._unfinished()
        drained = self._drain()
        self._over.set()
        for thread in threads:
            thread.join()
        return self._figures(sending, backlog, drained)

    def _followed(self) -> list[UUID]:
        """Each wallet follows an agent of its own."""
        agents = [self.stage.agent(f"load {number}") for number in range(self.plan.wallets)]
        for number, agent in enumerate(agents):
            self.stage.follow(agent, wallet(f"load {number}"), has_accounts=self.plan.is_live)
        return agents

    def _send(self, agents: list[UUID], began: float) -> None:
        """At the plan's rate, to one agent after the other."""
        for number in range(int(self.plan.rate * self.plan.seconds)):
            wait = began + number / self.plan.rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            id_ = uuid4()
            self.sent.append(id_)
            agent = agents[number % len(agents)]
            body = {
                "signalId": str(id_),
                "agentId": str(agent),
                "tokenSymbol": COIN,
                "side": "LONG",
                "sizeModel": {"type": "fixed-usdc", "value": "1", "leverage": "20"},
            }
            with self.stage.house.queues.lock:
                queue = self.stage.queues[SIGNALS]
                queue.send(str(agent), str(id_), json.dumps(body), {})

    def _drain(self) -> float | None:
        """Seconds until nothing is left to do; None: it never was so."""
        began = time.monotonic()
        while time.monotonic() < began + self.plan.patience_seconds:
            if not self._unfinished():
                return time.monotonic() - began
            time.sleep(0.5)
        return None

    def _unfinished(self) -> int:
        with self.stage.house.queues.lock:
            queued = sum(len(self.stage.queues[name].messages) for name in (SIGNALS, ORDERS))
        return queued + int(
            self._one(
                "SELECT (SELECT count(*) FROM signals WHERE decided_at IS NULL) + (SELECT count(*)"
                " FROM venue_orders WHERE status IN ('PLANNED', 'SENT', 'ACCEPTED')) AS left"
            )["left"]
        )

    def _one(self, sql: str, **params: object) -> Row:
        return self.stage.rows(sql, **params)[0]

    # Working

    def _poll(self, queue: Fifo) -> None:
        """One concurrent execution of a queue's event source."""
        instance = self._cold("route_execute")
        while not self._over.is_set():
            with self.stage.house.queues.lock:
                message = queue.receive()
                told = event(message, queue.name) if message else {}
                handle = message.handle if message else ""
            if message is None:
                time.sleep(0.01)
                continue
            instance, is_done = self._invoke(instance, told)
            if is_done:
                with self.stage.house.queues.lock, suppress(BadReceipt):
                    queue.delete(handle)

    def _invoke(self, instance: Instance, told: dict[str, Any]) -> tuple[Instance, bool]:
        """The instance for the next message, and whether this one may be deleted."""
        fault = self.rng.choice(list(FAULTS)) if self.rng.random() < self.plan.faults else None
        self.stage.house.runtime.invoke(instance, told)
        if fault is not None:
            self.struck[fault] += 1
            FAULTS[fault](self.stage.house, self.rng, instance)
        try:
            happened = instance.events.get(timeout=_TIME_OUT_SECONDS)
        except Empty:
            happened = Dead()
        if isinstance(happened, Dead):
            instance.kill()
            return self._cold(instance.function), False
        assert isinstance(happened, Ended)
        failed = happened.error or (happened.answer or {}).get("batchItemFailures")
        return instance, not failed and fault != DELIVERED_AGAIN

    def _reconcile(self) -> None:
        instance = self._cold("reconcile")
        while not self._over.wait(_RECONCILE_EVERY):
            instance, _ = self._invoke(instance, {})
            self._weigh()

    def _cold(self, function: str) -> Instance:
        house = self.stage.house
        return house.runtime.start(
            function,
            {
                **self.stage.environment(),
                "EXECUTION_MODE": "live" if self.plan.is_live else "paper",
            },
            now=time.time(),
            second_venue=house.servers["OSTIUM"].url,
            is_free=True,
        )

    def _weigh(self) -> None:
        """The resident memory of each instance that lives."""
        for name, instance in list(self.stage.house.runtime.instances.items()):
            with suppress(OSError):
                pages = Path(f"/proc/{instance.pid}/statm").read_text().split()[1]
                self.memory_kb.setdefault(name, []).append(int(pages) * _PAGE_KB)

    # Telling

    def _figures(self, sending: float, backlog: int, drained: float | None) -> dict[str, Any]:
        told = self._one(
            "SELECT count(*) AS filled, count(DISTINCT (signal_id, deployment_id)) AS intents,"
            " count(*) FILTER (WHERE fills <> 1) AS odd,"
            " percentile_cont(0.5) WITHIN GROUP (ORDER BY took) AS median,"
            " percentile_cont(0.99) WITHIN GROUP (ORDER BY took) AS slow"
            " FROM (SELECT o.signal_id, o.deployment_id,"
            "  (SELECT count(*) FROM venue_fills v WHERE v.order_id = o.id) AS fills,"
            "  extract(epoch FROM o.settled_at - s.received_at) AS took"
            "  FROM venue_orders o JOIN signals s ON s.id = o.signal_id"
            "  WHERE o.status = 'FILLED' AND o.purpose = 'ENTRY') f"
        )
        return {
            "signals": len(self.sent),
            "filled": told["filled"],
            "refused": self._refused(),
            "lost": self._lost(),
            "doubled": told["filled"] - told["intents"] + told["odd"],
            "dead_letters": len(self.stage.queues[DEAD].messages),
            "rate": round(len(self.sent) / sending, 1),
            "orders_a_second": round(told["filled"] / (sending + (drained or 0)), 1),
            "backlog_when_sent": backlog,
            "drained_in_s": None if drained is None else round(drained, 1),
            "median_s": told["median"] and round(float(told["median"]), 2),
            "p99_s": told["slow"] and round(float(told["slow"]), 2),
            "faults": dict(self.struck),
            "growth_kb": self._growth(),
            "violations": self._judged(),
        }

    def _refused(self) -> dict[str, int]:
        """How many entries came to nothing, by why."""
        rows = self.stage.rows(
            "SELECT CASE status WHEN 'EXPIRED' THEN 'EXPIRED' ELSE refusal END AS why, count(*)"
            " FROM venue_orders WHERE purpose = 'ENTRY' AND status IN ('REJECTED', 'EXPIRED')"
            " GROUP BY 1"
        )
        return {str(row["why"]): int(row["count"]) for row in rows}

    def _lost(self) -> int:
        """The signals, of those that were sent, that no order of their follower has ended."""
        ended = self.stage.rows(
            "SELECT DISTINCT signal_id FROM venue_orders WHERE purpose = 'ENTRY'"
            " AND status IN ('FILLED', 'REJECTED', 'EXPIRED')"
        )
        return len({*self.sent} - {row["signal_id"] for row in ended})

    def _judged(self) -> list[str]:
        """What the venues' books say of it, once no dead worker holds a lease."""
        if not self.plan.is_live:
            return []
        time.sleep(LEASE_SECONDS)
        return judge(self.stage, [])

    def _growth(self) -> dict[str, int]:
        """Of the instances that lived longest: memory at the end less that half way, in KiB."""
        oldest = sorted(self.memory_kb.items(), key=lambda item: -len(item[1]))[:5]
        return {name: kb[-1] - kb[len(kb) // 2] for name, kb in oldest if len(kb) > 3}


def faults_of(told: dict[str, Any]) -> list[str]:
    """What of a run's figures must not be."""
    wrong = [name for name in ("lost", "doubled", "violations") if told[name]]
    wrong += [f"refused: {why}" for why in told["refused"] if why not in _FORESEEN]
    wrong += [f"{name} grew by {kb} KiB" for name, kb in told["growth_kb"].items() if kb > _FLAT_KB]
    return wrong + ["it does not drain"] * (told["drained_in_s"] is None)


def load(house: House, plan: Plan, seed: int) -> dict[str, Any]:
    """One run; its figures."""
    with real_stage(house) as stage:
        return Load(stage, plan, random.Random(seed)).run()
