"""The embedded server of local/postgres.py: started, found again, stopped, and kept to loopback."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent_where.errors import DatabaseUnavailable
from agent_where.store.connection import Database, DatabaseSettings
from local.postgres import Postgres, PostgresFailed, start, stop


@pytest.fixture
def data(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "a place with spaces" / "postgres"
    yield place
    stop(place)


def ask(server: Postgres, sql: str) -> object:
    database = Database(DatabaseSettings.from_url(server.dsn()))
    try:
        return database.run(sql)
    finally:
        database.close()


def test_a_server_is_started_found_again_stopped_and_keeps_its_data(data: Path) -> None:
    server = start(data, durable=False)
    assert start(data) == server
    ask(server, "CREATE TABLE kept AS SELECT 1 AS n")

    server.stop()
    server.stop()
    again = start(data)

    assert ask(again, "SELECT n FROM kept") == [{"n": 1}]
    assert ask(again, "SELECT current_setting('fsync') AS fsync") == [{"fsync": "on"}]
    assert again.password == server.password


def test_a_pid_file_left_by_a_crash_that_names_another_process_is_no_server(data: Path) -> None:
    server = start(data, durable=False)
    pid_file = data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    server.stop()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]))

    again = start(data, durable=False)

    assert ask(again, "SELECT 1 AS n") == [{"n": 1}]


def test_a_server_that_was_killed_starts_again_with_its_data(data: Path) -> None:
    server = start(data)
    ask(server, "CREATE TABLE kept AS SELECT 1 AS n")
    pid = int((data / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)

    again = start(data)

    assert ask(again, "SELECT n FROM kept") == [{"n": 1}]


def test_a_port_that_is_taken_is_told_in_the_servers_own_words(
    data: Path, postgres: Postgres
) -> None:
    with pytest.raises(PostgresFailed, match="Address already in use"):
        start(data, port=postgres.port, durable=False)


def test_it_listens_on_loopback_alone_and_asks_for_a_password(postgres: Postgres) -> None:
    assert ask(
        postgres,
        "SELECT current_setting('listen_addresses') AS hosts,"
        " current_setting('unix_socket_directories') AS files",
    ) == [{"hosts": "127.0.0.1", "files": ""}]
    without = DatabaseSettings.from_url(postgres.dsn().replace(postgres.password, ""))
    with pytest.raises(DatabaseUnavailable, match="28P01"):
        Database(without).run("SELECT 1 AS n")
    assert (postgres.data / "password").stat().st_mode & 0o077 == 0


def test_it_is_postgresql_18(postgres: Postgres) -> None:
    assert ask(postgres, "SELECT current_setting('server_version_num')::int / 10000 AS major") == [
        {"major": 18}
    ]
