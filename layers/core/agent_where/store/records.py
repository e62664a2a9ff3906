"""What the store reads, as models: a signal or an order with everything a worker needs at once."""

import base64
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from agent_where.domain import (
    ControlState,
    Market,
    Mode,
    Model,
    Order,
    Purpose,
    Side,
    Signal,
    VenueId,
)
from agent_where.errors import BadInput
from agent_where.ids import attempts, order_named
from agent_where.messages import signal_from_row
from agent_where.routing.candidates import Candidate, RoutingConfig
from agent_where.store.market_rows import market_from_row
from agent_where.venues.base import Action, ActionKind


class OrderTicket(Model):
    """What the order queue needs to know of an order. `again`: it was on the queue before."""

    id: UUID
    account: str
    venue: VenueId
    again: bool = False


class OpenOrder(Model):
    """An order that was sent and has not ended. `resting`: it waits at the venue for its price."""

    id: UUID
    resting: bool


class SignalTicket(Model):
    """What the signal queue needs to know of a signal. `again`: how often it was sent before."""

    id: UUID
    agent_id: UUID
    again: int = 0


class Follower(Model):
    """An active deployment of a signal's agent. `venues` None: it takes every venue."""

    id: UUID
    account: str
    venues: tuple[VenueId, ...] | None

    def takes(self, venue: VenueId) -> bool:
        return self.venues is None or venue in self.venues


class Exposure(Model):
    """An open position, or an entry on its way, that a CLOSE takes."""

    position_id: UUID
    deployment_id: UUID
    venue: VenueId
    account: str
    mode: Mode
    market_name: str
    side: Side
    leverage: Decimal
    after_order_id: UUID | None


class MarketBook(Model):
    """All markets of one token, and what may trade at which venue."""

    markets: tuple[Market, ...]
    venue_controls: Mapping[VenueId, ControlState]

    def at(self, venue: VenueId) -> Market | None:
        return next((market for market in self.markets if market.venue == venue), None)

    def candidate(self, venue: VenueId, supported: frozenset[VenueId]) -> Candidate:
        """The venue as a candidate, listed there or not."""
        return Candidate(
            venue=venue,
            market=self.at(venue),
            supported=venue in supported,
            control=self.venue_controls.get(venue, ControlState.ACTIVE),
        )


class SignalFile(Model):
    """One signal with everything its decision needs. `fault`: why the row cannot be traded."""

    id: UUID
    agent_id: UUID
    token_symbol: str
    requested_venue: VenueId
    action: str
    body_hash: str | None
    is_decided: bool
    signal: Signal | None
    fault: str | None
    now: datetime
    agent_status: str
    control: ControlState
    superseded: bool
    config: RoutingConfig
    book: MarketBook
    followers: tuple[Follower, ...]
    due_orders: tuple[OrderTicket, ...]
    exposures: tuple[Exposure, ...]


class StoredDecision(Model):
    """What the signal's first decision left for later attempts."""

    candidates: tuple[Mapping[str, Any], ...]
    failover_enabled: bool
    strategy: str
    config_id: UUID | None


