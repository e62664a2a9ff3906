"""Setup makes the role that the functions log in as, where logins are IAM's."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest

from agent_where.callers import EVERYTHING
from agent_where.contract.queries import HistoryQuery, PositionsQuery
from agent_where.errors import DatabaseRefused
from agent_where.readiness import prepare
from agent_where.report import Report
from agent_where.rights import INTAKE, READER, TABLES, rights_of
from agent_where.roles import make_iam_role
from agent_where.settings import SetupSettings
from agent_where.store.connection import Database, DatabaseSettings
from agent_where.store.status import Statuses
from agent_where.store.store import Store
from agent_where.store.views import Views
from agent_where.venues.registry import SUPPORTED
from local.postgres import Postgres
from tests.fixtures_database import MIGRATIONS
from tests.store.roles import PASSWORD, TwoRoles, two_roles
from tests.world import World, signal


@dataclass(frozen=True)
class Rds:
    """A server that has the role rds_iam, an owner who may make roles, and a role yet to make."""

    roles: TwoRoles
    role: str
    server: Database

    def set_up(self, **told: str) -> Report:
        known = self.roles.settings().model_dump(include={"db_host", "db_port", "db_name"})
        settings = SetupSettings.model_validate({**known, "db_user": self.role, **told})
        with self.roles.as_role(self.roles.admin) as owner:
            return prepare(owner, MIGRATIONS, settings, SUPPORTED)

    def made(self) -> list[str]:
        """The functions' roles that there are."""
        rows = self.server.run(
            "SELECT rolname AS name FROM pg_roles WHERE starts_with(rolname, :role) ORDER BY 1",
            role=self.role,
        )
        return [row["name"] for row in rows]

    @contextmanager
    def as_function(self, kind: str) -> Iterator[Database]:
        """Logged in as one of the roles, which a password lets in here for want of IAM."""
        self.server.run(f"ALTER ROLE {self.role}{kind} PASSWORD '{PASSWORD}'")
        with self.roles.as_role(f"{self.role}{kind}") as opened:
            yield opened

    def groups(self) -> list[str]:
        rows = self.server.run(
            "SELECT g.rolname AS name FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid"
            " JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = :role",
            role=self.role,
        )
        return [row["name"] for row in rows]


@contextmanager
def role_of_rds(server: Database) -> Iterator[None]:
    server.run("CREATE ROLE rds_iam NOLOGIN")
    try:
        yield
    finally:
        server.run("DROP ROLE rds_iam")


@pytest.fixture
def rds(postgres: Postgres) -> Iterator[Rds]:
    server = Database(DatabaseSettings.from_url(postgres.dsn()))
    role = f"functions_{uuid4().hex}"
    with role_of_rds(server), two_roles(postgres) as roles:
        server.run(f"ALTER ROLE {roles.admin} CREATEROLE")
        server.run(f"GRANT rds_iam TO {roles.admin} WITH ADMIN OPTION")
        made = Rds(roles, role, server)
        yield made
        inside = Database(DatabaseSettings.from_url(postgres.dsn(roles.name)))
        for name in made.made():
            inside.run(f"DROP OWNED BY {name}")
            inside.run(f"DROP ROLE {name}")
        inside.close()
    server.close()


def rights(found: Report) -> tuple[str, ...]:
    return next(check.todo for check in found.checks if check.name == "rights")


def test_setup_makes_the_role_without_a_password_and_lets_it_in_with_tokens(rds: Rds) -> None:
    found = rds.set_up()

    assert found.success
    assert rights(found) == ()
    assert rds.groups() == ["rds_iam"]
    (row,) = rds.server.run(
        "SELECT rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolbypassrls, rolpassword"
        " FROM pg_authid WHERE rolname = :role",
        role=rds.role,
    )
    assert row["rolcanlogin"]
    assert not any(row[name] for name in ("rolsuper", "rolcreaterole", "rolcreatedb"))
    assert not row["rolbypassrls"]
    assert row["rolpassword"] is None


def test_a_second_run_changes_nothing(rds: Rds) -> None:
    rds.set_up()

    assert rds.set_up().success
    assert rds.groups() == ["rds_iam"]


def test_a_role_that_is_there_is_let_in(rds: Rds) -> None:
    rds.server.run(f"CREATE ROLE {rds.role} LOGIN")
    rds.server.run(f"GRANT {rds.role} TO {rds.roles.admin} WITH ADMIN OPTION")

    assert rds.set_up().success
    assert rds.groups() == ["rds_iam"]


