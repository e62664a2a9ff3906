"""A price's age is judged by the database's clock: a worker's own may be wrong either way."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from agent_where.errors import VenueUnavailable
from agent_where.execution.executor import Executor
from agent_where.venues.hyperliquid.markets import VENUE
from agent_where.venues.hyperliquid.trading import HyperliquidVenue
from tests.live_world import LIVE, LiveWorld, live_world
from tests.world import MAX_AGE

MINUTE = timedelta(minutes=1)


@pytest.fixture
def live(database_dsn: str) -> Iterator[LiveWorld]:
    with live_world(database_dsn) as made:
        yield made


def set_clock(live: LiveWorld, ahead: timedelta) -> None:
    """The worker's own clock."""
    terms: dict[str, Any] = {**live.terms, "clock": lambda: live.clock() + ahead}
    live.venues[VENUE] = HyperliquidVenue("mainnet", live.url, **terms)


@pytest.mark.parametrize("ahead", [MINUTE, -MINUTE])
def test_a_worker_whose_clock_is_wrong_trades(live: LiveWorld, ahead: timedelta) -> None:
    agent = live.live()
    set_clock(live, ahead)

    live.open(agent)
    live.come_to_rest()

    assert [order["status"] for order in live.orders()] == ["FILLED"]


@pytest.mark.parametrize("ahead", [MINUTE, -MINUTE])
def test_an_old_price_is_refused_whatever_the_worker_s_clock_says(
    live: LiveWorld, ahead: timedelta
) -> None:
    agent = live.live()
    set_clock(live, ahead)
    live.tell("clock", advance=-15)

    live.open(agent)
    with pytest.raises(VenueUnavailable, match=r"the book of BTC is 1[5-9] s old"):
        live.work()

    assert live.books()["orders"] == []


def test_a_worker_that_stood_still_counts_the_time_that_it_stood(live: LiveWorld) -> None:
    def slow() -> Executor:
        return Executor(
            live.store,
            live.venue,
            supported=LIVE,
            max_age=MAX_AGE,
            signer_of=live.signers.signer,
            clock=iter((0.0, 0.0, 15.0)).__next__,
        )

    agent = live.live()
    live.deps = replace(live.deps, executor=slow)

    live.open(agent)
    with pytest.raises(VenueUnavailable, match=r"the book of BTC is 1[45] s old"):
        live.work()
