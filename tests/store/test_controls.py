"""Setting and listing controls: whose they are, what an operator holds, what the audit keeps."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from agent_where.callers import Caller, Scope
from agent_where.contract.bodies import ControlBody
from agent_where.contract.owned import ControlView
from agent_where.contract.queries import ControlsQuery
from agent_where.errors import BadInput, DatabaseRefused, Forbidden
from agent_where.messages import Body
from agent_where.migrations import migrate
from agent_where.parsing import validate
from agent_where.store.connection import Database, DatabaseSettings
from agent_where.store.controls import CHANGES, Controls
from tests.fixtures_database import MIGRATIONS

CREATOR, USER, STRANGER = f"0x{'c1' * 20}", f"0x{'d2' * 20}", f"0x{'e3' * 20}"
OPERATOR = Caller(subject="operator", scopes=frozenset({Scope.ADMIN}), wallet=None)
MARKS = (
    "SELECT (SELECT count(*) FROM trading_controls) AS controls,"
    " (SELECT count(*) FROM trading_controls_audit) AS audit"
)


def caller(wallet: str | None) -> Caller:
    return Caller(subject=f"user of {wallet}", scopes=frozenset({Scope.WRITE}), wallet=wallet)


def body(
    scope: str, id_: object = None, state: str = "HALTED", reason: str = "a test"
) -> ControlBody:
    told = {"scope": scope, "id": None if id_ is None else str(id_)}
    return validate(ControlBody, {**told, "state": state, "reason": reason})


def query(**told: object) -> ControlsQuery:
    return validate(ControlsQuery, {name: str(value) for name, value in told.items()})


@dataclass
class Owned:
    """An agent of CREATOR's that USER follows; the rows have the wallets in capitals."""

    database: Database
    controls: Controls
    agent: UUID
    deployment: UUID

    def audit(self) -> list[tuple[str, str, bool]]:
        rows = self.database.run(
            "SELECT state, set_by, by_operator FROM trading_controls_audit ORDER BY recorded_at"
        )
        return [(row["state"], row["set_by"], row["by_operator"]) for row in rows]


@pytest.fixture
def owned(database: Database) -> Owned:
    agent, deployment = new_agent(database, CREATOR), uuid4()
    database.run(
        "INSERT INTO agent_deployments (id, agent_id, user_wallet) VALUES (:id, :agent, :wallet)",
        id=deployment,
        agent=agent,
        wallet=USER.upper().replace("X", "x"),
    )
    return Owned(database, Controls(database), agent, deployment)


def new_agent(database: Database, wallet: str) -> UUID:
    agent = uuid4()
    database.run(
        "INSERT INTO agents (id, creator_wallet, name, venue, profit_receiver_address)"
        " VALUES (:id, :wallet, 'an agent', 'MULTI', '0xp')",
        id=agent,
        wallet=wallet.upper().replace("X", "x"),
    )
    return agent


def seen(views: tuple[ControlView, ...]) -> list[tuple[str, str | None, str]]:
    return [(view.scope, view.id, view.state) for view in views]


@pytest.mark.parametrize(
    ("scope", "wallet", "code"),
    [
        ("global", CREATOR, "FORBIDDEN"),
        ("venue", CREATOR, "FORBIDDEN"),
        ("agent", USER, "UNKNOWN_AGENT"),
        ("agent", STRANGER, "UNKNOWN_AGENT"),
        ("agent", None, "UNKNOWN_AGENT"),
        ("deployment", CREATOR, "UNKNOWN_DEPLOYMENT"),
        ("deployment", STRANGER, "UNKNOWN_DEPLOYMENT"),
        ("deployment", None, "UNKNOWN_DEPLOYMENT"),
    ],
)
def test_nobody_sets_a_control_of_what_is_not_his(
    owned: Owned, scope: str, wallet: str | None, code: str
) -> None:
    about = {"agent": owned.agent, "deployment": owned.deployment, "venue": "OSTIUM"}.get(scope)

    with pytest.raises(BadInput) as caught:
        owned.controls.set(caller(wallet), body(scope, about))

    assert caught.value.code == code
    assert isinstance(caught.value, Forbidden) == (code == "FORBIDDEN")
    assert owned.database.run(MARKS) == [{"controls": 0, "audit": 0}]


