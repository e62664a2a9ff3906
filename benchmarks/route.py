"""What routing costs: the pure decision, and a stored signal from its id to its written decision.

The baseline is the original's pattern through the same driver, each statement a round trip of its
own: the agent's config, else the global one, one market query for each venue in turn until one can
trade, the history's row, the signal's venue. It is neither fat nor lean: each statement is its own
transaction without BEGIN and COMMIT, its two writes ask for no row back, and no trigger of ours
fills in what it does not write; each is parsed and planned when it is run, as the driver does
unless it is told otherwise. Two more are told beside it. `ratio_from_its_id` is against the same
with one query for the signal in front, which the pattern has in memory when it begins and ours
still has to read. `ratio_kept` is against the pattern with its statements kept by the session, as
ours are: the least that it can cost.

Ours reads and writes the same and more: controls, followers, each candidate's figures. All take
turns in one run, on signals of an agent that nobody follows; a ratio below 1 is faster than the
baseline. Round-trip time is made up by a relay. The server does not wait for its disk, but for the
lines called durable: there the pattern's two commits wait twice and ours once.
"""

import json
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID, uuid4

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

from agent_where.domain import Market, Mode, SignalAction, VenueId  # noqa: E402 the path is set above
from agent_where.messages import SignalRef  # noqa: E402
from agent_where.pipeline import Deps, take_signal  # noqa: E402
from agent_where.planning import decide  # noqa: E402
from agent_where.store.connection import Database, DatabaseSettings, Json, Often, Row  # noqa: E402
from agent_where.store.store import Store  # noqa: E402
from benchmarks._delay import delayed  # noqa: E402
from benchmarks._measure import WARM_UP, Processor, in_turn, migrated, server, timed, told  # noqa: E402
from tests.world import MAX_AGE, MemoryQueues  # noqa: E402

TIMES = 200
FIRST, LAST = "the first can trade", "the last can trade"
ROUND_TRIPS = (0, 0.001)
OURS = "ours"
PATTERN = "the original's pattern"
FROM_ITS_ID = "the pattern from the signal's id"
KEPT = "the pattern, its statements kept"

READ = "SELECT * FROM signals WHERE id = :signal"
CONFIG = "SELECT * FROM venue_routing_config WHERE agent_id = :agent"
GLOBAL = "SELECT * FROM venue_routing_config WHERE agent_id IS NULL"
MARKET = (
    "SELECT * FROM venue_markets WHERE venue = CAST(:venue AS venue_t)"
    " AND token_symbol = :token AND is_active"
)
HISTORY = """
INSERT INTO venue_routing_history (signal_id, agent_id, token_symbol, requested_venue,
    selected_venue, routing_reason, checked_venues, venue_availability, strategy,
    routing_duration_ms)
VALUES (:signal, :agent, :token, 'MULTI', CAST(:venue AS venue_t), :reason, :checked, :available,
    'FIRST_AVAILABLE', 1)
"""
SIGNAL = "UPDATE signals SET venue = CAST(:venue AS venue_t) WHERE id = :signal"


class Original:
    """The original's pattern of queries. `says`: what is made of each statement's text."""

    def __init__(
        self, database: Database, agent: UUID, token: str, says: Callable[[str], str] = str
    ) -> None:
        self._database = database
        self._says = says
        self._agent = agent
        self._token = token

    def read_and_route(self, signal: UUID) -> None:
        self._run(READ, signal=signal)
        self.route(signal)

    def route(self, signal: UUID) -> None:
        run, token = self._run, self._token
        config = run(CONFIG, agent=self._agent) or run(GLOBAL)
        available: dict[str, bool] = {}
        for venue in config[0]["venue_priority"]:
            available[venue] = bool(run(MARKET, venue=venue, token=token))
            if available[venue]:
                break
        run(
            HISTORY,
            signal=signal,
            agent=self._agent,
            token=token,
            venue=venue,
            reason=f"{venue}: Market available",
            checked=list(available),
            available=Json(available),
        )
        run(SIGNAL, signal=signal, venue=venue)

    def _run(self, text: str, **params: object) -> list[Row]:
        return self._database.run(self._says(text), **params)


def markets(store: Store, venues: list[VenueId], token: str, *, first: bool) -> None:
    """The token at every venue, open at the first or at the last alone."""
    for venue in venues:
        can = first or venue == venues[-1]
        market = Market(
            venue=venue,
            token_symbol=token,
            name=f"{token}/USD",
            index=0,
            is_active=can,
            min_notional_usd=Decimal(10),
            max_leverage=Decimal(40),
            price_usd=Decimal(100),
            last_synced=datetime.now(UTC),
        )
        other = market.model_copy(update={"token_symbol": "OTHER", "is_active": True})
        kept = [other]
        known = store.upsert_markets(venue, [market, *kept])
        if not known[0]["ok"]:
            raise RuntimeError(f"{venue}: the benchmark's own markets were refused")


def signals(database: Database, agent: UUID, token: str, count: int) -> Iterator[UUID]:
    """Undecided signals that are in the database already."""
    made = [str(uuid4()) for _ in range(count)]
    size = json.dumps({"type": "fixed-usdc", "value": "100", "leverage": "3"})
    database.run(
        "INSERT INTO signals (id, agent_id, token_symbol, venue, requested_venue, action, side,"
        " size_model, risk_model, created_at, expires_at, received_at)"
        " SELECT CAST(id AS uuid), :agent, :token, 'MULTI', 'MULTI', 'OPEN', 'LONG',"
        " CAST(:size AS jsonb), '{}', now(), now() + interval '1 hour', now()"
        " FROM unnest(CAST(:ids AS text[])) id",
        agent=agent,
        token=token,
        size=size,
        ids=made,
    )
    return (UUID(each) for each in made)


