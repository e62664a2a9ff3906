"""What happens in a scenario besides faults: who follows whom, which signals come when, what the
markets do. Drawn from a seed, or the one whose every point is crashed at.
"""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID, uuid5

from agent_where.execution.executor import LEASE_SECONDS
from agent_where.migrations import set_up
from local.simulators.faults import BadControl
from tests.faults.faulting import Drawn, Faults
from tests.faults.judges import judge
from tests.faults.lockstep import Act, Director
from tests.faults.stage import COIN, MIGRATIONS, ORDERS, SIGNALS, VENUES, Stage, wallet

NIL = "00000000-0000-0000-0000-000000000000"
_ONE_MORE = ";\n".join(
    f"ALTER TABLE {table} ADD COLUMN faults_note text; CREATE INDEX ON {table} (faults_note)"
    for table in ("signals", "venue_orders", "positions")
)
BOUNDS = {"stopLoss": "0.05", "takeProfit": "0.1"}


@dataclass
class Verdict:
    """How a scenario ended. `violations`: none is how it should be."""

    violations: list[str]
    director: Director


class Producer:
    """Puts signals on their queue, as a producer within the account does."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self._sent = 0

    def body(self, agent: UUID, **told: object) -> dict[str, Any]:
        """A message of a new signal."""
        self._sent += 1
        return {
            "signalId": str(uuid5(agent, f"signal {self._sent}")),
            "agentId": str(agent),
            "tokenSymbol": COIN,
            **told,
        }

    def opens(self, agent: UUID, side: str = "LONG", **told: object) -> dict[str, Any]:
        """An OPEN of 100 USDC at leverage 3."""
        size = {"type": "fixed-usdc", "value": "100", "leverage": "3"}
        return self.body(agent, side=side, sizeModel=size, **told)

    def closes(self, agent: UUID) -> dict[str, Any]:
        """A CLOSE of everything."""
        return self.body(agent, action="CLOSE")

    def send(self, body: dict[str, Any], copy: int = 0) -> None:
        """`copy`: the same once more, as a producer sends that did not hear the answer."""
        key = f"{body['signalId']}-{copy}"
        self._stage.queues[SIGNALS].send(body["agentId"], key, json.dumps(body), {})


def set_priority(stage: Stage) -> None:
    """The first venue first, then the second."""
    stage.rows(
        "UPDATE venue_routing_config SET venue_priority = ARRAY['HYPERLIQUID', 'OSTIUM'],"
        " failover_enabled = true WHERE agent_id IS NULL"
    )


def refuse_growth(stage: Stage, venue: str, *, refuses: bool) -> None:
    """The venue refuses orders that open anything, in documented words, or no longer."""
    stage.tell(venue, "cap", coin=COIN, capped=refuses)


def one_signal(stage: Stage, faults: Faults, *, is_refused: bool = True) -> Verdict:
    """One signal, two deployments, refused by the first venue, traded at the second, closed.

    One worker at a time and nothing drawn: always the same points in the same order.
    """
    set_priority(stage)
    agent = stage.agent("one")
    for name in ("first", "second"):
        stage.follow(agent, wallet(name))
    refuse_growth(stage, "HYPERLIQUID", refuses=is_refused)
    director = Director(stage, random.Random(0), faults, workers=1, time_outs=False)
    producer = Producer(stage)
    now = stage.clock.now
    opening, closing = producer.opens(agent, riskModel=BOUNDS), producer.closes(agent)
    director.acts = [
        Act(now, "a signal", lambda: producer.send(opening)),
        Act(now + 400, "a close", lambda: producer.send(closing)),
    ]
    return ended(director)


def drawn(stage: Stage, seed: int) -> Verdict:
    """Everything drawn from the seed."""
    rng = random.Random(seed)
    set_priority(stage)
    director = Director(
        stage,
        rng,
        Drawn.from_seed(rng),
        workers=rng.choice((1, 2, 3)),
        time_outs=rng.random() < 0.7,
        skews=rng.choice(((0.0,), (0.0,), (0.0, 60.0), (-60.0, 0.0, 60.0))),
    )
    for name in (SIGNALS, ORDERS):
        stage.queues[name].max_receives = rng.choice((30, 30, 4))
    agents = _agents(stage, rng)
    producer = Producer(stage)
    start = stage.clock.now
    director.acts = [
        Act(start + at, what, do) for at, what, do in _acts(director, agents, producer)
    ]
    return ended(director, lambda: _close_all(director, agents, producer))


def ended(director: Director, last: Callable[[], None] = lambda: None) -> Verdict:
    """Play to rest with the faults, then without; then judge."""
    rested = director.play()
    director.calm()
    for venue in VENUES:
        refuse_growth(director.stage, venue, refuses=False)
        director.stage.tell(venue, "fail", mode=None)
        director.stage.tell(venue, "lag")
    set_control(director.stage, "ACTIVE")
    director.stage.redrive()
    last()
    rested = director.play()
    director.stage.move_clock(director.stage.clock.now + LEASE_SECONDS)  # a dead worker's runs out
    director.invoke("reconcile")
    director.play()
    restless = [] if rested else [f"comes to rest: {each}" for each in director.unfinished()]
    return Verdict(restless + judge(director.stage, director.errors), director)


def _agents(stage: Stage, rng: random.Random) -> list[UUID]:
    """One to three agents with followers, some of whom follow several."""
    users = [wallet(f"user {number}") for number in range(rng.choice((1, 1, 2, 3)))]
    agents = [stage.agent(f"{number}") for number in range(rng.choice((1, 1, 2, 3)))]
    for agent in agents:
        for user in rng.sample(users, rng.randint(1, len(users))):
            stage.follow(agent, user)
    return agents


Happening = tuple[float, str, Callable[[], object]]
"""When, in words, and what."""


def _acts(director: Director, agents: list[UUID], producer: Producer) -> Iterator[Happening]:
    """Signals with copies, and now and then what else a day brings: each at its time."""
    rng, stage = director.rng, director.stage
    span = rng.choice((5.0, 60.0, 400.0))
    for _ in range(rng.choice((1, 1, 2, 2, 3, 5))):
        yield from _signal(rng, rng.choice(agents), producer, span)
    for share, happen in (
        (0.4, _refusals),
        (0.3, _move),
        (0.3, _lateness),
        (0.15, _control),
        (0.15, _liquidation),
        (0.1, _poison),
        (0.05, _restart),
        (0.05, _migration),
        (0.15, _by_hand),
    ):
        if rng.random() < share:
            yield from happen(stage, rng, span)
    for function in rng.choice(((), (), ("reconcile",), ("reconcile", "reconcile"))):
        yield _at(rng, span), "reconcile, once more", partial(director.invoke, function)
    if rng.random() < 0.1:
        yield _at(rng, span), "a sync", partial(director.invoke, "market_sync")


def _at(rng: random.Random, span: float) -> float:
    return rng.uniform(0, span)


def _signal(
    rng: random.Random, agent: UUID, producer: Producer, span: float
) -> Iterator[Happening]:
    """One signal and its copies, now or minutes later."""
    if rng.random() < 0.25:
        body = producer.closes(agent)
    else:
        risk = {"riskModel": BOUNDS} if rng.random() < 0.4 else {}
        body = producer.opens(agent, rng.choice(("LONG", "LONG", "SHORT")), **risk)
    at = _at(rng, span)
    for copy in range(rng.choice((1, 1, 1, 2, 3))):
        later = at + copy * rng.choice((0.0, 0.1, 30.0, 400.0))
        yield later, f"a signal, copy {copy}", partial(producer.send, body, copy)


def _refusals(stage: Stage, rng: random.Random, span: float) -> Iterator[Happening]:
    venue, at = rng.choice(VENUES), _at(rng, span)
    yield at, f"{venue} refuses", partial(refuse_growth, stage, venue, refuses=True)
    later = at + _at(rng, span)
    yield later, f"{venue} takes orders", partial(refuse_growth, stage, venue, refuses=False)


def _move(stage: Stage, rng: random.Random, span: float) -> Iterator[Happening]:
    price = rng.choice(("56000", "67000", "59000", "61000"))
    for venue in VENUES:
        moves = partial(stage.tell, venue, "price", coin=COIN, price=price)
        yield _at(rng, span) + 5, f"{venue} moves to {price}", moves


def _lateness(stage: Stage, rng: random.Random, _: float) -> Iterator[Happening]:
    seconds = rng.choice((1, 3, 8))
    for venue in VENUES:
        late = partial(stage.tell, venue, "lag", orderStatus=seconds, fills=seconds)
        yield 0.0, f"{venue} is {seconds} s late", late


def _control(stage: Stage, rng: random.Random, span: float) -> Iterator[Happening]:
    at, state = _at(rng, span), rng.choice(("HALTED", "CLOSE_ONLY"))
    yield at, f"an operator says {state}", partial(set_control, stage, state)
    yield at + _at(rng, span), "and lets go", partial(set_control, stage, "ACTIVE")


def _liquidation(stage: Stage, rng: random.Random, span: float) -> Iterator[Happening]:
    venue, number = rng.choice(VENUES), rng.choice((0, 1, 2))
    work = partial(liquidate, stage, venue, wallet(f"user {number}"))
    yield _at(rng, span) + 5, f"{venue} liquidates", work


def _poison(stage: Stage, rng: random.Random, span: float) -> Iterator[Happening]:
    for name, body in (("no JSON", "{"), ("an unknown order", json.dumps({"orderId": NIL}))):
        queue = stage.queues[rng.choice((SIGNALS, ORDERS))]
        yield _at(rng, span), f"a poison message, {name}", partial(queue.send, name, name, body, {})


def _restart(stage: Stage, rng: random.Random, span: float) -> Iterator[Happening]:
    yield _at(rng, span), "the database restarts", stage.restart_database


def _migration(stage: Stage, rng: random.Random, span: float) -> Iterator[Happening]:
    yield _at(rng, span), "setup runs, with a migration more", partial(set_up_again, stage)
    yield _at(rng, span), "setup runs once more", partial(set_up_again, stage)


def _by_hand(stage: Stage, rng: random.Random, span: float) -> Iterator[Happening]:
    """The user trades in the account that we trade: on top, against us, or out of all of it."""
    venue, user = rng.choice(VENUES), wallet(f"user {rng.choice((0, 1, 2))}")
    for _ in range(rng.choice((1, 1, 2, 4))):
        size, is_buy = rng.choice(("0.002", "0.005", "0.02")), rng.random() < 0.5
        work = partial(trade_by_hand, stage, venue, user, size, is_buy=is_buy)
        side = "buys" if is_buy else "sells"
        yield _at(rng, span) + 5, f"a user {side} {size} at {venue} by hand", work


def set_control(stage: Stage, state: str) -> None:
    """Everybody may trade, or close only, or nothing."""
    stage.rows(
        "INSERT INTO trading_controls (scope, id, state, reason, set_by)"
        " VALUES ('global', NULL, :state, 'a scenario', 'a scenario')"
        " ON CONFLICT (scope, id) DO UPDATE SET state = excluded.state",
        state=state,
    )


def liquidate(stage: Stage, venue: str, user: str) -> None:
    """The venue takes a position away, if there is one."""
    with suppress(BadControl):
        stage.tell(venue, "liquidate", user=user, coin=COIN)


def trade_by_hand(stage: Stage, venue: str, user: str, size: str, *, is_buy: bool) -> None:
    """A market order of the user's, if there is such an account."""
    with suppress(BadControl):
        stage.tell(venue, "trade", user=user, coin=COIN, size=size, buy=is_buy)


def set_up_again(stage: Stage) -> None:
    """What a deployment does first: all of setup, with one more migration than there was."""
    with TemporaryDirectory() as folder:
        ours = sorted(MIGRATIONS.glob("*.sql"))
        for each in ours:
            (Path(folder) / each.name).write_bytes(each.read_bytes())
        (Path(folder) / f"{len(ours) + 1:04}_faults.sql").write_text(_ONE_MORE)
        set_up(stage.direct, Path(folder), network="mainnet")


def _close_all(director: Director, agents: list[UUID], producer: Producer) -> None:
    for agent in agents:
        producer.send(producer.closes(agent))
