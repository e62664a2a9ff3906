"""Setup on databases of the original system, with its rows: with and without its routing tables."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from agent_where.callers import EVERYTHING
from agent_where.contract.bodies import AgentBody, AgentChange, ConfigBody, DeploymentBody
from agent_where.contract.queries import HistoryQuery, PositionsQuery
from agent_where.existing import TOLD, obstacles
from agent_where.messages import SignalRef
from agent_where.migrations import MigrationFailed, set_up
from agent_where.readiness import prepare
from agent_where.report import Check
from agent_where.settings import SetupSettings
from agent_where.store.administration import Administration
from agent_where.store.connection import Database, DatabaseSettings, Row
from agent_where.store.views import Views
from agent_where.venues.registry import SUPPORTED
from tests.fixtures_database import MIGRATIONS
from tests.handlers.gateway import OPERATOR
from tests.world import World

ROOT = Path(__file__).parents[2]
ORIGINALS = Path(__file__).parent / "originals"
SHAPES = {
    "without routing": ("tables.sql",),
    "with routing": ("tables.sql", "routing.sql", "routed_rows.sql"),
}
STATIC = UUID("a0000000-0000-4000-8000-000000000001")
ROUTED = UUID("a0000000-0000-4000-8000-000000000004")
NEWEST_CONFIG = UUID("f0000000-0000-4000-8000-000000000002")
OLDER_CONFIGS = [UUID(f"f0000000-0000-4000-8000-00000000000{n}") for n in (1, 3, 4)]

COLUMNS = """
SELECT table_name || '.' || column_name AS name FROM information_schema.columns
WHERE table_schema = 'public' ORDER BY 1
"""
OBJECTS = """
SELECT 'index ' || indexname AS name FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT 'constraint ' || conname FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL SELECT 'trigger ' || tgname FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function ' || proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace
UNION ALL SELECT 'cast to ' || typname FROM pg_cast JOIN pg_type t ON t.oid = casttarget
    WHERE t.typnamespace = 'public'::regnamespace
