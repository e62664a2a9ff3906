"""The local chain with the venue on it, in the world's time: blocks and the keeper move when told.

One node lasts for many scenarios; each begins with the venue as it was deployed. A block comes each
second of the world's time, so that the five on top that count as an end are five seconds.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, Final

from eth_account import Account

from local.chain.control import VenueControl
from local.chain.deploy import deploy
from local.chain.keeper import Keeper
from local.chain.node import CHAIN_ID, start_node
from local.chain.proxy import RpcProxy
from local.environment import Home
from local.simulators.ostium import OstiumSimulator
from local.simulators.server import Reply, Request, json_reply
from tests.faults.house import BEGINNING, Clock

BLOCK_SECONDS: Final = 1
CONFIRMATIONS: Final = 5
DEPLOYED_SECONDS_BEFORE: Final = 3600
"""How long before the world's beginning the chain begins."""
SETTING_UP_SECONDS: Final = 60
"""Between an empty venue and the world's beginning: a block for each thing that users do first."""
MOST_EMPTY_BLOCKS: Final = 16
"""Of a longer pause the rest is one block: a node takes seconds for thousands of empty ones."""
_WEI: Final = 10**18
_WHOLE: Final = 10_000
_ANY_SLIPPAGE: Final = 9_999
_STRANGER_GAS: Final = 21_000
_STRANGER_FEE_WEI: Final = 10**12


class Endpoint(RpcProxy):
    """The endpoint to trade through; it may take batches, as most do, or none."""

    takes_batches = True

    def answer(self, request: Request) -> Reply:
        asked = _list_in(request.body)
        if asked is None or not self.takes_batches:
            return super().answer(request)
        told = (super(Endpoint, self).answer(_with_body(request, each)) for each in asked)
        return json_reply([json.loads(each.body) for each in told])


