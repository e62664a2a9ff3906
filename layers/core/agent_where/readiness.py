"""What is missing before this installation can trade, and what to do about each thing: a report.

Every check ends, whatever is away: what cannot be asked is a finding. What changes is elsewhere.
"""

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import JsonValue

from agent_where.domain import DEFAULT_PRIORITY, VenueId
from agent_where.errors import (
    AgentWhereError,
    BadSetting,
    DatabaseRefused,
    Unavailable,
)
from agent_where.existing import merged_configs, obstacles
from agent_where.migrations import MigrationFailed, plan, read, served_network, set_up
from agent_where.queue_report import queue_checks
from agent_where.recognising import recognise, restore_check
from agent_where.report import ORDERS, Check, Report, check, report
from agent_where.rights import READER, grant, rights_of
from agent_where.roles import kinds_of_roles, make_iam_role
from agent_where.settings import SetupSettings
from agent_where.store.connection import Database

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

OLDEST_SERVER = 15
"""PostgreSQL's major version that the migrations need."""

UNSETTLED_MINUTES = 5
"""An order that was sent longer ago than this should have ended."""

_UNDEFINED = frozenset({"42P01", "42703", "42883"})  # table, column, function

_CONFIG = """
SELECT venue_priority, routing_strategy, failover_enabled
FROM venue_routing_config WHERE agent_id IS NULL
"""
_MARKETS = """
SELECT count(*) AS total,
       count(*) FILTER (WHERE is_active) AS active,
       count(*) FILTER (WHERE is_active AND is_open) AS open,
       CAST(floor(extract(epoch FROM now() - max(last_synced)) / 60) AS int) AS age_minutes
FROM venue_markets WHERE venue::text = :venue
"""
_ORDERS = """
WITH unsettled AS (
    SELECT now() - sent_at AS age FROM venue_orders WHERE status IN ('SENT', 'ACCEPTED')
)
SELECT count(*) AS unsettled,
       count(*) FILTER (WHERE age > make_interval(mins => CAST(:minutes AS int))) AS overdue,
       CAST(floor(extract(epoch FROM max(age)) / 60) AS int) AS oldest_minutes,
       (SELECT count(*) FROM venue_orders WHERE status = 'PLANNED' AND due_at <= now()) AS due
FROM unsettled
"""


def prepare(
    database: Database,
    directory: Path,
    settings: SetupSettings,
    supported: frozenset[VenueId],
    *,
    only_report: bool = False,
    moved_from: str | None = None,
    sqs: "SQSClient | None" = None,
) -> Report:
    """Set the database up, unless only a report is wanted, and look at everything.

    Args:
        directory: the migrations of this release. `moved_from`: see `recognise`.
        sqs: asks the queues; None opens a client where a queue's URL is set.
    """
    applied: tuple[str, ...] = ()
    failed: tuple[Check, ...] = ()
    if not only_report:
        try:
            applied = set_up(database, directory, network=settings.network)
            recognise(database, settings.database(), moved_from=moved_from)
            _let_in(database, settings)
        except AgentWhereError as error:
            failed = (_failure("setup", error),)
    checks = check_all(database, directory, settings, supported, sqs)
    return report((*failed, *checks), success=not failed, applied=applied)


def _let_in(database: Database, settings: SetupSettings) -> None:
    """The functions' roles, each with what it needs and nothing else."""
    for kind in kinds_of_roles(database, logs_in_with_iam=settings.logs_in_with_iam):
        role = settings.database().user + kind
        if settings.logs_in_with_iam:
            make_iam_role(database, role)
        grant(database, role, kind)
    if settings.db_reader_user is not None:
        grant(database, settings.db_reader_user, READER)


def unusable(error: BadSetting) -> Report:
    """The report of a function whose settings are no use."""
    return report((_failure("settings", error),), success=False)


def unreachable(
    error: Unavailable, settings: SetupSettings, sqs: "SQSClient | None" = None
) -> Report:
    """The report of a function that could not so much as ask for its login."""
    return report((_away(error), *queue_checks(settings, sqs)), success=False)


def check_all(
    database: Database,
    directory: Path,
    settings: SetupSettings,
    supported: frozenset[VenueId],
    sqs: "SQSClient | None" = None,
) -> tuple[Check, ...]:
    """Look at everything; the arguments are those of `prepare`."""
    return (
        *_database_checks(database, directory, settings, supported),
        *queue_checks(settings, sqs),
    )


def _database_checks(
    database: Database, directory: Path, settings: SetupSettings, supported: frozenset[VenueId]
) -> Iterator[Check]:
    """The checks that need the database, up to where it goes away."""
    priority: list[VenueId] = []
    try:
        yield _answered("database", lambda: _server(database))
        yield _answered("schema", lambda: _schema(database, directory))
        yield _answered("older tables", lambda: _older_tables(database))
        for kind in kinds_of_roles(database, logs_in_with_iam=settings.logs_in_with_iam):
            ask_for = partial(_rights, database, settings.database().user, kind)
            yield _answered(f"rights{kind}", ask_for)
        yield _answered("network", lambda: _network(database, settings.network))
        yield _answered("restore", partial(restore_check, database))
        yield _answered("config", lambda: _config(database, priority))
        yield _answered(ORDERS, lambda: _orders(database))
        for venue in priority:
            name = f"markets: {venue}"
            ask = partial(_markets, database, name, venue, settings, supported)
            yield _answered(name, ask)
    except (Unavailable, BadSetting) as error:  # a login's secret is read when it is needed
        yield _away(error)