ORDER BY 1
"""


@dataclass
class Installation:
    """A database of the original system, and what it held before setup came."""

    dsn: str
    database: Database
    columns: dict[str, list[str]] = field(default_factory=dict)
    rows: dict[str, dict[str, Row]] = field(default_factory=dict)

    def remember(self) -> None:
        for row in self.database.run(COLUMNS):
            table, column = str(row["name"]).split(".")
            self.columns.setdefault(table, []).append(column)
        self.rows = {table: self.rows_of(table) for table in self.columns}

    def rows_of(self, table: str) -> dict[str, Row]:
        """Its rows by id, as far as the original knows their columns."""
        known = self.columns[table]
        found = self.database.run(f"SELECT to_jsonb(t) AS row FROM {table} t")
        return {row["row"]["id"]: {name: row["row"][name] for name in known} for row in found}

    def set_up(self) -> dict[str, Check]:
        settings = SetupSettings.from_environment({"DATABASE_URL": self.dsn})
        found = prepare(self.database, MIGRATIONS, settings, SUPPORTED)
        assert found.success, found
        return {check.name: check for check in found.checks}

    def names(self, sql: str) -> set[str]:
        return {str(row["name"]) for row in self.database.run(sql)}


@pytest.fixture(params=SHAPES)
def original(request: pytest.FixtureRequest, empty_database: str) -> Iterator[Installation]:
    """Each shape in turn, with its rows, before setup."""
    opened = Database(DatabaseSettings.from_url(empty_database))
    for name in SHAPES[request.param]:
        opened.script((ORIGINALS / name).read_text())
    installation = Installation(empty_database, opened)
    installation.remember()
    yield installation
    opened.close()


@pytest.fixture
def routed(empty_database: str) -> Iterator[Installation]:
    """The shape with routing tables, before setup."""
    opened = Database(DatabaseSettings.from_url(empty_database))
    for name in SHAPES["with routing"]:
        opened.script((ORIGINALS / name).read_text())
    installation = Installation(empty_database, opened)
    installation.remember()
    yield installation
    opened.close()


def test_setup_adds_what_is_missing_and_changes_no_value_that_was_there(
    original: Installation,
) -> None:
    original.set_up()

    for table, before in original.rows.items():
        after = original.rows_of(table)
        given_way = {str(each) for each in OLDER_CONFIGS} if table == "venue_routing_config" else {}
        for id_, row in before.items():
            assert id_ in given_way or after[id_] == row, table
        assert after.keys() >= before.keys() - given_way
    assert original.set_up().keys()  # once more changes nothing either


def test_no_column_and_no_row_of_a_table_that_this_system_does_not_know_is_touched(
    original: Installation,
) -> None:
    original.set_up()

    (charge,) = original.rows_of("subscription_charges").values()
    assert charge == next(iter(original.rows["subscription_charges"].values()))
    told = original.names(COLUMNS)
    assert {f"{table}.{name}" for table, names in original.columns.items() for name in names} < told


def test_the_report_finds_nothing_in_the_tables_that_would_stop_this_system(
    original: Installation,
) -> None:
    checks = original.set_up()

    assert checks["older tables"].ok
    assert checks["schema"].ok
    assert checks["rights"].ok
    assert checks["config"].ok


def test_global_configs_give_way_to_the_newest_and_the_report_tells_which(
    routed: Installation,
) -> None:
    config = routed.set_up()["config"]

    rows = routed.database.run("SELECT id FROM venue_routing_config WHERE agent_id IS NULL")
    assert [row["id"] for row in rows] == [NEWEST_CONFIG]
    assert config.what["venuePriority"] == ["OSTIUM", "HYPERLIQUID"]
    assert config.what["failoverEnabled"] is False
    merged = config.what["merged"]
    assert isinstance(merged, list)
    told = {UUID(each["id"]): each for each in merged if isinstance(each, dict)}  # type: ignore[arg-type]
    assert sorted(told) == OLDER_CONFIGS
    for id_, each in told.items():
        assert each["keptId"] == str(NEWEST_CONFIG)
        kept = each["config"]
        assert isinstance(kept, dict)
        before = routed.rows["venue_routing_config"][str(id_)]
        assert kept["venue_priority"] == before["venue_priority"]
        assert kept["updated_at"] == before["updated_at"]


def test_an_agent_s_own_config_and_a_second_setup_merge_nothing_more(routed: Installation) -> None:
    routed.set_up()
    again = routed.set_up()["config"]

    assert len(list(again.what["merged"] or ())) == len(OLDER_CONFIGS) <= TOLD  # type: ignore[arg-type]
    owned = routed.database.run("SELECT id FROM venue_routing_config WHERE agent_id IS NOT NULL")
    assert len(owned) == 1


def test_a_history_routed_twice_is_numbered_in_its_order(routed: Installation) -> None:
    routed.set_up()

    rows = routed.database.run(
        "SELECT right(id::text, 1) AS row, attempt FROM venue_routing_history ORDER BY id"
    )
    assert [(row["row"], row["attempt"]) for row in rows] == [("1", 1), ("2", 2), ("3", 1)]


def test_the_original_goes_on_writing_as_it_did(original: Installation) -> None:
    original.set_up()
    ids = {name: str(uuid4()) for name in ("agent", "deployment", "signal", "position")}

    for write in (ORIGINALS / "writes.sql").read_text().split(";\n"):
        known = {name: value for name, value in ids.items() if f":{name}" in write}
        if write.strip():
            original.database.run(write, **known)

    attempts = original.database.run(
        "SELECT attempt FROM venue_routing_history WHERE signal_id = CAST(:id AS uuid) ORDER BY 1",
        id=ids["signal"],
    )
    assert [row["attempt"] for row in attempts] == [1, 2]


def test_the_original_goes_on_changing_a_position_that_has_no_signal(
    original: Installation,
) -> None:
    original.database.script(
        "ALTER TABLE positions ALTER COLUMN signal_id DROP NOT NULL;"
        "UPDATE positions SET signal_id = NULL WHERE token_symbol = 'HYPE'"
    )
    original.set_up()

    close = "UPDATE positions SET status = 'CLOSED' WHERE token_symbol = 'HYPE' RETURNING id"
    assert len(original.database.run(close)) == 1


def test_the_original_goes_on_routing_without_saying_what_it_checked(routed: Installation) -> None:
    routed.set_up()

    row = routed.database.run(
        "INSERT INTO venue_routing_history (id, signal_id, token_symbol, requested_venue,"
        " selected_venue, routing_reason, checked_venues, venue_availability, routing_duration_ms)"
        " SELECT gen_random_uuid(), signal_id, 'BTC', 'HYPERLIQUID', 'HYPERLIQUID', 'static', '{}',"
        " '{}', 1 FROM venue_routing_history LIMIT 1 RETURNING attempt"
    )

    assert len(row) == 1


def test_the_original_reads_its_own_rows_as_it_did(original: Installation) -> None:
    original.set_up()

    for table, columns in original.columns.items():
        listed = ", ".join(f'"{name}"' for name in columns)
        rows = original.database.run(f"SELECT {listed} FROM {table}")
        assert len(rows) >= 1
    found = original.database.run(
        "SELECT id FROM venue_markets WHERE venue = CAST('OSTIUM' AS venue_t)"
        " AND token_symbol = 'BTC' AND is_active"
    )
    assert len(found) == 1


def test_this_system_shows_what_the_original_did(original: Installation) -> None:
    original.set_up()
    views = Views(original.database)

    decisions = views.history(EVERYTHING, HistoryQuery.model_validate({})).history
    assert len(decisions) == len(original.rows.get("venue_routing_history", {}))
    positions = views.positions(EVERYTHING, PositionsQuery.model_validate({})).positions
    assert {str(each.id) for each in positions} == original.rows["positions"].keys()
    for agent in original.rows["agents"]:
        assert str(views.agent(EVERYTHING, UUID(agent)).agent.id) == agent
    for signal in original.rows["signals"]:
        assert str(views.trade(EVERYTHING, UUID(signal)).signal.signal_id) == signal


def test_this_system_trades_beside_the_original_and_leaves_its_rows_alone(
    original: Installation,
) -> None:
    original.set_up()
    before = {table: original.rows_of(table) for table in ("signals", "positions")}
    world = World(original.dsn, database=original.database)
    administration = Administration(original.database)
    wallet = f"0x{'c' * 40}"
    told = {"name": "New", "venue": "MULTI", "creator_wallet": wallet, "weights": [1]}
    told |= {"profit_receiver_address": wallet, "status": "DRAFT"}
    agent = administration.create_agent(OPERATOR, AgentBody.model_validate(told)).agent.id
    change = AgentChange.model_validate({"status": "ACTIVE"})
    administration.change_agent(EVERYTHING, agent, change)
    config = {"agentId": str(agent), "venuePriority": ["OSTIUM", "HYPERLIQUID"]}
    administration.set_config(OPERATOR, ConfigBody.model_validate(config))
    follower = {"user_wallet": f"0x{'e' * 40}", "venues": ["OSTIUM", "HYPERLIQUID"]}
    administration.create_deployment(OPERATOR, agent, DeploymentBody.model_validate(follower))
    world.both_markets()

    decided = world.open(agent, riskModel={"stopLoss": "0.05", "takeProfit": "0.1"})
    world.work()
    world.close(agent)
    world.work()

    assert decided.venue == "OSTIUM"
    (position,) = world.rows("SELECT * FROM positions WHERE mode = 'PAPER'")
    assert str(position["status"]) == "CLOSED"
    assert position["pnl"] is not None
    for table, rows in before.items():
        after = original.rows_of(table)
        assert {id_: after[id_] for id_ in rows} == rows


def test_a_signal_that_the_original_stored_is_routed_by_its_id(routed: Installation) -> None:
    routed.set_up()
    world = World(routed.dsn, database=routed.database)
    world.both_markets()
    signal = uuid4()
    world.rows(
        "INSERT INTO signals (id, agent_id, token_symbol, venue, side, size_model, risk_model)"
        " VALUES (:id, CAST(:agent AS uuid), 'BTC', 'MULTI', 'LONG',"
        """ '{"type": "fixed-usdc", "value": "50"}', '{}')""",
        id=signal,
        agent=ROUTED,
    )

    outcome = world.take(SignalRef(signal_id=signal))

    assert outcome.venue == "OSTIUM", outcome  # the agent's own config says so
    row = world.signal_row(signal)
    assert (row["venue"], row["requested_venue"]) == ("OSTIUM", "MULTI")


def test_a_static_agent_s_signal_keeps_its_venue_and_writes_no_history(
    original: Installation,
) -> None:
    original.set_up()
    world = World(original.dsn, database=original.database)
    world.both_markets()
    before = len(world.history())

    outcome = world.open(STATIC)

    assert outcome.venue == "HYPERLIQUID"
    assert len(world.history()) == before


def test_a_column_that_this_system_cannot_fill_is_a_finding_with_what_to_do(
    original: Installation,
) -> None:
    original.database.script(
        "ALTER TABLE signals ADD COLUMN proof text NOT NULL DEFAULT ''; "
        "ALTER TABLE signals ALTER COLUMN proof DROP DEFAULT; "
        "ALTER TABLE positions ALTER COLUMN pnl TYPE double precision"
    )

    older = original.set_up()["older tables"]

    assert older.todo == (
        "Make positions.pnl numeric without a precision: it rounds, as double precision",
        "Give signals.proof a default or let it be null: rows of this system have none",
    )


AS_ENUM = """
CREATE TYPE side_t AS ENUM ('LONG', 'SHORT');
ALTER TABLE positions ALTER COLUMN side TYPE side_t USING side::side_t
"""
IN_A_VIEW = "CREATE VIEW exposure AS SELECT token_symbol, sum(qty) FROM positions GROUP BY 1"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (AS_ENUM, "Make positions.side text: setup knows it as no side_t"),
        (IN_A_VIEW, "Drop the view exposure while setup runs, and make it again after: it keeps "),
    ],
)
def test_what_setup_cannot_get_past_is_told_before_anything_is_changed(
    routed: Installation, change: str, told: str
) -> None:
    routed.database.script(change)
    columns = routed.names(COLUMNS)

    with pytest.raises(MigrationFailed, match=f"nothing was changed. {told}"):
        set_up(routed.database, MIGRATIONS, network="mainnet")

    assert obstacles(routed.database)[0].startswith(told)
    assert routed.names(COLUMNS) == columns
    assert routed.rows_of("venue_routing_config") == routed.rows["venue_routing_config"]


def test_a_database_that_began_with_this_system_has_no_older_tables(database: Database) -> None:
    assert obstacles(database) == []


def test_two_rows_that_the_unique_index_forbids_stop_setup_and_leave_all_as_it_was(
    original: Installation,
) -> None:
    original.database.script(
        "DROP INDEX venue_markets_venue_token_symbol_key; "
        "INSERT INTO venue_markets (id, venue, token_symbol, market_name) "
        "VALUES (gen_random_uuid(), 'OSTIUM', 'BTC', 'again')"
    )

    with pytest.raises(MigrationFailed, match=r"0002_.*venue_markets_venue_token_symbol_key"):
        set_up(original.database, MIGRATIONS, network="mainnet")

    assert original.rows_of("positions") == original.rows["positions"]


def test_going_back_leaves_the_original_s_tables_as_they_were(original: Installation) -> None:
    columns, objects = original.names(COLUMNS), original.names(OBJECTS)
    original.set_up()

    original.database.script((ROOT / "docs" / "going_back.sql").read_text())

    kept = {"venue_routing_config", "venue_routing_history"}
    added = {name for name in original.names(COLUMNS) - columns if name.split(".")[0] not in kept}
    assert added == {"agents.created_at", "agent_deployments.created_at"}
    assert columns <= original.names(COLUMNS)
    new = original.names(OBJECTS) - objects
    assert {name for name in new if "venue_routing" not in name} == set()
    assert objects <= original.names(OBJECTS)
    for table, rows in original.rows.items():
        assert original.rows_of(table).items() >= rows.items(), table


def test_going_back_is_refused_while_anything_is_under_way(original: Installation) -> None:
    original.set_up()
    deployment = next(iter(original.rows["agent_deployments"]))
    original.database.run(
        "INSERT INTO positions (deployment_id, signal_id, venue, token_symbol, side, qty, open_qty,"
        " entry_price, mode) SELECT CAST(:deployment AS uuid), id, 'OSTIUM', 'BTC', 'LONG', 1, 1,"
        " 1, 'LIVE' FROM signals WHERE token_symbol = 'ARB'",
        deployment=deployment,
    )

    with pytest.raises(Exception, match="live positions of this system are open"):
        original.database.script((ROOT / "docs" / "going_back.sql").read_text())
