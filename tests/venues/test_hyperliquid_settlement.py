"""How orders at Hyperliquid end when it answers: filled, refused, or resting until a trigger."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

from agent_where.domain import OrderStatus, Purpose, Refusal, Settled, Side
from agent_where.errors import VenueRejected
from agent_where.venues.base import CANCELED, Standing
from agent_where.venues.hyperliquid.refusals import Meaning
from tests.venues.hyperliquid_desk import USER, Desk, desk, order, status

SIZE = Decimal("0.01")


@pytest.fixture
def bench() -> Iterator[Desk]:
    with desk() as made:
        yield made


@pytest.mark.parametrize(("side", "limit"), [(Side.LONG, "60600"), (Side.SHORT, "59400")])
def test_an_entry_and_its_close_are_filled_with_their_fees(
    bench: Desk, side: Side, limit: str
) -> None:
    opened = bench.trade(order(side=side, limit=limit))
    assert status(opened) is OrderStatus.FILLED
    assert bench.size() == SIZE * side.sign

    back = "59400" if side is Side.LONG else "60600"
    closed = bench.trade(order(Purpose.CLOSE, side.opposite, limit=back))

    assert bench.size() == 0
    for settled in (opened, closed):
        assert isinstance(settled, Settled)
        (fill,) = settled.fills
        assert fill.size == SIZE
        fee = fill.size * fill.price * Decimal("0.00045")
        assert fee - Decimal("0.000001") < fill.fee_usd <= fee
        assert settled.detail == ""


def test_fills_are_per_token_where_the_coin_is_a_thousand(bench: Desk) -> None:
    bench.tell("price", coin="kPEPE", price="0.004")

    settled = bench.trade(order(coin="kPEPE", size="5000000", limit="0.00000404", leverage="10"))

    assert isinstance(settled, Settled)
    assert settled.filled_size == 5_000_000
    assert all(Decimal("0.000004") <= fill.price < Decimal("0.00000404") for fill in settled.fills)
    assert bench.size("kPEPE") == 5000


def test_an_order_that_meets_too_little_ends_with_what_it_got(bench: Desk) -> None:
    bench.tell("depth", coin="BTC", sizes=["0.002", "0.004"])

    settled = bench.trade(order())

    assert isinstance(settled, Settled)
    assert [fill.size for fill in settled.fills] == [Decimal("0.002"), Decimal("0.004")]
    assert settled.detail == "filled 0.006 of 0.01 coins"
    assert len({fill.venue_fill_id for fill in settled.fills}) == 2


def test_an_order_that_meets_nothing_is_refused(bench: Desk) -> None:
    with pytest.raises(VenueRejected, match="could not immediately match") as refused:
        bench.trade(order(limit="60000"))

    assert refused.value.code == Refusal.VENUE_REFUSED


def test_an_order_beyond_the_accounts_margin_is_refused() -> None:
    with desk(usd=20) as bench, pytest.raises(VenueRejected, match="Insufficient margin") as no:
        bench.trade(order())

    assert no.value.code == Refusal.NO_COLLATERAL


def test_a_close_that_comes_too_late_is_refused(bench: Desk) -> None:
    bench.trade(order())
    close = order(Purpose.CLOSE, Side.SHORT, limit="59400")
    action = bench.prepared(close)
    bench.tell("trade", user=USER, coin="BTC", buy=False, size="0.01", reduceOnly=True)

    with pytest.raises(VenueRejected, match="Reduce only order would increase position"):
        bench.venue.send(close, action)
    with pytest.raises(VenueRejected) as refused:
        bench.prepared(order(Purpose.CLOSE, Side.SHORT, limit="59400"))
    assert refused.value.code == Refusal.NOTHING_TO_CLOSE


def test_a_close_takes_no_more_than_the_account_still_has(bench: Desk) -> None:
    bench.trade(order())
    bench.tell("trade", user=USER, coin="BTC", buy=False, size="0.004", reduceOnly=True)

    settled = bench.trade(order(Purpose.CLOSE, Side.SHORT, limit="59400"))

    assert isinstance(settled, Settled)
    assert settled.filled_size == Decimal("0.006")
    assert bench.size() == 0


def test_an_exit_rests_until_its_trigger_and_is_then_filled(bench: Desk) -> None:
    bench.trade(order())
    stop = order(Purpose.STOP_LOSS, Side.SHORT, trigger="58000")
    gain = order(Purpose.TAKE_PROFIT, Side.SHORT, trigger="63000")

    resting = [bench.trade(stop), bench.trade(gain)]
    assert [type(each) for each in resting] == [Standing, Standing]
    assert all(isinstance(each, Standing) and each.venue_ref for each in resting)

    bench.time.pass_seconds(100_000)
    bench.tell("price", coin="BTC", price="63100")
    fired = bench.settle(gain)

    assert isinstance(fired, Settled)
    assert fired.filled_size == SIZE
    assert fired.fills[0].price > 62_000
    dropped = bench.settled(stop)
    assert (dropped.status, dropped.code) == (OrderStatus.REJECTED, CANCELED)
    assert "reduceOnlyCanceled" in dropped.detail


def test_an_exit_is_taken_back(bench: Desk) -> None:
    bench.trade(order())
    stop = order(Purpose.STOP_LOSS, Side.SHORT, trigger="58000")
    bench.trade(stop)
    unsent = bench.venue.cancel(stop, bench.stored[stop.id])
    assert unsent is not None

    assert bench.outcome(stop, bench.store(stop, unsent)) == "OK"

    assert bench.settle(stop) is None
    bench.time.pass_seconds(15)
    settled = bench.settle(stop)
    assert isinstance(settled, Settled)
    assert (settled.status, settled.code) == (OrderStatus.REJECTED, CANCELED)
    again = bench.venue.cancel(stop, bench.stored[stop.id])
    assert again is not None
    assert bench.outcome(stop, bench.store(stop, again)) == Meaning.NOTHING_TO_CANCEL


def test_an_exit_that_would_trigger_at_once_is_refused(bench: Desk) -> None:
    bench.trade(order())

    with pytest.raises(VenueRejected, match="Invalid TP/SL price"):
        bench.trade(order(Purpose.STOP_LOSS, Side.SHORT, trigger="61000"))
