"""What happens in a scenario with the chain: the one whose points are all crashed at, and drawn."""

import random
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Final
from uuid import UUID

from agent_where.execution.executor import LEASE_SECONDS
from local.chain.rpc import RpcError
from local.simulators.faults import BadControl
from tests.faults.faulting import Drawn, Faults
from tests.faults.lockstep import Act
from tests.faults.onchain_judges import judge_onchain
from tests.faults.onchain_stage import NETTING, ONCHAIN, OnchainStage, onchain
from tests.faults.onchain_trouble import (
    DrawnTroubles,
    NoTroubles,
    OnchainDirector,
    Troubles,
)
from tests.faults.scenarios import (
    BOUNDS,
    Happening,
    Producer,
    Verdict,
    refuse_growth,
    set_control,
    set_priority,
)
from tests.faults.stage import ORDERS, SIGNALS, Stage, wallet

_PATIENCE_SECONDS: Final = 3600.0
_PRICES: Final = ("56000", "67000", "59000", "61000")


def one_signal_onchain(stage: Stage, faults: Faults, troubles: Troubles | None = None) -> Verdict:
    """One signal, two deployments, refused by the first venue, traded on the chain, closed.

    One worker at a time and nothing drawn: always the same points in the same order.
    """
    place = onchain(stage)
    set_priority(stage)
    agent = stage.agent("one")
    for name in ("first", "second"):
        stage.follow(agent, wallet(name))
    refuse_growth(stage, NETTING, refuses=True)
    director = OnchainDirector(
        place,
        random.Random(0),
        faults,
        workers=1,
        time_outs=False,
        troubles=troubles or NoTroubles(),
    )
    producer = Producer(stage)
    now = stage.clock.now
    opening, closing = producer.opens(agent, riskModel=BOUNDS), producer.closes(agent)
    director.acts = [
        Act(now, "a signal", lambda: producer.send(opening)),
        Act(now + 400, "a close", lambda: producer.send(closing)),
    ]
    return ended(director, place)


def drawn_onchain(stage: Stage, seed: int) -> Verdict:
    """Everything drawn from the seed."""
    rng, place = random.Random(f"onchain {seed}"), onchain(stage)
    _set_order(stage, rng)
    director = OnchainDirector(
        place,
        rng,
        Drawn.from_seed(rng),
        workers=rng.choice((1, 2, 3)),
        time_outs=rng.random() < 0.7,
        skews=rng.choice(((0.0,), (0.0,), (0.0, 30.0), (-30.0, 0.0, 30.0))),
        troubles=DrawnTroubles.from_seed(rng),
    )
    for name in (SIGNALS, ORDERS):
        stage.queues[name].max_receives = rng.choice((30, 30, 4))
    users = [wallet(f"user {number}") for number in range(rng.choice((1, 1, 2)))]
    agents = [stage.agent(f"{number}") for number in range(rng.choice((1, 1, 2)))]
    for agent in agents:
        for user in rng.sample(users, rng.randint(1, len(users))):
            stage.follow(agent, user)
    producer, start = Producer(stage), stage.clock.now
    happenings = _happenings(director, place, agents, producer)
    director.acts = [Act(start + at, what, do) for at, what, do in happenings]
    return ended(director, place, lambda: _close_all(agents, producer))


def ended(
    director: OnchainDirector, stage: OnchainStage, last: Callable[[], None] = lambda: None
) -> Verdict:
    """Play to rest with the faults, then without; then judge."""
    director.play(patience_seconds=_PATIENCE_SECONDS)
    director.calm()
    refuse_growth(stage, NETTING, refuses=False)
    for venue in stage.house.servers:
        stage.tell(venue, "fail", mode=None)
    stage.tell(NETTING, "lag")
    set_control(stage, "ACTIVE")
    stage.redrive()
    last()
    rested = director.play(patience_seconds=_PATIENCE_SECONDS)
    stage.move_clock(stage.clock.now + LEASE_SECONDS)  # a dead worker's runs out
    director.invoke("reconcile")
    director.play(patience_seconds=_PATIENCE_SECONDS)
    restless = [] if rested else [f"comes to rest: {each}" for each in director.unfinished()]
    return Verdict(restless + judge_onchain(stage, director.errors), director)


