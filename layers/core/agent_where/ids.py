"""Ids that are derived, never drawn, so that doing a thing twice collides with having done it."""

from uuid import UUID, uuid5

_NAMESPACE = UUID("3f1c0f5e-58a1-5a0e-9d3b-2b8d4f6a7c10")
_DERIVED = 5
"""The version of ids that follow from a name."""
_ATTEMPTS = 32


def order_id(signal_id: UUID, deployment_id: UUID, leg: str, attempt: int) -> UUID:
    """The one order that is this attempt at this leg of this signal for this deployment."""
    return uuid5(_NAMESPACE, f"order/{signal_id}/{deployment_id}/{leg}/{attempt}")


def order_named(client_order_id: str | None) -> UUID | None:
    """The order that a venue's client order id names, where it is one that this system gives."""
    try:
        named = None if client_order_id is None else UUID(client_order_id[2:])
    except ValueError:
        return None
    return named if named is not None and named.version == _DERIVED else None


def is_order_name(client_order_id: str | None) -> bool:
    """Whether a venue's client order id is one that this system gives: an order's derived id."""
    return order_named(client_order_id) is not None


def attempts(signal_id: UUID, deployment_id: UUID, leg: str) -> frozenset[UUID]:
    """The orders that could be an attempt at a leg: more than there are venues to fail over to."""
    return frozenset(order_id(signal_id, deployment_id, leg, n) for n in range(1, _ATTEMPTS + 1))


def position_id(signal_id: UUID, deployment_id: UUID) -> UUID:
    """The position that a signal's entry opens for a deployment, known before it exists."""
    return uuid5(_NAMESPACE, f"position/{signal_id}/{deployment_id}")


def close_leg(position: UUID) -> str:
    """The leg under which a CLOSE signal closes one position."""
    return f"CLOSE:{position}"


def next_leg(leg: str) -> str:
    """The leg for what an exit left open: `X`, then `X:2`, `X:3`.

    A position's id holds no colon, so the last part is a number only where this put it.
    """
    stem, _, last = leg.rpartition(":")
    return f"{stem}:{int(last) + 1}" if stem and last.isdecimal() else f"{leg}:2"
