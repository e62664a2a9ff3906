"""Which venues there are: one line each. An adapter is loaded when it is first asked for."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from agent_where.domain import VenueId
from agent_where.errors import BadSetting
from agent_where.settings import Execution, Trading
from agent_where.venue_settings import ApprovalPlaces, MarketAccess, TradedAccess
from agent_where.venues.approvals import ApprovalRequest, Approvals, Purse
from agent_where.venues.base import Exits, Holdings, MarketSource, Venue
from agent_where.venues.tally import Tally

if TYPE_CHECKING:
    from agent_where.venues.hyperliquid.trading import HyperliquidVenue
    from agent_where.venues.ostium.trading import OstiumVenue
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


_WEI_PER_GWEI = 10**9


class Asking(NamedTuple):
    """Who is asked for an approval, and of which key."""

    account: str
    signer_address: str


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


@cache
def _ostium_live(settings: TradedAccess) -> "OstiumVenue":
    """One a process, since it remembers where the contracts are."""
    from agent_where.venues.ostium.markets import ORDER_FEE_USD  # noqa: PLC0415 lazy
    from agent_where.venues.ostium.trading import OstiumVenue, Site  # noqa: PLC0415

    missing = settings.missing_of({"OSTIUM"})
    if missing or settings.ostium_rpc_url is None:
        raise BadSetting(f"{missing} is needed to trade at OSTIUM")
    site = Site(
        rpc_url=settings.ostium_rpc_url.get_secret_value(),
        price_url=settings.ostium_price_url,
        chain_id=settings.ostium_chain_id,
        registry=settings.ostium_registry_address,
        depth=settings.ostium_confirmations,
        log_blocks=settings.ostium_log_blocks,
        max_fee_wei=int(settings.ostium_max_fee_gwei * _WEI_PER_GWEI),
        least_allowance_usd=ORDER_FEE_USD,
    )
    return OstiumVenue(site, timeout_seconds=settings.venue_timeout_seconds, clock=_utc_now)


_LIVE: Mapping[VenueId, Callable[[TradedAccess], Venue]] = MappingProxyType(
    {"HYPERLIQUID": _hyperliquid_live, "OSTIUM": _ostium_live}
)

_HOLDINGS: Mapping[VenueId, Callable[[TradedAccess], Holdings]] = MappingProxyType(
    {"HYPERLIQUID": _hyperliquid_live}
)
_EXITS: Mapping[VenueId, Callable[[TradedAccess], Exits]] = MappingProxyType(
    {"OSTIUM": _ostium_live}
)

LIVE: frozenset[VenueId] = frozenset(_LIVE)
"""The venues that can be traded at for real."""


def live_at(settings: Execution) -> frozenset[VenueId]:
    """Where live orders may open something. Raises BadSetting for a venue on paper alone."""
    if on_paper := sorted(settings.live_at - LIVE):
        raise BadSetting(f"LIVE_VENUES names {on_paper[0]}, which is traded on paper alone")
    return settings.live_at


def live_venue(venue: VenueId, settings: TradedAccess) -> Venue:
    """The venue itself. Raises BadSetting where it is traded on paper alone."""
    if venue not in _LIVE:
        raise BadSetting(f"{venue} is traded on paper alone: EXECUTION_MODE is live too early")
    return _LIVE[venue](settings)


def holdings(venue: VenueId, settings: TradedAccess) -> Holdings | None:
    """What accounts have at a venue that nets. None: it does not net, or is on paper alone."""
    return _HOLDINGS[venue](settings) if venue in _HOLDINGS else None


def exits(venue: VenueId, settings: TradedAccess) -> Exits | None:
    """What others did with single positions. None: they are not single, or it cannot be reached."""
    if venue not in _EXITS or settings.missing_of({venue}):
        return None
    return _EXITS[venue](settings)


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
    settings: ApprovalPlaces, of: Asking, agent_name: str, now: datetime
) -> ApprovalRequest:
    from agent_where.venues.hyperliquid.onboarding import approval_request  # noqa: PLC0415 lazy

    return approval_request(
        settings.network, settings.hyperliquid_api_url, of.signer_address, agent_name, now
    )


def _ostium_request(
    settings: ApprovalPlaces, of: Asking, _agent_name: str, now: datetime
) -> ApprovalRequest:
    from agent_where.venues.ostium.onboarding import (  # noqa: PLC0415 lazy
        Delegating,
        approval_request,
    )

    places = Delegating(
        chain_id=settings.ostium_chain_id,
        trading=settings.ostium_trading_address.lower(),
        storage=settings.ostium_storage_address.lower(),
        usdc=settings.ostium_usdc_address.lower(),
    )
    return approval_request(places, of.account, of.signer_address, now)


_REQUESTS: Mapping[VenueId, Callable[[ApprovalPlaces, Asking, str, datetime], ApprovalRequest]] = (
    MappingProxyType({"HYPERLIQUID": _hyperliquid_request, "OSTIUM": _ostium_request})
)
_APPROVALS: Mapping[VenueId, Callable[[TradedAccess], Approvals]] = MappingProxyType(
    {"HYPERLIQUID": _hyperliquid_live, "OSTIUM": _ostium_live}
)
_PURSES: Mapping[VenueId, Callable[[TradedAccess], Purse]] = MappingProxyType(
    {"OSTIUM": _ostium_live}
)

SIGNED: frozenset[VenueId] = frozenset(_REQUESTS)
"""The venues where a key of ours signs, once the account's user let it."""
ENDS_FOR_GOOD: frozenset[VenueId] = frozenset({"HYPERLIQUID"})
"""Where a key whose approval has ended can never be approved again."""


def approval_request(
    venue: VenueId, settings: ApprovalPlaces, of: Asking, agent_name: str, now: datetime
) -> ApprovalRequest:
    """What a user signs so that a key may trade. `now`: database time."""
    return _REQUESTS[venue](settings, of, agent_name, now)


def approvals(venue: VenueId, settings: TradedAccess) -> Approvals:
    """Who asks the venue whether a key may trade."""
    return _APPROVALS[venue](settings)


def purse(venue: VenueId, settings: TradedAccess) -> Purse | None:
    """Who tells what a key has for gas. None: its venue takes none."""
    return _PURSES[venue](settings) if venue in _PURSES else None
