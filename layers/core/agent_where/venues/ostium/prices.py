"""Quotes of the price service: fresh, and of a market that is open now."""

from datetime import UTC, datetime, timedelta
from typing import Final

from pydantic import Field, TypeAdapter

from agent_where.domain import Market, Quote, Refusal
from agent_where.errors import VenueRejected, VenueUnavailable
from agent_where.venues._answers import Figure, Part, shaped
from agent_where.venues._evm.limits import TOO_MANY, CoolDown
from agent_where.venues._http import BadAnswer, JsonHttp, reading
from agent_where.venues.ostium.markets import VENUE

MAX_QUOTE_AGE: Final = timedelta(seconds=60)
_SKEW: Final = timedelta(seconds=60)
"""How far ahead of ours the service's clock may be."""


class Row(Part):
    """A pair's prices, in its quote currency, and whether it trades at this hour."""

    base: str = Field(alias="from")
    quote: str = Field(alias="to")
    bid: Figure
    ask: Figure
    is_open: bool = Field(alias="isMarketOpen")
    seconds: int = Field(alias="timestampSeconds", ge=0, lt=2**36)

    @property
    def name(self) -> str:
        return f"{self.base}/{self.quote}"


ROWS: Final = TypeAdapter(list[Row])


class Prices:
    """Asks the price service.

    Args:
        url: its base, without `/PricePublish`.
        max_age: how old a price may be.
    """

    def __init__(
        self,
        url: str,
        http: JsonHttp,
        limit: CoolDown,
        *,
        max_age: timedelta = MAX_QUOTE_AGE,
    ) -> None:
        self._url = f"{url.rstrip('/')}/PricePublish/latest-prices"
        self._http = http
        self._limit = limit
        self._max_age = max_age

    def quote(self, market: Market, now: datetime) -> Quote:
        """The market's bid and ask.

        Raises:
            VenueRejected: the market is closed.
            VenueUnavailable: there is no price, or none that is fresh.
        """
        rows = shaped(VENUE, ROWS, self._read())
        row = next((each for each in rows if each.name == market.name), None)
        if row is None:
            raise _no_quote(f"no price of {market.name}")
        return quoted(row, now, self._max_age)

    def _read(self) -> object:
        self._limit.check()
        with reading(VENUE):
            try:
                return self._http.get(self._url)
            except BadAnswer as fault:
                if fault.status == TOO_MANY:
                    self._limit.refused()
                raise


def quoted(row: Row, now: datetime, max_age: timedelta) -> Quote:
    """A row as a quote. Errors as `Prices.quote`."""
    if not row.is_open:
        detail = f"market {row.name} is closed at this hour"
        raise VenueRejected(VENUE, detail, code=Refusal.MARKET_CLOSED)
    at = datetime.fromtimestamp(row.seconds, UTC)
    if not -_SKEW <= now - at <= max_age:
        raise _no_quote(f"the price of {row.name} is {(now - at).total_seconds():.0f} s old")
    if not 0 < row.bid <= row.ask:
        raise _no_quote(f"{row.name} is told at {row.bid:f} to {row.ask:f}")
    return Quote(bid=row.bid, ask=row.ask, at=at)


def _no_quote(detail: str) -> VenueUnavailable:
    return VenueUnavailable(VENUE, detail, code="VENUE_UNAVAILABLE")
