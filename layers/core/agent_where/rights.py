"""What the application's role may do in the database: as much as the functions need, and no more.

It matters where setup logs in as another role, which then owns the tables: the application's role
has no rights but those. Where both are one role, that role owns the tables and nothing is granted.
Creating roles is not done here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from agent_where.migrations import LOCK_KEY
from agent_where.store.connection import Database, Json, Row

_READ = ("SELECT",)
_APPEND = ("SELECT", "INSERT")
_WRITE = ("SELECT", "INSERT", "UPDATE")

TABLES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "agents": _WRITE,
        "agent_deployments": _WRITE,
        "signals": _WRITE,
        "positions": _WRITE,
        "venue_markets": _WRITE,
        "venue_routing_config": (*_WRITE, "DELETE"),
        "venue_routing_history": _APPEND,
        "routing_sums": _READ,
        "routing_summed": _READ,
        "routing_late": _READ,
        "venue_accounts": _WRITE,
        "venue_orders": _WRITE,
        "venue_actions": _WRITE,
        "venue_fills": _APPEND,
        "venue_closures": _APPEND,
        "trading_controls": _WRITE,
        "trading_controls_audit": _READ,
        "installation": _READ,
        "venue_routing_config_merged": _READ,
        "system_figures": _WRITE,
        "restores": _WRITE,
        "known_servers": _APPEND,
        "unowned_fills": _WRITE,
        "schema_migrations": _READ,
    }
)
"""Every table of the schema, with what the functions do to it."""

READER = "_reader"
"""Put after the role's name: what stats_api and the doctor log in as, where the roles are IAM's."""

INTAKE = "_intake"
"""Put after it: what signal_intake logs in as."""

ROLES: Mapping[str, Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "": TABLES,
        READER: MappingProxyType(dict.fromkeys(TABLES, _READ)),
        INTAKE: MappingProxyType(
            dict.fromkeys(TABLES, _READ)
            | {"signals": (*_APPEND, "UPDATE (enqueued_at)", "UPDATE (enqueue_count)")}
        ),
    }
)
"""What each role may do to each table, or to a column of it, by the end of its name."""

FUNCTIONS = (
    "adopt_unowned",
    "books_of",
    "closable_qty",
    "control_for",
    "costs_of",
    "counted_of",
    "exits_of",
    "exposures_of",
    "has_opposite",
    "is_before_restore",
    "is_promoted",
    "is_superseded",
    "stretch_of",
    "sum_decisions",
    "sum_stretch",
    "summed_parts",
    "timeline_now",
)
"""Every function of the schema that is no trigger's."""

_THAT_WRITE = frozenset({"adopt_unowned", "sum_decisions", "sum_stretch"})


def called_by(kind: str) -> tuple[str, ...]:
    """The functions that a role calls, by the end of its name: those that write are for one."""
    return tuple(name for name in FUNCTIONS if kind == "" or name not in _THAT_WRITE)


_BEFORE_THIS_SYSTEM = frozenset(
    {
        "agents",
        "agent_deployments",
        "signals",
        "positions",
        "venue_markets",
        "venue_routing_config",
    }
)
"""Other code may use these as the application's role: what that was granted there is not taken
away. The other roles are this system's alone."""

_ROLE = """
SELECT quote_ident(rolname) AS quoted, quote_ident(current_schema()) AS schema
FROM pg_roles WHERE rolname = :role
"""
_OWNED = """
SELECT name, pg_has_role(:role, c.relowner, 'USAGE') AS owned
FROM unnest(CAST(:tables AS text[])) AS name
JOIN pg_class c ON c.oid = CAST(name AS regclass)
"""
_LACKING = """
WITH asked AS (
    SELECT name, privilege, split_part(privilege, ' (', 1) AS verb,
           rtrim(split_part(privilege, ' (', 2), ')') AS of_column
    FROM jsonb_to_recordset(CAST(:tables AS jsonb)) AS t (name text, privilege text)
)
SELECT a.privilege || ' on ' || a.name AS lacks
FROM asked a
WHERE NOT CASE of_column WHEN '' THEN has_table_privilege(:role, CAST(a.name AS regclass), verb)
          ELSE has_column_privilege(:role, CAST(a.name AS regclass), of_column, verb) END
UNION ALL
SELECT 'EXECUTE on ' || f.name
FROM unnest(CAST(:functions AS text[])) AS f (name)
WHERE NOT has_function_privilege(:role, CAST(CAST(f.name AS regproc) AS oid), 'EXECUTE')
UNION ALL
SELECT 'USAGE on schema ' || current_schema()
WHERE NOT has_schema_privilege(:role, current_schema(), 'USAGE')
ORDER BY 1
"""
_SCRIPT = """
SET LOCAL statement_timeout = '90s';
SET LOCAL lock_timeout = '60s';
SELECT pg_advisory_xact_lock({key});
{grants}
"""


@dataclass(frozen=True, slots=True)
class Rights:
    """What a role has. `lacks` is what is missing of `TABLES`, `FUNCTIONS` and the schema.

    `owns` is whether it has an owner's rights on tables: then it may also take their rules off.
    """

    exists: bool
    owns: bool = False
    lacks: tuple[str, ...] = ()


def grant(database: Database, role: str, kind: str = "") -> None:
    """Give the role what its functions need, on every table but those that are its own.

    `kind` is a key of `ROLES`.

    What it had besides on this system's own tables, from their owner, is taken away. Safe to
    repeat, and from two places at once. Nothing happens to a role that does not exist.

    Raises:
        DatabaseRefused: whoever is logged in owns neither the tables nor their rights.
        Unavailable: the database is away.
    """
    known = database.run(_ROLE, role=role)
    if not known:
        return
    tables = [row["name"] for row in _owned(database, role) if not row["owned"]]
    if tables:
        grants = _statements(known[0]["quoted"], known[0]["schema"], tables, kind)
        database.script(_SCRIPT.format(key=LOCK_KEY, grants="\n".join(grants)))


def rights_of(database: Database, role: str, kind: str = "") -> Rights:
    """What the role has; changes nothing. `kind` is a key of `ROLES`.

    Raises:
        DatabaseRefused: the schema is not there.
    """
    if not database.run(_ROLE, role=role):
        return Rights(exists=False)
    asked = [
        {"name": table, "privilege": privilege}
        for table, privileges in ROLES[kind].items()
        for privilege in privileges
    ]
    lacking = database.run(_LACKING, role=role, tables=Json(asked), functions=list(called_by(kind)))
    return Rights(
        exists=True,
        owns=any(row["owned"] for row in _owned(database, role)),
        lacks=tuple(row["lacks"] for row in lacking),
    )


def _owned(database: Database, role: str) -> list[Row]:
    return database.run(_OWNED, role=role, tables=list(TABLES))


def _statements(role: str, schema: str, tables: Sequence[str], kind: str) -> list[str]:
    """The statements; `role` and `schema` are quoted already."""
    taken = [
        f"REVOKE ALL ON {table} FROM {role};"
        for table in tables
        if kind or table not in _BEFORE_THIS_SYSTEM
    ]
    given = [f"GRANT {', '.join(ROLES[kind][table])} ON {table} TO {role};" for table in tables]
    functions = f"GRANT EXECUTE ON FUNCTION {', '.join(called_by(kind))} TO {role};"
    return [f"GRANT USAGE ON SCHEMA {schema} TO {role};", *taken, *given, functions]