def agent_of(database: Database, priority: list[VenueId]) -> UUID:
    """An agent that is routed by a config of its own."""
    (row,) = database.run(
        "INSERT INTO agents (creator_wallet, name, venue, status, profit_receiver_address)"
        " VALUES ('0xc', 'an agent', 'MULTI', 'ACTIVE', '0xc') RETURNING id"
    )
    database.run(
        "INSERT INTO venue_routing_config (agent_id, venue_priority) VALUES (:agent, :priority)",
        agent=row["id"],
        priority=priority,
    )
    return UUID(str(row["id"]))


def deps_of(store: Store, venues: list[VenueId]) -> Deps:
    """The pipeline on paper, with the queues in memory."""

    def no_order() -> "object":
        raise RuntimeError("nobody follows the agent")

    return Deps(
        store=store,
        queues=MemoryQueues(),
        executor=no_order,  # type: ignore[arg-type] # never called
        supported=frozenset(venues),
        mode=Mode.PAPER,
        max_age=MAX_AGE,
    )


def routed(dsn: str, venues: list[VenueId], which: str, *, durable: bool = False) -> None:
    """Ours beside the original's pattern, near and far from the database."""
    token = f"T{len(venues)}{which[4]}".upper()
    near = Database(DatabaseSettings.from_url(dsn))
    markets(Store(near), venues, token, first=which == FIRST)
    agent = agent_of(near, venues)
    settings = DatabaseSettings.from_url(dsn)
    candidates = f"{len(venues)} candidates" if len(venues) > 1 else "1 candidate"
    for seconds in ROUND_TRIPS[: 1 if durable else None]:
        with delayed(settings.port, seconds) as port:
            far = Database(settings.model_copy(update={"port": port}))
            name = f"route, {candidates}, {which}, {seconds * 1000:g} ms round trip"
            compared(name + ", durable" * durable, far, _ways(near, far, agent, token, venues))
            far.close()
    near.close()


def compared(name: str, far: Database, ways: Mapping[str, Callable[[], object]]) -> None:
    """The line of each way of one comparison, ours the last."""
    taken = dict(zip(ways, in_turn(*ways.values(), times=TIMES), strict=True))
    processor = Processor(far)
    used = {way: processor.of_each(once, TIMES) for way, once in ways.items()}
    before = far.round_trips
    ways[OURS]()
    trips = far.round_trips - before
    against = {
        way: told(f"{name}: {way}", taken[way], "ms", **used[way]) for way in ways if way != OURS
    }
    ours = statistics.median(taken[OURS])
    told(
        name,
        taken[OURS],
        "ms",
        baseline=against[PATTERN],
        ratio_from_its_id=round(ours / against[FROM_ITS_ID], 2),
        ratio_kept=round(ours / against[KEPT], 2),
        round_trips=trips,
        **used[OURS],
    )


def _ways(
    near: Database, far: Database, agent: UUID, token: str, venues: list[VenueId]
) -> Mapping[str, Callable[[], object]]:
    count = 2 * TIMES + WARM_UP + 1
    theirs, read, kept, mine = (signals(near, agent, token, count) for _ in range(4))
    original = Original(far, agent, token)
    lean = Original(far, agent, token, says=Often)
    deps = deps_of(Store(far), venues)
    return {
        PATTERN: lambda: original.route(next(theirs)),
        FROM_ITS_ID: lambda: original.read_and_route(next(read)),
        KEPT: lambda: lean.route(next(kept)),
        OURS: lambda: take_signal(SignalRef(signal_id=next(mine)), deps),
    }


def decided(database: Database, venues: list[VenueId]) -> None:
    """The decision alone, of ten venues that all can trade."""
    markets(Store(database), venues, "PURE", first=True)
    signal = next(signals(database, agent_of(database, venues), "PURE", 1))
    file = Store(database).read_signal(signal)
    if file is None or file.action != SignalAction.OPEN:
        raise RuntimeError("the benchmark's own signal cannot be read")
    taken = timed(lambda: decide(file, frozenset(venues), MAX_AGE), times=1000)
    told("decide, 10 candidates, pure", [each * 1000 for each in taken], "us")


def main() -> None:
    """In a database with ten venues."""
    ten = [f"VENUE{number}" for number in range(10)]
    with server() as started, migrated(started.dsn()) as database:
        with_venues(database, ten)
        decided(database, ten)
        routed(started.dsn(), ten[:1], FIRST)
        routed(started.dsn(), ten[:2], LAST)
        routed(started.dsn(), ten, FIRST)
        routed(started.dsn(), ten, LAST)
    with server(durable=True) as started, migrated(started.dsn()) as database:
        with_venues(database, ten)
        routed(started.dsn(), ten[:1], FIRST, durable=True)
        routed(started.dsn(), ten[:2], LAST, durable=True)


def with_venues(database: Database, venues: Sequence[VenueId]) -> None:
    for venue in venues:
        database.run(f"ALTER TYPE venue_t ADD VALUE '{venue}'")


if __name__ == "__main__":
    main()
