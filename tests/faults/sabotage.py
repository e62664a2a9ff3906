"""The product made wrong on purpose, in the functions' processes alone: what the judges must find.

Each is a mistake that systems of this kind are known for.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any


def _silence_is_a_refusal() -> None:
    """An order without an answer is taken for refused, and tried at the next venue."""
    from agent_where.errors import OutcomeUnknown, VenueRejected  # noqa: PLC0415
    from agent_where.venues.hyperliquid.trading import HyperliquidVenue  # noqa: PLC0415

    send = HyperliquidVenue.send

    def wrong(self: HyperliquidVenue, *told: Any) -> Any:
        try:
            return send(self, *told)
        except OutcomeUnknown as error:
            raise VenueRejected(self.id, error.detail) from error

    HyperliquidVenue.send = wrong  # type: ignore[assignment,method-assign]


def _unknown_is_expired() -> None:
    """What the venue does not know at once is taken for proven never to execute."""
    from agent_where.venues.hyperliquid.trading import HyperliquidVenue  # noqa: PLC0415

    _expire_what_is_open(HyperliquidVenue, "it is not there")


def _unmined_is_expired() -> None:
    """A transaction without a receipt is taken for one that never will have one."""
    from agent_where.venues.ostium.trading import OstiumVenue  # noqa: PLC0415

    _expire_what_is_open(OstiumVenue, "it has no receipt")


def _expire_what_is_open(adapter: Any, detail: str) -> None:
    """Whatever has not ended when the adapter looks has ended as EXPIRED."""
    from agent_where.domain import OrderStatus, Settled  # noqa: PLC0415

    settle = adapter.settle

    def wrong(self: Any, *told: Any) -> Any:
        found = settle(self, *told)
        ended = Settled(status=OrderStatus.EXPIRED, detail=detail)
        return found if isinstance(found, Settled) else ended

    adapter.settle = wrong


def _sent_before_stored() -> None:
    """The order is sent first and stored afterwards."""
    from agent_where.store.store import Store  # noqa: PLC0415
    from agent_where.venues.hyperliquid.trading import HyperliquidVenue  # noqa: PLC0415

    mark_sent = Store.mark_sent

    def wrong(self: Store, order: Any, action: Any, *told: Any) -> bool:
        VENUES[order.venue].send(order, action)
        return mark_sent(self, order, action, *told)

    begin = HyperliquidVenue.next_action

    def remembering(self: HyperliquidVenue, *told: Any) -> Any:
        VENUES[self.id] = self
        return begin(self, *told)

    Store.mark_sent = wrong  # type: ignore[assignment,method-assign]
    HyperliquidVenue.next_action = remembering  # type: ignore[assignment,method-assign]


VENUES: dict[str, Any] = {}
SABOTAGE: Mapping[str, Callable[[], None]] = MappingProxyType(
    {
        "silence is a refusal": _silence_is_a_refusal,
        "unknown is expired": _unknown_is_expired,
        "unmined is expired": _unmined_is_expired,
        "sent before stored": _sent_before_stored,
    }
)


def commit(name: str) -> None:
    """Do it; an empty name is none."""
    if name:
        SABOTAGE[name]()
