"""Mistakes that those make who trade on a chain: what the judges of onchain_judges.py must find."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any


def _unmined_is_expired() -> None:
    """A transaction without a receipt is taken for one that never will have one."""
    from agent_where.domain import OrderStatus, Settled  # noqa: PLC0415
    from agent_where.venues.ostium.trading import OstiumVenue  # noqa: PLC0415

    settle = OstiumVenue.settle

    def wrong(self: OstiumVenue, *told: Any) -> Any:
        found = settle(self, *told)
        gone = Settled(status=OrderStatus.EXPIRED, detail="it has no receipt")
        return found if isinstance(found, Settled) else gone

    OstiumVenue.settle = wrong  # type: ignore[assignment,method-assign]


ONCHAIN_SABOTAGE: Mapping[str, Callable[[], None]] = MappingProxyType(
    {
        "unmined is expired": _unmined_is_expired,
    }
)
