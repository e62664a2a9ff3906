"""What a restore holds back goes on by the word of somebody who was shown it, and nothing else."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from agent_where.callers import Caller, Scope
from agent_where.contract.bodies import ControlBody
from agent_where.errors import Conflict
from agent_where.parsing import validate
from agent_where.store.controls import Controls
from agent_where.store.restores import HELD
from agent_where.store.statements import statement
from tests.doctor.answering import TOLD, answered, ask, restored_to
from tests.netting import NettingWorld, netting_world


@pytest.fixture
def world(database_dsn: str) -> Iterator[NettingWorld]:
    with netting_world(database_dsn) as made:
        yield made


def goes_on(world: NettingWorld) -> None:
    """Nothing is stopped any more but what the restore holds back."""
    assert answered(world.store.restores, accept=TOLD)["accepted"]
    world.control("global", None, "ACTIVE")


def control(world: NettingWorld, deployment: UUID) -> str:
    (row,) = world.rows("SELECT control_for(NULL, NULL, :d) AS state", d=deployment)
    return str(row["state"])


def entries(world: NettingWorld, agent: UUID) -> list[str]:
    """How what follows an agent's signal ended."""
    opening = world.open(agent).signal_id
    world.work()
    return [
        row["status"]
        for row in world.rows("SELECT status FROM venue_orders WHERE signal_id = :s", s=opening)
    ]


def test_what_another_s_restore_held_meanwhile_is_shown_before_it_goes(
    world: NettingWorld,
) -> None:
    first, second = world.follow(world.agent()), world.follow(world.agent())
    world.control("deployment", str(second), "CLOSE_ONLY")
    restored_to(world)
    seen = ask(world, held={})
    world.control("deployment", str(second), "ACTIVE")
    restored_to(world, timedelta(hours=2))
    goes_on(world)

    refused = ask(world, release={"token": seen["token"], **TOLD})

    assert (refused["success"], refused["code"]) == (False, "CHANGED")
    assert [each["id"] for each in seen["deployments"]] == [str(first)]
    assert {each["id"] for each in refused["deployments"]} == {str(first), str(second)}
    assert {control(world, each) for each in (first, second)} == {"CLOSE_ONLY"}
    assert ask(world, release={"token": refused["token"], **TOLD})["released"] == 2


def test_an_earlier_restore_that_another_told_asks_for_another_look(world: NettingWorld) -> None:
    """More is forgotten than they looked at, though the list is the same."""
    deployment = world.follow(world.agent())
    restored_to(world)
    seen = ask(world, held={})
    restored_to(world, timedelta(hours=2))
    goes_on(world)

    refused = ask(world, release={"token": seen["token"], **TOLD})

    assert refused["code"] == "CHANGED"
    assert [each["id"] for each in refused["deployments"]] == [str(deployment)]
    assert control(world, deployment) == "CLOSE_ONLY"


def test_a_restore_that_is_told_between_the_look_and_the_release_keeps_all_held(
    world: NettingWorld,
) -> None:
    deployment = world.follow(world.agent())
    restored_to(world)
    (row,) = world.store.restores.held(10)
    restored_to(world, timedelta(hours=2))
    goes_on(world)

    released = world.store.restores.release([deployment], [], "me", "a test", epoch=row["epoch"])

    assert released is None
    assert control(world, deployment) == "CLOSE_ONLY"


def test_a_restore_that_is_being_told_at_this_moment_is_waited_for(world: NettingWorld) -> None:
    """It finds what is held already, and would be passed by."""
    deployment = world.follow(world.agent())
    restored_to(world)
    (row,) = world.store.restores.held(10)
    with ThreadPoolExecutor(1) as pool:
        telling = pool.submit(tell_slowly, world)
        asleep = "SELECT FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
        while not (telling.done() or world.rows(asleep)):
            pass
        released = world.store.restores.release(
            [deployment], [], "me", "a test", epoch=row["epoch"]
        )
        telling.result()
    goes_on(world)

    assert released is None
    assert control(world, deployment) == "CLOSE_ONLY"


