"""The judges find what they are there for: known mistakes, and a ledger that was tampered with."""

import random

import pytest

from tests.faults.campaign import Tally
from tests.faults.faulting import At, Fault, Faults, Kind, NoFaults
from tests.faults.happenings import send_poison
from tests.faults.house import VENUES, House
from tests.faults.judges import judge
from tests.faults.lockstep import Director
from tests.faults.producing import BOUNDS, Producer
from tests.faults.scenarios import Verdict, ended, one_signal, set_priority, skewed
from tests.faults.stage import SIGNALS, Stage, staged, wallet

FIRST_CLOSE = 7
"""Of the orders that the one signal sends: two entries and their bounds come first."""
FIRST = "insert_signal"
"""Before it nothing of a signal is stored."""


def named(verdict: Verdict) -> set[str]:
    return {words.partition(":")[0] for words in verdict.violations}


@pytest.mark.parametrize(
    ("sabotage", "at", "found"),
    [
        ("silence is a refusal", At("exchange order", Fault(Kind.DROP_DONE)), "executed once"),
        ("unknown is expired", At("exchange order", Fault(Kind.DROP_DONE)), "executed once"),
        ("sent anew", At("exchange order", Fault(Kind.DROP_DONE)), "executed once"),
        ("sent before stored", At("mark_sent", Fault(Kind.CUT_BEFORE)), "stored before sent"),
        ("closed once", At("exchange order", Fault(Kind.DROP), FIRST_CLOSE), "nothing open"),
        ("keeps leases", NoFaults(), "leases returned"),
        ("unnamed", NoFaults(), "fills agree"),
        ("forgets what fails", At(FIRST, Fault(Kind.CUT_BEFORE)), "signals decided"),
        ("gives up on what fails", At(FIRST, Fault(Kind.CUT_BEFORE)), "only poison refused"),
    ],
)
def test_a_known_mistake_is_found(house: House, sabotage: str, at: Faults, found: str) -> None:
    with house.sabotaged(sabotage), staged(house, Stage) as stage:
        lag(stage, sabotage)
        verdict = one_signal(stage, at, is_refused=False)

    assert found in named(verdict)


@pytest.mark.parametrize(("sabotage", "found"), [("no stops", {"positions guarded"}), ("", set())])
def test_a_promised_stop_that_does_not_rest_is_found(
    house: House, sabotage: str, found: set[str]
) -> None:
    with house.sabotaged(sabotage), staged(house, Stage) as stage:
        set_priority(stage, VENUES)
        agent, producer = stage.agent("one"), Producer(stage)
        stage.follow(agent, wallet("user 0"))
        producer.send(producer.opens(agent, riskModel=BOUNDS))
        director = Director(stage, random.Random(1), NoFaults())
        verdict = ended(director, lambda: producer.close_all([agent]), looks=True)

    assert named(verdict) == found


def test_a_system_that_opens_nothing_is_found(house: House) -> None:
    with house.sabotaged("refuses all"), staged(house, Stage) as stage:
        verdict = one_signal(stage, NoFaults(), is_refused=False)
    idle = Tally()
    for number in range(20):
        idle.add(f"{number}", verdict)

    assert verdict.entries == 0
    assert idle.is_idle


def test_a_worker_that_goes_by_its_own_clock_is_found(house: House) -> None:
    with house.sabotaged("own clock"), staged(house, Stage) as stage:
        verdict = skewed(stage, 60.0)

    assert verdict.entries == 0


def test_poison_that_lies_nowhere_is_found(stage: Stage) -> None:
    send_poison(stage, SIGNALS, "no JSON", "{")
    stage.queues[SIGNALS].messages.clear()

    assert "only poison refused: poison that lies nowhere: {" in judge(stage, [])


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