@pytest.mark.parametrize("wallet", [None, CREATOR])
@pytest.mark.parametrize("scope", ["agent", "deployment"])
def test_what_does_not_exist_is_answered_as_what_is_another_s(
    owned: Owned, scope: str, wallet: str | None
) -> None:
    for who in (OPERATOR, caller(wallet)):
        with pytest.raises(BadInput) as caught:
            owned.controls.set(who, body(scope, uuid4()))
        assert caught.value.code == f"UNKNOWN_{scope.upper()}"


def test_an_owner_sets_his_own_and_it_is_told_whole(owned: Owned) -> None:
    told = owned.controls.set(caller(CREATOR), body("agent", str(owned.agent).upper())).control

    assert (told.scope, told.id, told.state) == ("agent", str(owned.agent), "HALTED")
    assert (told.reason, told.set_by, told.by_operator) == ("a test", f"user of {CREATOR}", False)
    assert owned.controls.set(caller(USER), body("deployment", owned.deployment)).control.id == str(
        owned.deployment
    )


@pytest.mark.parametrize(
    ("scope", "about", "kept"),
    [
        ("global", None, None),
        ("venue", "ostium", "OSTIUM"),
        ("agent", "", ""),
        ("deployment", "", ""),
    ],
)
def test_an_operator_sets_all(
    owned: Owned, scope: str, about: str | None, kept: str | None
) -> None:
    own = {"agent": str(owned.agent), "deployment": str(owned.deployment)}.get(scope)

    told = owned.controls.set(OPERATOR, body(scope, own or about)).control

    assert (told.scope, told.id, told.by_operator) == (scope, own or kept, True)


def test_what_an_operator_stopped_its_owner_does_not_start(owned: Owned) -> None:
    owned.controls.set(OPERATOR, body("agent", owned.agent, "CLOSE_ONLY"))

    for state in ("ACTIVE", "HALTED"):
        with pytest.raises(BadInput) as caught:
            owned.controls.set(caller(CREATOR), body("agent", owned.agent, state))
        assert caught.value.code == "HELD_BY_OPERATOR"

    (control,) = owned.controls.list(OPERATOR.reach, query()).controls
    assert (control.state, control.set_by) == ("CLOSE_ONLY", "operator")
    assert len(owned.audit()) == 1


def test_what_an_operator_lets_go_on_is_its_owner_s_again(owned: Owned) -> None:
    owned.controls.set(caller(CREATOR), body("agent", owned.agent, "HALTED"))
    owned.controls.set(OPERATOR, body("agent", owned.agent, "ACTIVE"))
    owned.controls.set(caller(CREATOR), body("agent", owned.agent, "CLOSE_ONLY"))
    owned.controls.set(caller(CREATOR), body("agent", owned.agent, "ACTIVE"))

    mine = f"user of {CREATOR}"
    assert owned.audit() == [
        ("HALTED", mine, False),
        ("ACTIVE", "operator", True),
        ("CLOSE_ONLY", mine, False),
        ("ACTIVE", mine, False),
    ]


def test_what_was_set_at_the_database_counts_as_an_operator_s(owned: Owned) -> None:
    owned.database.run(
        "INSERT INTO trading_controls (scope, id, state, reason, set_by)"
        " VALUES ('agent', :id, 'HALTED', 'by hand', 'psql')",
        id=str(owned.agent),
    )

    with pytest.raises(BadInput) as caught:
        owned.controls.set(caller(CREATOR), body("agent", owned.agent, "ACTIVE"))

    assert caught.value.code == "HELD_BY_OPERATOR"
    assert owned.audit() == [("HALTED", "psql", True)]


