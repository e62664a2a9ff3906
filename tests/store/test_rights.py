"""Setup as one role, the functions as another: who may do what, tried by both."""

import re
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from uuid import uuid4

import pytest

from agent_where import rights
from agent_where.contract.bodies import ConfigBody, ControlBody
from agent_where.contract.queries import ControlsQuery
from agent_where.errors import DatabaseRefused
from agent_where.readiness import prepare
from agent_where.reconciling import reconcile, write_figures
from agent_where.report import Report
from agent_where.store.administration import Administration
from agent_where.store.checkups import CHECKS, Checkups
from agent_where.store.connection import Database
from agent_where.store.controls import Controls
from agent_where.venues.registry import SUPPORTED
from local.postgres import Postgres
from tests.fixtures_database import MIGRATIONS
from tests.handlers.gateway import OPERATOR
from tests.store.roles import TwoRoles, two_roles
from tests.world import World, opened

SQL = Path(rights.__file__).parent / "store" / "sql"
DOES = (
    ("INSERT", r"INSERT INTO (\w+)"),
    ("UPDATE", r"(?<!DO )(?<!KEY )(?<!FOR )UPDATE (\w+)"),
    ("UPDATE", r"INSERT INTO (\w+)[^;]*DO UPDATE"),
    ("UPDATE", r"FROM (\w+)[^;()]*FOR (?:NO KEY )?UPDATE"),
    ("DELETE", r"DELETE FROM (\w+)"),
)
NOT_ALLOWED = [
    "UPDATE venue_routing_history SET routing_reason = 'another'",
    "DELETE FROM venue_routing_history",
    "TRUNCATE venue_routing_history",
    "UPDATE venue_fills SET size = 1",
    "DELETE FROM venue_fills",
    "TRUNCATE venue_fills",
    "DELETE FROM venue_orders",
    "DELETE FROM positions",
    "DELETE FROM signals",
    "TRUNCATE positions",
    "ALTER TABLE venue_orders DISABLE TRIGGER venue_orders_guard",
    "ALTER TABLE venue_routing_history DISABLE TRIGGER ALL",
    "DROP TRIGGER venue_fills_append_only ON venue_fills",
    "SET session_replication_role = replica",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE sql AS 'SELECT 1'",
    "CREATE TABLE mine ()",
    "DELETE FROM routing_sums",
    "UPDATE routing_sums SET decisions = '{}'",
    "UPDATE routing_summed SET until = now()",
    "DELETE FROM routing_late",
    "DROP TABLE venue_fills",
    "UPDATE installation SET network = 'testnet'",
    "INSERT INTO installation (network) VALUES ('testnet')",
    "DELETE FROM installation",
    "DELETE FROM trading_controls",
    "UPDATE trading_controls_audit SET set_by = 'another'",
    "DELETE FROM trading_controls_audit",
    "INSERT INTO schema_migrations (version, name, checksum) VALUES (99, 'x', 'x')",
    "UPDATE schema_migrations SET checksum = 'x'",
    "DELETE FROM schema_migrations",
]

BY_A_TRIGGER_OF_ITS_OWN = """
CREATE TEMPORARY TABLE mine ();
CREATE FUNCTION pg_temp.forge() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN {forge}; RETURN NULL; END $$;
CREATE TRIGGER mine AFTER INSERT ON mine FOR EACH STATEMENT EXECUTE FUNCTION pg_temp.forge();
INSERT INTO mine DEFAULT VALUES;
"""


@pytest.fixture(scope="module")
def roles(postgres: Postgres) -> Iterator[TwoRoles]:
    """A database that setup has been through as the admin."""
    with two_roles(postgres) as made:
        run_setup(made)
        yield made


@pytest.fixture
def app(roles: TwoRoles) -> Iterator[Database]:
    """A connection as the application's role."""
    with roles.as_role(roles.app) as opened:
        yield opened


def run_setup(roles: TwoRoles, *, role: str | None = None, only_report: bool = False) -> Report:
    with roles.as_role(role or roles.admin) as database:
        return prepare(database, MIGRATIONS, roles.settings(), SUPPORTED, only_report=only_report)


def told(found: Report, name: str = "rights") -> tuple[str, ...]:
    return next(check.todo for check in found.checks if check.name == name)


def granted(database: Database, role: str) -> dict[str, set[str]]:
    """What the role was granted on each table of the schema."""
    rows = database.run(
        "SELECT c.relname AS name, a.privilege_type AS privilege "
        "FROM pg_class c, aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee "
        "WHERE c.relnamespace = current_schema()::regnamespace AND r.rolname = :role",
        role=role,
    )
    found: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        found[row["name"]].add(row["privilege"])
    return dict(found)


