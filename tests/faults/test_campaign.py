"""The campaign itself: it replays, and what fails for a while is traded once and no more."""

import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

import pytest

from tests.faults.faulting import At, Fault, Kind, NoFaults, OneFault
from tests.faults.happenings import set_up_again, trade_by_hand
from tests.faults.house import VENUES, House
from tests.faults.lockstep import Act, Director
from tests.faults.points import Point
from tests.faults.producing import BOUNDS, Producer
from tests.faults.scenarios import (
    Verdict,
    drawn,
    ended,
    one_signal,
    open_and_close,
    set_priority,
    skewed,
)
from tests.faults.stage import Stage, staged, wallet

SEEDS = (18, 44, 93)


@dataclass
class Meanwhile:
    """No fault, but something that happens each time that a point is come to."""

    is_there: Callable[[Point], bool]
    work: Callable[[], object]
    times: int = 0

    def at(self, point: Point) -> Fault | None:
        if self.is_there(point):
            self.times += 1
            self.work()
        return None


def entries(stage: Stage) -> list[tuple[str, str]]:
    return [
        (row["venue"], row["status"])
        for row in stage.rows(
            "SELECT * FROM venue_orders WHERE purpose = 'ENTRY' ORDER BY venue, deployment_id"
        )
    ]


def test_without_a_fault_the_one_signal_fails_over_and_is_closed(stage: Stage) -> None:
    verdict = one_signal(stage, NoFaults())

    assert verdict.violations == []
    assert entries(stage) == [
        ("HYPERLIQUID", "REJECTED"),
        ("HYPERLIQUID", "REJECTED"),
        ("OSTIUM", "FILLED"),
        ("OSTIUM", "FILLED"),
    ]
    assert {row["status"] for row in stage.rows("SELECT status FROM positions")} == {"CLOSED"}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_seed_replays_exactly(house: House, seed: int) -> None:
    def told() -> Verdict:
        with staged(house, Stage) as stage:
            return drawn(stage, seed)

    def without_names(verdict: Verdict) -> list[str]:
        """Instances are numbered on from the last scenario's."""
        numbers = {name: str(place) for place, name in enumerate(_instances(verdict))}
        return [
            " ".join(numbers.get(word, word) for word in line.split())
            for line in verdict.director.log
        ]

    first, second = told(), told()

    assert first.violations == second.violations == []
    assert without_names(first) == without_names(second)


@pytest.mark.parametrize("skew", [-60.0, 60.0], ids=["behind", "ahead"])
def test_a_function_whose_clock_is_wrong_trades_like_any_other(stage: Stage, skew: float) -> None:
    """By its own clock each quote would be too old, or an old one fresh: found by seed 99 once."""
    verdict = skewed(stage, skew)

    assert verdict.violations == []
    assert entries(stage) == [("HYPERLIQUID", "FILLED")]
    assert not any("s old" in each for each in verdict.director.errors)


@pytest.mark.parametrize(
    ("kind", "at", "told"),
    [
        (Kind.FAILOVER, "mark_sent", "Connection refused"),
        (Kind.READ_ONLY, "mark_sent", "(25006)"),
        (Kind.POOL_FULL, "mark_sent", "(53300)"),
        (Kind.SIGNER_DOWN, "Sign", "KMSInternalException"),
        (Kind.SIGNER_LOSES, "Sign", ""),
        (Kind.SIGNER_DENIES, "Sign", ""),
        (Kind.QUEUE_REFUSES, "send orders", "QueueUnavailable"),
        (Kind.QUEUE_LOSES, "send orders", "QueueUnavailable"),
    ],
)
def test_what_fails_for_a_while_is_waited_for(stage: Stage, kind: Kind, at: str, told: str) -> None:
    verdict = one_signal(stage, At(at, Fault(kind, 25.0)), is_refused=False)

    assert verdict.violations == []
    assert verdict.director.struck == {kind: 1}
    assert not told or any(told in each for each in verdict.director.errors)
    statuses = {row["status"] for row in stage.rows("SELECT status FROM positions")}
    assert statuses == {"CLOSED"}


def test_what_a_user_holds_by_hand_beside_ours_stays(stage: Stage) -> None:
    set_priority(stage, VENUES)
    agent, user = stage.agent("one"), wallet("user 0")
    stage.follow(agent, user)
    director, now = Director(stage, random.Random(1), NoFaults()), stage.clock.now
    by_hand = partial(trade_by_hand, stage, "HYPERLIQUID", user)
    open_and_close(director, agent, 60)
    director.acts += [
        Act(now + 20, "the user buys", lambda: by_hand("0.02", is_buy=True)),
        Act(now + 40, "the user sells a part", lambda: by_hand("0.005", is_buy=False)),
    ]

    verdict = ended(director)

    assert verdict.violations == []
    held = stage.books("HYPERLIQUID")["accounts"][user]["positions"]["BTC"]["size"]
    assert Decimal(held) == Decimal("0.015")


