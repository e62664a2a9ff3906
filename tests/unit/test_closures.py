"""What an account's trades mean for the ledger's positions, where only the figures decide."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_where.closures import Trade, Verdict, agrees, judge
from agent_where.domain import Fill, Mode, Order, OrderStatus, Purpose, Side
from agent_where.store.books import Claim, ClosedBy, HeldMarket, HeldPosition
from agent_where.venues.base import AccountFill, Cause

NOW = datetime(2026, 1, 31, 12, 0, tzinfo=UTC)
LAG = timedelta(seconds=15)
FIRST, SECOND = UUID(int=1), UUID(int=2)


def position(id_: UUID = FIRST, size: str = "2", side: Side = Side.LONG) -> HeldPosition:
    return HeldPosition(id=id_, side=side, open_qty=Decimal(size))


def market(*positions: HeldPosition, step: str | None = "0.1") -> HeldMarket:
    return HeldMarket(
        name="BTC/USD",
        size_step=None if step is None else Decimal(step),
        busy=False,
        doubtful=False,
        positions=positions,
    )


def trade(
    number: int,
    size: str,
    held_before: str,
    *,
    seconds_ago: int = 60,
    claim: Claim | None = None,
    fee: str = "1",
) -> Trade:
    """`size` below zero sold."""
    signed = Decimal(size)
    return Trade(
        told=AccountFill(
            fill=Fill(
                venue_fill_id=str(number),
                size=abs(signed),
                price=Decimal(100 + number),
                fee_usd=Decimal(fee),
                at=NOW - timedelta(seconds=seconds_ago),
            ),
            market_name="BTC/USD",
            token_symbol="BTC",
            side=Side.LONG if signed > 0 else Side.SHORT,
            venue_ref=str(number),
            client_order_id=None,
            held_before=Decimal(held_before),
            direction="",
            closed_pnl_usd=Decimal(0),
            cause=Cause.ORDER,
        ),
        claim=claim,
    )


def claim(
    purpose: Purpose,
    status: OrderStatus = OrderStatus.FILLED,
    *,
    stored: bool = True,
    counted: str = "0",
    booked: str = "0",
    of: UUID = FIRST,
) -> Claim:
    order = Order(
        id=UUID(int=9),
        signal_id=UUID(int=3),
        deployment_id=UUID(int=4),
        position_id=of,
        purpose=purpose,
        leg=purpose,
        attempt=1,
        venue="HYPERLIQUID",
        account="0xa",
        mode=Mode.LIVE,
        token_symbol="BTC",
        market_name="BTC/USD",
        side=Side.SHORT,
        leverage=Decimal(1),
        status=status,
    )
    return Claim(
        venue_fill_id="1",
        order=order,
        stored=stored,
        counted=Decimal(counted),
        booked=Decimal(booked),
    )


def judged(held: str, trades: list[Trade], *positions: HeldPosition) -> Verdict:
    return judge(market(*positions), Decimal(held), trades, NOW, LAG)


def taken(verdict: Verdict) -> list[tuple[str, UUID, Decimal]]:
    assert verdict.fault == ""
    return [(each.venue_fill_id, each.position_id, each.size) for each in verdict.closures]


@pytest.mark.parametrize(
    ("held", "step", "alike"),
    [
        ("2", "0.1", True),
        ("1.95", "0.1", True),
        ("2.05", "0.1", True),
        ("1.9", "0.1", False),
        ("2.1", "0.1", False),
        ("-2", "0.1", False),
        ("1.99", None, False),
        ("2", None, True),
    ],
)
def test_less_than_the_least_size_is_no_difference(
    held: str, step: str | None, alike: bool
) -> None:
    assert agrees(market(position(), step=step), Decimal(held)) is alike


def test_both_sides_of_a_market_that_nets_cannot_be_told_apart() -> None:
    verdict = judged("0", [trade(1, "-1", "1")], position(), position(SECOND, "1", Side.SHORT))

    assert verdict.fault == "the ledger has both sides open"


def test_an_order_that_is_filled_is_not_executed_once_more() -> None:
    again = trade(1, "-2", "2", claim=claim(Purpose.CLOSE, stored=False))

    assert "was executed once more" in judged("0", [again], position()).fault


def test_what_is_executed_and_has_not_ended_ends_by_itself() -> None:
    fired = trade(1, "-2", "2", claim=claim(Purpose.STOP_LOSS, OrderStatus.ACCEPTED, stored=False))

    verdict = judged("0", [fired], position())

    assert verdict.waits
    assert [order.id for order in verdict.under_way] == [UUID(int=9)]
    assert verdict.closures == ()


@pytest.mark.parametrize(("seconds_ago", "waits"), [(14, True), (15, False)])
def test_a_trade_has_to_be_as_old_as_the_venue_may_be_late(seconds_ago: int, waits: bool) -> None:
    fresh = trade(1, "-2", "2", seconds_ago=seconds_ago)

    assert judged("0", [fresh], position()).waits is waits


def test_trades_of_one_moment_may_be_told_in_any_order() -> None:
    first, second = trade(1, "-0.5", "2"), trade(2, "-1", "1.5")

    for told in ([first, second], [second, first]):
        closed = taken(judged("0.5", told, position()))
        assert sorted(closed) == [("1", FIRST, Decimal("0.5")), ("2", FIRST, Decimal(1))]


def test_what_was_settled_before_is_not_looked_at_again() -> None:
    """Sold and bought back by hand long ago; of what came later only the last sale counts."""
    trades = [
        trade(1, "-2", "2", seconds_ago=900),
        trade(2, "2", "0", seconds_ago=800),
        trade(3, "-0.5", "2", seconds_ago=60),
    ]

    assert taken(judged("1.5", trades, position())) == [("3", FIRST, Decimal("0.5"))]


def test_of_one_sale_what_the_user_held_on_top_is_not_ours() -> None:
    """Three on top; the first sale takes those and a half of ours, the second the next."""
    trades = [trade(1, "-3.5", "5", seconds_ago=90), trade(2, "-1", "1.5")]

    closed = taken(judged("0.5", trades, position()))

    assert closed == [("1", FIRST, Decimal("0.5")), ("2", FIRST, Decimal(1))]


def test_a_part_that_is_booked_is_not_booked_again() -> None:
    booked = claim(Purpose.CLOSE, booked="1").model_copy(update={"order": None})
    trades = [trade(1, "-1", "3", claim=booked), trade(2, "-0.5", "2", seconds_ago=30)]

    assert taken(judged("1.5", trades, position())) == [("2", FIRST, Decimal("0.5"))]


def test_an_order_takes_from_its_own_position_first() -> None:
    late = trade(1, "-1", "3", claim=claim(Purpose.CLOSE, OrderStatus.EXPIRED, of=SECOND))

    verdict = judged("2", [late], position(FIRST, "2"), position(SECOND, "1"))

    assert taken(verdict) == [("1", SECOND, Decimal(1))]
    assert (verdict.closures[0].closed_by, verdict.closures[0].reason) == (
        ClosedBy.SIGNAL,
        "CLOSE",
    )


signs = st.sampled_from(Side)
steps = st.integers(-30, 30).filter(bool)


@given(signs, st.lists(st.integers(1, 20), min_size=1, max_size=4), st.lists(steps, max_size=12))
def test_from_what_we_held_on_every_life_is_explained_exactly(
    side: Side, opened: list[int], moves: list[int]
) -> None:
    """Whatever the user does from then on; `moves` add to our side, or take from it."""
    positions = [position(UUID(int=n), str(size), side) for n, size in enumerate(opened, 1)]
    held, trades = sum(opened), []
    for number, move in enumerate(moves):
        trades.append(
            trade(
                number,
                str(move * side.sign),
                str(held * side.sign),
                seconds_ago=1000 - number,
                fee=str(number),
            )
        )
        held += move

    verdict = judge(market(*positions), Decimal(held * side.sign), trades, NOW, LAG)

    if held >= sum(opened):
        assert verdict == (Verdict() if held == sum(opened) else Verdict(fault="it holds more"))
        return
    assert sum(each.size for each in verdict.closures) == sum(opened) - max(held, 0)
    for one in trades:
        parts = [c for c in verdict.closures if c.venue_fill_id == one.told.fill.venue_fill_id]
        assert sum(each.size for each in parts) <= one.told.fill.size
        assert sum(each.fee_usd for each in parts) <= one.told.fill.fee_usd + Decimal("1e-20")
        assert all(one.told.side is side.opposite for _ in parts)
    for each in positions:
        parts = [c for c in verdict.closures if c.position_id == each.id]
        assert sum(part.size for part in parts) <= each.open_qty
    shut = [
        sum(c.size for c in verdict.closures if c.position_id == each.id) == each.open_qty
        for each in positions
    ]
    assert shut == sorted(shut, reverse=True)  # the oldest first
