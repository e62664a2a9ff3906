"""The two functions that an operator invokes, as Lambda calls them."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import pytest

from agent_where.store.connection import Database
from tests.handlers.gateway import Function
from tests.handlers.workers import Context, working
from tests.world import MemoryQueues, World, opened

BY = {"by": "an operator", "reason": "a test"}


@pytest.fixture
def world(database_dsn: str, connections: list[Database]) -> Iterator[World]:
    made = World(database_dsn)
    yield made
    made.dispose()


@pytest.fixture
def functions(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Function]]:
    queues = MemoryQueues()
    with (
        working("doctor", world.dsn, monkeypatch, queues) as doctor,
        working("operate", world.dsn, monkeypatch, queues) as operate,
    ):
        yield {"doctor": doctor, "operate": operate}


class Patient(Context):
    """A context of these functions, which may run for four minutes."""

    @staticmethod
    def get_remaining_time_in_millis() -> int:
        return 240_000


def invoke(function: Function, event: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = function.module.handler(event, Patient())
    return answer


def test_the_doctor_answers_every_check_with_what_to_do(
    world: World, functions: dict[str, Function]
) -> None:
    opened(world)

    answer = invoke(functions["doctor"], {"venues": True})

    assert (answer["success"], answer["sound"]) == (True, False)
    assert [each["name"] for each in answer["checks"] if not each["ok"]] == ["figures_stale"]
    assert all(each["todo"] for each in answer["checks"] if not each["ok"])
    assert answer["venuesSince"].endswith("Z")


def test_the_doctor_s_own_connection_may_not_write(
    world: World, functions: dict[str, Function]
) -> None:
    look = functions["doctor"].module.instruments()

    with pytest.raises(Exception, match="read-only transaction"):
        look.restores.ignore(uuid4(), "an operator", "a test")


@pytest.mark.parametrize("event", [{"venue": True}, {"venues": "perhaps"}, {"since": "yesterday"}])
def test_the_doctor_refuses_what_it_does_not_know(
    functions: dict[str, Function], event: dict[str, Any]
) -> None:
    answer = invoke(functions["doctor"], event)

    assert (answer["success"], answer["code"]) == (False, "BAD_INPUT")


def test_a_restore_is_told_listed_and_accepted(
    world: World, functions: dict[str, Function]
) -> None:
    operate = functions["operate"]

    begun = invoke(operate, {"restored": {"at": "2026-01-31T12:00:00Z", **BY}})
    fills = invoke(operate, {"unowned": {}})
    told = invoke(functions["doctor"], {})
    shown = invoke(operate, {"open": {}})
    ended = invoke(operate, {"accept": {"token": shown["token"], **BY}})
    again = invoke(operate, {"accept": {"token": shown["token"], **BY}})

    assert begun["restore"]["restoredTo"] == "2026-01-31T12:00:00Z"
    assert fills == {"success": True, "fills": []}
    found = {each["name"] for each in told["checks"] if not each["ok"]}
    assert found == {"restores_open", "trading_stopped", "figures_stale"}
    assert shown["open"]["restoredTo"] == "2026-01-31T12:00:00Z"
    assert shown["answeredFor"] == []
    assert ended == {"success": True, "accepted": True, "answeredFor": []}
    assert (again["success"], again["code"]) == (False, "CONFLICT")
    assert invoke(operate, {"open": {}}) == {"success": True, "open": None}


def test_a_database_that_is_away_is_told_and_nothing_is_raised(
    functions: dict[str, Function], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://u@127.0.0.1:1/n")

    asked: tuple[tuple[str, dict[str, Any]], ...] = (("doctor", {}), ("operate", {"unowned": {}}))
    for name, event in asked:
        answer = invoke(functions[name], event)
        assert (answer["success"], answer["code"]) == (False, "UNAVAILABLE")
