"""The migrations' runner: brings a database to the schema that this release expects.

A migration is a file `NNNN_what.sql`. It runs once, in a transaction of its own that also records
it in `schema_migrations`, and only forward. Whoever runs them holds an advisory lock, so two at
once follow each other. What the migrations say is in functions/setup/migrations; what their rules
are for, in docs/database.md.
"""

import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent_where.domain import DEFAULT_PRIORITY
from agent_where.errors import AgentWhereError, DatabaseRefused, DatabaseUnavailable, Unavailable
from agent_where.existing import has_table, hindrances, merge_configs
from agent_where.store.connection import Database

Network = Literal["mainnet", "testnet"]

LOCK_KEY = 4_711_202_611
"""The advisory lock of whoever migrates; any number will do that nobody else takes."""

LOCK_WAIT_SECONDS = 60.0
_LOCK_POLL_SECONDS = 0.2

_FILE_NAME = re.compile(r"(?P<version>\d{4})_(?P<what>[a-z0-9_]+)\.sql")
_ENDS_TRANSACTION = re.compile(
    r"^\s*(begin|start\s+transaction|commit|end|rollback)(\s+(work|transaction))?\s*;",
    re.IGNORECASE | re.MULTILINE,
)
_DOLLAR_QUOTED = re.compile(r"\$(?P<tag>\w*)\$.*?\$(?P=tag)\$", re.DOTALL)

_RECORD_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    int PRIMARY KEY CHECK (version > 0),
    name       text NOT NULL,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""
# Recorded first: should the lock be lost with its connection, the second to come collides here.
_SCRIPT = """
SET LOCAL statement_timeout = '90s';
SET LOCAL lock_timeout = '10s';
SELECT pg_advisory_xact_lock({key});
INSERT INTO schema_migrations (version, name, checksum) VALUES ({version}, '{name}', '{checksum}');
{sql}
"""
_GLOBAL_CONFIG = """
INSERT INTO venue_routing_config (agent_id, venue_priority, routing_strategy, failover_enabled)
SELECT NULL, :priority, 'FIRST_AVAILABLE', true
WHERE NOT EXISTS (SELECT FROM venue_routing_config WHERE agent_id IS NULL)
ON CONFLICT DO NOTHING
"""


class MigrationFailed(AgentWhereError):
    """A migration cannot be applied as it is; the message names its file."""


class OtherNetwork(AgentWhereError):
    """The database serves another network than the one that was asked for. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file. `checksum` is the SHA-256 of its bytes, in hex."""

    version: int
    file: str
    sql: str
    checksum: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """One row of `schema_migrations`."""

    version: int
    file: str
    checksum: str


@dataclass(frozen=True, slots=True)
class Plan:
    """The files against the database. `ahead` is what a later release has applied already."""

    applied: tuple[str, ...]
    pending: tuple[Migration, ...]
    changed: tuple[str, ...]
    ahead: tuple[str, ...]


def read(directory: Path) -> tuple[Migration, ...]:
    """The directory's migrations in order.

    Raises:
        MigrationFailed: the directory has none, a name has another form, a number is missing or
            there twice, or a file would end its transaction itself.
    """
    found = tuple(_read_one(path) for path in sorted(directory.glob("*.sql")))
    if not found:
        raise MigrationFailed(f"there are no migrations in {directory}")
    for number, migration in enumerate(found, start=1):
        if migration.version < number:
            raise MigrationFailed(f"{migration.file}: number {migration.version:04} is there twice")
        if migration.version > number:
            raise MigrationFailed(f"{migration.file}: number {number:04} is missing before it")
    return found


def plan(database: Database, migrations: Sequence[Migration]) -> Plan:
    """Compare the files with what the database has applied; changes nothing."""
    known = {row.version: row for row in _recorded(database)}
    versions = {migration.version for migration in migrations}
    return Plan(
        applied=tuple(m.file for m in migrations if m.version in known),
        pending=tuple(m for m in migrations if m.version not in known),
        changed=tuple(m.file for m in migrations if _differs(m, known)),
        ahead=tuple(row.file for row in known.values() if row.version not in versions),
    )


