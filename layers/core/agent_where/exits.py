"""What the closes of single positions mean for the ledger. Pure.

At such a venue each position stands for itself, and the venue names the one that a close is of: no
trades have to be added up, as in closures.py, but each close is either an order's of ours or
somebody else's.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from agent_where.closures import closed_by
from agent_where.domain import Model, Order, OrderStatus, Purpose
from agent_where.store.books import Claim, Closure, LateFill
from agent_where.venues.base import Exit, Held


class Verdict(Model):
    """What there is to do about an account's positions.

    Args:
        under_way: orders of ours that were executed and have not ended: they settle themselves.
        late: executions of orders that had ended without any, to be stored.
        closures: to be booked.
        faults: by market, what has no explanation.
    """

    under_way: tuple[Order, ...] = ()
    late: tuple[LateFill, ...] = ()
    closures: tuple[Closure, ...] = ()
    faults: Mapping[str, str] = {}


class _Close(NamedTuple):
    """A close with what the ledger knows of it."""

    told: Exit
    held: Held
    order: Order | None
    stored: bool


def judge(held: Sequence[Held], told: Sequence[Exit], claims: Mapping[str, Claim]) -> Verdict:
    """What the venue's closes mean, in the order in which they happened.

    Args:
        claims: what the ledger knows of them, by the ids of their fills.
    """
    closes = list(_unbooked(held, told, claims))
    others = [each for each in closes if each.order is None or _ended_without(each.order)]
    closures, faults = _closures(others)
    astray = {
        each.held.market_name: f"order {each.order.id} is FILLED and was executed once more"
        for each in closes
        if each.order and each.order.status is OrderStatus.FILLED
    }
    return Verdict(
        under_way=tuple(e.order for e in closes if e.order and not e.order.status.is_end),
        late=tuple(
            LateFill(order=each.order, fill=each.told.fill)
            for each in others
            if each.order and not each.stored
        ),
        closures=closures,
        faults=faults | astray,
    )


def _unbooked(
    held: Sequence[Held], told: Sequence[Exit], claims: Mapping[str, Claim]
) -> Iterator[_Close]:
    """The closes that no position shows yet."""
    by_ref = {each.position_ref: each for each in held}
    for each in sorted(told, key=lambda exit_: (exit_.fill.at, exit_.fill.venue_fill_id)):
        claim = claims.get(each.fill.venue_fill_id)
        if each.position_ref not in by_ref or (claim and (claim.booked or claim.counted)):
            continue
        order = claim.order if claim else None
        if order is not None and order.purpose is Purpose.ENTRY:
            order = None
        yield _Close(each, by_ref[each.position_ref], order, stored=bool(claim and claim.stored))


def _ended_without(order: Order) -> bool:
    return order.status in (OrderStatus.REJECTED, OrderStatus.EXPIRED)


def _closures(closes: Sequence[_Close]) -> tuple[tuple[Closure, ...], dict[str, str]]:
    """What each took from its position, and the markets where more was closed than was open."""
    left = {each.held.position_id: each.held.size for each in closes}
    closures, faults = [], {}
    for each in closes:
        part = min(each.told.fill.size, left[each.held.position_id])
        if part < each.told.fill.size:
            faults[each.held.market_name] = "more was closed there than the ledger has open"
        if part > 0:
            left[each.held.position_id] -= part
            closures.append(_closure(each, part))
    return tuple(closures), faults


def _closure(close: _Close, size: Decimal) -> Closure:
    fill, (by, reason) = close.told.fill, closed_by(close.told.cause, close.order)
    return Closure(
        venue_fill_id=fill.venue_fill_id,
        position_id=close.held.position_id,
        size=size,
        fill_size=fill.size,
        price=fill.price,
        fee_usd=fill.fee_usd,
        closed_by=by,
        reason=reason,
        at=fill.at,
    )
