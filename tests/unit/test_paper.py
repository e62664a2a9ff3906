"""Paper venues: the same bytes say the same, however often; fills never beyond limit or depth."""

from datetime import UTC, datetime
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_where.domain import Market, Mode, Order, OrderStatus, Purpose, Side
from agent_where.errors import OutcomeUnknown, VenueRejected, VenueUnavailable
from agent_where.venues.base import Action, ActionKind
from agent_where.venues.paper import PaperVenue
from tests.unit.shapes import market

AT = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)


def paper(*, slippage_bps: str = "2", depth_usd: str = "1000") -> PaperVenue:
    return PaperVenue(
        "FIRST",
        lambda account, venue: Decimal(7),
        lambda: AT,
        slippage_bps=Decimal(slippage_bps),
        depth_usd=Decimal(depth_usd),
    )


def order(side: Side = Side.LONG, *, size: str = "1", limit: str = "101") -> Order:
    return Order(
        id=UUID(int=1),
        signal_id=UUID(int=2),
        deployment_id=UUID(int=3),
        position_id=UUID(int=4),
        purpose=Purpose.ENTRY,
        leg="ENTRY",
        attempt=1,
        venue="FIRST",
        account="0xabc",
        mode=Mode.PAPER,
        token_symbol="BTC",
        market_name="BTC/USD",
        side=side,
        leverage=Decimal(1),
        status=OrderStatus.SENT,
        size=Decimal(size),
        limit_price=Decimal(limit),
    )


def action(venue: PaperVenue, what: Order, at: Market) -> Action:
    return venue.next_action(what, at, venue.quote(at, AT))


def test_a_quote_is_the_synced_price_moved_to_either_side() -> None:
    quote = paper(slippage_bps="10").quote(market(), AT)

    assert (quote.bid, quote.ask, quote.mid) == (Decimal("99.9"), Decimal("100.1"), Decimal(100))


@pytest.mark.parametrize("unknown", [{"price_usd": None}, {"last_synced": None}])
def test_without_a_synced_price_there_is_no_quote(unknown: dict[str, None]) -> None:
    with pytest.raises(VenueUnavailable, match="no synced price"):
        paper().quote(market(**unknown), AT)


@given(
    st.sampled_from(Side),
    st.decimals("0.001", "100", places=3),
    st.decimals("1", "5000", places=0),
    st.decimals("0", "100", places=2),
)
def test_a_fill_is_within_limit_size_and_depth_and_its_fee_is_not_too_small(
    side: Side, size: Decimal, depth: Decimal, fee_bps: Decimal
) -> None:
    venue = paper(depth_usd=str(depth))
    at = market(taker_fee_bps=fee_bps, order_fee_usd="0.1", size_step="0.001")
    what = order(side, size=str(size), limit="101" if side is Side.LONG else "99")
    sent = action(venue, what, at)
    try:
        settled = venue.send(what, sent)
    except VenueRejected as refused:
        assert refused.detail == "no depth at all"  # noqa: PT017 either end is right
        return
    assert settled is not None
    (fill,) = settled.fills
    assert fill.size <= size
    assert fill.size * fill.price <= depth
    assert fill.price == (Decimal("100.02") if side is Side.LONG else Decimal("99.98"))
    fee = fill.size * fill.price * fee_bps / 10_000 + Decimal("0.1")
    assert fee <= fill.fee_usd < fee + Decimal("0.000001")
    assert bool(settled.detail) is (fill.size < size)
    assert venue.settle(what, [sent]) == venue.send(what, sent) == settled


def test_what_was_sent_does_not_depend_on_what_the_venue_would_say_later() -> None:
    sent = action(paper(), order(), market())

    assert paper(depth_usd="1", slippage_bps="500").settle(order(), [sent]) == paper().settle(
        order(), [sent]
    )


@pytest.mark.parametrize(("side", "limit"), [(Side.LONG, "100.01"), (Side.SHORT, "99.99")])
def test_a_price_beyond_the_limit_is_refused(side: Side, limit: str) -> None:
    what = order(side, limit=limit)
    sent = action(paper(), what, market())

    with pytest.raises(VenueRejected, match="or better than the limit"):
        paper().send(what, sent)
    settled = paper().settle(what, [sent])
    assert settled is not None
    assert (settled.status, settled.code) == (OrderStatus.REJECTED, "VENUE_REFUSED")


def test_an_order_without_stored_bytes_has_an_unknown_outcome() -> None:
    noop = Action(kind=ActionKind.NOOP, payload=b"{}")

    with pytest.raises(OutcomeUnknown):
        paper().settle(order(), [noop])


@pytest.mark.parametrize("price", ["0.0000001", "0.05", "100000"])
def test_any_price_and_any_depth_make_an_order(price: str) -> None:
    deep = paper(depth_usd="1000000000000")
    at = market(price_usd=price, size_step="1e-18")

    settled = deep.send(
        order(size="1", limit="1000000"), action(deep, order(size="1", limit="1000000"), at)
    )

    assert settled is not None
    assert settled.filled_size == 1
