"""Several statements in one round trip: one transaction, each on a fresh snapshot."""

import threading
from collections.abc import Iterator

import pytest

from agent_where.errors import DatabaseRefused, DatabaseUnavailable
from agent_where.store.connection import Database, DatabaseSettings


@pytest.fixture
def pair(empty_database: str) -> Iterator[tuple[Database, Database]]:
    settings = DatabaseSettings.from_url(empty_database, lock_timeout_ms=5_000)
    first, second = Database(settings), Database(settings)
    first.script("CREATE TABLE told (n int PRIMARY KEY, who text NOT NULL DEFAULT '')")
    yield first, second
    first.close()
    second.close()


def test_a_failing_second_statement_takes_the_first_back(pair: tuple[Database, Database]) -> None:
    database, _ = pair

    with pytest.raises(DatabaseRefused) as refused:
        database.run_together(
            ("INSERT INTO told VALUES (:n)", {"n": 1}),
            ("INSERT INTO told VALUES (:n)", {"n": 1}),
            ("INSERT INTO told VALUES (:n)", {"n": 2}),
        )

    assert refused.value.sqlstate == "23505"
    assert refused.value.constraint == "told_pkey"
    assert database.run("SELECT * FROM told") == []


def test_a_later_statement_sees_what_an_earlier_one_did(pair: tuple[Database, Database]) -> None:
    database, _ = pair

    _, rows = database.run_together(
        ("INSERT INTO told VALUES (:n, 'me')", {"n": 1}), ("SELECT n, who FROM told", {})
    )

    assert rows == [{"n": 1, "who": "me"}]


def test_nothing_to_run_is_nothing(pair: tuple[Database, Database]) -> None:
    assert pair[0].run_together() == []


def test_a_lock_taken_first_is_held_to_the_end_and_the_next_one_sees_the_work(
    pair: tuple[Database, Database],
) -> None:
    """Both count, wait and insert; without the lock, or on a stale snapshot, both would count 0."""
    counted = (
        "INSERT INTO told SELECT count(*), :who FROM told, pg_sleep(0.2) GROUP BY () RETURNING n"
    )
    seen: list[int] = []

    def work(database: Database, who: str) -> None:
        _, rows = database.run_together(
            ("SELECT pg_advisory_xact_lock(42) AS held", {}), (counted, {"who": who})
        )
        seen.append(rows[0]["n"])

    threads = [
        threading.Thread(target=work, args=(database, str(n))) for n, database in enumerate(pair)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(seen) == [0, 1]
    assert pair[0].run("SELECT pg_try_advisory_lock(42) AS free") == [{"free": True}]


def test_waiting_for_a_lock_too_long_may_pass(empty_database: str) -> None:
    holder = Database(DatabaseSettings.from_url(empty_database))
    waiter = Database(DatabaseSettings.from_url(empty_database, lock_timeout_ms=50))
    holder.run("SELECT pg_advisory_lock(7) AS held")

    with pytest.raises(DatabaseUnavailable, match="55P03"):
        waiter.run_together(
            ("SELECT pg_advisory_xact_lock(7) AS held", {}), ("SELECT 1 AS never", {})
        )

    assert waiter.run("SELECT 1 AS n") == [{"n": 1}]
    holder.close()
    waiter.close()


def test_a_script_is_one_transaction(pair: tuple[Database, Database]) -> None:
    database, _ = pair

    with pytest.raises(DatabaseRefused):
        database.script("INSERT INTO told VALUES (1); INSERT INTO told VALUES (1);")

    assert database.run("SELECT * FROM told") == []


def test_a_script_may_say_how_long_it_waits_and_take_a_lock_for_all_of_it(
    pair: tuple[Database, Database],
) -> None:
    database, other = pair

    database.script(
        "SET LOCAL lock_timeout = '1min'; SELECT pg_advisory_xact_lock(1);"
        "INSERT INTO told VALUES (1); -- a comment with :name and it's apostrophe\n"
        "DO $$ BEGIN PERFORM 1; END $$;"
    )

    assert other.run("SELECT n FROM told") == [{"n": 1}]
    assert other.run("SELECT pg_try_advisory_xact_lock(1) AS free") == [{"free": True}]
    assert database.run("SELECT current_setting('lock_timeout') AS t") == [{"t": "5s"}]


def test_a_script_that_leaves_a_transaction_open_is_rolled_back_and_told_so(
    pair: tuple[Database, Database],
) -> None:
    database, _ = pair

    with pytest.raises(TypeError, match="left a transaction open"):
        database.script("BEGIN; INSERT INTO told VALUES (1);")

    assert database.run("SELECT * FROM told") == []


def test_a_script_that_fails_inside_its_own_transaction_leaves_nothing_behind(
    pair: tuple[Database, Database],
) -> None:
    database, _ = pair

    with pytest.raises(DatabaseRefused):
        database.script("BEGIN; INSERT INTO told VALUES (1); SELECT 1/0; COMMIT;")

    assert database.run("SELECT * FROM told") == []


def test_two_threads_on_one_connection_take_turns(pair: tuple[Database, Database]) -> None:
    database, _ = pair
    wrong: list[object] = []

    def ask(n: int) -> None:
        for _ in range(50):
            rows = database.run("SELECT CAST(:n AS int) AS n", n=n)
            if rows != [{"n": n}]:
                wrong.append(rows)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
