"""What storing one sync of 500 markets costs: unchanged, and with every price changed.

From the venue's markets, read already, to their counts: the venue's own answer is not timed.
"""

import sys
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "core")]

from agent_where.domain import Market  # noqa: E402 the path is set above
from agent_where.store.store import Store  # noqa: E402
from benchmarks._measure import Processor, migrated, server, timed, told  # noqa: E402

MARKETS = 500
TIMES = 40
VENUE = "HYPERLIQUID"


def markets(price: int) -> list[Market]:
    """Markets as an adapter reads them, all at one price in USD."""
    return [
        Market(
            venue=VENUE,
            token_symbol=f"T{number}",
            name=f"T{number}/USD",
            index=number,
            is_active=True,
            min_notional_usd=Decimal(10),
            max_leverage=Decimal(40),
            price_usd=Decimal(price),
            taker_fee_bps=Decimal("4.5"),
            last_synced=datetime.now(UTC),
            size_step=Decimal("0.001"),
        )
        for number in range(MARKETS)
    ]


def main() -> None:
    """One line for each."""
    with server() as started, migrated(started.dsn()) as database:
        store = Store(database)
        same, prices = markets(100), count(101)
        store.upsert_markets(VENUE, same)
        changed = iter([markets(next(prices)) for _ in range(2 * TIMES + 2)])
        for name, once in (
            ("unchanged", lambda: store.upsert_markets(VENUE, same)),
            ("all changed", lambda: store.upsert_markets(VENUE, next(changed))),
        ):
            before = database.round_trips
            taken = timed(once, TIMES, warm_up=2)
            trips = (database.round_trips - before) / (TIMES + 2)
            cpu = Processor(database).of_each(once, TIMES)
            told(f"sync of {MARKETS} markets, {name}", taken, "ms", round_trips=trips, **cpu)


if __name__ == "__main__":
    main()
