"""What statistics and a page of the history cost, and how that grows with the history.

ROWS decisions of one week (default 100000 and 1000000; ROWS=10000000 takes about fifteen minutes
and 12 GB) of 100 tokens, two venues, 1,000 agents of 20 creators. `ratio` of the statistics is
against counting decision by decision in the same run; both have to say the same. `growth` is
against the number of rows before.
"""

import os
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import product
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

from agent_where import stats  # noqa: E402 the path is set above
from agent_where.callers import EVERYTHING, Reach  # noqa: E402
from agent_where.contract.queries import HistoryQuery, StatsQuery, TimeWindow  # noqa: E402
from agent_where.store.connection import Database  # noqa: E402
from agent_where.store.statements import statement  # noqa: E402
from agent_where.store.store import Store  # noqa: E402
from agent_where.store.views import Views  # noqa: E402
from benchmarks._measure import Processor, migrated, note, patient, server, timed, told  # noqa: E402
from tests.store.counting import BACK, COUNTED, comparable  # noqa: E402

ROWS = tuple(int(rows) for rows in os.environ.get("ROWS", "100000 1000000").split())
ONE = Reach(everything=False, wallet=f"0x{1:040x}")
WHO = {"admin": EVERYTHING, "one creator": ONE}
ONE_TOKEN = "T7"  # noqa: S105 a token that is traded
TIMES = 40

