"""When simulated markets sleep, and how their prices move."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from local.simulators import hours
from local.simulators.ostium import OstiumSimulator
from local.simulators.prices import REACH, wander
from tests.venues.recorded import Payload
from tests.venues.sources import ask

NEW_YORK = ZoneInfo("America/New_York")


@pytest.mark.parametrize(
    ("session", "at", "open_"),
    [
        (hours.US_SHARES, datetime(2026, 1, 14, 9, 29, 59, tzinfo=NEW_YORK), False),
        (hours.US_SHARES, datetime(2026, 1, 14, 9, 30, tzinfo=NEW_YORK), True),
        (hours.US_SHARES, datetime(2026, 1, 14, 15, 59, 59, tzinfo=NEW_YORK), True),
        (hours.US_SHARES, datetime(2026, 1, 14, 16, 0, tzinfo=NEW_YORK), False),
        (hours.US_SHARES, datetime(2026, 7, 15, 13, 30, tzinfo=UTC), True),
        (hours.US_SHARES, datetime(2026, 1, 17, 12, 0, tzinfo=NEW_YORK), False),
        (hours.FOREX, datetime(2026, 1, 16, 16, 59, tzinfo=NEW_YORK), True),
        (hours.FOREX, datetime(2026, 1, 16, 17, 0, tzinfo=NEW_YORK), False),
        (hours.FOREX, datetime(2026, 1, 18, 16, 59, tzinfo=NEW_YORK), False),
        (hours.FOREX, datetime(2026, 1, 18, 17, 0, tzinfo=NEW_YORK), True),
        (hours.FOREX, datetime(2026, 1, 14, 17, 0, tzinfo=NEW_YORK), True),
        (hours.FUTURES, datetime(2026, 1, 14, 17, 30, tzinfo=NEW_YORK), False),
        (hours.CRUDE, datetime(2026, 1, 14, 18, 9, tzinfo=NEW_YORK), False),
        (hours.CRUDE, datetime(2026, 1, 14, 18, 10, tzinfo=NEW_YORK), True),
        (hours.ALWAYS, datetime(2026, 1, 18, 3, 0, tzinfo=UTC), True),
    ],
)
def test_markets_keep_their_exchanges_hours(
    session: hours.Session, at: datetime, open_: bool
) -> None:
    assert session.is_open(at) is open_


def nvidia_at(now: datetime) -> Payload:
    simulator = OstiumSimulator(lambda: now)
    return ask(simulator, "GET", "/PricePublish/latest-price", asset="NVDAUSD")


def test_a_closed_share_keeps_fridays_price_and_time_over_the_weekend() -> None:
    friday = datetime(2026, 1, 16, 15, 59, 59, tzinfo=NEW_YORK)
    rows = [
        nvidia_at(friday + timedelta(hours=1)),
        nvidia_at(friday + timedelta(days=2)),
    ]

    assert rows[0] == rows[1]
    assert rows[0]["timestampSeconds"] == friday.timestamp()
    assert not rows[0]["isMarketOpen"]


def test_prices_wander_within_reach_and_the_same_clock_tells_the_same() -> None:
    start = datetime(2026, 1, 14, tzinfo=UTC)
    times = [start + timedelta(seconds=13 * step) for step in range(500)]

    walk = [wander("BTC", 1, at) for at in times]

    assert walk == [wander("BTC", 1, at) for at in times]
    assert all(abs(factor - 1) <= REACH for factor in walk)
    assert len(set(walk)) > 490
    assert walk != [wander("BTC", 2, at) for at in times]