class Access(Model):
    """Who may trade for an account, now. `approved_until` None: the venue knows of no approval.

    `approval_lost_at`: when the venue first said that it knows it no more.
    """

    signer_address: str | None
    key_ref: str | None
    approved_until: datetime | None
    approval_lost_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Whether the signer may sign."""
        return self._has_key and self.approved_until is not None and self.approved_until > now

    @property
    def was_approved(self) -> bool:
        """Whether the signer could trade at some time, which it may still, unknown to us."""
        return self._has_key and (self.approved_until or self.approval_lost_at) is not None

    @property
    def _has_key(self) -> bool:
        return None not in (self.signer_address, self.key_ref)


class OrderFile(Model):
    """One order with everything that carrying it out needs."""

    order: Order
    now: datetime
    leased: bool
    due: bool
    signal: Signal
    requested_venue: VenueId
    agent_status: str
    deployment_active: bool
    follower: Follower
    max_notional_usd: Decimal | None
    max_leverage: Decimal | None
    control: ControlState
    control_global: ControlState
    superseded: bool
    opposite: bool
    book: MarketBook
    open_qty: Decimal | None
    decision: StoredDecision | None
    actions: tuple[Action, ...]
    access: Access
    refused: tuple[str, ...]
    """The codes of earlier attempts at the same leg that were refused, oldest first."""
    bounds: tuple[UUID, ...]
    """Orders at the venue that guard the same position, but for those that it has cancelled."""


def signal_file(row: Mapping[str, Any]) -> SignalFile:
    """From a row of `read_signal.sql`."""
    stored = row["signal"]
    signal, fault = _signal_or_fault(stored)
    return SignalFile(
        id=stored["id"],
        agent_id=stored["agent_id"],
        token_symbol=stored["token_symbol"],
        requested_venue=stored["requested_venue"] or stored["venue"],
        action=stored["action"],
        body_hash=stored["body_hash"],
        is_decided=stored["decided_at"] is not None,
        signal=signal,
        fault=fault,
        now=row["now"],
        agent_status=row["agent_status"],
        control=row["control"],
        superseded=row["superseded"],
        config=config_from_row(row["config"]),
        book=_book(row),
        followers=row["deployments"],
        due_orders=row["due_orders"],
        exposures=row["exposures"],
    )


def order_file(row: Mapping[str, Any]) -> OrderFile:
    """From a row of `read_order.sql`."""
    stored, signal, position = row["order"], row["signal"], row["position"]
    return OrderFile(
        order=_order_in_file(row),
        now=row["now"],
        leased=row["leased"],
        due=bool(row["due"]),
        signal=signal_from_row(signal),
        requested_venue=signal["requested_venue"] or signal["venue"],
        agent_status=row["agent_status"],
        deployment_active=row["deployment_active"],
        follower=Follower(
            id=stored["deployment_id"], account=stored["account"], venues=row["deployment_venues"]
        ),
        max_notional_usd=row["max_notional_usd"],
        max_leverage=row["max_leverage"],
        control=row["control"],
        control_global=row["control_global"],
        superseded=row["superseded"] or _is_forgotten(row),
        opposite=row["opposite"],
        book=_book(row),
        open_qty=position["open_qty"] if position else None,
        decision=row["decision"],
        actions=tuple(_action(each) for each in row["actions"]),
        access=row["access"],
        refused=row["refused"],
        bounds=row["bounds"],
    )


def _is_forgotten(row: Mapping[str, Any]) -> bool:
    """Whether an attempt at this entry was executed in what a restore has forgotten."""
    told, order = {order_named(name) for name in row["forgotten"]}, row["order"]
    names = UUID(order["signal_id"]), UUID(order["deployment_id"]), order["leg"]
    return bool(told) and not told.isdisjoint(attempts(*names))


def order_from_row(row: Mapping[str, Any]) -> Order:
    """An order from its whole row."""
    return Order(**{name: row[name] for name in Order.model_fields if name in row})


def _order_in_file(row: Mapping[str, Any]) -> Order:
    """The order with what only its account and its position know."""
    order, position = order_from_row(row["order"]), row["position"]
    signed = [each["signer_address"] for each in row["actions"] if each["kind"] == ActionKind.ORDER]
    closes = position and order.purpose is not Purpose.ENTRY
    return order.model_copy(
        update={
            "signer_address": signed[0] if signed else row["access"]["signer_address"],
            "position_ref": position["venue_ref"] if closes else None,
        }
    )


def config_from_row(row: Mapping[str, Any] | None) -> RoutingConfig:
    """The effective routing config. No row is the built-in default, which also fills in what an
    older installation left empty.
    """
    told = {name: (row or {}).get(name) for name in RoutingConfig.model_fields}
    return RoutingConfig(**{name: value for name, value in told.items() if value is not None})


def _signal_or_fault(row: dict[str, Any]) -> tuple[Signal | None, str | None]:
    try:
        return signal_from_row(row), None
    except BadInput as error:
        return None, str(error)


def _book(row: Mapping[str, Any]) -> MarketBook:
    return MarketBook(
        markets=tuple(market_from_row(each) for each in row["markets"]),
        venue_controls=row["venue_controls"],
    )


def _action(row: Mapping[str, Any]) -> Action:
    return Action(
        kind=row["kind"],
        payload=base64.b64decode(row["payload"]),
        expires_at=row["expires_at"],
        nonce=row["nonce"],
        signer_address=row["signer_address"],
        tx_hash=row["tx_hash"],
        send_count=row["send_count"],
        outcome=row["outcome"],
    )
