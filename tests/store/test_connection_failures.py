"""Dead, slow and refusing servers: what is raised, and that the next call works."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from agent_where.errors import DatabaseRefused, DatabaseUnavailable
from agent_where.store.connection import Database, DatabaseSettings
from local.postgres import Postgres, start
from tests.store.proxies import CLIENT, SERVER, Proxy


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def proxy(postgres: Postgres) -> Iterator[Proxy]:
    with Proxy(postgres.port) as opened:
        yield opened


@pytest.fixture
def database(postgres: Postgres, proxy: Proxy, clock: Clock) -> Iterator[Database]:
    """Behind a proxy, logged in, with little patience."""
    settings = DatabaseSettings.from_url(
        postgres.dsn(), statement_timeout_ms=300, lock_timeout_ms=100, connect_timeout_seconds=1
    )
    opened = Database(settings.model_copy(update={"port": proxy.port}), clock=clock)
    opened.run("SELECT 1 AS warm")
    yield opened
    opened.close()


@pytest.fixture
def administrator(postgres: Postgres) -> Iterator[Database]:
    opened = Database(DatabaseSettings.from_url(postgres.dsn()))
    yield opened
    opened.close()


def pid(database: Database) -> int:
    number: int = database.run("SELECT pg_backend_pid() AS pid")[0]["pid"]
    return number


def test_a_backend_killed_during_a_statement_is_unavailable_and_the_next_call_reconnects(
    database: Database,
) -> None:
    with pytest.raises(DatabaseUnavailable, match="57P01"):
        database.run("SELECT pg_terminate_backend(pg_backend_pid()) AS gone")

    assert database.run("SELECT 1 AS n") == [{"n": 1}]


def test_a_backend_killed_between_statements_is_replaced_since_nothing_was_sent(
    database: Database, administrator: Database
) -> None:
    old = pid(database)
    administrator.run("SELECT pg_terminate_backend(:pid, 1000) AS gone", pid=old)
    time.sleep(0.05)

    assert pid(database) != old


def test_a_connection_that_the_peer_ended_is_replaced_since_nothing_was_sent(
    database: Database, proxy: Proxy
) -> None:
    old = pid(database)
    proxy.hang_up()
    time.sleep(0.05)

    assert pid(database) != old


def test_a_word_out_of_turn_is_read_and_the_connection_kept(
    database: Database, administrator: Database
) -> None:
    database.script("LISTEN told")
    old, trips = pid(database), database.round_trips
    administrator.script("NOTIFY told")
    time.sleep(0.05)

    assert pid(database) == old
    assert database.round_trips == trips + 2
    assert pid(database) == old
    assert database.round_trips == trips + 3


def test_a_write_whose_answer_was_lost_is_unavailable_and_is_not_sent_twice(
    database: Database, administrator: Database, proxy: Proxy
) -> None:
    administrator.script("CREATE TABLE lost_answers (n int)")
    proxy.lose(SERVER)

    with pytest.raises(DatabaseUnavailable, match="lost"):
        database.run("INSERT INTO lost_answers VALUES (1)")

    proxy.lose()
    assert database.run("SELECT count(*) AS n FROM lost_answers") == [{"n": 1}]
    administrator.script("DROP TABLE lost_answers")


def test_silence_is_given_up_a_little_after_the_statements_own_time_out(
    database: Database, proxy: Proxy
) -> None:
    proxy.lose(CLIENT, SERVER)
    began = time.monotonic()

    with pytest.raises(DatabaseUnavailable):
        database.run("SELECT 1 AS n")

    assert 1.2 < time.monotonic() - began < 2.5


def test_an_idle_connection_is_asked_before_it_is_used(
    database: Database, clock: Clock, proxy: Proxy
) -> None:
    old, trips = pid(database), database.round_trips
    clock.now += 59
    assert pid(database) == old
    assert database.round_trips == trips + 1
    clock.now += 61

    assert pid(database) == old
    assert database.round_trips == trips + 3


def test_an_idle_connection_into_nowhere_is_replaced_quietly(
    database: Database, clock: Clock, proxy: Proxy, postgres: Postgres
) -> None:
    old = pid(database)
    proxy.lose(CLIENT, SERVER)
    clock.now += 61
    forward_again = threading.Timer(0.5, proxy.lose)
    forward_again.start()

    assert pid(database) != old
    forward_again.join()


def test_a_server_that_restarts_is_found_again(tmp_path_factory: pytest.TempPathFactory) -> None:
    place = tmp_path_factory.mktemp("own") / "postgres"
    server = start(place, durable=False)
    database = Database(DatabaseSettings.from_url(server.dsn()))
    database.script("CREATE TABLE kept AS SELECT 7 AS n")

    server.stop()
    with pytest.raises(DatabaseUnavailable, match="cannot connect"):
        database.run("SELECT n FROM kept")
    with pytest.raises(DatabaseUnavailable, match="cannot connect"):
        database.run("SELECT n FROM kept")
    again = start(place, port=server.port, durable=False)

    assert database.run("SELECT n FROM kept") == [{"n": 7}]
    database.close()
    again.stop()


def test_after_close_the_next_call_opens_another(database: Database) -> None:
    database.close()
    database.close()

    assert database.run("SELECT 1 AS n") == [{"n": 1}]


def test_a_statement_that_takes_too_long_may_pass_and_the_connection_is_kept(
    database: Database,
) -> None:
    old = pid(database)

    with pytest.raises(DatabaseUnavailable, match="57014"):
        database.run("SELECT pg_sleep(5) AS slept")

    assert pid(database) == old


def test_a_lock_that_is_not_had_may_pass(database: Database, administrator: Database) -> None:
    administrator.run("SELECT pg_advisory_lock(99) AS held")

    with pytest.raises(DatabaseUnavailable, match="55P03"):
        database.run("SELECT pg_advisory_lock(99) AS held")

    administrator.run("SELECT pg_advisory_unlock(99) AS freed")
    assert database.run("SELECT 1 AS n") == [{"n": 1}]


@pytest.mark.parametrize(
    "state", ["40001", "40P01", "53300", "57P02", "57P03", "08006", "25006", "53100", "28000"]
)
def test_what_may_pass_is_unavailable(database: Database, state: str) -> None:
    with pytest.raises(DatabaseUnavailable, match=state):
        database.script(f"DO $$ BEGIN RAISE 'told' USING ERRCODE = '{state}'; END $$")

    assert database.run("SELECT 1 AS n") == [{"n": 1}]


@pytest.mark.parametrize("state", ["23514", "42501", "P0001", "22P02", "XX000"])
def test_what_does_not_pass_is_refused_with_its_state(database: Database, state: str) -> None:
    with pytest.raises(DatabaseRefused) as refused:
        database.script(f"DO $$ BEGIN RAISE 'the words' USING ERRCODE = '{state}'; END $$")

    assert str(refused.value) == "the words"
    assert refused.value.sqlstate == state
    assert refused.value.constraint is None


def test_a_refusal_never_quotes_the_row(database: Database) -> None:
    database.script("CREATE TEMP TABLE sums (secret text, n int CONSTRAINT positive CHECK (n > 0))")

    with pytest.raises(DatabaseRefused) as refused:
        database.run("INSERT INTO sums VALUES (:secret, -1)", secret="signed payload")

    assert refused.value.constraint == "positive"
    assert "signed payload" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_a_server_made_read_only_is_left_for_the_new_primary(database: Database) -> None:
    old = pid(database)

    with pytest.raises(DatabaseUnavailable, match="25006"):
        database.script("SET TRANSACTION READ ONLY; CREATE TABLE never (n int)")

    assert pid(database) != old


def test_the_socket_notices_a_dead_peer(database: Database) -> None:
    assert database._wire is not None
    sock = database._wire._usock

    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
    for name, value in {
        "TCP_KEEPIDLE": 60,
        "TCP_KEEPINTVL": 10,
        "TCP_KEEPCNT": 3,
        "TCP_USER_TIMEOUT": 5_000,
    }.items():
        if hasattr(socket, name):
            assert sock.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) == value
