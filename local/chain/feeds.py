"""Prices as the keeper of the local venue takes them: over HTTP, from the venue's price service."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

import urllib3

_SECONDS: Final = 5
_WEI: Final = 10**18


class NoPrices(Exception):
    """The price service did not answer, or with something else than prices."""


@dataclass(frozen=True, slots=True)
class Price:
    """One feed's row, in 1e18."""

    mid: int
    bid: int
    ask: int
    is_open: bool
    is_day_trading_closed: bool

    def answer(self, order_id: int) -> tuple[int, int, int, int, bool]:
        """What the contracts are told; a closed market has no price."""
        mid = self.mid if self.is_open else 0
        return (order_id, mid, self.bid, self.ask, self.is_day_trading_closed)


class Feeds:
    """The price service at a base URL."""

    def __init__(self, url: str) -> None:
        self._url = f"{url}/PricePublish/latest-prices"
        self._http = urllib3.PoolManager(retries=False, timeout=_SECONDS)

    def close(self) -> None:
        """Let go of the connections."""
        self._http.clear()

    def prices(self) -> Mapping[bytes, Price]:
        """Every feed's price. Raises NoPrices."""
        try:
            answer = self._http.request("GET", self._url)
            rows = json.loads(answer.data, parse_float=Decimal) if answer.status == 200 else None
            return {bytes.fromhex(str(row["feed_id"])[2:]): _price(row) for row in rows or []}
        except (urllib3.exceptions.HTTPError, ValueError, TypeError, KeyError) as fault:
            raise NoPrices(str(fault)) from fault


def _price(row: Mapping[str, Any]) -> Price:
    return Price(
        mid=int(row["mid"] * _WEI),
        bid=int(row["bid"] * _WEI),
        ask=int(row["ask"] * _WEI),
        is_open=row["isMarketOpen"] is True,
        is_day_trading_closed=row["isDayTradingClosed"] is True,
    )
