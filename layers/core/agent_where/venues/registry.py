"""Which venues there are: one line each. An adapter is loaded when it is first asked for."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING

from agent_where.domain import VenueId
from agent_where.errors import BadSetting
from agent_where.settings import MarketAccess, TradedAccess, Trading, VenuePlaces
from agent_where.venues.approvals import ApprovalRequest, Approvals
from agent_where.venues.base import Holdings, MarketSource, Venue
from agent_where.venues.tally import Tally

if TYPE_CHECKING:
    from agent_where.venues.hyperliquid.trading import HyperliquidVenue
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


@cache
def tally() -> Tally:
    """What venues said that is counted; one a process."""
    return Tally()


@cache
def _hyperliquid_live(settings: TradedAccess) -> "HyperliquidVenue":
    """One a process, since it keeps to the venue's limits."""
    from agent_where.venues.hyperliquid.trading import HyperliquidVenue  # noqa: PLC0415 lazy

    return HyperliquidVenue(
        settings.network,
        settings.hyperliquid_api_url,
        timeout_seconds=settings.venue_timeout_seconds,
        clock=_utc_now,
        weight_per_minute=settings.hyperliquid_weight_per_minute,
        tally=tally(),
    )


_LIVE: Mapping[VenueId, Callable[[TradedAccess], Venue]] = MappingProxyType(
    {"HYPERLIQUID": _hyperliquid_live}
)

_HOLDINGS: Mapping[VenueId, Callable[[TradedAccess], Holdings]] = MappingProxyType(
    {"HYPERLIQUID": _hyperliquid_live}
)

LIVE: frozenset[VenueId] = frozenset(_LIVE)
"""The venues that can be traded at for real."""


def live_venue(venue: VenueId, settings: TradedAccess) -> Venue:
    """The venue itself. Raises BadSetting where it is traded on paper alone."""
    if venue not in _LIVE:
        raise BadSetting(f"{venue} is traded on paper alone: EXECUTION_MODE is live too early")
    return _LIVE[venue](settings)


def holdings(venue: VenueId, settings: TradedAccess) -> Holdings | None:
    """What accounts have at a venue that nets. None: it does not net, or is on paper alone."""
    return _HOLDINGS[venue](settings) if venue in _HOLDINGS else None


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


def _hyperliquid_request(
    settings: VenuePlaces, signer_address: str, agent_name: str, now: datetime
) -> ApprovalRequest:
    from agent_where.venues.hyperliquid.onboarding import approval_request  # noqa: PLC0415 lazy

    return approval_request(
        settings.network, settings.hyperliquid_api_url, signer_address, agent_name, now
    )


_REQUESTS: Mapping[VenueId, Callable[[VenuePlaces, str, str, datetime], ApprovalRequest]] = (
    MappingProxyType({"HYPERLIQUID": _hyperliquid_request})
)
_APPROVALS: Mapping[VenueId, Callable[[TradedAccess], Approvals]] = MappingProxyType(
    {"HYPERLIQUID": _hyperliquid_live}
)

SIGNED: frozenset[VenueId] = frozenset(_REQUESTS)
"""The venues where a key of ours signs, once the account's user let it."""


def approval_request(
    venue: VenueId, settings: VenuePlaces, signer_address: str, agent_name: str, now: datetime
) -> ApprovalRequest:
    """What a user signs so that a key may trade. `now`: database time."""
    return _REQUESTS[venue](settings, signer_address, agent_name, now)


def approvals(venue: VenueId, settings: TradedAccess) -> Approvals:
    """Who asks the venue whether a key may trade."""
    return _APPROVALS[venue](settings)
