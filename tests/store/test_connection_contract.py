"""What the store relies on, pinned against the real server: one round trip, and never a desync."""

import inspect
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from importlib.metadata import version
from typing import Any
from uuid import uuid4

import pytest
from pg8000 import core
from pg8000.native import Connection

from agent_where.errors import BadInput, DatabaseRefused
from agent_where.store.connection import Database, DatabaseSettings, Often
from local.postgres import Postgres
from tests.store.proxies import Proxy


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    opened = Database(DatabaseSettings.from_url(postgres.dsn()))
    yield opened
    opened.close()


@pytest.fixture
def watched(postgres: Postgres) -> Iterator[tuple[Database, Proxy]]:
    """A connection through a proxy, already logged in, with nothing heard yet."""
    with Proxy(postgres.port) as proxy:
        settings = DatabaseSettings.from_url(postgres.dsn())
        opened = Database(settings.model_copy(update={"port": proxy.port}))
        opened.run("SELECT 1 AS warm")
        proxy.talk.clear()
        opened.round_trips = 0
        yield opened, proxy
        opened.close()


def test_pg8000_is_the_version_whose_private_names_we_know() -> None:
    assert version("pg8000") == "1.31.6"
    assert list(inspect.signature(core._read).parameters) == ["sock", "size"]


def test_pg8000_itself_still_has_the_desync_that_this_module_exists_for(postgres: Postgres) -> None:
    with Connection(
        "agent_where",
        host="127.0.0.1",
        port=postgres.port,
        database="postgres",
        password=postgres.password,
    ) as plain:
        with pytest.raises(TypeError):
            plain.run("SELECT CAST(:a AS jsonb)", a={"px": Decimal("1.1")})

        answers = [plain.run("SELECT 0 AS n"), plain.run("SELECT 1 AS n"), plain.run("SELECT 2")]

    assert answers == [[], [[0]], [[1]]]


def test_a_new_database_object_does_nothing_until_it_is_used() -> None:
    Database(DatabaseSettings(host="127.0.0.1", port=1, name="none", user="nobody")).close()


BAD_DATA = {
    "a surrogate": "a\ud800",
    "a NUL": "a\0b",
    "a surrogate in JSON": {"name": "a\ud800"},
    "a surrogate in a key": {"a\udfff": 1},
    "a NUL deep in JSON": {"a": [{"b": "\0"}]},
    "a surrogate in an array": ["fine", "\ud800"],
    "a NUL in JSON in an array": [{"a": "\0"}],
    "not a number": Decimal("NaN"),
    "infinity in JSON": {"px": Decimal("-Infinity")},
    "infinity in an array": [Decimal("Infinity")],
}


@pytest.mark.parametrize("bad", BAD_DATA.values(), ids=BAD_DATA)
def test_bad_data_is_refused_by_name_and_the_connection_goes_on(
    database: Database, bad: object
) -> None:
    database.run("SELECT 1 AS warm")
    trips = database.round_trips

    with pytest.raises(BadInput, match=r"^shape: "):
        database.run("SELECT CAST(:fine AS text), CAST(:shape AS text)", fine="x", shape=bad)

    assert database.round_trips == trips
    assert [database.run("SELECT CAST(:n AS int) AS n", n=n) for n in range(3)] == [
        [{"n": 0}],
        [{"n": 1}],
        [{"n": 2}],
    ]


BAD_CODE = {
    "a float": 1.5,
    "a float in JSON": {"px": 1.5},
    "a float in an array": [1.5],
    "a naive datetime": datetime(2026, 1, 1),  # noqa: DTZ001 - that is the point
    "a set": {1, 2},
    "a key that is no string": {1: "a"},
    "bytes in JSON": {"a": b"x"},
    "an object": object(),
}


@pytest.mark.parametrize("bad", BAD_CODE.values(), ids=BAD_CODE)
def test_a_type_without_meaning_is_the_codes_fault_and_names_the_parameter(
    database: Database, bad: object
) -> None:
    with pytest.raises(TypeError, match="parameter 'shape'"):
        database.run("SELECT CAST(:shape AS text)", shape=bad)

    assert database.run("SELECT CAST(:n AS int) AS n", n=7) == [{"n": 7}]


def test_an_endless_nesting_is_refused(database: Database) -> None:
    ring: list[Any] = []
    ring.append(ring)

    with pytest.raises(BadInput, match="ring: nested too deeply"):
        database.run("SELECT CAST(:ring AS text)", ring={"a": ring})

    assert database.run("SELECT 1 AS n") == [{"n": 1}]


def test_the_second_statement_of_several_may_be_the_bad_one_and_nothing_is_written(
    database: Database,
) -> None:
    database.script("CREATE TEMP TABLE kept (n int)")
    trips = database.round_trips

    with pytest.raises(BadInput):
        database.run_together(
            ("INSERT INTO kept VALUES (:n)", {"n": 1}), ("SELECT :s::text", {"s": "\ud800"})
        )

    assert database.round_trips == trips
    assert database.run("SELECT count(*) AS n FROM kept") == [{"n": 0}]


def test_the_servers_error_leaves_the_connection_in_step(database: Database) -> None:
    pid = database.run("SELECT pg_backend_pid() AS pid")

    for _ in range(3):
        with pytest.raises(DatabaseRefused) as refused:
            database.run("SELECT 1 / CAST(:n AS int) AS n", n=0)
        assert refused.value.sqlstate == "22012"

    assert database.run("SELECT CAST(:n AS int) AS n", n=5) == [{"n": 5}]
    assert database.run("SELECT pg_backend_pid() AS pid") == pid