AGENTS = """
INSERT INTO agents (id, creator_wallet, name, venue, status, profit_receiver_address)
SELECT CAST(lpad(to_hex(n), 32, '0') AS uuid), '0x' || lpad(to_hex(n % 20), 40, '0'), 'an agent',
       'MULTI', 'ACTIVE', '0xp'
FROM generate_series(0, 999) n
"""
DECISIONS = """
SET LOCAL session_replication_role = replica;
INSERT INTO signals (id, agent_id, token_symbol, venue, created_at)
SELECT CAST(lpad(to_hex(n), 32, '0') AS uuid),
       CAST(lpad(to_hex((n * 7919) % 1000), 32, '0') AS uuid), 'T' || (n * 104729) % 101 % 100,
       'MULTI', now()
FROM generate_series(CAST({since} AS bigint), {until}) n;
INSERT INTO venue_routing_history (id, signal_id, agent_id, token_symbol, requested_venue,
    selected_venue, routing_reason, checked_venues, venue_availability, routing_duration_ms,
    routing_duration_us, created_at)
SELECT gen_random_uuid(), CAST(lpad(to_hex(n), 32, '0') AS uuid),
       CAST(lpad(to_hex((n * 7919) % 1000), 32, '0') AS uuid), 'T' || (n * 104729) % 101 % 100,
       'MULTI', CAST((ARRAY['HYPERLIQUID', 'OSTIUM'])[1 + (hashint8(n) & 1)] AS venue_t),
       'HYPERLIQUID: Market T/USD available (Index: 0)', '{{HYPERLIQUID,OSTIUM}}',
       '{{"HYPERLIQUID": true, "OSTIUM": true}}', us / 1000, us,
       now() - interval '7 days' + (n + 1) * interval '7 days' / {rows}
FROM (SELECT n, 800 + CAST(exp(random() * 3) * 300 AS int) AS us
      FROM generate_series(CAST({since} AS bigint), {until}) n) made;
"""
BATCH = 500_000
SECONDARY = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
FROM pg_index
WHERE indrelid IN ('venue_routing_history'::regclass, 'signals'::regclass) AND NOT indisprimary
"""


def filled(database: Database, rows: int) -> None:
    """Store so many decisions, oldest first, and sum them as `reconcile` would have."""
    began = time.perf_counter()
    database.run(AGENTS)
    indexes = database.run(SECONDARY)
    for index in indexes:
        database.run(f"DROP INDEX {index['name']}")
    for since in range(0, rows, BATCH):
        until = min(since + BATCH, rows) - 1
        database.script(DECISIONS.format(since=since, until=until, rows=rows))
    for index in indexes:
        database.run(index["definition"])
    for table in ("venue_routing_history", "signals", "agents"):
        database.script(f"VACUUM ANALYZE {table}")
    note(f"{rows} rows stored in {time.perf_counter() - began:.0f} s")
    began = time.perf_counter()
    store = Store(database)
    while store.sum_decisions():
        pass
    database.script("VACUUM ANALYZE routing_sums")
    took = time.perf_counter() - began
    told("sum decisions, one", [took * 1e6 / rows], "us", rows=rows)


def asked() -> Iterator[tuple[str, Reach, TimeWindow, str | None]]:
    """Every question to the statistics."""
    for (who, reach), window, token in product(WHO.items(), TimeWindow, (None, ONE_TOKEN)):
        of = ", one token" if token else ""
        yield f"statistics of a{'n' * (window == 'hour')} {window}{of}, {who}", reach, window, token


def statistics_of(database: Database, rows: int, before: dict[str, float]) -> None:
    """The line of each question; `before` has the medians with fewer rows."""
    views = Views(database)
    for name, reach, window, token in asked():
        query = {"timeWindow": window.value, **({"tokenSymbol": token} if token else {})}
        question = StatsQuery.model_validate(query)
        params = {"back": BACK[window], "token_symbol": token, **reach.params()}
        (summed,), (counted,) = database.run_together(
            statement("read_stats", **params), (COUNTED, params)
        )
        if comparable(summed) != comparable(counted):
            raise RuntimeError(f"{name}: {summed} is not what counting says: {counted}")
        baseline = min(timed(lambda p=params: database.run(COUNTED, **p), times=2, warm_up=0))  # type: ignore[misc]

        def once(reach: Reach = reach, question: StatsQuery = question) -> object:
            return stats.shape(views.routing_stats(reach, question), question.time_window)

        taken = timed(once, TIMES, 5)
        cpu = Processor(database).of_each(once, TIMES)
        _grown(name, taken, rows, before, baseline=baseline, **cpu)


def pages_of(database: Database, rows: int, before: dict[str, float]) -> None:
    """The first page, and one from the middle."""
    views = Views(database)
    (middle,) = database.run(
        "SELECT id, created_at FROM venue_routing_history"
        " WHERE created_at < now() - interval '84 hours' ORDER BY created_at DESC LIMIT 1"
    )
    for (who, reach), token in product(
        (("admin", EVERYTHING), ("one creator", ONE)), (None, ONE_TOKEN)
    ):
        query = HistoryQuery.model_validate({"tokenSymbol": token} if token else {})
        of = ", one token" if token else ""
        _grown(
            f"first page of the history{of}, {who}",
            timed(lambda r=reach, q=query: views.history(r, q), TIMES, 5),  # type: ignore[misc]
            rows,
            before,
        )
        params = {
            **query.model_dump(include={"signal_id", "token_symbol", "venue"}),
            **reach.params(),
            "after_at": middle["created_at"],
            "after_id": middle["id"],
            "at_most": 51,
        }
        asked_for = statement("read_history", **params)
        _grown(
            f"page from the middle of the history{of}, {who}",
            timed(lambda a=asked_for: database.run_together(a), TIMES, 5),  # type: ignore[misc]
            rows,
            before,
        )


def _grown(
    name: str, taken: Sequence[float], rows: int, before: dict[str, float], **more: float
) -> None:
    smaller = before.get(name)
    growth = round(statistics.median(taken) / smaller, 2) if smaller else None
    before[name] = told(name, taken, "ms", rows=rows, growth=growth, **more)


def main() -> None:
    """One database a size, in one server."""
    before: dict[str, float] = {}
    with server() as started:
        admin = Database(patient(started.dsn()))
        for rows in ROWS:
            admin.run(f"CREATE DATABASE of_{rows}")
            with migrated(started.dsn(f"of_{rows}")) as database:
                filled(database, rows)
                statistics_of(database, rows, before)
                pages_of(database, rows, before)
            admin.run(f"DROP DATABASE of_{rows} WITH (FORCE)")
        admin.close()


if __name__ == "__main__":
    main()