class Place:
    """The venue, its node, its keeper, its prices, its endpoint.

    Args:
        folder: for the node's log.
        clock: the world's.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        begins_at = datetime.fromtimestamp(BEGINNING - DEPLOYED_SECONDS_BEFORE, UTC)
        self._child, self.node = start_node(Home(folder), begins_at=begins_at)
        self.node.ask("anvil_setBlockTimestampInterval", BLOCK_SECONDS)
        governor, self._keepers, *_ = self.node.ask("eth_accounts")
        self.deployed = deploy(self.node, governor, self._keepers)
        self.first_block = self.node.number("eth_blockNumber") + 1
        self.prices = OstiumSimulator(clock.utc, seed=1)
        count = self.deployed.pairs_storage.read("pairsCount")
        read_interest = self.deployed.trading_storage.read
        self.prices.interest = partial(read_interest, "everyOpenInterest", count)
        self._clock = clock
        self.strangers: set[str] = set()
        self.stands_still = False
        self._set_automine(on=False)
        self._before = self.node.ask("evm_snapshot")

    def listen(self, market_url: str) -> Endpoint:
        """The endpoint, with a keeper that takes its prices there."""
        self.keeper = Keeper(
            self.deployed, self._keepers, market_url, by_itself=False, clock=self._clock.seconds
        )
        told = VenueControl(self.node, self.deployed, self.keeper)
        self.endpoint = Endpoint(self.node, told.commands(), told.reports(), told.reset)
        return self.endpoint

    def close(self) -> None:
        self.keeper.close()
        self.endpoint.close()
        self.node.close()
        self._child.stop()

    def begin(self) -> None:
        """As it was deployed: nobody has ever traded there."""
        self.node.ask("evm_revert", self._before)
        self._before = self.node.ask("evm_snapshot")
        self.strangers.clear()
        self.be_well()
        self.follow(until=self._clock.now - SETTING_UP_SECONDS)

    def be_well(self) -> None:
        """Endpoint, chain and keeper do what they should."""
        self.endpoint.reset()
        self.endpoint.control.apply("/simulator/fail", b'{"mode": null}')
        self.endpoint.takes_batches = True
        self.stands_still = False

    def tell(self, what: str, **body: object) -> Any:
        """A word to the venue, which takes effect in a block of its own, at once."""
        with self._at_once():
            return self.endpoint.control.apply(f"/simulator/{what}", json.dumps(body).encode())

    # Time

    def follow(self, until: float | None = None) -> None:
        """Let the blocks come that are due by the world's clock, and the keeper at each.

        Args:
            until: only up to that time.
        """
        if self.stands_still:
            return
        now = self._clock.now if until is None else until
        while (due := int(now - self._newest()) // BLOCK_SECONDS) > 0:
            if self._waiting():
                self._mine()
                self._keep()
                continue
            self._mine(min(due, MOST_EMPTY_BLOCKS))
            self._keep()
            if due > MOST_EMPTY_BLOCKS and not self._waiting():
                self.node.ask("evm_setNextBlockTimestamp", int(now))
                self._mine()

    def _newest(self) -> int:
        block = self.node.ask("eth_getBlockByNumber", "latest", False)
        return int(block["timestamp"], 16)

    def _waiting(self) -> int:
        return int(self.node.ask("txpool_status")["pending"], 16)

    def _mine(self, blocks: int = 1) -> None:
        self.node.ask("anvil_mine", hex(blocks))

    def _keep(self) -> None:
        with self._at_once():
            self.keeper.keep()
            self.keeper.end_what_is_due()

    @contextmanager
    def _at_once(self) -> Iterator[None]:
        """What is sent is mined at once."""
        self._set_automine(on=True)
        try:
            yield
        finally:
            self._set_automine(on=False)

    def _set_automine(self, *, on: bool) -> None:
        self.node.ask("evm_setAutomine", on)

    def go_on(self) -> None:
        """Blocks come again."""
        self.stands_still = False
        self.follow()

    def close_by_hand(self, user: str, pair: int, index: int) -> None:
        """A user closes a trade himself, at any price. Raises RpcError."""
        self.node.ask("anvil_impersonateAccount", user)
        price = int(self.prices.control.prices["BTCUSD"] * _WEI)
        closing = ("closeTradeMarket", pair, index, _WHOLE, price, _ANY_SLIPPAGE)
        with self._at_once():
            self.deployed.trading.acting(user).send(*closing)

    # What goes wrong

    def reorganise(self, depth: int) -> None:
        """Replace the newest blocks by empty ones: what they held did not happen."""
        self.node.ask("anvil_reorg", depth, [])

    def forget_waiting(self) -> None:
        """The node knows nothing any more of what is in no block."""
        self.node.ask("anvil_dropAllTransactions")

    def dear_gas(self, wei: int) -> None:
        """What the next block asks for a unit of gas."""
        self.node.ask("anvil_setNextBlockBaseFeePerGas", hex(wei))

    def stranger(self, key: str) -> None:
        """Somebody else sends with the same key: the next nonce that the chain knows is theirs."""
        user = Account.from_key(key)
        nonce = self.node.number("eth_getTransactionCount", user.address, "latest")
        signed = user.sign_transaction(
            {
                "to": user.address,
                "value": 0,
                "gas": _STRANGER_GAS,
                "maxFeePerGas": _STRANGER_FEE_WEI,
                "maxPriorityFeePerGas": _STRANGER_FEE_WEI,
                "nonce": nonce,
                "chainId": CHAIN_ID,
                "type": 2,
            }
        )
        raw = f"0x{bytes(signed.raw_transaction).hex()}"
        self.strangers.add(str(self.node.ask("eth_sendRawTransaction", raw)).lower())


def _list_in(body: bytes) -> list[Any] | None:
    try:
        told = json.loads(body)
    except ValueError:
        return None
    return told if isinstance(told, list) else None


def _with_body(request: Request, asked: object) -> Request:
    body = json.dumps(asked).encode()
    return Request(request.method, request.path, request.query, body, request.content_type)
