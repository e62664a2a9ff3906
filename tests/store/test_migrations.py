"""The migrations' runner on a real PostgreSQL: in order, once, together or not at all."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from agent_where import migrations
from agent_where.errors import AgentWhereError, DatabaseUnavailable, Unavailable
from agent_where.migrations import MigrationFailed, OtherNetwork, migrate, plan, read, set_up
from agent_where.store.connection import Database, DatabaseSettings
from tests.fixtures_database import MIGRATIONS

ROOT = Path(__file__).parents[2]
Connect = Callable[..., Database]
Folder = Callable[..., Path]


@pytest.fixture
def connect(empty_database: str) -> Iterator[Connect]:
    """Opens connections to one empty database."""
    opened: list[Database] = []

    def connect(**more: Any) -> Database:
        opened.append(Database(DatabaseSettings.from_url(empty_database, **more)))
        return opened[-1]

    yield connect
    for one in opened:
        one.close()


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Writes migrations: `folder("CREATE ...", "ALTER ...")` are 0001_a.sql and 0002_a.sql."""

    def folder(*scripts: str) -> Path:
        for number, sql in enumerate(scripts, start=1):
            (tmp_path / f"{number:04}_a.sql").write_text(sql)
        return tmp_path

    return folder


def tables(database: Database) -> set[str]:
    rows = database.run("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {str(row["tablename"]) for row in rows}


def test_all_migrations_are_applied_in_order_and_a_second_run_applies_none(
    connect: Connect,
) -> None:
    database = connect()
    files = sorted(path.name for path in MIGRATIONS.glob("*.sql"))

    assert list(migrate(database, MIGRATIONS)) == files
    assert migrate(database, MIGRATIONS) == ()

    rows = database.run("SELECT version, name, checksum FROM schema_migrations ORDER BY version")
    assert [row["name"] for row in rows] == files
    assert [row["version"] for row in rows] == list(range(1, len(files) + 1))
    assert all(len(row["checksum"]) == 64 for row in rows)


def test_two_setups_at_once_apply_each_file_once(connect: Connect) -> None:
    first, second = connect(), connect()

    with ThreadPoolExecutor(2) as pool:
        applied = list(pool.map(lambda database: migrate(database, MIGRATIONS), (first, second)))

    assert sorted(len(files) for files in applied) == [0, len(read(MIGRATIONS))]


def test_two_processes_at_once_apply_each_file_once(connect: Connect, empty_database: str) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from agent_where.migrations import set_up\n"
        "from agent_where.store.connection import Database, DatabaseSettings\n"
        "database = Database(DatabaseSettings.from_url(sys.argv[1]))\n"
        "print(len(set_up(database, Path(sys.argv[2]), network='mainnet')))\n"
    )
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, empty_database, str(MIGRATIONS)],
            stdout=subprocess.PIPE,
            text=True,
            env={"PYTHONPATH": str(ROOT / "layers" / "core")},
        )
        for _ in range(2)
    ]
    said = [process.communicate(timeout=60)[0].strip() for process in started]

    assert sorted(said) == ["0", str(len(read(MIGRATIONS)))]
    assert len(connect().run("SELECT FROM venue_routing_config")) == 1


def test_a_changed_file_is_named_and_nothing_is_run(connect: Connect, folder: Folder) -> None:
    database = connect()
    migrate(database, folder("CREATE TABLE a ()", "CREATE TABLE b ()"))
    changed = folder("CREATE TABLE a (id int)", "CREATE TABLE b ()", "CREATE TABLE c ()")

    with pytest.raises(MigrationFailed, match=r"changed after it was applied: 0001_a\.sql"):
        migrate(database, changed)

    assert "c" not in tables(database)