def migrate(
    database: Database,
    directory: Path,
    *,
    wait_seconds: float = LOCK_WAIT_SECONDS,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[str, ...]:
    """Apply what is pending and return the names of the files that were.

    Args:
        wait_seconds: how long to wait for somebody else who is migrating this database.

    Raises:
        MigrationFailed: a file is out of order or was changed after it was applied (then nothing is
            run), or it fails (then it is wholly undone, and the ones before it stay applied).
        Unavailable: somebody else is still migrating, or the database is away.
    """
    migrations = read(directory)
    _lock(database, wait_seconds, clock, sleep)
    try:
        database.run(_RECORD_TABLE)
        found = plan(database, migrations)
        if found.changed:
            raise MigrationFailed(
                f"changed after it was applied: {', '.join(found.changed)}. "
                "Put the file back as it was and write a new migration"
            )
        for migration in found.pending:
            _apply(database, migration)
        return tuple(migration.file for migration in found.pending)
    finally:
        _unlock(database)


def set_up(
    database: Database,
    directory: Path,
    *,
    network: Network,
    wait_seconds: float = LOCK_WAIT_SECONDS,
) -> tuple[str, ...]:
    """Migrate, write the global default config if there is none, record which network this serves.

    What an older installation has more than one of is merged before, and what the migrations could
    not get past is looked for before anything is changed (existing.py).
    Safe to repeat, and from two places at once. Returns the names of the newly applied files.

    Raises:
        OtherNetwork: the database serves another network; nothing was changed.
        MigrationFailed, Unavailable: as `migrate`.
    """
    _refuse_other_network(served_network(database), network)
    if found := hindrances(database):
        raise MigrationFailed(f"nothing was changed. {'. '.join(found)}")
    merge_configs(database)
    applied = migrate(database, directory, wait_seconds=wait_seconds)
    database.run(
        "INSERT INTO installation (network) VALUES (:network) ON CONFLICT DO NOTHING",
        network=network,
    )
    _refuse_other_network(served_network(database), network)
    database.run(_GLOBAL_CONFIG, priority=list(DEFAULT_PRIORITY))
    return applied


def served_network(database: Database) -> str | None:
    """The network that this database serves, or None before setup has recorded one."""
    if not has_table(database, "installation"):
        return None
    rows = database.run("SELECT network FROM installation")
    return str(rows[0]["network"]) if rows else None


def _read_one(path: Path) -> Migration:
    named = _FILE_NAME.fullmatch(path.name)
    if named is None:
        raise MigrationFailed(f"{path.name}: a migration is called NNNN_what.sql, in lower case")
    content = path.read_bytes()
    sql = content.decode()
    if _ENDS_TRANSACTION.search(_DOLLAR_QUOTED.sub("", sql)):
        raise MigrationFailed(
            f"{path.name}: a migration must not begin or end a transaction itself"
        )
    return Migration(int(named["version"]), path.name, sql, hashlib.sha256(content).hexdigest())


def _recorded(database: Database) -> list[Recorded]:
    if not has_table(database, "schema_migrations"):
        return []
    rows = database.run("SELECT version, name, checksum FROM schema_migrations ORDER BY version")
    return [Recorded(row["version"], row["name"], row["checksum"]) for row in rows]


def _differs(migration: Migration, known: Mapping[int, Recorded]) -> bool:
    recorded = known.get(migration.version)
    return recorded is not None and recorded.checksum != migration.checksum


def _apply(database: Database, migration: Migration) -> None:
    script = _SCRIPT.format(
        key=LOCK_KEY,
        version=migration.version,
        name=migration.file,
        checksum=migration.checksum,
        sql=migration.sql,
    )
    try:
        database.script(script)
    except DatabaseRefused as refused:
        raise MigrationFailed(f"{migration.file}: {refused} ({refused.sqlstate})") from refused
    except DatabaseUnavailable as away:
        raise DatabaseUnavailable(f"{migration.file}: {away}") from away


def _lock(
    database: Database,
    wait_seconds: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> None:
    until = clock() + wait_seconds
    while not database.run("SELECT pg_try_advisory_lock(:key) AS mine", key=LOCK_KEY)[0]["mine"]:
        if clock() >= until:
            raise Unavailable(
                f"another setup has been migrating this database for over {wait_seconds:g} s: "
                "try again when it is done"
            )
        sleep(_LOCK_POLL_SECONDS)


def _unlock(database: Database) -> None:
    """Give the lock back. A connection that is gone took the lock with it."""
    try:
        database.run("SELECT pg_advisory_unlock(:key)", key=LOCK_KEY)
    except DatabaseUnavailable:
        database.close()


def _refuse_other_network(served: str | None, network: Network) -> None:
    if served not in {None, network}:
        raise OtherNetwork(
            f"this database serves {served} and NETWORK is {network}: "
            "one database serves one network. Use another database or set NETWORK"
        )
