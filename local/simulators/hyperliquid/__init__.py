"""Hyperliquid as far as this project trades there: its main dex, perpetuals, USDC."""

from local.simulators.hyperliquid.venue import HyperliquidSimulator

__all__ = ["HyperliquidSimulator"]
