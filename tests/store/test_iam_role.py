"""Setup makes the role that the functions log in as, where logins are IAM's."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import uuid4

import pytest

from agent_where.readiness import prepare
from agent_where.report import Report
from agent_where.roles import make_iam_role
from agent_where.settings import SetupSettings
from agent_where.store.connection import Database, DatabaseSettings
from agent_where.venues.registry import SUPPORTED
from local.postgres import Postgres
from tests.fixtures_database import MIGRATIONS
from tests.store.roles import TwoRoles, two_roles


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

    def groups(self) -> list[str]:
        rows = self.server.run(
            "SELECT g.rolname AS name FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid"
            " JOIN pg_roles r ON r.oid = m.member WHERE r.rolname = :role",
            role=self.role,
        )
        return [row["name"] for row in rows]

    def exists(self) -> bool:
        found = self.server.run("SELECT FROM pg_roles WHERE rolname = :role", role=self.role)
        return bool(found)


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
        if made.exists():
            inside = Database(DatabaseSettings.from_url(postgres.dsn(roles.name)))
            inside.run(f"DROP OWNED BY {role}")
            inside.run(f"DROP ROLE {role}")
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

    assert not rds.exists()
    assert rights(found)[0].startswith(f"Create the role {rds.role}")


def test_an_owner_who_may_not_make_roles_leaves_it_to_the_report(rds: Rds) -> None:
    rds.server.run(f"ALTER ROLE {rds.roles.admin} NOCREATEROLE")

    found = rds.set_up()

    assert found.success
    assert rights(found)[0].startswith(f"Create the role {rds.role}")


def test_a_server_without_iam_gets_no_role(postgres: Postgres) -> None:
    with two_roles(postgres) as roles, roles.as_role(roles.admin) as owner:
        make_iam_role(owner, "nobody")

        assert owner.run("SELECT FROM pg_roles WHERE rolname = 'nobody'") == []
