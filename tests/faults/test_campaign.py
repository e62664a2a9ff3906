"""The campaign itself: it replays, it judges, and it finds the mistakes that it is there for."""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from uuid import UUID

import pytest

from tests.faults.faulting import Fault, Kind, NoFaults, OneFault
from tests.faults.judges import judge
from tests.faults.lockstep import Act, Director
from tests.faults.points import Point
from tests.faults.sabotage import SABOTAGE
from tests.faults.scenarios import (
    Producer,
    Verdict,
    drawn,
    ended,
    one_signal,
    set_priority,
    set_up_again,
    trade_by_hand,
)
from tests.faults.stage import House, Stage, staged, wallet

SEEDS = (18, 44, 93)
AHEAD = 99
"""Where every function's clock is a minute ahead. By it each quote would be too old."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("faults"))
    yield made
    made.close()


@pytest.fixture
def stage(house: House) -> Iterator[Stage]:
    with staged(house) as made:
        yield made


@dataclass
class At:
    """A fault the first time that a point of that name is come to."""

    name: str
    fault: Fault
    is_over: bool = False

    def at(self, point: Point) -> Fault | None:
        if self.is_over or self.name not in point[2]:
            return None
        self.is_over = True
        return self.fault


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
        with staged(house) as stage:
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


def test_a_function_whose_clock_is_ahead_trades_like_any_other(stage: Stage) -> None:
    verdict = drawn(stage, AHEAD)

    assert verdict.violations == []
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
    set_priority(stage)
    agent, user = stage.agent("one"), wallet("user 0")
    stage.follow(agent, user)
    producer, director = Producer(stage), Director(stage, random.Random(1), NoFaults())
    now, opening, closing = stage.clock.now, producer.opens(agent), producer.closes(agent)
    by_hand = partial(trade_by_hand, stage, "HYPERLIQUID", user)
    director.acts = [
        Act(now, "a signal", lambda: producer.send(opening)),
        Act(now + 20, "the user buys", lambda: by_hand("0.02", is_buy=True)),
        Act(now + 40, "the user sells a part", lambda: by_hand("0.005", is_buy=False)),
        Act(now + 60, "a close", lambda: producer.send(closing)),
    ]

    verdict = ended(director)

    assert verdict.violations == []
    held = stage.books("HYPERLIQUID")["accounts"][user]["positions"]["BTC"]["size"]
    assert Decimal(held) == Decimal("0.015")


def test_setup_with_one_more_migration_runs_while_signals_flow(stage: Stage) -> None:
    set_priority(stage)
    agent = stage.agent("one")
    stage.follow(agent, wallet("user 0"))
    producer = Producer(stage)

    def in_the_middle(point: Point) -> bool:
        return "mark_sent" in point[2]

    faults = Meanwhile(in_the_middle, partial(set_up_again, stage))
    director = Director(stage, random.Random(1), faults)
    opening, closing = producer.opens(agent), producer.closes(agent)
    director.acts = [
        Act(stage.clock.now, "a signal", lambda: producer.send(opening)),
        Act(stage.clock.now + 60, "a close", lambda: producer.send(closing)),
    ]

    assert ended(director).violations == []
    assert faults.times >= 2


def _instances(verdict: Verdict) -> list[str]:
    words = (word for line in verdict.director.log for word in line.split())
    return list(dict.fromkeys(word for word in words if word[-1].isdigit() and "-" in word))


@pytest.mark.parametrize(
    ("sabotage", "name", "kind", "found"),
    [
        ("silence is a refusal", "exchange order", Kind.DROP_DONE, "executed once"),
        ("unknown is expired", "exchange order", Kind.DROP_DONE, "executed once"),
        ("sent before stored", "mark_sent", Kind.CUT_BEFORE, "stored before sent"),
    ],
)
def test_a_known_mistake_is_found(
    house: House, sabotage: str, name: str, kind: Kind, found: str
) -> None:
    assert sabotage in SABOTAGE
    with house.sabotaged(sabotage), staged(house) as stage:
        lag(stage, sabotage)
        verdict = one_signal(stage, At(name, Fault(kind)), is_refused=False)

    assert found in {words.partition(":")[0] for words in verdict.violations}


def lag(stage: Stage, sabotage: str) -> None:
    """What is too early to be known is what one of the mistakes is about."""
    if sabotage == "unknown is expired":
        for venue in stage.house.venues:
            stage.tell(venue, "lag", orderStatus=30, fills=30)


def test_a_fill_that_the_ledger_does_not_have_is_found(stage: Stage) -> None:
    verdict = one_signal(stage, NoFaults())
    assert verdict.violations == []
    stage.direct.script(
        "SET session_replication_role = replica; DELETE FROM venue_fills"
        " WHERE order_id = (SELECT id FROM venue_orders WHERE purpose = 'CLOSE' LIMIT 1)"
    )

    told = {words.partition(":")[0] for words in judge(stage, [])}

    assert told == {"fills agree", "positions add up", "doctor content"}


def test_an_order_that_moved_outside_its_table_is_found(stage: Stage) -> None:
    one_signal(stage, NoFaults())
    stage.direct.script(
        "SET session_replication_role = replica; INSERT INTO moves (order_id, was, became)"
        " SELECT id, 'EXPIRED', 'FILLED' FROM venue_orders LIMIT 1"
    )

    (words,) = judge(stage, [])

    assert words.startswith("moves allowed: ")
    assert words.endswith("went from EXPIRED to FILLED")


def test_a_message_that_always_fails_delays_nobody_else(stage: Stage) -> None:
    """One account's key is gone: its order comes again and again, and the others' are not late."""
    set_priority(stage)
    director = Director(stage, random.Random(1), NoFaults(), workers=2)
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

    director.play(patience_seconds=150)

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


def test_what_is_received_too_often_is_traded_once_it_is_redriven(stage: Stage) -> None:
    set_priority(stage)
    agent = stage.agent("one")
    stage.follow(agent, wallet("user 0"))
    stage.queues["signals.fifo"].max_receives = 2
    producer = Producer(stage)
    director = Director(stage, random.Random(1), NoFaults(), workers=1)
    stage.house.server.line.go_away()
    body = producer.opens(agent)
    director.acts = [Act(stage.clock.now, "a signal", lambda: producer.send(body))]
    while not stage.queues["dead.fifo"].messages:
        director._step()
    letter = json.loads(stage.queues["dead.fifo"].messages[0].body)
    stage.house.server.line.come_back()

    stage.redrive()
    director.play()
    director.invoke("reconcile")
    director.play()

    assert (
        UUID(letter["signalId"]) == stage.rows("SELECT signal_id FROM venue_orders")[0]["signal_id"]
    )
    assert entries(stage) == [("HYPERLIQUID", "FILLED")]
    assert judge(stage, director.errors) == []


def test_faults_are_counted_and_come_where_they_are_put(stage: Stage) -> None:
    faults = OneFault(5, Fault(Kind.DIE))

    verdict = one_signal(stage, faults)

    assert verdict.violations == []
    assert verdict.director.struck == {Kind.DIE: 1}
    assert faults.struck == faults.points[4]
