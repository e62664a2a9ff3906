"""Logging in: what stands in the way, and that no password is ever told."""

import socket
import time

import pytest

from agent_where.errors import DatabaseRefused, DatabaseUnavailable
from agent_where.store.connection import Database, DatabaseSettings
from local.postgres import Postgres


def test_a_refused_port_is_unavailable_and_says_where() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    database = Database(_settings(port=port))

    with pytest.raises(DatabaseUnavailable, match=f"127.0.0.1:{port}"):
        database.run("SELECT 1 AS n")


def test_a_server_that_never_answers_a_login_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        database = Database(_settings(port=listener.getsockname()[1]))
        began = time.monotonic()

        with pytest.raises(DatabaseUnavailable):
            database.run("SELECT 1 AS n")

        assert time.monotonic() - began < 2


def test_an_unknown_host_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    def knows_nobody(*_: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", knows_nobody)
    database = Database(_settings(host="no-such-host"))

    with pytest.raises(DatabaseUnavailable, match="no-such-host:5432"):
        database.run("SELECT 1 AS n")


def test_a_wrong_password_is_unavailable_and_never_told(postgres: Postgres) -> None:
    database = Database(DatabaseSettings.from_url(postgres.dsn()), password=lambda: "hunter2")

    with pytest.raises(DatabaseUnavailable, match="28P01") as error:
        database.run("SELECT 1 AS n")

    assert "hunter2" not in str(error.value)


def test_the_password_is_asked_for_at_every_login_and_only_then(postgres: Postgres) -> None:
    asked: list[int] = []

    def password() -> str:
        asked.append(1)
        return "expired" if len(asked) == 1 else postgres.password

    database = Database(DatabaseSettings.from_url(postgres.dsn()), password=password)
    assert asked == []

    with pytest.raises(DatabaseUnavailable):
        database.run("SELECT 1 AS n")
    database.run("SELECT 1 AS n")
    database.run("SELECT 1 AS n")
    database.close()

    assert len(asked) == 2


def test_a_database_that_does_not_exist_is_refused(postgres: Postgres) -> None:
    database = Database(DatabaseSettings.from_url(postgres.dsn("nowhere")))

    with pytest.raises(DatabaseRefused) as refused:
        database.run("SELECT 1 AS n")

    assert refused.value.sqlstate == "3D000"


def _settings(host: str = "127.0.0.1", port: int = 5432) -> DatabaseSettings:
    return DatabaseSettings(
        host=host, port=port, name="none", user="nobody", connect_timeout_seconds=1
    )
