"""A scenario from its beginning to its verdict: the one signal whose every point is crashed at, and
what is drawn from a seed.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from agent_where.execution.executor import LEASE_SECONDS
from tests.faults.faulting import Drawn, Faults, NoFaults
from tests.faults.happenings import (
    Happening,
    a_day,
    by_hand,
    control,
    lateness,
    liquidation,
    migration,
    moves,
    poison,
    refusals,
    restart,
    set_control,
)
from tests.faults.house import BEGINNING, VENUES
from tests.faults.judges import judge
from tests.faults.lockstep import Act, Director
from tests.faults.producing import BOUNDS, Producer
from tests.faults.stage import ORDERS, SIGNALS, Stage, wallet

_SHARES = (
    (0.4, refusals),
    (0.3, moves),
    (0.3, lateness),
    (0.15, control),
    (0.15, liquidation),
    (0.1, poison),
    (0.05, restart),
    (0.05, migration),
    (0.15, by_hand),
)
_FINAL_AFTER_SECONDS = 20.0
"""Five blocks, and fifteen seconds: what a venue did by then, in one leap of time too, is told."""


class Judged(Protocol):
    """Says what violates what must hold on a stage at rest, given what its workers raised."""

    def __call__(self, stage: Stage, errors: list[str], *, is_closed: bool) -> list[str]: ...


Happenings = Callable[[Director, list[UUID], Producer], Iterator[Happening]]


@dataclass
class Verdict:
    """How a scenario ended. `violations`: none is how it should be. `entries`: executed ones."""

    violations: list[str]
    director: Director
    entries: int


def one_signal(stage: Stage, faults: Faults, *, is_refused: bool = True) -> Verdict:
    """One signal, two deployments, refused by the first venue, traded at the second, closed.

    One worker at a time and nothing drawn: always the same points in the same order.
    """
    stage.refuse_growth(VENUES[0], refuses=is_refused)
    return play_one(Director(stage, random.Random(0), faults, workers=1, time_outs=False))


def skewed(stage: Stage, skew: float) -> Verdict:
    """One signal and its close, with all functions' clocks that many seconds ahead."""
    set_priority(stage, VENUES)
    agent = stage.agent("one")
    stage.follow(agent, wallet("user 0"))
    director = Director(stage, random.Random(1), NoFaults(), skews=(skew,))
    open_and_close(director, agent, 60)
    return ended(director)


def drawn(stage: Stage, seed: int) -> Verdict:
    """Everything drawn from the seed."""
    rng = random.Random(seed)
    set_priority(stage, VENUES)
    director = Director(
        stage,
        rng,
        Drawn.from_seed(rng),
        workers=rng.choice((1, 2, 3)),
        time_outs=rng.random() < 0.7,
        skews=rng.choice(((0.0,), (0.0,), (0.0, 60.0), (-60.0, 0.0, 60.0))),
    )

    def happen(director: Director, agents: list[UUID], producer: Producer) -> Iterator[Happening]:
        signals = (1, 1, 2, 2, 3, 5)
        return a_day(director, agents, producer, signals=signals, bound=0.4, shares=_SHARES)

    return play_drawn(director, happen, (1, 1, 2, 3))


def set_priority(stage: Stage, venues: Sequence[str]) -> None:
    """Where to go first, and where from there."""
    stage.rows(
        "UPDATE venue_routing_config SET venue_priority = CAST(:venues AS venue_t[]),"
        " failover_enabled = true WHERE agent_id IS NULL",
        venues=list(venues),
    )


def play_one(director: Director, judged: Judged = judge) -> Verdict:
    """An agent with two followers opens, and closes 400 seconds later."""
    stage = director.stage
    set_priority(stage, VENUES)
    agent = stage.agent("one")
    for name in ("first", "second"):
        stage.follow(agent, wallet(name))
    open_and_close(director, agent, 400, riskModel=BOUNDS)
    return ended(director, judged=judged)


def open_and_close(director: Director, agent: UUID, seconds: float, **told: object) -> None:
    """A LONG now and its CLOSE so much later; what else happens may be added."""
    producer, now = Producer(director.stage), director.stage.clock.now
    opening, closing = producer.opens(agent, "LONG", **told), producer.closes(agent)
    director.acts += [
        Act(now, "a signal", lambda: producer.send(opening)),
        Act(now + seconds, "a close", lambda: producer.send(closing)),
    ]


def play_drawn(
    director: Director, happen: Happenings, most: Sequence[int], judged: Judged = judge
) -> Verdict:
    """Agents with followers, and what happens to them; at last everything is closed.

    Args:
        most: how many agents there may be, and how many users, one as likely as the other.
    """
    stage, rng = director.stage, director.rng
    for name in (SIGNALS, ORDERS):
        stage.queues[name].max_receives = rng.choice((30, 30, 4))
    agents = _agents(stage, rng, most)
    producer, start = Producer(stage), stage.clock.now
    happenings = happen(director, agents, producer)
    director.acts = [Act(start + at, what, do) for at, what, do in happenings]
    looks = rng.random() < 0.5
    return ended(director, lambda: producer.close_all(agents), judged, looks=looks)


def _agents(stage: Stage, rng: random.Random, most: Sequence[int]) -> list[UUID]:
    """Agents with followers, some of whom follow several."""
    users = [wallet(f"user {number}") for number in range(rng.choice(most))]
    agents = [stage.agent(f"{number}") for number in range(rng.choice(most))]
    for agent in agents:
        for user in rng.sample(users, rng.randint(1, len(users))):
            stage.follow(agent, user)
    return agents


def ended(
    director: Director,
    last: Callable[[], None] = lambda: None,
    judged: Judged = judge,
    *,
    looks: bool = False,
) -> Verdict:
    """Play to rest with the faults, then without, and judge.

    Args:
        last: closes all that is open.
        looks: whether before that all comes to rest, and is judged as it stands; else it is closed
            while there may be something left to do.
    """
    stage = director.stage
    director.play()
    director.calm()
    stage.heal_venues()
    set_control(stage, "ACTIVE")
    stage.redrive()
    looked = _judged(director, judged, is_closed=False) if looks else []
    found = [f"{words} (while open)" for words in looked]
    last()
    found += _judged(director, judged, is_closed=True)
    return Verdict(found, director, stage.entries_filled())


def _judged(director: Director, judged: Judged, *, is_closed: bool) -> list[str]:
    """What is wrong once all is at rest, and reconcile has seen it after every lease's end."""
    stage, calm = director.stage, director.stage.clock.now
    restless = _restless(director)
    began = calm if director.struck or director.deaths else BEGINNING  # the dead return nothing
    kept = stage.leases_since(began)
    stage.move_clock(stage.clock.now + LEASE_SECONDS)  # a dead worker's runs out
    stage.move_clock(stage.clock.now + _FINAL_AFTER_SECONDS)
    director.invoke("reconcile")
    restless += _restless(director)
    return [
        *(f"comes to rest: {each}" for each in restless),
        *(f"leases returned: the lease of {account} was kept" for account in kept),
        *judged(stage, director.errors, is_closed=is_closed),
    ]


def _restless(director: Director) -> list[str]:
    """What is left to do where it does not come to rest in time."""
    return [] if director.play() else director.unfinished()
