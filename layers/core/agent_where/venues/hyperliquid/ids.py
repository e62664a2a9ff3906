"""What Hyperliquid calls an order and an asset by: derived from our ids and from positions."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

_HIP3_BASE: Final = 100_000
_PER_DEX: Final = 10_000


def client_order_id(order_id: UUID) -> str:
    """The client order id of an order: its own 16 bytes."""
    return f"0x{order_id.hex}"


def asset_id(index: int, *, dex: int = 0) -> int:
    """The id that orders name.

    Args:
        index: the position in the dex's universe, delisted markets counted.
        dex: the position in `perpDexs`, where 0 is the venue's own.
    """
    if not (0 <= index < _PER_DEX and dex >= 0):
        raise ValueError(f"no asset at position {index} of dex {dex}")
    return _HIP3_BASE + dex * _PER_DEX + index if dex else index


def asset_ids(universe: Sequence[str], *, dex: int = 0) -> dict[str, int]:
    """The id of each coin of a universe, which must be whole: delisted markets keep their place."""
    return {coin: asset_id(index, dex=dex) for index, coin in enumerate(universe)}
