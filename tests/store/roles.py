"""A database with two roles: one that sets it up and owns it, one that the functions log in as."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import quote
from uuid import uuid4

from agent_where.settings import SetupSettings
from agent_where.store.connection import Database, DatabaseSettings
from local.postgres import LOOPBACK, Postgres
from tests.conftest import fresh_database

PASSWORD = "a password"


@dataclass(frozen=True)
class TwoRoles:
    """An empty database. The application's name is one that has to be quoted, and escaped."""

    port: int
    name: str
    admin: str
    app: str

    def dsn(self, role: str) -> str:
        login = f"{quote(role, safe='')}:{quote(PASSWORD)}"
        return f"postgresql://{login}@{LOOPBACK}:{self.port}/{self.name}"

    def settings(self) -> SetupSettings:
        """What setup is told on AWS: a host, and the application's role."""
        told = {"db_host": LOOPBACK, "db_port": self.port, "db_name": self.name}
        return SetupSettings.model_validate(told | {"db_user": self.app})

    @contextmanager
    def as_role(self, role: str) -> Iterator[Database]:
        opened = Database(DatabaseSettings.from_url(self.dsn(role)))
        try:
            yield opened
        finally:
            opened.close()


@contextmanager
def two_roles(server: Postgres) -> Iterator[TwoRoles]:
    """Neither role is a superuser; the admin owns the database. Dropped at the end."""
    admin, app = f"admin_{uuid4().hex}", f"""an "app"; {uuid4().hex}' """
    quoted = [f'"{admin}"', '"' + app.replace('"', '""') + '"']
    superuser = Database(DatabaseSettings.from_url(server.dsn()))
    for role in quoted:
        superuser.run(f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
    try:
        with fresh_database(server) as dsn:
            name = dsn.rsplit("/", 1)[1]
            superuser.run(f"ALTER DATABASE {name} OWNER TO {admin}")
            yield TwoRoles(server.port, name, admin, app)
    finally:
        for role in quoted:
            superuser.run(f"DROP ROLE {role}")
        superuser.close()