def test_controls_from_before_operators_were_told_apart_stay_and_are_theirs(
    empty_database: str, tmp_path: Path
) -> None:
    for path in sorted(MIGRATIONS.glob("*.sql"))[:8]:
        (tmp_path / path.name).write_text(path.read_text())
    old = Database(DatabaseSettings.from_url(empty_database))
    migrate(old, tmp_path)
    agent, misspelt = str(uuid4()), str(uuid4()).upper()
    insert = (
        "INSERT INTO trading_controls (scope, id, state, reason, set_by)"
        " VALUES ('agent', :id, 'HALTED', 'by hand', 'psql')"
    )
    for id_ in (agent, misspelt):
        old.run(insert, id=id_)

    migrate(old, MIGRATIONS)

    old.run(insert, id=str(uuid4()))  # as the release before this one
    for table in ("trading_controls", "trading_controls_audit"):
        rows = old.run(f"SELECT id, by_operator FROM {table}")
        assert {agent, misspelt} < {row["id"] for row in rows}
        assert [row["by_operator"] for row in rows] == [True] * 3
    old.close()


@pytest.mark.parametrize(
    ("scope", "id_"),
    [("agent", "6154128C-E5AC-4847-BDB8-8E9E17A9A51E"), ("deployment", "7"), ("venue", "ostium")],
)
def test_the_database_refuses_a_spelling_that_would_apply_to_nothing(
    owned: Owned, scope: str, id_: str
) -> None:
    with pytest.raises(DatabaseRefused) as caught:
        owned.database.run(
            "INSERT INTO trading_controls (scope, id, state, reason, set_by)"
            " VALUES (:scope, :id, 'HALTED', 'by hand', 'psql')",
            scope=scope,
            id=id_,
        )

    assert caught.value.constraint == "trading_controls_one_spelling"


def test_set_at_moves_forward_whatever_the_clock_does(owned: Owned) -> None:
    owned.controls.set(OPERATOR, body("global"))
    owned.database.run("UPDATE trading_controls SET set_at = now() + interval '1 hour'")
    (ahead,) = owned.database.run("SELECT set_at FROM trading_controls")

    told = owned.controls.set(OPERATOR, body("global", state="ACTIVE")).control

    assert told.set_at > ahead["set_at"]


def test_of_several_at_once_one_stands_whole_and_all_are_in_the_audit(
    owned: Owned, database_dsn: str
) -> None:
    def put(n: int) -> None:
        connection = Database(DatabaseSettings.from_url(database_dsn))
        state = "HALTED" if n % 2 else "CLOSE_ONLY"
        Controls(connection).set(OPERATOR, body("agent", owned.agent, state, f"{state} {n}"))
        connection.close()

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(put, range(12)))

    listed = owned.controls.list(OPERATOR.reach, query())
    (control,) = listed.controls
    assert control.reason.startswith(f"{control.state} ")
    assert {each.reason.split()[1] for each in listed.audit} == {str(n) for n in range(12)}
    assert listed.audit[0] == control
    assert [each.set_at for each in listed.audit] == sorted(
        (each.set_at for each in listed.audit), reverse=True
    )


def test_each_sees_his_own_and_an_operator_all(owned: Owned) -> None:
    other = new_agent(owned.database, STRANGER)
    for told in (
        body("global", state="ACTIVE"),
        body("venue", "OSTIUM"),
        body("agent", owned.agent),
        body("agent", other),
        body("deployment", owned.deployment),
    ):
        owned.controls.set(OPERATOR, told)
    agent, deployment = ("agent", str(owned.agent)), ("deployment", str(owned.deployment))
    expected: dict[str | None, set[tuple[str, str | None]]] = {
        CREATOR: {agent},
        USER: {deployment},
        STRANGER: {("agent", str(other))},
        None: set(),
    }

    for wallet, own in expected.items():
        listed = owned.controls.list(caller(wallet).reach, query())
        assert {(each.scope.value, each.id) for each in listed.controls} == own
        assert {(each.scope.value, each.id) for each in listed.audit} == own
    assert len(owned.controls.list(OPERATOR.reach, query()).controls) == 5
    assert len(owned.controls.list(OPERATOR.reach, query()).audit) == 5


