"""Where the venue's contracts are: asked of its Registry, and only on the chain that was meant.

Addresses have changed before, so none of a single contract is a setting; what is resolved is asked
again after some minutes. The chain's id is seen to be the setting's each time.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from agent_where.errors import VenueUnavailable
from agent_where.venues._answers import malformed, shaped
from agent_where.venues._evm import shapes
from agent_where.venues._evm.abi import name_word
from agent_where.venues._evm.chain import Chain, View
from agent_where.venues._evm.rpc import Question
from agent_where.venues.ostium.contracts import GET_CONTRACT, USDC
from agent_where.venues.ostium.markets import VENUE

LASTS: Final = timedelta(minutes=10)
_NAMES: Final = ("trading", "callbacks", "tradingStorage", "pairsStorage")
_NOWHERE: Final = "0x" + "0" * 40


class Places(NamedTuple):
    """Addresses, in lower case. `storage` is what may take a trader's USDC."""

    trading: str
    callbacks: str
    storage: str
    pairs: str
    usdc: str


class Directory:
    """Resolves the contracts.

    Args:
        registry: the Registry's address.
        clock: aware UTC.
    """

    def __init__(self, chain: Chain, registry: str, clock: Callable[[], datetime]) -> None:
        self._chain = chain
        self._registry = registry.lower()
        self._clock = clock
        self._known: tuple[datetime, Places] | None = None

    def places(self) -> Places:
        """The addresses, remembered for a while.

        Raises:
            VenueUnavailable: the node is of another chain, or knows no such Registry.
        """
        now = self._clock()
        if self._known is None or now - self._known[0] > LASTS:
            self._known = (now, self._resolved())
        return self._known[1]

    def _resolved(self) -> Places:
        self._refuse_another_chain()
        asked = [View(self._registry, GET_CONTRACT, (name_word(name),)) for name in _NAMES]
        trading, callbacks, storage, pairs = (str(each) for (each,) in self._chain.views(*asked))
        ((usdc,),) = self._chain.views(View(storage, USDC))
        found = Places(trading, callbacks, storage, pairs, str(usdc))
        if _NOWHERE in found:
            raise malformed(VENUE, "the Registry knows not all of the contracts")
        return found

    def _refuse_another_chain(self) -> None:
        (answer,) = self._chain.rpc.ask(Question("eth_chainId", []))
        chain_id = shaped(VENUE, shapes.QUANTITY, self._chain.rpc.given(answer))
        if chain_id != self._chain.chain_id:
            detail = f"the node is of chain {chain_id}, the setting says {self._chain.chain_id}"
            raise VenueUnavailable(VENUE, detail, code="VENUE_UNAVAILABLE")
