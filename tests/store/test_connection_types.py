"""What each type becomes on its way into PostgreSQL and back."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from agent_where.store.connection import Database, DatabaseSettings, Json
from local.postgres import Postgres


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    opened = Database(DatabaseSettings.from_url(postgres.dsn()))
    yield opened
    opened.close()


AN_ID = UUID("0b8f6d3e-8d0f-4b0a-9d0e-6f7d9b1c2a3b")
A_MOMENT = datetime(2026, 11, 22, 11, 56, 19, 331600, tzinfo=UTC)


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        ("numeric", Decimal("0.00000000000000000001")),
        ("numeric", Decimal("123456789012345678901234567890.123456789")),
        ("timestamptz", A_MOMENT),
        ("timestamptz", A_MOMENT.replace(microsecond=0)),
        ("uuid", AN_ID),
        ("bool", True),
        ("bool", False),
        ("int8", 2**63 - 1),
        ("int8", -(2**63)),
        ("text", "plain, 'quoted' \"double\" \\ back {brace} 😀 \n"),
        ("text", ""),
        ("bytea", bytes(range(256))),
        ("text[]", ["a", "", "NULL", 'q"uo\\te', "{,}", " space ", "ü"]),
        ("text[]", ["a", None]),
        ("text[]", []),
        ("numeric[]", [Decimal("1.10"), Decimal(-2), None]),
        ("int8[]", [1, 2**40, -3]),
        ("bool[]", [True, False, None]),
        ("uuid[]", [AN_ID]),
        ("timestamptz[]", [A_MOMENT]),
        ("bytea[]", [b"\x00\xff", b""]),
        ("text[][]", [["a", "b"], ["c", "d"]]),
        ("jsonb[]", [{"a": 1}, {"b": ['"', "\\"]}]),
        ("jsonb", {"a": [1, True, None, "x"], "ü": {}}),
        ("json", {"a": 1}),
    ],
)
def test_what_goes_in_comes_back(database: Database, type_: str, value: object) -> None:
    rows = database.run(f"SELECT CAST(:value AS {type_}) AS value", value=value)

    assert rows == [{"value": value}]
    assert type(rows[0]["value"]) is type(value)


@pytest.mark.parametrize("type_", ["numeric", "timestamptz", "jsonb", "text[]", "bytea", "bool"])
def test_none_is_null(database: Database, type_: str) -> None:
    assert database.run(f"SELECT CAST(:value AS {type_}) AS v", value=None) == [{"v": None}]


def test_times_are_utc_whatever_zone_they_were_given_in(database: Database) -> None:
    row = database.run("SELECT '2026-01-01 00:30:00+05:30'::timestamptz AS at")[0]

    assert row["at"] == datetime(2025, 12, 31, 19, 0, tzinfo=UTC)
    assert row["at"].tzinfo is UTC


@pytest.mark.parametrize("type_", ["json", "jsonb"])
def test_numbers_in_json_are_never_floats(database: Database, type_: str) -> None:
    row = database.run(f"""SELECT '{{"px": 0.1, "deep": [1e2, 2]}}'::{type_} AS j""")[0]

    assert row["j"] == {"px": Decimal("0.1"), "deep": [Decimal(100), 2]}
    assert isinstance(row["j"]["px"], Decimal)


def test_inside_json_money_ids_and_times_are_strings(database: Database) -> None:
    told = {"px": Decimal("1.10"), "id": AN_ID, "at": A_MOMENT}

    row = database.run("SELECT CAST(:told AS jsonb) AS told", told=told)[0]

    assert row["told"] == {"px": "1.10", "id": str(AN_ID), "at": "2026-11-22T11:56:19.331600+00:00"}


def test_a_list_is_an_array_and_json_when_it_says_so(database: Database) -> None:
    row = database.run(
        "SELECT CAST(:array AS text[]) AS array, CAST(:json AS jsonb) AS json",
        array=["a", "b"],
        json=Json(["a", {"b": Decimal("1.5")}]),
    )[0]

    assert row == {"array": ["a", "b"], "json": ["a", {"b": "1.5"}]}


def test_enums_and_arrays_of_enums_come_back_as_text(empty_database: str) -> None:
    database = Database(DatabaseSettings.from_url(empty_database))
    database.script("CREATE TYPE venue_t AS ENUM ('SPOT', 'MULTI')")

    row = database.run(
        "SELECT CAST(:one AS venue_t) AS one, CAST(:some AS venue_t[]) AS some",
        one="SPOT",
        some=["MULTI", "SPOT"],
    )[0]

    assert row == {"one": "SPOT", "some": ["MULTI", "SPOT"]}
    database.close()


def test_five_hundred_rows_travel_in_one_array(database: Database) -> None:
    names = [f"market {n} " + "x" * 60 for n in range(500)]

    rows = database.run("SELECT unnest(CAST(:names AS text[])) AS name", names=names)

    assert [row["name"] for row in rows] == names


def test_the_session_is_set_up_as_the_settings_say(postgres: Postgres) -> None:
    database = Database(
        DatabaseSettings.from_url(
            postgres.dsn(),
            statement_timeout_ms=4_321,
            lock_timeout_ms=987,
            idle_in_transaction_ms=7_654,
            application_name="route_execute",
        )
    )

    row = database.run(
        "SELECT current_setting('statement_timeout') AS statement,"
        " current_setting('lock_timeout') AS lock,"
        " current_setting('idle_in_transaction_session_timeout') AS idle,"
        " current_setting('application_name') AS name,"
        " current_setting('TimeZone') AS zone"
    )[0]

    assert row == {
        "statement": "4321ms",
        "lock": "987ms",
        "idle": "7654ms",
        "name": "route_execute",
        "zone": "UTC",
    }
    database.close()
