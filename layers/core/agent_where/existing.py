"""A database of the original system: what is put right before the migrations, what does not fit.

The migrations create what is missing and loosen what must be. Here is what they cannot do because
somebody has to be told: routing configs that are there more than once are merged into the newest,
and columns that this system's writes would stumble over are named. A database that began with this
system has neither.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from uuid import UUID

from pydantic import ConfigDict, JsonValue
from pydantic.alias_generators import to_camel

from agent_where.domain import Model
from agent_where.store.connection import Database

TOLD = 100
"""The most merged configs that one report names."""

_REPEATED = """
SELECT count(*) > count(DISTINCT coalesce(agent_id::text, '')) AS repeated FROM venue_routing_config
"""
_MERGE = """
LOCK TABLE venue_routing_config IN SHARE ROW EXCLUSIVE MODE;
CREATE TABLE IF NOT EXISTS venue_routing_config_merged (
    id        uuid PRIMARY KEY,
    kept_id   uuid NOT NULL,
    config    jsonb NOT NULL,
    merged_at timestamptz NOT NULL DEFAULT now()
);
WITH ranked AS (
    SELECT id, row_number() OVER newest AS place, first_value(id) OVER newest AS kept_id
    FROM venue_routing_config
    WINDOW newest AS (
        PARTITION BY agent_id
        ORDER BY updated_at DESC NULLS LAST, created_at DESC NULLS LAST, id DESC
    )
), taken AS (
    DELETE FROM venue_routing_config c USING ranked r
    WHERE r.id = c.id AND r.place > 1
    RETURNING c.id, r.kept_id, to_jsonb(c) AS config
)
INSERT INTO venue_routing_config_merged (id, kept_id, config)
SELECT id, kept_id, config FROM taken;
"""
_MERGED = """
SELECT id, kept_id, config, merged_at FROM venue_routing_config_merged
ORDER BY merged_at, id LIMIT :at_most
"""

WRITTEN: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "agents": frozenset(
            {"id", "creator_wallet", "name", "venue", "status", "weights"}
            | {"profit_receiver_address", "created_at"}
        ),
        "agent_deployments": frozenset(
            {"id", "agent_id", "user_wallet", "status", "sub_active", "created_at"}
        ),
        "signals": frozenset({"id", "agent_id", "token_symbol", "venue", "action", "created_at"}),
        "positions": frozenset(
            {"id", "deployment_id", "venue", "token_symbol", "side", "qty", "entry_price"}
            | {"status", "opened_at", "fees_usd", "unexpected"}
        ),
        "venue_markets": frozenset(
            {"venue", "token_symbol", "market_name", "is_active", "is_open", "multiplier"}
            | {"taker_fee_bps", "last_synced"}
        ),
        "venue_routing_config": frozenset(
            {"id", "venue_priority", "routing_strategy", "failover_enabled"}
            | {"created_at", "updated_at"}
        ),
        "venue_routing_history": frozenset(
            {"signal_id", "token_symbol", "requested_venue", "routing_reason", "checked_venues"}
            | {"venue_availability", "routing_duration_ms", "attempt"}
        ),
    }
)
"""What each row that this system inserts is sure to have, in tables that may be older than it."""

AMOUNTS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "positions": frozenset({"qty", "entry_price", "exit_price", "pnl"}),
        "venue_markets": frozenset({"min_position", "current_price"}),
    }
)
"""Amounts in those tables: they have to be kept as they are written."""

_COLUMNS = """
SELECT table_name, column_name, data_type, numeric_precision,
       is_nullable = 'NO' AND column_default IS NULL AND is_identity = 'NO'
       AND is_generated = 'NEVER' AS needed
FROM information_schema.columns
WHERE table_schema = current_schema() AND table_name = ANY (CAST(:tables AS text[]))
ORDER BY table_name, ordinal_position
"""

_HINDRANCES = """
WITH columns AS (
    SELECT c.oid, a.attnum, c.relname || '.' || a.attname AS name,
           t.typtype, t.oid::regtype::text AS type,
           a.atttypid = 'numeric'::regtype AND a.atttypmod <> -1 AS rounds
    FROM pg_class c
    JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    JOIN pg_type t ON t.oid = a.atttypid
    WHERE c.relnamespace = current_schema()::regnamespace
)
SELECT 'Make ' || name || ' text: setup knows it as no ' || type AS told
FROM columns WHERE name IN ('signals.side', 'positions.side') AND typtype = 'e'
UNION
SELECT 'Drop the view ' || r.ev_class::regclass || ' while setup runs, and make it again after: '
       || 'it keeps ' || c.name || ' from being widened'
FROM columns c
JOIN pg_depend d
  ON d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid AND d.refobjsubid = c.attnum
JOIN pg_rewrite r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
WHERE c.rounds AND c.name = ANY (CAST(:widened AS text[]))
ORDER BY 1
"""
_WIDENED = (
    *(f"positions.{name}" for name in ("qty", "entry_price", "stop_loss", "take_profit")),
    *("positions.exit_price", "positions.pnl"),
    *(f"venue_markets.{name}" for name in ("min_position", "max_leverage", "current_price")),
)


class MergedConfig(Model):
    """A routing config that gave way to a newer one of the same agent, or of all."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)

    id: UUID
    kept_id: UUID
    config: dict[str, JsonValue]
    merged_at: datetime


def has_table(database: Database, table: str) -> bool:
    """Whether there is a table of this name on the search path."""
    return bool(
        database.run("SELECT to_regclass(:table) IS NOT NULL AS found", table=table)[0]["found"]
    )


def merge_configs(database: Database) -> None:
    """Leave one routing config for each agent and one for all: the newest, as it is.

    The others are kept whole in `venue_routing_config_merged`. Nothing happens where there are
    none, so it is safe to repeat; where there is no table yet there is nothing to merge.

    Raises:
        DatabaseRefused: whoever is logged in may not change the table.
        Unavailable: the database is away.
    """
    if not has_table(database, "venue_routing_config"):
        return
    if not database.run(_REPEATED)[0]["repeated"]:
        return
    database.script(_MERGE)


def merged_configs(database: Database) -> tuple[MergedConfig, ...]:
    """What was merged here, ever; at most `TOLD`."""
    if not has_table(database, "venue_routing_config_merged"):
        return ()
    rows = database.run(_MERGED, at_most=TOLD)
    return tuple(MergedConfig.model_validate(row) for row in rows)


def hindrances(database: Database) -> Sequence[str]:
    """What of an older installation the migrations cannot get past; somebody has to decide."""
    return [row["told"] for row in database.run(_HINDRANCES, widened=list(_WIDENED))]


def obstacles(database: Database) -> Sequence[str]:
    """What of an older installation's tables setup or this system's writes would stumble over."""
    found = [*hindrances(database)]
    for column in database.run(_COLUMNS, tables=list(WRITTEN)):
        table, name = column["table_name"], column["column_name"]
        if column["needed"] and name not in WRITTEN[table]:
            found.append(
                f"Give {table}.{name} a default or let it be null: rows of this system have none"
            )
        rounds = column["data_type"] != "numeric" or column["numeric_precision"] is not None
        if rounds and name in AMOUNTS.get(table, ()):
            found.append(
                f"Make {table}.{name} numeric without a precision: it rounds, "
                f"as {column['data_type']}"
            )
    return found
