"""Quotes from the price service's rows, recorded and made."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_where.domain import Market, Refusal
from agent_where.errors import VenueRejected, VenueUnavailable
from agent_where.venues._answers import shaped
from agent_where.venues._evm.limits import COOL_DOWN_SECONDS, CoolDown
from agent_where.venues._http import BadAnswer, JsonHttp
from agent_where.venues.ostium.markets import VENUE, parse
from agent_where.venues.ostium.prices import MAX_QUOTE_AGE, ROWS, Prices, Row, quoted
from tests.venues.recorded import OSTIUM, recorded

NOW = datetime(2026, 2, 6, 12, tzinfo=UTC)
AFTER = NOW + timedelta(seconds=1)
ROW: dict[str, Any] = {
    "feed_id": "0x00",
    "bid": Decimal("1.16135"),
    "mid": Decimal("1.16138"),
    "ask": Decimal("1.16141"),
    "isMarketOpen": True,
    "isDayTradingClosed": False,
    "secondsToToggleIsDayTradingClosed": -1,
    "from": "EUR",
    "to": "USD",
    "timestampSeconds": int(NOW.timestamp()),
}


def row(**changes: object) -> Row:
    return Row.model_validate(ROW | changes)


def test_every_recorded_row_parses_and_those_of_open_markets_are_quotes() -> None:
    told = recorded(OSTIUM)
    rows = shaped(VENUE, ROWS, told["prices"])
    at = datetime.fromtimestamp(max(each.seconds for each in rows), UTC)

    quotes, closed = [], []
    for each in rows:
        if each.is_open:
            quotes.append(quoted(each, at, MAX_QUOTE_AGE))
            continue
        closed.append(each.name)
        with pytest.raises(VenueRejected) as told_closed:
            quoted(each, at, MAX_QUOTE_AGE)
        assert told_closed.value.code == Refusal.MARKET_CLOSED

    assert (len(rows), len(quotes), len(closed)) == (54, 30, 24)
    assert "NVDA/USD" in closed
    assert all(quote.bid <= quote.ask for quote in quotes)


def test_every_recorded_pair_finds_its_price_by_name() -> None:
    told = recorded(OSTIUM)
    names = {each.name for each in shaped(VENUE, ROWS, told["prices"])}
    at = datetime.fromtimestamp(told["prices"][0]["timestampSeconds"], UTC)
    markets = parse({"data": {"pairs": told["pairs"]}}, told["prices"], at)

    assert len(markets) == 52
    assert {market.name for market in markets} <= names


def test_bid_and_ask_are_as_the_service_tells_them_with_its_time() -> None:
    quote = quoted(row(), NOW, MAX_QUOTE_AGE)

    assert (quote.bid, quote.ask, quote.at) == (Decimal("1.16135"), Decimal("1.16141"), NOW)


@pytest.mark.parametrize(
    "changes",
    [
        {"bid": Decimal(0)},
        {"ask": Decimal(0)},
        {"bid": Decimal("1.2")},
        {"bid": Decimal(-1)},
        {"timestampSeconds": int((NOW - MAX_QUOTE_AGE).timestamp()) - 1},
        {"timestampSeconds": int(NOW.timestamp()) + 61},
    ],
)
def test_no_price_or_an_old_one_is_unavailable(changes: dict[str, object]) -> None:
    with pytest.raises(VenueUnavailable):
        quoted(row(**changes), NOW, MAX_QUOTE_AGE)


def test_a_closed_market_is_closed_however_old_its_price_is() -> None:
    old = row(isMarketOpen=False, timestampSeconds=0)

    with pytest.raises(VenueRejected) as told:
        quoted(old, NOW, MAX_QUOTE_AGE)

    assert told.value.code == Refusal.MARKET_CLOSED


class Service(JsonHttp):
    """The price service in this process."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer
        self.asked = 0

    def get(self, url: str) -> object:
        assert url == "http://feed.invalid/PricePublish/latest-prices"
        self.asked += 1
        if isinstance(self.answer, BadAnswer):
            raise self.answer
        return self.answer


def market(name: str = "EUR/USD") -> Market:
    return Market(venue=VENUE, token_symbol="EUR", name=name, index=2, max_leverage=Decimal(200))


def prices(service: Service, clock: Any = lambda: 0.0) -> Prices:
    limit = CoolDown(VENUE, "the price service", clock=clock)
    return Prices("http://feed.invalid/", service, limit)


def test_the_row_of_the_market_is_found_among_others() -> None:
    rows = [ROW | {"from": "GBP", "bid": Decimal(1), "ask": Decimal(1)}, ROW]

    assert prices(Service(rows)).quote(market(), AFTER).bid == Decimal("1.16135")
    with pytest.raises(VenueUnavailable, match="no price of XAU/USD"):
        prices(Service(rows)).quote(market("XAU/USD"), AFTER)


def test_a_service_that_says_429_is_left_alone_for_a_while() -> None:
    service = Service(BadAnswer("feed.invalid: status 429", status=429, body=b""))
    seconds = [0.0]
    asked = prices(service, lambda: seconds[0])

    for _ in range(3):
        with pytest.raises(VenueUnavailable):
            asked.quote(market(), AFTER)
    assert service.asked == 1

    seconds[0] += COOL_DOWN_SECONDS
    service.answer = [ROW]
    assert asked.quote(market(), AFTER).ask == Decimal("1.16141")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda below: st.lists(below) | st.dictionaries(st.sampled_from([*ROW]), below),
        max_leaves=8,
    )
)
def test_whatever_the_service_answers_is_a_quote_or_a_venue_error(answer: object) -> None:
    with pytest.raises((VenueUnavailable, VenueRejected)):
        prices(Service(answer)).quote(market(), AFTER)