def test_a_value_that_cannot_be_read_drops_the_connection_and_not_the_step(
    database: Database,
) -> None:
    with pytest.raises(ValueError, match="infinity"):
        database.run("SELECT 'infinity'::timestamptz AS never, generate_series(1, 5) AS n")

    assert database.run("SELECT 6 AS n") == [{"n": 6}]


def test_two_columns_of_one_name_are_refused_rather_than_lost(database: Database) -> None:
    with pytest.raises(TypeError, match="two columns of one name: n, n"):
        database.run("SELECT 1 AS n, 2 AS n")

    assert database.run("SELECT 6 AS n") == [{"n": 6}]


@pytest.mark.parametrize(
    ("sql", "params"),
    [
        ("SELECT 1 AS n", {}),
        ("SELECT CAST(:n AS int) AS n", {"n": 1}),
        ("SELECT CAST(:text AS text) AS n", {"text": "x" * 100_000}),
        ("SELECT generate_series(1, 20000) AS n", {}),
        ("CREATE TEMP TABLE made (n int)", {}),
    ],
)
def test_a_statement_costs_one_round_trip(
    watched: tuple[Database, Proxy], sql: str, params: dict[str, Any]
) -> None:
    database, proxy = watched

    database.run(sql, **params)

    assert proxy.turns == 1
    assert database.round_trips == 1


def test_several_statements_cost_one_round_trip_together(watched: tuple[Database, Proxy]) -> None:
    database, proxy = watched

    rows = database.run_together(
        ("SELECT CAST(:n AS int) AS n", {"n": 1}),
        ("CREATE TEMP TABLE made (n int)", {}),
        ("SELECT :t::text AS t", {"t": "x"}),
    )

    assert rows == [[{"n": 1}], [], [{"t": "x"}]]
    assert proxy.turns == 1
    assert database.round_trips == 1


def test_a_script_costs_one_round_trip(watched: tuple[Database, Proxy]) -> None:
    database, proxy = watched

    database.script("CREATE TEMP TABLE a (n int); INSERT INTO a VALUES (1); SELECT * FROM a;")

    assert proxy.turns == 1
    assert database.round_trips == 1


def test_a_refused_statement_costs_one_round_trip(watched: tuple[Database, Proxy]) -> None:
    database, proxy = watched

    with pytest.raises(DatabaseRefused):
        database.run("SELECT nothing FROM nowhere")

    assert proxy.turns == 1


KEPT = "SELECT count(*) AS n FROM pg_prepared_statements"


def test_a_statement_that_is_run_often_is_parsed_once_a_session(database: Database) -> None:
    often = Often("SELECT CAST(:n AS int) AS n")

    told = [database.run(often, n=n) for n in range(7)]
    together = database.run_together((often, {"n": 7}), (often, {"n": 8}))

    assert told == [[{"n": n}] for n in range(7)]
    assert together == [[{"n": 7}], [{"n": 8}]]
    assert database.run(KEPT) == [{"n": 1}]


def test_a_kept_statement_is_described_once_and_read_as_before(
    watched: tuple[Database, Proxy],
) -> None:
    database, proxy = watched
    often = Often("SELECT CAST(:n AS int) AS n, NULL AS nothing, CAST(:n AS text) AS told")

    rows = [database.run(often, n=n) for n in range(3)]
    heard = b"".join(data for side, data in proxy.talk if side == "server")

    assert rows == [[{"n": n, "nothing": None, "told": str(n)}] for n in range(3)]
    assert heard.count(b"nothing\0") == 1


def test_rows_and_fields_of_any_size_arrive_whole(database: Database) -> None:
    rows = database.run(
        "SELECT n, repeat('x', n) AS text FROM generate_series(0, 300000, 7919) n ORDER BY n"
    )

    assert [(row["n"], len(row["text"])) for row in rows] == [
        (n, n) for n in range(0, 300_001, 7919)
    ]


def test_an_error_on_the_way_to_a_kept_statement_leaves_the_next_call_in_step(
    database: Database,
) -> None:
    often = Often("SELECT 10 / CAST(:n AS int) AS n")

    for refused in ("SELECT nothing FROM nowhere", "SELECT 1 / 0"):
        with pytest.raises(DatabaseRefused):
            database.run_together((refused, {}), (often, {"n": 1}))
    with pytest.raises(DatabaseRefused):
        database.run(often, n=0)

    assert [database.run(often, n=n) for n in (1, 2)] == [[{"n": 10}], [{"n": 5}]]


def test_a_kept_statement_whose_table_has_changed_costs_one_refusal(database: Database) -> None:
    table = f"changed_{uuid4().hex}"
    database.run(f"CREATE TABLE {table} AS SELECT 1 AS a")
    often = Often(f"SELECT * FROM {table}")
    assert [database.run(often) for _ in range(2)] == [[{"a": 1}]] * 2
    database.run(f"ALTER TABLE {table} ADD COLUMN b text DEFAULT 'x'")

    with pytest.raises(DatabaseRefused, match="cached plan"):
        database.run(often)

    assert [database.run(often) for _ in range(2)] == [[{"a": 1, "b": "x"}]] * 2
    database.run(f"DROP TABLE {table}")
