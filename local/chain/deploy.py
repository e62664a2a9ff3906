"""The local venue put on a chain: every contract, and the pairs of the simulators' table.

Open interest, leverages, fees and feeds are those that the simulated subgraph tells.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from local.chain.build import artefacts
from local.chain.rpc import Contract, Rpc, create
from local.simulators.ostium import GROUPS
from local.simulators.table import rows

VAULT_USDC: Final = 50_000_000
_SLICE: Final = 26
_VAULT_FEE_PERCENT: Final = 50
_GROUP_COLLATERAL_PERCENT: Final = 50
_ORACLE: Final = "chainlink"


@dataclass(frozen=True, slots=True)
class Deployment:
    """The venue's contracts, governed by the account that made them."""

    registry: Contract
    usdc: Contract
    trading: Contract
    trading_storage: Contract
    callbacks: Contract
    pairs_storage: Contract
    pair_infos: Contract
    price_up_keep: Contract
    vault: Contract


def deploy(rpc: Rpc, governor: str, keeper: str) -> Deployment:
    """Make the contracts, list the pairs and fill the vault.

    Args:
        governor: an account that the node signs for; it may pause and set bounds.
        keeper: the account that answers price requests.

    Raises:
        RpcError: the chain refused something.
    """
    made = artefacts()
    usdc = create(rpc, made["Usdc"], governor)
    registry = create(rpc, made["Registry"], governor)
    at = registry.address
    deployed = Deployment(
        registry=registry,
        usdc=usdc,
        trading=create(rpc, made["Trading"], governor, at),
        trading_storage=create(rpc, made["TradingStorage"], governor, at, usdc.address),
        callbacks=create(rpc, made["Callbacks"], governor, at),
        pairs_storage=create(rpc, made["PairsStorage"], governor, at),
        pair_infos=create(rpc, made["PairInfos"], governor, at),
        price_up_keep=create(rpc, made["PriceUpKeep"], governor, at, keeper),
        vault=create(rpc, made["Vault"], governor, at, usdc.address),
    )
    _register(deployed, keeper)
    _list(deployed)
    usdc.send("mint", deployed.vault.address, VAULT_USDC * 10**6)
    return deployed


def _register(deployed: Deployment, keeper: str) -> None:
    names = {
        "trading": deployed.trading.address,
        "tradingStorage": deployed.trading_storage.address,
        "callbacks": deployed.callbacks.address,
        "pairsStorage": deployed.pairs_storage.address,
        "pairInfos": deployed.pair_infos.address,
        "priceRouter": deployed.price_up_keep.address,
        "vault": deployed.vault.address,
        "tradesUpKeep": keeper,
    }
    for name, address in names.items():
        deployed.registry.send("setContractAddress", _word(name), address)


def _list(deployed: Deployment) -> None:
    groups = sorted(GROUPS.items(), key=lambda one: one[1][0])
    collateral = _GROUP_COLLATERAL_PERCENT * 100
    deployed.pairs_storage.send(
        "addGroups",
        [(_word(name), 100, greatest * 100, collateral) for name, (_, greatest) in groups],
    )
    pairs = [row for row in rows("ostium") if row["id"] != "-"]
    for first in range(0, len(pairs), _SLICE):
        some = pairs[first : first + _SLICE]
        deployed.pairs_storage.send("addPairs", [_pair(row) for row in some])
        deployed.pair_infos.send("setOpeningFees", first, [_fees(row) for row in some])
        deployed.trading_storage.send("setOpenInterest", first, [_interest(row) for row in some])


def _pair(row: Mapping[str, str]) -> tuple[object, ...]:
    return (
        _word(row["from"]),
        _word(row["to"]),
        bytes.fromhex(row["feed"]),
        0,
        units(row["overnight"], 2),
        units(row["maxLeverage"], 2),
        GROUPS[row["group"]][0],
        0,
        _ORACLE,
    )


def _fees(row: Mapping[str, str]) -> tuple[int, ...]:
    maker, taker = units(row["makerFee"], 6), units(row["takerFee"], 6)
    return (maker, taker, 0, 0, units(row["maker"], 2), _VAULT_FEE_PERCENT)


def _interest(row: Mapping[str, str]) -> tuple[int, int, int]:
    return (units(row["longOI"], 18), units(row["shortOI"], 18), units(row["maxOI"], 6))


def units(value: str | Decimal, decimals: int) -> int:
    """A figure in its smallest unit; what is smaller still is cut off."""
    return int(Decimal(value).scaleb(decimals))


def _word(name: str) -> bytes:
    return name.encode("ascii").ljust(32, b"\0")
