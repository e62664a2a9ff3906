"""The markets of both venues, from recorded payloads and from the simulators, at fixed times."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from agent_where.domain import Market, VenueId
from agent_where.venues.base import MarketSource
from agent_where.venues.hyperliquid import markets as hyperliquid
from agent_where.venues.ostium import markets as ostium
from local.simulators.hyperliquid import HyperliquidSimulator
from local.simulators.ostium import OstiumSimulator
from local.simulators.server import Request, Server, Simulator
from tests.patience import PATIENCE_SECONDS
from tests.venues.recorded import HYPERLIQUID_MAIN, OSTIUM, Payload, recorded

RECORDED_AT = datetime(2026, 1, 16, 7, 14, 58, tzinfo=UTC)
"""The newest price of the recorded answer: New York's shares sleep, the rest is awake."""
TRADING_HOURS = datetime(2026, 1, 14, 15, 0, tzinfo=UTC)
"""A Wednesday, ten in the morning in New York: only Hong Kong sleeps."""


Simulated = Callable[..., AbstractContextManager[tuple[MarketSource, Server]]]
"""Of an instant, and of `timeout_seconds` where the venue is to hang."""


@dataclass(frozen=True)
class Parsed:
    """A source that reads a payload instead of a venue."""

    id: VenueId
    read: Callable[[], Sequence[Market]]

    def markets(self) -> Sequence[Market]:
        return self.read()


def recorded_hyperliquid() -> MarketSource:
    answer = recorded(HYPERLIQUID_MAIN)
    return Parsed(hyperliquid.VENUE, lambda: hyperliquid.parse(answer))


def recorded_ostium() -> MarketSource:
    answer = recorded(OSTIUM)
    graph = {"data": {"pairs": answer["pairs"]}}
    return Parsed(ostium.VENUE, lambda: ostium.parse(graph, answer["prices"], RECORDED_AT))


@contextmanager
def simulated_hyperliquid(
    now: datetime, *, timeout_seconds: float = PATIENCE_SECONDS
) -> Iterator[tuple[MarketSource, Server]]:
    with Server(HyperliquidSimulator(lambda: now)) as server:
        yield hyperliquid.HyperliquidMarkets(server.url, timeout_seconds=timeout_seconds), server


@contextmanager
def simulated_ostium(
    now: datetime, *, timeout_seconds: float = PATIENCE_SECONDS
) -> Iterator[tuple[MarketSource, Server]]:
    with Server(OstiumSimulator(lambda: now)) as server:
        url = f"{server.url}/subgraph"
        source = ostium.OstiumMarkets(
            url, server.url, timeout_seconds=timeout_seconds, clock=lambda: now
        )
        yield source, server


def ask(simulator: Simulator, method: str, path: str, body: object = None, **query: str) -> Payload:
    """What a simulator answers, without HTTP between."""
    sent = b"" if body is None else json.dumps(body).encode()
    return json.loads(simulator.answer(Request(method, path, query, sent)).body)