def test_a_list_is_filtered_by_scope_and_id_in_any_case(owned: Owned) -> None:
    for told in (body("global"), body("venue", "OSTIUM"), body("agent", owned.agent)):
        owned.controls.set(OPERATOR, told)

    def listed(**told: object) -> list[tuple[str, str | None, str]]:
        answer = owned.controls.list(OPERATOR.reach, query(**told))
        assert seen(answer.audit) == seen(answer.controls)
        return seen(answer.controls)

    assert listed(scope="venue") == [("venue", "OSTIUM", "HALTED")]
    assert listed(id="ostium") == [("venue", "OSTIUM", "HALTED")]
    assert listed(id=str(owned.agent).upper()) == [("agent", str(owned.agent), "HALTED")]
    assert listed(scope="agent", id="OSTIUM") == []


def test_pages_go_on_where_the_last_one_ended_newest_first(owned: Owned) -> None:
    agents = [new_agent(owned.database, CREATOR) for _ in range(7)]
    for agent in agents:
        owned.controls.set(caller(CREATOR), body("agent", agent))
    owned.database.run("UPDATE trading_controls SET set_at = '2026-01-01T00:00:00Z'")  # all alike
    owned.controls.set(OPERATOR, body("global"))

    found: list[str | None] = []
    cursor = None
    while True:
        told = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        answer = owned.controls.list(OPERATOR.reach, query(**told))
        found += [control.id for control in answer.controls]
        cursor = answer.next_cursor
        if cursor is None:
            break

    assert found[0] is None
    assert len(found) == 8
    assert set(found[1:]) == {str(agent) for agent in agents}


def test_the_newest_hundred_changes_are_told(owned: Owned) -> None:
    for n in range(CHANGES + 2):
        owned.controls.set(caller(USER), body("deployment", owned.deployment, reason=f"{n}"))

    listed = owned.controls.list(caller(USER).reach, query())

    assert [each.reason for each in listed.audit] == [str(n) for n in range(CHANGES + 1, 1, -1)]
    assert [each.reason for each in listed.controls] == [str(CHANGES + 1)]


def test_each_call_is_one_round_trip(owned: Owned) -> None:
    before = owned.database.round_trips

    owned.controls.set(OPERATOR, body("global"))
    owned.controls.list(OPERATOR.reach, query())

    assert owned.database.round_trips == before + 2


@pytest.mark.parametrize(
    ("model", "told", "fault"),
    [
        (ControlBody, {"scope": "global", "id": "OSTIUM"}, "id: a global control has none"),
        (ControlBody, {"scope": "venue", "id": "MULTI"}, "id: one of SPOT, GMX"),
        (ControlBody, {"scope": "venue"}, "id: one of SPOT, GMX"),
        (ControlBody, {"scope": "agent", "id": "OSTIUM"}, "id: the agent's UUID is needed"),
        (ControlBody, {"scope": "everything"}, "scope: "),
        (ControlBody, {"scope": "global", "set_by": "another"}, "set_by: "),
        (ControlBody, {"scope": "global", "byOperator": "true"}, "byOperator: "),
        (ControlsQuery, {"scope": "all"}, "scope: "),
        (ControlsQuery, {"limit": "101"}, "limit: "),
    ],
)
def test_what_is_wrong_is_named(model: type[Body], told: dict[str, str], fault: str) -> None:
    rest = {"state": "HALTED", "reason": "a test"} if model is ControlBody else {}

    with pytest.raises(BadInput, match=fault):
        validate(model, {**rest, **told})
