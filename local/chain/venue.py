"""Ostium on this machine: a chain, the venue's contracts, its keeper, its prices, its endpoints.

    with local_venue(home) as venue:
        venue.fund(user.address, usdc=1000)
        venue.approve(user.key, usdc=1000)
        venue.delegate(user.key, agent.address)
        ...  # trade against venue.rpc_url, venue.registry
        venue.keeper.cancel(CancelReason.SLIPPAGE)

Everything listens on loopback and ends with the block.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial

from eth_account import Account

from local.chain.control import GAS_MONEY_WEI, VenueControl, fund
from local.chain.deploy import Deployment, deploy, units
from local.chain.keeper import Keeper
from local.chain.node import CHAIN_ID, mine_every, start_node
from local.chain.proxy import RpcProxy
from local.chain.rpc import Contract, Rpc, RpcError
from local.environment import Home
from local.simulators.ostium import OstiumSimulator
from local.simulators.server import Server

_GAS = 1_000_000
_FEE_WEI = 1_000_000_000


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class LocalVenue:
    """A running venue.

    Args:
        node: anvil itself, which never misbehaves.
        rpc_url: the endpoint to trade through, which misbehaves when told to.
        control_url: `POST {control_url}/keeper` and the like (local/chain/control.py, proxy.py).
        market_url: the price service; `{market_url}/simulator/price` moves a price there.
        subgraph_url: the subgraph of pairs.
        prices: the price simulator in this process; `prices.control` overrides.
    """

    node: Rpc
    rpc_url: str
    control_url: str
    market_url: str
    subgraph_url: str
    deployed: Deployment
    keeper: Keeper
    proxy: RpcProxy
    prices: OstiumSimulator
    chain_id: int = CHAIN_ID

    @property
    def registry(self) -> str:
        """The Registry's address, from which all others can be resolved."""
        return self.deployed.registry.address

    @property
    def trading(self) -> str:
        """Trading's address."""
        return self.deployed.trading.address

    @property
    def trading_storage(self) -> str:
        """TradingStorage's address, the spender of USDC."""
        return self.deployed.trading_storage.address

    @property
    def callbacks(self) -> str:
        """Callbacks' address, where orders are settled."""
        return self.deployed.callbacks.address

    @property
    def usdc(self) -> str:
        """The address of USDC."""
        return self.deployed.usdc.address

    def fund(self, address: str, *, usdc: Decimal | int = 0, eth: Decimal | int = 0) -> None:
        """Give an account so much USDC more, and set its ether where any is named."""
        amounts = {"usdc": units(Decimal(usdc), 6), "wei": units(Decimal(eth), 18)}
        fund(self.node, self.deployed, address, **amounts)

    def approve(self, key: str | bytes, *, usdc: Decimal | int) -> None:
        """Let TradingStorage spend so much of a user's USDC; the user is given gas for it."""
        amount = units(Decimal(usdc), 6)
        self.call(key, self.deployed.usdc, "approve", self.trading_storage, amount)

    def delegate(self, key: str | bytes, agent: str) -> None:
        """Let an agent trade for a user; the user is given gas for it."""
        self.call(key, self.deployed.trading, "setDelegate", agent)

    def call(self, key: str | bytes, contract: Contract, function: str, *arguments: object) -> str:
        """Sign and send a user's call past the proxy, and wait; the hash of its transaction.

        Raises:
            RpcError: it reverts, or the node refuses it.
        """
        user = Account.from_key(key)
        if self.node.number("eth_getBalance", user.address, "latest") < GAS_MONEY_WEI:
            self.node.ask("anvil_setBalance", user.address, hex(GAS_MONEY_WEI))
        data = contract.data(function, *arguments)
        said = {"from": user.address, "to": contract.address, "data": f"0x{data.hex()}"}
        self.node.ask("eth_call", said, "latest")
        signed = user.sign_transaction(
            {
                "to": contract.address,
                "data": data,
                "value": 0,
                "gas": _GAS,
                "maxFeePerGas": _FEE_WEI,
                "maxPriorityFeePerGas": 0,
                "nonce": self.node.number("eth_getTransactionCount", user.address, "pending"),
                "chainId": self.chain_id,
                "type": 2,
            }
        )
        raw = bytes(signed.raw_transaction)
        sent = str(self.node.ask("eth_sendRawTransaction", f"0x{raw.hex()}"))
        if self.node.receipt(sent)["status"] != "0x1":
            raise RpcError(3, f"reverted: {sent}", "")
        return sent

    def balance(self, address: str) -> Decimal:
        """An account's USDC."""
        return Decimal(self.deployed.usdc.read("balanceOf", address)).scaleb(-6)

    def mine(self, blocks: int = 1) -> None:
        """Let so many blocks pass."""
        self.node.ask("anvil_mine", hex(blocks))

    def reorg(self, depth: int = 1) -> None:
        """Replace the newest blocks by empty ones: what they held did not happen."""
        self.node.ask("anvil_reorg", depth, [])


@contextmanager
def local_venue(
    home: Home,
    *,
    clock: Callable[[], datetime] = _now,
    seed: int = 1,
    block_seconds: int | None = None,
    rpc_port: int = 0,
    market_port: int = 0,
) -> Iterator[LocalVenue]:
    """Start it all, and end it all.

    Args:
        home: where the node's log and pid are kept.
        clock: of the price service; opens and closes markets.
        block_seconds: how often a block is mined; None mines each transaction at once.
        rpc_port: of the endpoint; 0 takes a free one, as for the others.

    Raises:
        StepFailed: the tools are not installed, or the node does not start.
    """
    with ExitStack() as stack:
        child, node = start_node(home)
        stack.callback(child.stop)
        stack.callback(node.close)
        governor, account, *_ = node.ask("eth_accounts")
        prices = OstiumSimulator(clock, seed)
        market = stack.enter_context(Server(prices, market_port))
        deployed = deploy(node, governor, account)
        mine_every(node, block_seconds)
        count = deployed.pairs_storage.read("pairsCount")
        prices.interest = partial(deployed.trading_storage.read, "everyOpenInterest", count)
        keeper = stack.enter_context(Keeper(deployed, account, market.url))
        told = VenueControl(node, deployed, keeper)
        proxy = RpcProxy(node, told.commands(), told.reports(), told.reset)
        stack.callback(proxy.close)
        endpoint = stack.enter_context(Server(proxy, rpc_port))
        yield LocalVenue(
            node=node,
            rpc_url=endpoint.url,
            control_url=f"{endpoint.url}/simulator",
            market_url=market.url,
            subgraph_url=f"{market.url}/subgraph",
            deployed=deployed,
            keeper=keeper,
            proxy=proxy,
            prices=prices,
        )