def tell_slowly(world: NettingWorld) -> None:
    worker = world.another_worker()
    told = {"restored_to": datetime.now(UTC) - timedelta(hours=2), "told_by": "another"}
    worker.database.run_together(
        statement("begin_restore", **told, reason="a test"),
        statement("hold_deployments", reason=HELD, set_by="another"),
        ("SELECT pg_sleep(0.5)", {}),
    )
    worker.dispose()


def test_positions_that_close_meanwhile_change_the_order_and_not_what_goes(
    world: NettingWorld,
) -> None:
    wallets = [world.user() for _ in range(2)]
    agents = [world.follower(wallet) for wallet in wallets]
    for agent in agents:
        world.buy(agent, "1")
    restored_to(world)
    seen = ask(world, held={})
    goes_on(world)
    last = seen["deployments"][0]
    world.close(UUID(last["agentId"]))
    world.work()

    now = ask(world, held={})

    assert [each["openPositions"] for each in seen["deployments"]] == [1, 1]
    assert [each["openPositions"] for each in now["deployments"]] == [1, 0]
    assert now["deployments"][1]["id"] == last["id"]
    assert ask(world, release={"token": seen["token"], **TOLD})["released"] == 2


def test_of_more_than_are_shown_only_those_go(world: NettingWorld) -> None:
    world.database.run(
        "INSERT INTO agent_deployments (agent_id, user_wallet)"
        " SELECT :agent, 'wallet ' || n FROM generate_series(1, 501) n",
        agent=world.agent(),
    )
    restored_to(world)
    seen = ask(world, held={})

    released = ask(world, release={"token": seen["token"], **TOLD})

    assert len(seen["deployments"]) == 500
    assert {each["total"] for each in seen["deployments"]} == {501}
    assert (released["released"], released["stillHeld"]) == (500, 1)
    (left,) = ask(world, held={})["deployments"]
    assert left["id"] not in {each["id"] for each in seen["deployments"]}


def test_nothing_goes_without_a_token_and_where_nothing_is_held_nothing_does(
    world: NettingWorld,
) -> None:
    deployment = world.follow(world.agent())
    empty = ask(world, held={})
    restored_to(world)

    assert ask(world, release=TOLD)["code"] == "BAD_INPUT"
    assert ask(world, release={"token": empty["token"], **TOLD})["code"] == "CHANGED"
    assert ask(world, release={"token": "0", "leave": [str(uuid4())], **TOLD})["code"] == "CHANGED"
    goes_on(world)
    assert control(world, deployment) == "CLOSE_ONLY"


@pytest.mark.parametrize("stopped", ["status = 'PAUSED'", "sub_active = false"])
def test_who_paused_or_left_meanwhile_stays_so_when_others_go_on(
    world: NettingWorld, stopped: str
) -> None:
    agent = world.follower(world.user())
    world.buy(agent, "1")
    restored_to(world)
    world.rows(f"UPDATE agent_deployments SET {stopped} RETURNING id")
    goes_on(world)

    (shown,) = ask(world, held={})["deployments"]
    assert answered(world.store.restores, release=TOLD)["released"] == 1

    assert (shown["status"] == "PAUSED") != (shown["subActive"] is False)
    assert control(world, UUID(shown["id"])) == "ACTIVE"
    assert set(entries(world, agent)) <= {"REJECTED"}


def test_a_user_who_is_held_back_is_told_what_stays_when_the_operator_lets_go(
    world: NettingWorld,
) -> None:
    wallet = world.user()
    deployment = world.follow(world.agent(), wallet)
    restored_to(world)
    user = Caller(subject="the user", scopes=frozenset({Scope.WRITE}), wallet=wallet)
    told = {"scope": "deployment", "id": str(deployment), "state": "HALTED", "reason": "mine"}

    with pytest.raises(Conflict, match="PAUSED meanwhile stays so") as refused:
        Controls(world.database).set(user, validate(ControlBody, told))

    assert refused.value.code == "HELD_BY_OPERATOR"