def _away(error: Unavailable | BadSetting) -> Check:
    todo = "Start the database, or correct DATABASE_URL or DB_HOST"
    if isinstance(error, BadSetting):
        todo = "Correct the setting"
    return check("database", {"reachable": False, "error": str(error)}, f"{todo}: {error}")


def _answered(name: str, ask: Callable[[], Check]) -> Check:
    """The check, or the finding that the schema is not there to be asked."""
    try:
        return ask()
    except DatabaseRefused as refused:
        if refused.sqlstate in _UNDEFINED:
            return check(name, {"error": str(refused)}, f"Run setup: {refused}")
        return check(name, {"error": str(refused)}, f"The database refused to tell: {refused}")


def _server(database: Database) -> Check:
    version = int(database.run("SELECT current_setting('server_version_num') AS v")[0]["v"])
    what: dict[str, JsonValue] = {"reachable": True, "version": f"{version // 10_000}"}
    if version // 10_000 < OLDEST_SERVER:
        return check("database", what, f"Use PostgreSQL {OLDEST_SERVER} or newer")
    return check("database", what)


def _schema(database: Database, directory: Path) -> Check:
    try:
        found = plan(database, read(directory))
    except MigrationFailed as fault:
        return check("schema", {"error": str(fault)}, f"Correct the migrations: {fault}")
    pending = [migration.file for migration in found.pending]
    todo = [f"Run setup: {file} is not applied yet" for file in pending]
    todo += [
        f"Put {file} back as it was applied and write a new migration" for file in found.changed
    ]
    what: dict[str, JsonValue] = {
        "applied": len(found.applied),
        "pending": [*pending],
        "changed": [*found.changed],
        "ahead": [*found.ahead],
    }
    return check("schema", what, *todo)


def _older_tables(database: Database) -> Check:
    found = obstacles(database)
    return check("older tables", {"obstacles": len(found)}, *found)


def _rights(database: Database, user: str, kind: str) -> Check:
    role, name = user + kind, f"rights{kind}"
    found = rights_of(database, role, kind)
    what: dict[str, JsonValue] = {
        "role": role,
        "exists": found.exists,
        "ownsTables": found.owns,
        "lacks": [*found.lacks],
    }
    if not found.exists:
        todo = f"Create the role {role}, which the functions log in as, and run setup again"
        return check(name, what, todo)
    if found.lacks:
        todo = f"Run setup as the tables' owner (DB_ADMIN_SECRET_ARN): {role} lacks"
        return check(name, what, f"{todo} {', '.join(found.lacks)}")
    return check(name, what)


def _network(database: Database, wanted: str) -> Check:
    served = served_network(database)
    what: dict[str, JsonValue] = {"served": served, "setting": wanted}
    if served is None:
        return check("network", what, "Run setup: the database has no network recorded")
    if served != wanted:
        todo = f"Set NETWORK to {served} or use another database: this one serves {served}"
        return check("network", what, todo)
    return check("network", what)


def _config(database: Database, priority: list[VenueId]) -> Check:
    """The global row; its venues are added to `priority`, for the checks of their markets."""
    rows = database.run(_CONFIG)
    if not rows:
        return check("config", {}, "Run setup: there is no global routing config")
    row = rows[0]
    priority += row["venue_priority"] or DEFAULT_PRIORITY
    merged: list[JsonValue] = [
        each.model_dump(mode="json", by_alias=True) for each in merged_configs(database)
    ]
    return check(
        "config",
        {
            "venuePriority": row["venue_priority"],
            "routingStrategy": row["routing_strategy"],
            "failoverEnabled": row["failover_enabled"],
            "merged": merged,
        },
    )


def _markets(
    database: Database,
    name: str,
    venue: VenueId,
    settings: SetupSettings,
    supported: frozenset[VenueId],
) -> Check:
    row = database.run(_MARKETS, venue=venue)[0]
    age, oldest = row["age_minutes"], settings.market_max_age_minutes
    what: dict[str, JsonValue] = {
        "total": row["total"],
        "active": row["active"],
        "open": row["open"],
        "ageMinutes": age,
        "maxAgeMinutes": oldest,
    }
    if venue not in supported:
        todo = f"Take {venue} out of the global config's priority: it has no adapter yet"
        return check(name, what, todo)
    if not row["total"]:
        return check(name, what, f"Run market_sync: {venue} has no markets yet")
    if age is None or age > oldest:
        told = "never" if age is None else f"{age} minutes ago"
        todo = f"Run market_sync and read its log: {venue} was last synced {told}"
        return check(name, what, f"{todo}, and older than {oldest} minutes is not traded")
    if not row["active"]:
        return check(name, what, f"Read market_sync's log: no market of {venue} is active")
    return check(name, what)


def _orders(database: Database) -> Check:
    row = database.run(_ORDERS, minutes=UNSETTLED_MINUTES)[0]
    what: dict[str, JsonValue] = {
        "unsettled": row["unsettled"],
        "overdue": row["overdue"],
        "oldestMinutes": row["oldest_minutes"],
        "plannedDue": row["due"],
    }
    if row["overdue"]:
        late = f"{row['overdue']} orders were sent over {UNSETTLED_MINUTES} minutes ago"
        return check(ORDERS, what, f"Read reconcile's log: {late} and have not ended")
    return check(ORDERS, what)


def _failure(name: str, error: AgentWhereError) -> Check:
    sentence = str(error).rstrip(".")
    again = ". Run setup again when it is back" if isinstance(error, Unavailable) else ""
    return check(name, {"error": str(error)}, f"{sentence}{again}")
