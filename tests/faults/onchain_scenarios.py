"""Scenarios with the chain: the one signal whose points are all crashed at, and what is drawn."""

import random
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from uuid import UUID

from local.chain.rpc import RpcError
from local.simulators.faults import BadControl
from tests.faults.faulting import Drawn, Faults
from tests.faults.happenings import Happening, a_day, at, control, moves, refusals
from tests.faults.lockstep import Director
from tests.faults.onchain_judges import judge_onchain
from tests.faults.onchain_stage import NETTING, ONCHAIN, OnchainStage, onchain
from tests.faults.onchain_trouble import (
    DrawnTroubles,
    NoTroubles,
    OnchainDirector,
    Troubles,
)
from tests.faults.producing import Producer
from tests.faults.scenarios import Verdict, play_drawn, play_one, set_priority
from tests.faults.stage import Stage, wallet


def one_signal_onchain(stage: Stage, faults: Faults, troubles: Troubles | None = None) -> Verdict:
    """One signal, two deployments, refused by the first venue, traded on the chain, closed.

    One worker at a time and nothing drawn: always the same points in the same order.
    """
    stage.refuse_growth(NETTING, refuses=True)
    director = OnchainDirector(
        onchain(stage),
        random.Random(0),
        faults,
        workers=1,
        time_outs=False,
        troubles=troubles or NoTroubles(),
    )
    return play_one(director, judge_onchain)


def drawn_onchain(stage: Stage, seed: int) -> Verdict:
    """Everything drawn from the seed: the chain comes first mostly, with the other to fail over."""
    rng = random.Random(f"onchain {seed}")
    chain_first, chain_last = (ONCHAIN, NETTING), (NETTING, ONCHAIN)
    set_priority(stage, rng.choice((chain_first, chain_first, chain_last)))
    director = OnchainDirector(
        onchain(stage),
        rng,
        Drawn.from_seed(rng),
        workers=rng.choice((1, 2, 3)),
        time_outs=rng.random() < 0.7,
        skews=rng.choice(((0.0,), (0.0,), (0.0, 30.0), (-30.0, 0.0, 30.0))),
        troubles=DrawnTroubles.from_seed(rng),
    )
    return play_drawn(director, _happenings, (1, 1, 2), judge_onchain)


def _happenings(director: Director, agents: list[UUID], producer: Producer) -> Iterator[Happening]:
    shares = (
        (0.4, refusals),
        (0.3, moves),
        (0.15, _pause),
        (0.15, _close_by_hand),
        (0.15, control),
    )
    return a_day(director, agents, producer, signals=(1, 1, 2, 3), bound=1.0, shares=shares)


def _pause(stage: Stage, rng: random.Random, span: float) -> Iterator[Happening]:
    """One of the venue's contracts is paused for a while."""
    contract, first = rng.choice(("trading", "callbacks")), at(rng, span)
    tell = partial(onchain(stage).place.tell, "state", contract=contract)
    yield first, f"{contract} is paused", partial(tell, paused=True)
    yield first + at(rng, span), f"{contract} goes on", partial(tell, paused=False)


def _close_by_hand(stage: Stage, rng: random.Random, span: float) -> Iterator[Happening]:
    work = partial(close_by_hand, onchain(stage), wallet("user 0"))
    yield at(rng, span) + 10, "a user closes by hand", work


def close_by_hand(stage: OnchainStage, user: str) -> None:
    """The user closes a trade at the venue, if there is one."""
    trades = [each for each in stage.chain_book().open_trades if each.trader == user]
    for trade in trades[:1]:
        pair, index, _ = trade.ref.split(":")
        with suppress(BadControl, RpcError):
            stage.place.close_by_hand(user, int(pair), int(index))