def test_where_the_functions_have_a_secret_the_role_is_the_operator_s_to_make(rds: Rds) -> None:
    found = rds.set_up(db_secret_arn="arn:aws:secretsmanager:eu-west-1:000000000000:secret:s")

    assert rds.made() == []
    assert rights(found)[0].startswith(f"Create the role {rds.role}")


def test_an_owner_who_may_not_make_roles_leaves_it_to_the_report(rds: Rds) -> None:
    rds.server.run(f"ALTER ROLE {rds.roles.admin} NOCREATEROLE")

    found = rds.set_up()

    assert found.success
    assert rights(found)[0].startswith(f"Create the role {rds.role}")


def test_what_only_reads_and_what_takes_signals_in_have_roles_of_their_own(rds: Rds) -> None:
    found = rds.set_up()

    assert rds.made() == [rds.role, f"{rds.role}{INTAKE}", f"{rds.role}{READER}"]
    checks = {check.name: check for check in found.checks}
    assert checks["rights_reader"].ok
    assert checks["rights_intake"].ok


def test_the_reader_reads_everything_and_writes_nothing(rds: Rds) -> None:
    rds.set_up()

    with rds.as_function(READER) as reader:
        views = Views(reader)
        assert views.history(EVERYTHING, HistoryQuery.model_validate({})).history == ()
        assert views.positions(EVERYTHING, PositionsQuery.model_validate({})).positions == ()
        assert Statuses(reader).look().network == "mainnet"
        for table in TABLES:
            with pytest.raises(DatabaseRefused, match="permission denied"):
                reader.run(f"DELETE FROM {table}")
        with pytest.raises(DatabaseRefused, match="permission denied"):
            reader.run("UPDATE agents SET status = 'ACTIVE'")


def test_the_intake_stores_signals_and_nothing_else(rds: Rds) -> None:
    rds.set_up()
    with rds.as_function("") as worker:
        agent = World(rds.roles.dsn(rds.role), database=worker).agent()

    with rds.as_function(INTAKE) as intake:
        store = Store(intake)
        file = store.insert_signal(signal(agent))
        assert file is not None
        store.mark_not_enqueued([file.id])
        for statement in (
            "UPDATE agents SET status = 'ACTIVE'",
            "UPDATE venue_orders SET status = 'REJECTED'",
            "INSERT INTO trading_controls SELECT FROM trading_controls",
            "DELETE FROM signals",
            "UPDATE signals SET size_model = '{}'",
            "UPDATE signals SET decided_at = now()",
        ):
            with pytest.raises(DatabaseRefused, match="permission denied"):
                intake.run(statement)


def test_a_role_of_this_system_alone_loses_what_an_earlier_release_gave_it(rds: Rds) -> None:
    rds.set_up()
    with rds.roles.as_role(rds.roles.admin) as owner:
        owner.run(f"GRANT UPDATE ON signals TO {rds.role}{INTAKE}")
        owner.run(f"REVOKE UPDATE (enqueued_at) ON signals FROM {rds.role}{INTAKE}")
    with rds.as_function(INTAKE) as intake:
        intake.run("UPDATE signals SET size_model = '{}'")

    found = rds.set_up()

    assert {check.name: check.ok for check in found.checks}["rights_intake"]
    with (
        rds.as_function(INTAKE) as intake,
        pytest.raises(DatabaseRefused, match="permission denied"),
    ):
        intake.run("UPDATE signals SET size_model = '{}'")


def test_a_column_that_a_role_may_not_change_any_more_is_a_finding(rds: Rds) -> None:
    rds.set_up()
    role = f"{rds.role}{INTAKE}"

    with rds.roles.as_role(rds.roles.admin) as owner:
        owner.run(f"REVOKE UPDATE (enqueued_at) ON signals FROM {role}")
        assert rights_of(owner, role, INTAKE).lacks == ("UPDATE (enqueued_at) on signals",)


def test_a_server_without_iam_gets_no_role(postgres: Postgres) -> None:
    with two_roles(postgres) as roles, roles.as_role(roles.admin) as owner:
        make_iam_role(owner, "nobody")

        assert owner.run("SELECT FROM pg_roles WHERE rolname = 'nobody'") == []
