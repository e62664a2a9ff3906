"""A market as `venue_markets` has it, read and written."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from agent_where.domain import Market


def market_from_row(row: Mapping[str, Any]) -> Market:
    """A market as `venue_markets` has it, by whichever version it was written."""
    extra = row["metadata"] or {}
    told = {
        key: extra[key]
        for key in ("size_step", "order_fee_usd", "sides", "netting")
        if key in extra
    }
    return Market(
        venue=row["venue"],
        token_symbol=row["token_symbol"],
        name=row["market_name"],
        index=row["market_index"],
        is_active=row["is_active"],
        is_open=row["is_open"],
        multiplier=row["multiplier"],
        min_notional_usd=row["min_position"] or Decimal(0),
        max_leverage=row["max_leverage"] or Decimal(1),
        group=row["group"],
        price_usd=row["current_price"] or None,
        taker_fee_bps=row["taker_fee_bps"],
        last_synced=row["last_synced"],
        **told,
    )


def market_to_row(market: Market) -> dict[str, Any]:
    """The other way: what `upsert_markets.sql` takes."""
    return {
        "token_symbol": market.token_symbol,
        "market_name": market.name,
        "market_index": market.index,
        "is_active": market.is_active,
        "is_open": market.is_open,
        "multiplier": market.multiplier,
        "min_position": market.min_notional_usd,
        "max_leverage": market.max_leverage,
        "market_group": market.group,
        "current_price": market.price_usd,
        "taker_fee_bps": market.taker_fee_bps,
        "metadata": {
            "size_step": market.size_step,
            "order_fee_usd": market.order_fee_usd,
            "sides": list(market.sides),
            "netting": market.netting,
        },
    }
