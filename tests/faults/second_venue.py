"""A second venue with books of its own, for failovers between two venues that trade for real.

It is another simulated Hyperliquid under the other venue's name, and stands in for that venue until
its own adapter and simulator are part of this harness. Only a function's process of the harness
knows it.
"""

from functools import cache
from types import MappingProxyType
from typing import Any

NAME = "OSTIUM"


def enlist(url: str) -> None:
    """Put it in the registry of this process, in the place of the venue whose name it has."""
    from agent_where.venues import registry  # noqa: PLC0415 after the world's clocks are set
    from agent_where.venues.hyperliquid.markets import HyperliquidMarkets  # noqa: PLC0415
    from agent_where.venues.hyperliquid.trading import HyperliquidVenue  # noqa: PLC0415

    class Second(HyperliquidVenue):
        id = NAME

    class SecondMarkets(HyperliquidMarkets):
        id = NAME

        def markets(self) -> Any:
            found = super().markets()
            return tuple(each.model_copy(update={"venue": NAME}) for each in found)

    @cache
    def venue(settings: Any) -> HyperliquidVenue:
        return Second(
            settings.network,
            url,
            timeout_seconds=settings.venue_timeout_seconds,
            clock=registry._utc_now,
            weight_per_minute=settings.hyperliquid_weight_per_minute,
        )

    def source(settings: Any) -> SecondMarkets:
        return SecondMarkets(url, timeout_seconds=settings.venue_timeout_seconds)

    registry._LIVE = MappingProxyType({**registry._LIVE, NAME: venue})
    registry._HOLDINGS = MappingProxyType({**registry._HOLDINGS, NAME: venue})
    registry._APPROVALS = MappingProxyType({**registry._APPROVALS, NAME: venue})
    registry._EXITS = MappingProxyType({})
    registry._PURSES = MappingProxyType({})
    registry._SOURCES = MappingProxyType({**registry._SOURCES, NAME: source})