def _set_order(stage: Stage, rng: random.Random) -> None:
    """Which venue comes first: the chain mostly, with the other to fail over to."""
    priority = rng.choice(([ONCHAIN, NETTING], [ONCHAIN, NETTING], [NETTING, ONCHAIN]))
    stage.rows(
        "UPDATE venue_routing_config SET venue_priority = CAST(:priority AS venue_t[]),"
        " failover_enabled = true WHERE agent_id IS NULL",
        priority=priority,
    )


def _happenings(
    director: OnchainDirector, stage: OnchainStage, agents: list[UUID], producer: Producer
) -> Iterator[Happening]:
    """Signals with copies, and now and then what else a day brings: each at its time."""
    rng = director.rng
    span = rng.choice((5.0, 60.0, 400.0))
    for _ in range(rng.choice((1, 1, 2, 3))):
        yield from _signal(rng, rng.choice(agents), producer, span)
    for share, happen in (
        (0.4, _refusals),
        (0.3, _move),
        (0.15, _pause),
        (0.15, _by_hand),
        (0.15, _control),
    ):
        if rng.random() < share:
            yield from happen(stage, rng, span)
    if rng.random() < 0.1:
        yield rng.uniform(0, span), "a sync", partial(director.invoke, "market_sync")


def _signal(
    rng: random.Random, agent: UUID, producer: Producer, span: float
) -> Iterator[Happening]:
    side, closes = rng.choice(("LONG", "SHORT")), rng.random() < 0.3
    body = producer.closes(agent) if closes else producer.opens(agent, side, riskModel=BOUNDS)
    at = rng.uniform(0, span)
    for copy in range(rng.choice((1, 1, 1, 2, 3))):
        later = at + copy * rng.choice((0.0, 0.1, 30.0, 400.0))
        yield later, f"a signal, copy {copy}", partial(producer.send, body, copy)


def _refusals(stage: OnchainStage, rng: random.Random, span: float) -> Iterator[Happening]:
    at = rng.uniform(0, span)
    for share, refuses, words in ((0.0, True, "refuses"), (1.0, False, "takes orders")):
        later = at + share * rng.uniform(0, span)
        act = partial(refuse_growth, stage, NETTING, refuses=refuses)
        yield later, f"{NETTING} {words}", act


def _move(stage: OnchainStage, rng: random.Random, span: float) -> Iterator[Happening]:
    price = rng.choice(_PRICES)
    for venue in (NETTING, ONCHAIN):
        moves = partial(stage.set_price, price, (venue,))
        yield rng.uniform(0, span) + 5, f"{venue} moves to {price}", moves


def _pause(stage: OnchainStage, rng: random.Random, span: float) -> Iterator[Happening]:
    contract, at = rng.choice(("trading", "callbacks")), rng.uniform(0, span)
    tell = stage.place.tell
    yield at, f"{contract} is paused", partial(tell, "state", contract=contract, paused=True)
    later = at + rng.uniform(0, span)
    goes_on = partial(tell, "state", contract=contract, paused=False)
    yield later, f"{contract} goes on", goes_on


def _by_hand(stage: OnchainStage, rng: random.Random, span: float) -> Iterator[Happening]:
    user = wallet("user 0")
    yield rng.uniform(0, span) + 10, "a user closes by hand", partial(close_by_hand, stage, user)


def close_by_hand(stage: OnchainStage, user: str) -> None:
    """The user closes a trade at the venue, if there is one."""
    trades = [each for each in stage.chain_book().open_trades if each.trader == user]
    for trade in trades[:1]:
        pair, index, _ = trade.ref.split(":")
        with suppress(BadControl, RpcError):
            stage.place.close_by_hand(user, int(pair), int(index))


def _control(stage: OnchainStage, rng: random.Random, span: float) -> Iterator[Happening]:
    at, state = rng.uniform(0, span), rng.choice(("HALTED", "CLOSE_ONLY"))
    yield at, f"an operator says {state}", partial(set_control, stage, state)
    later = at + rng.uniform(0, span)
    yield later, "and lets go", partial(set_control, stage, "ACTIVE")


def _close_all(agents: list[UUID], producer: Producer) -> None:
    for agent in agents:
        producer.send(producer.closes(agent))
