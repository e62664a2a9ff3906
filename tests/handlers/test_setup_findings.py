"""What a report on a database that was set up finds in it, and what it says to do."""

from agent_where.readiness import prepare
from agent_where.report import Report
from agent_where.settings import SetupSettings
from agent_where.store.connection import Database
from agent_where.venues.registry import SUPPORTED
from tests.fixtures_database import MIGRATIONS
from tests.handlers.setting_up import sync
from tests.store.ledger import Ledger


def checked(database: Database, **more: object) -> Report:
    """A report of a set up database, without queues."""
    settings = SetupSettings.model_validate({"database_url": "postgresql://u@h/n"} | more)
    return prepare(database, MIGRATIONS, settings, SUPPORTED, only_report=True)


def todo(found: Report, name: str) -> tuple[str, ...]:
    return next(check.todo for check in found.checks if check.name == name)


def test_old_markets_are_a_finding(database: Database) -> None:
    sync(database, "HYPERLIQUID", age=61)

    (old,) = todo(checked(database), "markets: HYPERLIQUID")
    assert old.startswith(
        "Run market_sync and read its log: HYPERLIQUID was last synced 61 minutes"
    )
    assert todo(checked(database, market_max_age_minutes=62), "markets: HYPERLIQUID") == ()


def test_a_venue_without_an_active_market_is_a_finding(database: Database) -> None:
    sync(database, "OSTIUM", active=False)

    assert todo(checked(database), "markets: OSTIUM") == (
        "Read market_sync's log: no market of OSTIUM is active",
    )


def test_a_venue_without_an_adapter_in_the_priority_is_a_finding(database: Database) -> None:
    database.run("UPDATE venue_routing_config SET venue_priority = '{GMX}'")

    assert todo(checked(database), "markets: GMX") == (
        "Take GMX out of the global config's priority: it has no adapter yet",
    )


def test_a_missing_global_config_and_a_changed_migration_are_findings(database: Database) -> None:
    database.run("DELETE FROM venue_routing_config")
    database.run("UPDATE schema_migrations SET checksum = 'x' WHERE version = 2")

    found = checked(database)

    assert todo(found, "config") == ("Run setup: there is no global routing config",)
    assert todo(found, "schema") == (
        "Put 0002_agents_signals_positions.sql back as it was applied and write a new migration",
    )
    assert not found.fit


def test_orders_that_do_not_settle_are_a_finding_and_no_reason_not_to_trade(
    database: Database,
) -> None:
    ledger = Ledger(database)
    order = ledger.bring_to("SENT")
    database.run_together(
        ("SET LOCAL session_replication_role = replica", {}),  # time passes
        (
            "UPDATE venue_orders SET sent_at = now() - interval '17 minutes' WHERE id = :id",
            {"id": order},
        ),
    )

    found = checked(database)

    assert todo(found, "orders") == (
        "Read reconcile's log: 1 orders were sent over 5 minutes ago and have not ended",
    )
    (check,) = (check for check in found.checks if check.name == "orders")
    assert check.what == {"unsettled": 1, "overdue": 1, "oldestMinutes": 17, "plannedDue": 0}
