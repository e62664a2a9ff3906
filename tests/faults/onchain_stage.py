"""The stage with the real second venue: its adapter in the functions, its contracts on a chain.

The first venue is the simulated one, as everywhere in the campaign. The node, the keeper and the
prices of the second follow the same clock as the rest of the world.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from agent_where.domain import Market
from agent_where.venues.ostium.markets import OstiumMarkets
from local.chain.node import CHAIN_ID
from local.simulators.hyperliquid import HyperliquidSimulator
from tests.faults.house import COIN, PRICE, VENUES, House
from tests.faults.onchain_books import Book, read_book
from tests.faults.onchain_place import CONFIRMATIONS, Place
from tests.faults.runtime import HarnessFault, Instance
from tests.faults.stage import KEYS, Stage

NETTING: Final = "HYPERLIQUID"
ONCHAIN: Final = "OSTIUM"
PRICES: Final = "OSTIUM's prices"
PAIR: Final = f"{COIN}USD"
DEPOSIT_USD: Final = 100_000


class OnchainHouse(House):
    """What outlives scenarios, a chain among it."""

    def __init__(self, folder: Path) -> None:
        self._chain_folder = folder / "chain"
        super().__init__(folder)

    def close(self) -> None:
        super().close()
        self.place.close()

    def _serve(self) -> None:
        self.place = Place(self._chain_folder, self.clock)
        self._add(NETTING, HyperliquidSimulator(self.clock.utc, 1, is_mainnet=True))
        self._add(PRICES, self.place.prices)
        self._add(ONCHAIN, self.place.listen(self.servers[PRICES].url))

    def _listed(self, name: str) -> Sequence[Market]:
        if name != ONCHAIN:
            return super()._listed(name)
        url = self.servers[PRICES].url
        source = OstiumMarkets(f"{url}/subgraph", url, timeout_seconds=10, clock=self.clock.utc)
        return source.markets()


class OnchainStage(Stage):
    """One scenario's part of it."""

    netting = (NETTING,)
    house: OnchainHouse

    @property
    def place(self) -> Place:
        return self.house.place

    def move_clock(self, to: float) -> None:
        if to > self.clock.now:
            super().move_clock(to)
            self.place.follow()

    def clear_venues(self) -> None:
        self.tell(NETTING, "reset")
        self.tell(NETTING, "forget")
        self.tell(PRICES, "reset")
        for venue in VENUES:
            self.set_price(venue, PRICE)
        self.place.begin()

    def set_price(self, venue: str, price: str) -> None:
        if venue == ONCHAIN:
            self.tell(PRICES, "price", coin=PAIR, price=price)
        else:
            super().set_price(venue, price)

    def books(self, venue: str) -> Mapping[str, Any]:
        return super().books(venue) if venue == NETTING else self.chain_book().told()

    def chain_book(self) -> Book:
        """All that ever happened on the chain."""
        return read_book(self.place, self.signers)

    @property
    def signers(self) -> frozenset[str]:
        """The keys that may trade on the chain."""
        rows = self.rows("SELECT signer_address FROM venue_accounts WHERE venue = 'OSTIUM'")
        return frozenset(str(row["signer_address"]) for row in rows)

    def key_of(self, wallet: str) -> str:
        """The key that trades for a wallet on the chain."""
        return KEYS[f"FAULTS_KEY_{2 + 2 * self.wallets[wallet]}"]

    def cold(self, function: str, *, skew: float = 0.0) -> Instance:
        return self.house.runtime.start(
            function, self.environment(), now=self.clock.now, second_venue="", skew=skew
        )

    def environment(self) -> dict[str, str]:
        prices = self.house.servers[PRICES].url
        return super().environment() | {
            "OSTIUM_SUBGRAPH_URL": f"{prices}/subgraph",
            "OSTIUM_PRICE_URL": prices,
            "OSTIUM_RPC_URL": self.house.servers[ONCHAIN].url,
            "OSTIUM_CHAIN_ID": str(CHAIN_ID),
            "OSTIUM_REGISTRY_ADDRESS": self.place.deployed.registry.address,
            "OSTIUM_CONFIRMATIONS": str(CONFIRMATIONS),
        }

    def _let_trade(self, venue: str, user: str, signer: str) -> None:
        if venue != ONCHAIN:
            super()._let_trade(venue, user, signer)
            return
        self.place.tell("fund", address=user, usdc=DEPOSIT_USD, eth=1)
        self.place.tell("fund", address=signer, eth=1)
        self.place.tell("approve", owner=user, usdc=DEPOSIT_USD)
        self.place.tell("delegate", owner=user, agent=signer)


def onchain(stage: Stage) -> OnchainStage:
    """The stage, if it has a chain. Raises HarnessFault."""
    if not isinstance(stage, OnchainStage):
        raise HarnessFault("this scenario needs a chain")
    return stage
