"""What brings a nonce on that is in no block: the same bytes, or others that do nothing.

A nonce that nothing takes holds up whatever its signer sends next.
"""

from datetime import datetime, timedelta

from agent_where.domain import Purpose
from agent_where.venues._evm.chain import Chain
from agent_where.venues._evm.sealing import Unsent
from agent_where.venues._evm.transaction import parsed
from agent_where.venues.base import Action, ActionKind
from agent_where.venues.ostium import facts, orders
from agent_where.venues.ostium.markets import VENUE
from agent_where.venues.ostium.places import Places
from agent_where.venues.ostium.sent import Sent, signer_of, tx_hash


class Nudging:
    """Nudges.

    Args:
        waits: how long a transaction may be on its way before it is replaced.
    """

    def __init__(self, chain: Chain, *, waits: timedelta) -> None:
        self._chain = chain
        self._waits = waits

    def nudge(
        self, told: Sent, action: Action, places: Places, now: datetime
    ) -> Action | Unsent | None:
        """What to send for an action whose nonce is in no block. None: nothing, it waits.

        Raises:
            VenueUnavailable: the chain could not be read.
        """
        others = told.in_place_of(action)
        if not others and (_is_late(action, now) or self._is_astray(told, action, places)):
            return self._replacement(action)
        if others and _is_late(others[-1], now) and self._is_priced_out(others[-1]):
            return self._replacement(others[-1])
        latest = others[-1] if others else action
        return None if self._chain.is_known(tx_hash(latest)) else latest

    def _is_astray(self, told: Sent, action: Action, places: Places) -> bool:
        """Whether a close would not find its trade: another in its place would be closed for it."""
        if action.kind is not ActionKind.ORDER or told.order.purpose is not Purpose.CLOSE:
            return False
        ref = orders.ref_of(told.order)
        views = facts.open_views(places, told.order.account.lower(), ref)
        (trade,), (info,) = self._chain.views(*views)
        held = facts.opened(trade, info)
        return held.trade_id != ref.trade_id or not held.size

    def _is_priced_out(self, replacement: Action) -> bool:
        return self._chain.is_priced_out(parsed(replacement.payload).fees)

    def _replacement(self, stuck: Action) -> Unsent:
        signer = signer_of(stuck)
        fees, gas = self._chain.replacing(parsed(stuck.payload), signer)
        return Unsent(
            venue=VENUE,
            kind=ActionKind.REPLACE,
            chain_id=self._chain.chain_id,
            to=signer,
            data=b"",
            gas=gas,
            fees=fees,
            signer_address=signer,
            waits=self._waits,
            nonce=stuck.nonce,
        )


def _is_late(action: Action, now: datetime) -> bool:
    return action.expires_at is not None and now >= action.expires_at
