"""What happens in a scenario besides faults: who follows whom, which signals come when, what the
markets do. Drawn from a seed, or the one whose every point is crashed at.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from tests.faults.faulting import Drawn, Faults
from tests.faults.judges import judge
from tests.faults.lockstep import Act, Director
from tests.faults.stage import COIN, SIGNALS, VENUES, Stage, wallet

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


def one_signal(stage: Stage, faults: Faults, seed: int = 0) -> Verdict:
    """One signal, two deployments, refused by the first venue, traded at the second, closed.

    One worker at a time and nothing drawn: the same points in the same order, whatever the seed.
    """
    set_priority(stage)
    agent = stage.agent("one")
    for name in ("first", "second"):
        stage.follow(agent, wallet(name))
    refuse_growth(stage, "HYPERLIQUID", refuses=True)
    director = Director(stage, random.Random(seed), faults, workers=1)
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
    )
    agents = _agents(stage, rng)
    producer = Producer(stage)
    start = stage.clock.now
    director.acts = [
        Act(start + at, what, do) for at, what, do in _acts(stage, rng, agents, producer, director)
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
    last()
    rested = director.play()
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


def _acts(
    stage: Stage, rng: random.Random, agents: list[UUID], producer: Producer, director: Director
) -> Iterator[tuple[float, str, Callable[[], object]]]:
    """Signals with copies, closes, prices, refusals, late answers, syncs: each at its time."""
    span = rng.choice((5.0, 60.0, 400.0))
    for _ in range(rng.choice((1, 1, 2, 2, 3, 5))):
        agent, at = rng.choice(agents), rng.uniform(0, span)
        if rng.random() < 0.25:
            body = producer.closes(agent)
        else:
            risk = {"riskModel": BOUNDS} if rng.random() < 0.4 else {}
            body = producer.opens(agent, rng.choice(("LONG", "LONG", "SHORT")), **risk)
        copies = rng.choice((1, 1, 1, 2, 3))
        for copy in range(copies):
            later = at + copy * rng.choice((0.0, 0.1, 30.0, 400.0))
            yield later, f"a signal, copy {copy}", lambda b=body, c=copy: producer.send(b, c)  # type: ignore[misc]
    if rng.random() < 0.5:
        venue, at = rng.choice(VENUES), rng.uniform(0, span)
        yield at, f"{venue} refuses", lambda: refuse_growth(stage, venue, refuses=True)
        yield (
            at + rng.uniform(1, span),
            f"{venue} takes orders",
            lambda: refuse_growth(stage, venue, refuses=False),
        )
    if rng.random() < 0.3:
        price = rng.choice(("56000", "67000", "59000", "61000"))
        for venue in VENUES:
            yield (
                rng.uniform(0, span) + 5,
                f"{venue} moves to {price}",
                lambda v=venue: stage.tell(v, "price", coin=COIN, price=price),  # type: ignore[misc]
            )
    if rng.random() < 0.3:
        seconds = rng.choice((1, 3, 8))
        for venue in VENUES:
            yield (
                0.0,
                f"{venue} is {seconds} s late",
                lambda v=venue: stage.tell(v, "lag", orderStatus=seconds, fills=seconds),  # type: ignore[misc]
            )
    for _ in range(rng.choice((0, 0, 1, 2))):
        yield rng.uniform(0, span), "reconcile, once more", lambda: director.invoke("reconcile")
    if rng.random() < 0.1:
        yield rng.uniform(0, span), "a sync", lambda: director.invoke("market_sync")


def _close_all(director: Director, agents: list[UUID], producer: Producer) -> None:
    for agent in agents:
        producer.send(producer.closes(agent))