def test_setup_with_one_more_migration_runs_while_signals_flow(stage: Stage) -> None:
    set_priority(stage, VENUES)
    agent = stage.agent("one")
    stage.follow(agent, wallet("user 0"))

    def in_the_middle(point: Point) -> bool:
        return "mark_sent" in point[2]

    faults = Meanwhile(in_the_middle, partial(set_up_again, stage))
    director = Director(stage, random.Random(1), faults)
    open_and_close(director, agent, 60)

    assert ended(director).violations == []
    assert faults.times >= 2


def test_it_is_not_at_rest_before_bounds_that_were_taken_back_are_placed_anew(stage: Stage) -> None:
    """Seed 4758: what the user sold is seen at the very end, and the bounds are too large."""
    set_priority(stage, VENUES)
    agent, producer, user = stage.agent("one"), Producer(stage), wallet("user 0")
    stage.follow(agent, user)
    director = Director(stage, random.Random(1), NoFaults())
    began = stage.clock.now
    sells = partial(trade_by_hand, stage, "HYPERLIQUID", user, "0.002", is_buy=False)
    opening = producer.opens(agent, riskModel=BOUNDS)
    director.acts = [
        Act(began, "a signal", lambda: producer.send(opening)),
        Act(began + 20, "the user sells a part", sells),
    ]

    verdict = ended(director, lambda: producer.close_all([agent]), looks=True)

    assert verdict.violations == []
    assert stage.rows("SELECT count(*) AS n FROM venue_orders WHERE purpose = 'STOP_LOSS'") == [
        {"n": 2}
    ]


def _instances(verdict: Verdict) -> list[str]:
    words = (word for line in verdict.director.log for word in line.split())
    return list(dict.fromkeys(word for word in words if word[-1].isdigit() and "-" in word))


def test_a_message_that_always_fails_delays_nobody_else(stage: Stage) -> None:
    """One account's key is gone: its order comes again and again, and the others' are not late."""
    set_priority(stage, VENUES)
    director = Director(stage, random.Random(1), NoFaults(), patience_seconds=150)
    producer, agents = Producer(stage), [stage.agent(f"{number}") for number in range(4)]
    for number, agent in enumerate(agents):
        stage.follow(agent, wallet(f"user {number}"))
    stage.rows(
        "UPDATE venue_accounts SET key_ref = 'env:NOBODY_HAS_IT' WHERE account = :account",
        account=wallet("user 0"),
    )
    began = stage.clock.now
    director.acts = [
        Act(began, "a signal", lambda agent=agent: producer.send(producer.opens(agent)))  # type: ignore[misc]
        for agent in agents
    ]

    director.play()

    filled = stage.rows(
        "SELECT o.deployment_id, o.settled_at FROM venue_orders o WHERE o.status = 'FILLED'"
    )
    assert len(filled) == 3
    assert all(row["settled_at"].timestamp() < began + 5 for row in filled)
    (held_up,) = stage.rows(
        "SELECT o.status, o.detail, o.due_at FROM venue_orders o WHERE o.account = :account",
        account=wallet("user 0"),
    )
    assert held_up["status"] == "PLANNED"
    assert "NOBODY_HAS_IT" in held_up["detail"]
    assert held_up["due_at"].timestamp() > began + 60, "it was tried more than once"


def test_more_orders_than_a_queue_takes_at_once_wait_at_one_point_after_the_other(
    stage: Stage,
) -> None:
    """Seed 938: batches are sent side by side, and a process can wait at one point only."""
    set_priority(stage, VENUES)
    agent = stage.agent("one")
    for number in range(11):
        stage.follow(agent, wallet(f"user {number}"))
    director = Director(stage, random.Random(1), NoFaults())
    open_and_close(director, agent, 60)

    verdict = ended(director)

    assert verdict.violations == []
    assert verdict.entries == 11


def test_faults_are_counted_and_come_where_they_are_put(stage: Stage) -> None:
    faults = OneFault(5, Fault(Kind.DIE))

    verdict = one_signal(stage, faults)

    assert verdict.violations == []
    assert verdict.director.struck == {Kind.DIE: 1}
    assert faults.struck == faults.points[4]