def test_a_failing_migration_leaves_the_earlier_ones_and_nothing_of_itself(
    connect: Connect, folder: Folder
) -> None:
    database = connect()
    broken = folder("CREATE TABLE a ()", "CREATE TABLE b (); SELECT 1/0; CREATE TABLE c ()")

    with pytest.raises(MigrationFailed, match=r"0002_a\.sql: division by zero \(22012\)"):
        migrate(database, broken)

    assert tables(database) == {"schema_migrations", "a"}
    assert migrate(database, folder("CREATE TABLE a ()", "CREATE TABLE b ()")) == ("0002_a.sql",)


@pytest.mark.parametrize(
    ("names", "fault"),
    [
        (["0001_a.sql", "0003_c.sql"], r"0003_c\.sql: number 0002 is missing before it"),
        (["0002_b.sql"], r"0002_b\.sql: number 0001 is missing before it"),
        (["0001_a.sql", "0001_b.sql"], r"0001_b\.sql: number 0001 is there twice"),
        (["1_a.sql"], r"1_a\.sql: a migration is called NNNN_what\.sql"),
        (["0001_A.sql"], r"0001_A\.sql: a migration is called NNNN_what\.sql"),
        ([], "there are no migrations in"),
    ],
)
def test_a_gap_a_duplicate_and_a_wrong_name_are_refused_by_name(
    tmp_path: Path, names: list[str], fault: str
) -> None:
    for name in names:
        (tmp_path / name).touch()

    with pytest.raises(MigrationFailed, match=fault):
        read(tmp_path)


@pytest.mark.parametrize("words", ["COMMIT;", "begin ;", "  ROLLBACK work;", "END;"])
def test_a_file_that_would_end_its_transaction_is_refused(folder: Folder, words: str) -> None:
    with pytest.raises(MigrationFailed, match="must not begin or end a transaction"):
        read(folder(f"CREATE TABLE a ();\n{words}\nCREATE TABLE b ();"))


def test_a_function_body_may_begin_and_end(folder: Folder) -> None:
    assert read(folder("DO $$\nBEGIN\n  PERFORM 1;\nEND;\n$$;"))


def test_a_migration_may_take_longer_than_a_statement(connect: Connect, folder: Folder) -> None:
    database = connect(statement_timeout_ms=200)

    assert migrate(database, folder("SELECT pg_sleep(0.5)")) == ("0001_a.sql",)
    with pytest.raises(DatabaseUnavailable, match="statement timeout"):
        database.run("SELECT pg_sleep(0.5)")


def test_waiting_for_another_setup_ends_with_a_clear_error(
    connect: Connect, folder: Folder
) -> None:
    busy, waiting = connect(), connect()
    busy.run("SELECT pg_advisory_lock(:key)", key=migrations.LOCK_KEY)

    with pytest.raises(Unavailable, match=r"another setup .* for over 0\.3 s: try again"):
        migrate(waiting, folder("CREATE TABLE a ()"), wait_seconds=0.3)

    assert tables(busy) == set()
    busy.close()
    assert migrate(waiting, folder("CREATE TABLE a ()"), wait_seconds=5) == ("0001_a.sql",)


def test_the_lock_is_free_after_a_failure(connect: Connect, folder: Folder) -> None:
    with pytest.raises(MigrationFailed):
        migrate(connect(), folder("nonsense"))

    assert migrate(connect(), folder("CREATE TABLE a ()"), wait_seconds=0) == ("0001_a.sql",)


def test_whoever_lost_the_lock_with_the_connection_collides_instead_of_migrating_twice(
    connect: Connect, folder: Folder
) -> None:
    database = connect()
    (once,) = read(folder("CREATE TABLE IF NOT EXISTS a ()"))
    migrate(database, folder("CREATE TABLE IF NOT EXISTS a ()"))

    with pytest.raises(MigrationFailed, match=r"0001_a\.sql: duplicate key"):
        migrations._apply(database, once)


def test_a_database_ahead_of_this_release_is_left_as_it_is(
    connect: Connect, folder: Folder
) -> None:
    database = connect()
    migrate(database, folder("CREATE TABLE a ()", "CREATE TABLE b ()"))
    older = folder()
    (older / "0002_a.sql").unlink()

    assert migrate(database, older) == ()
    assert plan(database, read(older)).ahead == ("0002_a.sql",)


