"""The product made wrong on purpose, in the functions' processes alone: what the judges must find.

Each is a mistake that systems of this kind are known for.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
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


def _sent_anew() -> None:
    """What has no answer is signed and sent once more, under a fresh nonce and its own name."""
    from agent_where.errors import OutcomeUnknown  # noqa: PLC0415
    from agent_where.execution.sending import Sending  # noqa: PLC0415

    order_action, send = Sending.order_action, Sending._send
    prepared: dict[Any, Any] = {}

    def remembering(self: Sending, venue: Any, file: Any, ready: Any, token: Any) -> Any:
        prepared[file.order.id] = file, ready
        return order_action(self, venue, file, ready, token)

    def wrong(self: Sending, venue: Any, order: Any, action: Any, token: Any) -> Any:
        try:
            return send(self, venue, order, action, token)
        except OutcomeUnknown:
            file, ready = prepared[order.id]
            again = order_action(self, venue, file, ready, token)
            return send(self, venue, order, again, token)

    Sending.order_action = remembering  # type: ignore[method-assign]
    Sending._send = wrong  # type: ignore[method-assign]


def _no_stops() -> None:
    """The stop-loss of an entry is promised and never planned."""
    from agent_where.domain import Purpose  # noqa: PLC0415
    from agent_where.execution import plans  # noqa: PLC0415

    after_fills = plans.after_fills

    def wrong(*told: Any, **named: Any) -> Any:
        ending = after_fills(*told, **named)
        kept = tuple(each for each in ending.exits if each.purpose is not Purpose.STOP_LOSS)
        return ending.model_copy(update={"exits": kept})

    plans.after_fills = wrong


def _closed_once() -> None:
    """A close that came to nothing is not tried again."""
    from agent_where.execution import plans  # noqa: PLC0415

    plans.after_refused_exit = lambda file, code: None


def _keeps_leases() -> None:
    """No worker gives a lease back."""
    from agent_where.store import store  # noqa: PLC0415
    from agent_where.store.statements import statement  # noqa: PLC0415

    def wrong(name: Any, **params: Any) -> Any:
        kept = {"account": "nobody's"} if name == "release_lease" else {}
        return statement(name, **{**params, **kept})

    vars(store)["statement"] = wrong
    store.Store.release_lease = lambda *told: None  # type: ignore[method-assign]


def _refuses_all() -> None:
    """Nothing is ever opened."""
    from agent_where.domain import Purpose, Refusal  # noqa: PLC0415
    from agent_where.execution import executor  # noqa: PLC0415
    from agent_where.execution.gate import refusal_now  # noqa: PLC0415
    from agent_where.routing.checks import Refused  # noqa: PLC0415

    def wrong(file: Any, *told: Any) -> Any:
        if file.order.purpose is Purpose.ENTRY:
            return Refused(code=Refusal.NO_PRICE, detail="there never is a price")
        return refusal_now(file, *told)

    vars(executor)["refusal_now"] = wrong


def _own_clock() -> None:
    """A price's age is judged by the worker's clock, whatever that says."""
    from agent_where.venues import registry  # noqa: PLC0415
    from agent_where.venues.hyperliquid.trading import HyperliquidVenue  # noqa: PLC0415

    quote = HyperliquidVenue.quote

    def wrong(self: HyperliquidVenue, market: Any, _: Any) -> Any:
        return quote(self, market, registry._utc_now())

    HyperliquidVenue.quote = wrong  # type: ignore[assignment,method-assign]


def _forgets_what_fails() -> None:
    """A message that could not be carried out is taken for done."""
    from agent_where import consuming  # noqa: PLC0415
    from agent_where.errors import DatabaseUnavailable  # noqa: PLC0415

    run = consuming._run

    def wrong(*told: Any) -> Any:
        with suppress(DatabaseUnavailable):
            return run(*told)

    vars(consuming)["_run"] = wrong


def _gives_up_on_what_fails() -> None:
    """A message that could not be carried out is refused for good."""
    from agent_where import consuming  # noqa: PLC0415
    from agent_where.errors import BadInput, DatabaseUnavailable  # noqa: PLC0415

    run = consuming._run

    def wrong(*told: Any) -> Any:
        try:
            return run(*told)
        except DatabaseUnavailable as error:
            raise BadInput(str(error)) from error

    vars(consuming)["_run"] = wrong


def _unnamed() -> None:
    """An order does not carry the name that it is stored under."""
    from agent_where.venues.hyperliquid import wire  # noqa: PLC0415

    order = wire._order

    def wrong(terms: Any) -> Any:
        return {key: value for key, value in order(terms).items() if key != "c"}

    wire._order = wrong


VENUES: dict[str, Any] = {}
SABOTAGE: Mapping[str, Callable[[], None]] = MappingProxyType(
    {
        "silence is a refusal": _silence_is_a_refusal,
        "unknown is expired": _unknown_is_expired,
        "unmined is expired": _unmined_is_expired,
        "sent anew": _sent_anew,
        "no stops": _no_stops,
        "closed once": _closed_once,
        "keeps leases": _keeps_leases,
        "refuses all": _refuses_all,
        "own clock": _own_clock,
        "sent before stored": _sent_before_stored,
        "forgets what fails": _forgets_what_fails,
        "gives up on what fails": _gives_up_on_what_fails,
        "unnamed": _unnamed,
    }
)


def commit(name: str) -> None:
    """Do it; an empty name is none."""
    if name:
        SABOTAGE[name]()
