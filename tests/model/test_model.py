"""The protocol holds in every state that two workers, a venue and bad luck can bring about.

Each rule is then taken away, to see that the model notices, and what rests on which rule.
"""

import re
from functools import cache
from pathlib import Path

import pytest

from tests.model.explorer import Explored, explore
from tests.model.protocol import MOVES, Protocol, Rules, State, fault_of, is_rest

DOCUMENT = Path(__file__).parents[2] / "docs" / "reliability.md"
TAKEN_AWAY = {
    "close_sees_what_is_sent": "a CLOSE was decided, and the position stays",
    "refusal_of_a_repeat_is_no_end": "order 0 is REJECTED and was executed",
    "expired_needs_proof": "order 0 is EXPIRED and was executed",
    "next_attempt_needs_an_end": "the entry was executed twice",
}


@cache
def explored(*without: str, with_close: bool = True) -> Explored[State]:
    rules = Rules(**dict.fromkeys(without, False))
    protocol = Protocol(rules, with_close=with_close)
    return explore(State(), protocol.steps, fault_of, is_rest)


def test_a_signal_trades_at_most_once_and_nothing_is_held_without_a_row() -> None:
    found = explored()

    assert found.violation == "", "\n".join(found.trace)
    assert found.rests > 0


def test_from_every_state_there_is_a_way_to_rest() -> None:
    assert explored().stuck == 0


def test_the_document_tells_what_was_explored() -> None:
    found = explored()
    told = DOCUMENT.read_text(encoding="utf-8")

    for count, what in ((found.states, "states"), (found.steps, "steps"), (found.rests, "rests")):
        assert re.search(rf"\b{count:,} {what}\b", told), f"{count:,} {what}"


@pytest.mark.parametrize(("rule", "fault"), TAKEN_AWAY.items())
def test_without_a_rule_the_model_finds_what_it_is_for(rule: str, fault: str) -> None:
    found = explored(rule)

    assert found.violation == fault
    assert found.trace


@pytest.mark.parametrize("rule", ["lease_is_asked", "only_planned_is_sent"])
def test_the_lease_and_the_conditional_update_each_suffice_alone(rule: str) -> None:
    assert explored(rule, with_close=False).violation == ""


def test_without_lease_and_conditional_update_a_signal_trades_twice() -> None:
    found = explored("lease_is_asked", "only_planned_is_sent", with_close=False)

    assert found.violation == "the entry was executed twice"


def test_a_close_that_neither_supersedes_nor_is_asked_about_leaves_the_position() -> None:
    found = explored("superseded_is_asked_with_sent", "close_supersedes_what_is_planned")

    assert found.violation == "a CLOSE was decided, and the position stays"


def test_the_moves_are_the_ledger_s_own() -> None:
    assert ("SENT", "FILLED") in MOVES
    assert len(MOVES) == 9
    assert not any(before in ("FILLED", "REJECTED", "EXPIRED") for before, _ in MOVES)


def test_every_rule_was_taken_away() -> None:
    in_pairs = {
        "lease_is_asked",
        "only_planned_is_sent",
        "superseded_is_asked_with_sent",
        "close_supersedes_what_is_planned",
    }

    assert set(Rules.__dataclass_fields__) == {*TAKEN_AWAY, *in_pairs}