def test_planning_changes_nothing(connect: Connect) -> None:
    database = connect()

    assert len(plan(database, read(MIGRATIONS)).pending) == len(read(MIGRATIONS))
    assert tables(database) == set()


def test_setup_writes_the_global_config_once_and_leaves_an_existing_one(connect: Connect) -> None:
    database = connect()
    set_up(database, MIGRATIONS, network="mainnet")
    (row,) = database.run("SELECT * FROM venue_routing_config")
    assert row["agent_id"] is None
    assert row["venue_priority"] == ["HYPERLIQUID", "OSTIUM"]
    assert (row["routing_strategy"], row["failover_enabled"]) == ("FIRST_AVAILABLE", True)

    database.run("UPDATE venue_routing_config SET venue_priority = '{OSTIUM}'")
    set_up(database, MIGRATIONS, network="mainnet")

    (row,) = database.run("SELECT venue_priority FROM venue_routing_config")
    assert row["venue_priority"] == ["OSTIUM"]


def test_a_database_of_another_network_is_refused_before_anything_is_changed(
    connect: Connect, tmp_path: Path
) -> None:
    database = connect()
    set_up(database, MIGRATIONS, network="testnet")
    for path in MIGRATIONS.glob("*.sql"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / f"{len(read(MIGRATIONS)) + 1:04}_next.sql").write_text("CREATE TABLE next ()")

    with pytest.raises(OtherNetwork, match="this database serves testnet and NETWORK is mainnet"):
        set_up(database, tmp_path, network="mainnet")

    assert "next" not in tables(database)
    assert migrations.served_network(database) == "testnet"


def test_every_migration_error_is_one_of_ours() -> None:
    assert issubclass(MigrationFailed, AgentWhereError)
    assert issubclass(OtherNetwork, AgentWhereError)


def test_an_installation_of_the_original_keeps_its_rows_and_gets_what_is_missing(
    connect: Connect,
) -> None:
    database = connect()
    database.script((Path(__file__).parent / "original.sql").read_text())

    set_up(database, MIGRATIONS, network="mainnet")

    (agent,) = database.run("SELECT name, avatar, created_at FROM agents")
    assert (agent["name"], agent["avatar"]) == ("old", "face")
    (config,) = database.run("SELECT venue_priority FROM venue_routing_config")
    assert config["venue_priority"] == ["GMX"]
    attempts = database.run(
        "SELECT attempt FROM venue_routing_history ORDER BY created_at, attempt"
    )
    assert sorted(row["attempt"] for row in attempts) == [1, 1, 2, 2, 3]
    database.run("UPDATE positions SET pnl = 3, status = 'OPEN'")
    database.run("UPDATE signals SET venue = 'OSTIUM'")
    database.run(
        "INSERT INTO signals (agent_id, token_symbol, venue, action) "
        "SELECT id, 'BTC', 'MULTI', 'CLOSE' FROM agents"
    )


def test_a_history_too_long_for_setup_is_brought_up_by_hand_before_it(connect: Connect) -> None:
    database = connect()
    database.script((Path(__file__).parent / "original.sql").read_text())
    for migration in read(MIGRATIONS)[:3]:
        database.script(migration.sql)
    database.run_together(
        ("SET LOCAL session_replication_role = replica", {}),
        ("UPDATE venue_routing_history SET attempt = 9 WHERE attempt = 3", {}),
    )

    applied = set_up(database, MIGRATIONS, network="mainnet")

    assert len(applied) == len(read(MIGRATIONS))
    rows = database.run("SELECT attempt FROM venue_routing_history")
    assert sorted(row["attempt"] for row in rows) == [1, 1, 2, 2, 9]  # not counted again


def test_what_the_original_may_have_can_be_run_again_by_hand(connect: Connect) -> None:
    database = connect()
    migrate(database, MIGRATIONS)

    for migration in read(MIGRATIONS)[:3]:
        database.script(migration.sql)
