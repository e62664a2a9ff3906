"""The judges find what they are there for: known mistakes, and a ledger that was tampered with."""

import pytest

from tests.faults.faulting import At, Fault, Kind, NoFaults
from tests.faults.house import House
from tests.faults.judges import judge
from tests.faults.sabotage import SABOTAGE
from tests.faults.scenarios import one_signal
from tests.faults.stage import Stage, staged


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
    with house.sabotaged(sabotage), staged(house, Stage) as stage:
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
