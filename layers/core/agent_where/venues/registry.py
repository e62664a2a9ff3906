"""Which venues there are: one line each. An adapter is loaded when it is first asked for."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from agent_where.domain import VenueId
from agent_where.settings import MarketAccess, Trading
from agent_where.venues.base import MarketSource, Venue

if TYPE_CHECKING:
    from agent_where.venues.paper import FreeCollateral


def _hyperliquid(settings: MarketAccess) -> MarketSource:
    from agent_where.venues.hyperliquid.markets import HyperliquidMarkets  # noqa: PLC0415 lazy

    return HyperliquidMarkets(
        settings.hyperliquid_api_url, timeout_seconds=settings.venue_timeout_seconds
    )


def _ostium(settings: MarketAccess) -> MarketSource:
    from agent_where.venues.ostium.markets import OstiumMarkets  # noqa: PLC0415 lazy

    return OstiumMarkets(
        settings.ostium_subgraph_url,
        settings.ostium_price_url,
        timeout_seconds=settings.venue_timeout_seconds,
    )


def _utc_now() -> datetime:
    return datetime.now(UTC)


_SOURCES: Mapping[VenueId, Callable[[MarketAccess], MarketSource]] = MappingProxyType(
    {"HYPERLIQUID": _hyperliquid, "OSTIUM": _ostium}
)

SUPPORTED: frozenset[VenueId] = frozenset(_SOURCES)
"""The venues that have an adapter."""


def market_source(venue: VenueId, settings: MarketAccess) -> MarketSource:
    """Where the venue's markets are read."""
    return _SOURCES[venue](settings)


def paper_venue(venue: VenueId, settings: Trading, free_collateral: "FreeCollateral") -> Venue:
    """The venue on paper."""
    from agent_where.venues.paper import PaperVenue  # noqa: PLC0415 lazy

    return PaperVenue(
        venue,
        free_collateral,
        _utc_now,
        slippage_bps=settings.paper_slippage_bps,
        depth_usd=settings.paper_depth_usd,
    )
