"""An order with what was sent for it, as it was stored. Nothing is asked here."""

from collections.abc import Sequence
from dataclasses import dataclass

from agent_where.domain import Order, Purpose
from agent_where.errors import OutcomeUnknown, VenueUnavailable
from agent_where.venues._evm.rpc import UNKNOWN
from agent_where.venues._evm.transaction import hash_of
from agent_where.venues.base import Action, ActionKind
from agent_where.venues.ostium.markets import VENUE


@dataclass(frozen=True, slots=True)
class Sent:
    """An order with what was sent for it, oldest first."""

    order: Order
    action: Action
    replacements: tuple[Action, ...]
    timeouts: tuple[Action, ...]

    @property
    def opens(self) -> bool:
        return self.order.purpose is Purpose.ENTRY

    @property
    def hashes(self) -> list[str]:
        """Of everything that bears the order's own nonce."""
        return [tx_hash(self.action), *(tx_hash(each) for each in self.in_place_of(self.action))]

    def in_place_of(self, action: Action) -> list[Action]:
        """What was sent to take an action's nonce."""
        nonce = (action.nonce, action.signer_address)
        return [each for each in self.replacements if (each.nonce, each.signer_address) == nonce]


def sent(order: Order, actions: Sequence[Action]) -> Sent:
    """What the stored actions say was sent. Raises OutcomeUnknown where there is no order."""
    action = next((each for each in actions if each.kind is ActionKind.ORDER), None)
    if action is None or action.nonce is None or action.signer_address is None:
        raise OutcomeUnknown(VENUE, f"order {order.id} was sent without stored bytes", code=UNKNOWN)
    return Sent(
        order=order,
        action=action,
        replacements=tuple(each for each in actions if each.kind is ActionKind.REPLACE),
        timeouts=tuple(each for each in actions if each.kind is ActionKind.TIMEOUT),
    )


def tx_hash(action: Action) -> str:
    """What the chain calls an action."""
    return action.tx_hash or hash_of(action.payload)


def signer_of(action: Action) -> str:
    """Whose nonce an action has. Raises VenueUnavailable."""
    if action.signer_address is None:
        raise VenueUnavailable(VENUE, f"{tx_hash(action)} was stored without its signer")
    return action.signer_address.lower()
