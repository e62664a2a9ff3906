"""From what was read of a signal to what is to be written. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from agent_where.domain import MULTI, ControlState, Mode, Refusal, VenueId
from agent_where.ids import close_leg, order_id, position_id
from agent_where.routing.candidates import RoutingConfig
from agent_where.routing.checks import Refused
from agent_where.routing.decision import Decision
from agent_where.routing.router import route
from agent_where.routing.strategies import STRATEGIES
from agent_where.store.plans import PlannedClose, PlannedEntry, Told
from agent_where.store.records import Exposure, Follower, OrderTicket, SignalFile

ENTRY_LEG = "ENTRY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entries:
    """An OPEN's orders, and for whom the decision was another than the signal's own."""

    orders: tuple[PlannedEntry, ...] = ()
    elsewhere: tuple[tuple[Follower, VenueId | None], ...] = ()
    skipped_reason: str | None = None

    @property
    def tickets(self) -> list[OrderTicket]:
        return _tickets(self.orders)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closes:
    """A CLOSE's orders."""

    orders: tuple[PlannedClose, ...] = ()
    skipped_reason: str | None = None

    @property
    def tickets(self) -> list[OrderTicket]:
        return _tickets([order for order in self.orders if order.after_order_id is None])


def decide(file: SignalFile, supported: frozenset[VenueId], max_age: timedelta) -> Decision:
    """What the router makes of the signal. A row that cannot be traded is refused aloud."""
    config = file.config
    if file.requested_venue != MULTI:
        config = config.model_copy(
            update={
                "venue_priority": (file.requested_venue,),
                "routing_strategy": RoutingConfig().routing_strategy,
                "failover_enabled": False,
            }
        )
    refused = _refused_as_a_whole(file, config)
    if file.signal is None:
        return Decision(
            signal_id=file.id,
            token_symbol=file.token_symbol,
            requested_venue=file.requested_venue,
            config=config,
            verdicts=(),
            refused=refused,
        )
    candidates = [file.book.candidate(venue, supported) for venue in config.venue_priority]
    return route(file.signal, config, candidates, file.now, max_age=max_age, refused=refused)


def _refused_as_a_whole(file: SignalFile, config: RoutingConfig) -> Refused | None:
    """What stands against the signal, whatever the venue."""
    if file.signal is None:
        return Refused(code=Refusal.BAD_SIGNAL, detail=file.fault or "it cannot be read")
    if file.control is not ControlState.ACTIVE:
        return Refused(code=Refusal(file.control.value), detail=f"trading is {file.control}")
    if file.agent_status != "ACTIVE":
        return Refused(code=Refusal.AGENT_NOT_ACTIVE, detail=f"the agent is {file.agent_status}")
    if config.routing_strategy not in STRATEGIES:
        return Refused(
            code=Refusal.UNKNOWN_STRATEGY,
            detail=f"the routing config asks for {config.routing_strategy}",
        )
    if file.superseded:
        return Refused(
            code=Refusal.SUPERSEDED,
            detail="a CLOSE of the token, or a restore, came after the signal",
        )
    return None


def plan_entries(file: SignalFile, decision: Decision, mode: Mode) -> Entries:
    """One order for each follower, at the best ranked venue that the follower takes."""
    signal = file.signal
    if decision.selected is None or signal is None or signal.side is None or signal.size is None:
        return Entries()
    if not file.followers:
        return Entries(skipped_reason=f"No active deployment follows agent {file.agent_id}")
    orders, elsewhere = [], []
    for follower in file.followers:
        verdict = next((each for each in decision.ranking if follower.takes(each.venue)), None)
        if verdict is None or verdict.venue != decision.selected.venue:
            elsewhere.append((follower, verdict.venue if verdict else None))
        if verdict is None or verdict.candidate.market is None:
            continue
        orders.append(
            PlannedEntry(
                id=order_id(signal.id, follower.id, ENTRY_LEG, 1),
                deployment_id=follower.id,
                position_id=position_id(signal.id, follower.id),
                leg=ENTRY_LEG,
                venue=verdict.venue,
                account=follower.account,
                mode=mode,
                market_name=verdict.candidate.market.name,
                side=signal.side,
                leverage=signal.size.leverage,
            )
        )
    skipped = None if orders else "No active deployment takes any of the venues that could trade it"
    return Entries(orders=tuple(orders), elsewhere=tuple(elsewhere), skipped_reason=skipped)


def plan_closes(file: SignalFile) -> Closes:
    """One closing order for each position and each entry on its way."""
    if not file.exposures:
        return Closes(skipped_reason=f"Nothing to close: no position in {file.token_symbol}")
    return Closes(orders=tuple(_close(file, exposure) for exposure in file.exposures))


def tell(decision: Decision, entries: Entries, took_us: int) -> list[Told]:
    """The history rows: the signal's own, and one for each follower who goes elsewhere."""
    own = Told(
        selected_venue=decision.selected.venue if decision.selected else None,
        routing_reason=decision.reason,
        checked_venues=decision.checked_venues,
        venue_availability=decision.availability,
        routing_duration_us=took_us,
        strategy=decision.config.routing_strategy,
        config_id=decision.config.id,
        failover_enabled=decision.config.failover_enabled,
        skipped_reason=decision.skipped_reason,
        candidates=decision.candidates(),
    )
    return [own, *(_told_elsewhere(own, follower, venue) for follower, venue in entries.elsewhere)]


def _told_elsewhere(own: Told, follower: Follower, venue: VenueId | None) -> Told:
    takes = ", ".join(follower.venues or ())
    where = f"goes to {venue}" if venue else "no venue is left"
    reason = f"The deployment takes {takes}, not {own.selected_venue}: {where}"
    return replace(
        own,
        deployment_id=follower.id,
        selected_venue=venue,
        routing_reason=reason,
        skipped_reason=None if venue else reason,
    )


def _close(file: SignalFile, exposure: Exposure) -> PlannedClose:
    leg = close_leg(exposure.position_id)
    return PlannedClose(
        id=order_id(file.id, exposure.deployment_id, leg, 1),
        deployment_id=exposure.deployment_id,
        position_id=exposure.position_id,
        leg=leg,
        venue=exposure.venue,
        account=exposure.account,
        mode=exposure.mode,
        market_name=exposure.market_name,
        side=exposure.side.opposite,
        leverage=exposure.leverage,
        after_order_id=exposure.after_order_id,
    )


def _tickets(orders: Sequence[PlannedEntry]) -> list[OrderTicket]:
    return [OrderTicket(id=each.id, account=each.account, venue=each.venue) for each in orders]
