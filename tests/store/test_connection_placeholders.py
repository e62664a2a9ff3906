"""Which `:x` in SQL is a parameter, and what happens when the names do not fit."""

from collections.abc import Callable, Iterator

import pytest

from agent_where.store._placeholders import template
from agent_where.store.connection import Database, DatabaseSettings
from local.postgres import Postgres


@pytest.fixture
def database(postgres: Postgres) -> Iterator[Database]:
    opened = Database(DatabaseSettings.from_url(postgres.dsn()))
    opened.run("SELECT 1 AS warm")
    yield opened
    opened.close()


@pytest.mark.parametrize(
    ("sql", "sent", "names"),
    [
        ("SELECT :a, :b, :a", "SELECT $1, $2, $1", ("a", "b")),
        ("SELECT :a::text", "SELECT $1::text", ("a",)),
        ("SELECT ':a', '''', ':b', :c", "SELECT ':a', '''', ':b', $1", ("c",)),
        ('SELECT ":a" FROM t WHERE x=:c', 'SELECT ":a" FROM t WHERE x=$1', ("c",)),
        ("SELECT E'\\':a' , :c", "SELECT E'\\':a' , $1", ("c",)),
        ("DO $$ :a $$; $x$ $$ :b $x$ :c", "DO $$ :a $$; $x$ $$ :b $x$ $1", ("c",)),
        ("-- it's :a\nSELECT :c -- :d", "-- it's :a\nSELECT $1 -- :d", ("c",)),
        ("/* it's :a\n :b */ SELECT :c", "/* it's :a\n :b */ SELECT $1", ("c",)),
        ("SELECT a[1:2], :types, :stream", "SELECT a[1:2], $1, $2", ("types", "stream")),
        ("SELECT :a_1", "SELECT $1", ("a_1",)),
    ],
)
def test_only_a_name_outside_quotes_and_comments_is_a_parameter(
    sql: str, sent: str, names: tuple[str, ...]
) -> None:
    parsed = template(sql)

    assert parsed.sql.decode() == sent
    assert parsed.names == names


def test_the_server_agrees_about_comments(database: Database) -> None:
    rows = database.run(
        """
        -- :x here isn't a parameter; nor is this apostrophe a quote
        SELECT CAST(:x AS int) AS x,  -- the :y neither
               /* :z */ ':w' AS w
        """,
        x=1,
    )

    assert rows == [{"x": 1, "w": ":w"}]


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({}, "parameter 'a' is missing; parameter 'b' is missing"),
        ({"a": 1}, "parameter 'b' is missing"),
        ({"a": 1, "b": 2, "c": 3}, "parameter 'c' is not in the SQL"),
    ],
)
def test_names_that_do_not_fit_are_told_before_anything_is_written(
    database: Database, params: dict[str, int], told: str
) -> None:
    trips = database.round_trips

    with pytest.raises(TypeError) as error:
        database.run("SELECT CAST(:a AS int) AS a, CAST(:b AS int) AS b", **params)

    assert str(error.value) == told
    assert database.round_trips == trips
    assert database.run("SELECT 1 AS n") == [{"n": 1}]


def test_any_name_may_be_a_parameters_name(database: Database) -> None:
    rows = database.run("SELECT CAST(:sql AS int) AS a, CAST(:types AS int) AS b", sql=1, types=2)

    assert rows == [{"a": 1, "b": 2}]


def test_the_same_text_is_parsed_once() -> None:
    assert template("SELECT :once") is template("SELECT :once")


@pytest.mark.parametrize("say", [Database.run, Database.script])
def test_sql_with_a_nul_is_the_codes_fault(
    database: Database, say: Callable[[Database, str], object]
) -> None:
    with pytest.raises(TypeError, match="NUL"):
        say(database, "SELECT 1\0")

    assert database.run("SELECT 1 AS n") == [{"n": 1}]
