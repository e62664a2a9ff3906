"""Where the venues are and how they are treated, as part of the settings."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import Field, SecretStr, model_validator

from agent_where.domain import VenueId
from agent_where.environment import Settings

_SUBGRAPHS = (
    "https://api.subgraph.ormilabs.com/api/public/67a599d5-c8d2-4cc4-9c4d-2975a97bc5d8/subgraphs"
)
_PLACES = {
    "mainnet": {
        "hyperliquid_api_url": "https://api.hyperliquid.xyz",
        "ostium_subgraph_url": f"{_SUBGRAPHS}/ost-prod/live/gn",
        "ostium_price_url": "https://metadata-backend.prod.bedrock.ostium.io",
        "ostium_chain_id": "42161",
        "ostium_registry_address": "0x799a139ae56e11f0476ace2f6118cfcaed9608d2",
        "ostium_trading_address": "0x6d0ba1f9996dbd8885827e1b2e8f6593e7702411",
        "ostium_storage_address": "0xccd5891083a8acd2074690f65d3024e7d13d66e7",
        "ostium_usdc_address": "0xaf88d065e77c8cc2239327c5edb3a432268e5831",
    },
    "testnet": {
        "hyperliquid_api_url": "https://api.hyperliquid-testnet.xyz",
        "ostium_subgraph_url": f"{_SUBGRAPHS}/ost-sep/live/gn",
        "ostium_price_url": "https://metadata-backend.prod.bedrock.ostium.io",
        "ostium_chain_id": "421614",
        "ostium_trading_address": "0x2a9b9c988393f46a2537b0ff11e98c2c15a95afe",
        "ostium_storage_address": "0x0b9f5243b29938668c9cfbd7557a389ec7ef88b8",
        "ostium_usdc_address": "0xe73b11fb1e3eeee8af2a23079a4410fe1b370548",
    },
}

Address = Annotated[str, Field(pattern=r"^(0x[0-9a-fA-F]{40})?$")]
"""An address on a chain, or empty where the network has none of its own."""
ChainId = Annotated[int, Field(gt=0)]


class VenuePlaces(Settings):
    """Where venues are. What is not set is the network's own."""

    network: Literal["mainnet", "testnet"] = "mainnet"
    hyperliquid_api_url: str = ""

    @model_validator(mode="before")
    @classmethod
    def the_network_s_own(cls, told: Mapping[str, object]) -> Mapping[str, object]:
        return {**_PLACES.get(str(told.get("network", "mainnet")), {}), **told}


class ApprovalPlaces(VenuePlaces):
    """Where a user approves a key. What users are shown must not hang on what a node says."""

    ostium_chain_id: ChainId = 42161
    ostium_trading_address: Address = ""
    ostium_storage_address: Address = ""
    ostium_usdc_address: Address = ""


class VenueAccess(VenuePlaces):
    """How venues are reached."""

    venue_timeout_seconds: Annotated[float, Field(gt=0, le=10)] = 5.0


class MarketAccess(VenueAccess):
    """Where the venues' markets are read."""

    ostium_subgraph_url: str = ""
    ostium_price_url: str = ""


class TradedAccess(VenueAccess):
    """How venues are traded at, and how much of what they allow one process takes."""

    hyperliquid_weight_per_minute: Annotated[int, Field(ge=200, le=1200)] = 400
    ostium_price_url: str = ""
    ostium_rpc_url: SecretStr | None = None
    ostium_chain_id: ChainId = 42161
    ostium_registry_address: Address = ""
    ostium_confirmations: Annotated[int, Field(ge=0, le=10_000)] = 20
    ostium_log_blocks: Annotated[int, Field(ge=16, le=1_000_000)] = 9_000
    ostium_max_fee_gwei: Annotated[Decimal, Field(gt=0, le=1_000)] = Decimal(2)

    def missing_of(self, venues: AbstractSet[VenueId]) -> str | None:
        """The name of a setting that one of these cannot be traded at without."""
        if "OSTIUM" not in venues:
            return None
        if self.ostium_rpc_url is None:
            return "OSTIUM_RPC_URL"
        return None if self.ostium_registry_address else "OSTIUM_REGISTRY_ADDRESS"