def test_the_application_role_gets_what_is_listed_and_nothing_else(roles: TwoRoles) -> None:
    with roles.as_role(roles.admin) as admin:
        listed = {table: set(privileges) for table, privileges in rights.TABLES.items()}
        tables = admin.run("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
        functions = admin.run(
            "SELECT proname AS name FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
            "AND prorettype <> 'trigger'::regtype ORDER BY 1"
        )

        assert granted(admin, roles.app) == listed
        assert set(listed) == {row["name"] for row in tables}
        assert list(rights.FUNCTIONS) == [row["name"] for row in functions]


def test_what_is_listed_is_what_the_statements_do() -> None:
    needed = {table: {"SELECT"} for table in rights.TABLES}
    for path in SQL.glob("*.sql"):
        text = re.sub("--.*", "", path.read_text())
        for verb, pattern in DOES:
            for table in re.findall(pattern, text):
                needed[table].add(verb)

    assert {table: set(privileges) for table, privileges in rights.TABLES.items()} == needed


def test_the_application_role_does_the_whole_main_job(roles: TwoRoles) -> None:
    with roles.as_role(roles.app) as app:
        world = World(roles.dsn(roles.app), database=app)
        agent = world.agent()
        world.follow(agent)
        world.both_markets()
        config = {"agentId": str(agent), "venuePriority": ["OSTIUM", "HYPERLIQUID"]}
        Administration(app).set_config(OPERATOR, ConfigBody.model_validate(config))
        bounds = {"stopLoss": "0.05", "takeProfit": "0.1"}

        world.open(agent, riskModel=bounds)
        world.market("OSTIUM", is_open=False)
        world.work()  # fails over
        (market,) = world._markets("HYPERLIQUID")
        fallen = market.model_copy(update={"price_usd": Decimal(94)})
        _, triggered = world.store.upsert_markets("HYPERLIQUID", [fallen])
        world.queues.send_orders(triggered)
        world.work()  # the stop
        reconcile(world.deps, seconds=5)
        world.open(agent, riskModel=bounds)
        world.work()
        world.close(agent)
        world.work()
        write_figures(world.deps)
        Administration(app).delete_config(OPERATOR.reach, agent)

        placed = [(row["purpose"], row["venue"], row["status"]) for row in world.orders()]
        assert ("ENTRY", "OSTIUM", "REJECTED") in placed
        assert [(row["status"], row["exit_reason"]) for row in world.positions()] == [
            ("CLOSED", "STOP_LOSS"),
            ("CLOSED", "CLOSE"),
        ]
        assert [row["attempt"] for row in world.history()] == [1, 2, 1]
        summed = app.run("SELECT bool_and(until IS NOT NULL) AS all FROM routing_summed")
        assert summed == [{"all": True}]


def test_the_application_role_sets_controls_and_forges_no_change_of_them(app: Database) -> None:
    told = {"scope": "venue", "id": "SPOT", "state": "HALTED", "reason": "a test"}

    Controls(app).set(OPERATOR, ControlBody.model_validate(told))

    (change,) = Controls(app).list(OPERATOR.reach, ControlsQuery(id="SPOT")).audit
    assert (change.state, change.set_by) == ("HALTED", OPERATOR.subject)
    forge = (
        "INSERT INTO trading_controls_audit (scope, id, state, reason, set_by, set_at)"
        " SELECT scope, id, 'ACTIVE', reason, 'another', set_at FROM trading_controls"
    )
    for way in (forge, BY_A_TRIGGER_OF_ITS_OWN.format(forge=forge)):
        with pytest.raises(DatabaseRefused) as refusal:
            app.script(way)
        assert refusal.value.sqlstate == "42501"


@pytest.mark.parametrize("function", ["note_late_decision", "forget_sums", "audit_control"])
def test_what_runs_with_the_owner_s_rights_is_put_on_no_table_of_another(
    app: Database, function: str
) -> None:
    with pytest.raises(DatabaseRefused, match="permission denied for function"):
        app.script(
            "CREATE TEMPORARY TABLE mine (id uuid, created_at timestamptz);"
            "CREATE TRIGGER mine AFTER INSERT ON mine"
            f" FOR EACH ROW EXECUTE FUNCTION {function}();"
        )


@pytest.mark.parametrize("forbidden", NOT_ALLOWED)
def test_the_application_role_cannot(app: Database, forbidden: str) -> None:
    with pytest.raises(DatabaseRefused) as refusal:
        app.run(forbidden)

    assert refusal.value.sqlstate == "42501"  # insufficient privilege: no trigger was asked


def test_the_application_role_tells_an_action_s_outcome_and_changes_no_stored_byte(
    roles: TwoRoles,
) -> None:
    with roles.as_role(roles.app) as app:
        world = World(roles.dsn(roles.app), database=app)
        opened(world)

        app.run("UPDATE venue_actions SET outcome = 'ok'")
        with pytest.raises(DatabaseRefused, match="stored bytes are never changed"):
            app.run("UPDATE venue_actions SET payload = ''")


def test_another_run_gives_what_was_lost_and_takes_what_is_too_much(postgres: Postgres) -> None:
    with two_roles(postgres) as roles, roles.as_role(roles.admin) as admin:
        run_setup(roles)
        name = admin.run("SELECT quote_ident(:role) AS name", role=roles.app)[0]["name"]
        admin.run(f"REVOKE ALL ON signals FROM {name}")
        admin.run(f"GRANT ALL ON venue_routing_history, schema_migrations TO {name}")
        admin.run(f"GRANT DELETE ON positions TO {name}")

        before = run_setup(roles, only_report=True)
        after = run_setup(roles)

        assert not before.fit
        (lacking,) = told(before)
        assert lacking == (
            f"Run setup as the tables' owner (DB_ADMIN_SECRET_ARN): {roles.app} lacks "
            "INSERT on signals, SELECT on signals, UPDATE on signals"
        )
        assert (after.success, told(after)) == (True, ())
        left = granted(admin, roles.app)
        assert left["venue_routing_history"] == {"SELECT", "INSERT"}
        assert left["schema_migrations"] == {"SELECT"}
        assert left["positions"] == {"SELECT", "INSERT", "UPDATE", "DELETE"}  # others' code


def test_an_application_role_that_does_not_exist_is_a_finding(postgres: Postgres) -> None:
    with two_roles(postgres) as roles, roles.as_role(roles.admin) as admin:
        missing = roles.settings().model_copy(update={"db_user": f"no_{uuid4().hex}"})

        found = prepare(admin, MIGRATIONS, missing, SUPPORTED)

    assert (found.success, found.fit) == (True, False)
    assert len(found.applied) > 0
    assert told(found) == (
        f"Create the role {missing.db_user}, which the functions log in as, and run setup again",
    )


def test_a_role_that_owns_the_tables_is_granted_nothing_and_lacks_nothing(
    postgres: Postgres,
) -> None:
    with two_roles(postgres) as roles, roles.as_role(roles.admin) as admin:
        shared = roles.settings().model_copy(update={"db_user": roles.admin})

        found = prepare(admin, MIGRATIONS, shared, SUPPORTED)

        (check,) = (check for check in found.checks if check.name == "rights")
        assert check.ok
        assert check.what["ownsTables"] is True
        acls = admin.run(
            "SELECT FROM pg_class WHERE relacl IS NOT NULL "
            "AND relnamespace = 'public'::regnamespace"
        )
        assert acls == []


def test_whoever_may_not_grant_is_told_and_nothing_crashes(roles: TwoRoles) -> None:
    with roles.as_role(roles.app) as app:
        other = roles.settings().model_copy(update={"db_user": roles.admin})
        found = prepare(app, MIGRATIONS, other, SUPPORTED)

    assert not found.success
    assert "permission denied" in told(found, "setup")[0]


def test_the_reader_s_role_may_select_everything_and_change_nothing(postgres: Postgres) -> None:
    with two_roles(postgres) as others, two_roles(postgres) as roles:
        settings = roles.settings().model_copy(update={"db_reader_user": others.app})
        with roles.as_role(roles.admin) as admin:
            prepare(admin, MIGRATIONS, settings, SUPPORTED)

            assert granted(admin, others.app) == {table: {"SELECT"} for table in rights.TABLES}

        with roles.as_role(others.app) as reader:
            look = Checkups(reader)
            assert [check.name for check in CHECKS if look.ask(check).total] == ["figures_stale"]
            for forbidden in (
                *NOT_ALLOWED,
                "UPDATE signals SET decided_at = now()",
                "SELECT sum_decisions()",
                "INSERT INTO restores (restored_to, told_by, reason) VALUES (now(), 'a', 'b')",
            ):
                with pytest.raises(DatabaseRefused) as refusal:
                    reader.run(forbidden)
                assert refusal.value.sqlstate == "42501"


def test_two_setups_at_once_both_grant(postgres: Postgres) -> None:
    with two_roles(postgres) as roles, ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: run_setup(roles), range(2)))

    assert [(one.success, told(one)) for one in found] == [(True, ()), (True, ())]


def test_before_setup_the_rights_are_a_finding(postgres: Postgres) -> None:
    with two_roles(postgres) as roles:
        found = run_setup(roles, only_report=True)

    assert told(found)[0].startswith("Run setup: ")
