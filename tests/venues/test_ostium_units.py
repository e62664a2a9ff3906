"""Figures to the chain's integers and back: exact where they fit, cut off against ourselves."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_where.domain import BPS, Side
from agent_where.venues.ostium import units
from agent_where.venues.ostium.units import PositionRef

PRICES = st.decimals(
    min_value=Decimal("1e-6"), max_value=Decimal("1e9"), allow_nan=False, places=18
)
MONEY = st.decimals(min_value=0, max_value=Decimal("1e9"), allow_nan=False, places=6)
ANY = st.decimals(min_value=0, max_value=Decimal("1e12"), allow_nan=False, places=24)
LEVERAGES = st.decimals(min_value=1, max_value=1000, allow_nan=False, places=2)
SIDES = st.sampled_from(Side)
SHARES = st.integers(1, 10_000)
SIZES = st.integers(1, 10**30).map(lambda base: Decimal(base).scaleb(-18))


@given(PRICES)
def test_a_price_comes_back_as_it_went(price: Decimal) -> None:
    assert units.price_of(units.price(price)) == price


@given(MONEY)
def test_usdc_comes_back_as_it_went(usd: Decimal) -> None:
    assert units.usd_of(units.usdc(usd)) == usd


@given(LEVERAGES)
def test_leverage_goes_in_hundredths_exactly(leverage: Decimal) -> None:
    assert Decimal(units.leverage(leverage)) / 100 == leverage


@given(st.integers(0, 2**256 - 1))
def test_an_integer_of_the_chain_comes_back_as_it_came(told: int) -> None:
    assert units.price(units.price_of(told)) == told
    assert units.usdc(units.usd_of(told)) == told


@given(ANY)
def test_what_does_not_fit_is_cut_off_and_never_added_to(figure: Decimal) -> None:
    for there, unit in ((units.usdc, 6), (units.price, 18), (units.leverage, 2)):
        with localcontext(prec=60):
            told = Decimal(there(figure)).scaleb(-unit)
            assert told <= figure < told + Decimal(1).scaleb(-unit)


@pytest.mark.parametrize("figure", ["-1", "NaN", "Infinity", "1e79"])
def test_what_has_no_form_is_refused(figure: str) -> None:
    with pytest.raises(ValueError, match="no form"):
        units.usdc(Decimal(figure))


@given(PRICES, st.integers(-9_999, 9_999), SIDES)
def test_slippage_never_allows_a_worse_price_than_the_limit(
    reference: Decimal, bps: int, side: Side
) -> None:
    limit = reference * (1 + side.sign * Decimal(bps) / BPS)

    told = units.slippage(limit, reference, side)

    worst = reference * (1 + side.sign * Decimal(told) / BPS)
    assert (worst - limit) * side.sign <= 0
    assert bps - 1 <= told <= bps


@given(MONEY.filter(bool), LEVERAGES, st.integers(0, 50), st.integers(0, 10**6))
def test_a_stake_is_never_over_collateral_and_fees_together(
    collateral: Decimal, leverage: Decimal, fee_bps: int, flat: int
) -> None:
    stake = units.usd_of(units.opened_with(collateral, leverage, Decimal(fee_bps), flat))

    most = collateral + collateral * leverage * fee_bps / BPS + units.usd_of(flat)
    assert most - Decimal("0.000001") < stake <= most


@given(MONEY.filter(bool), LEVERAGES, st.integers(0, 50), st.integers(0, 10**6))
def test_what_is_opened_is_never_over_the_notional_that_was_sized(
    collateral: Decimal, leverage: Decimal, fee_bps: int, flat: int
) -> None:
    """The venue takes its fees out of the stake, on the whole of it."""
    stake = units.usd_of(units.opened_with(collateral, leverage, Decimal(fee_bps), flat))

    left = stake - stake * leverage * fee_bps / BPS - units.usd_of(flat)
    assert left <= collateral


@given(SIZES, SHARES)
def test_a_share_of_a_size_is_never_more_than_that(of: Decimal, share: int) -> None:
    part = units.portion(of, share)

    with localcontext(prec=60):
        assert part <= of * share / units.FULL_CLOSE
    assert units.share(part, of) <= share
    assert units.portion(of, units.FULL_CLOSE) == of
    assert units.share(of, of) == units.share(of * 2, of) == units.FULL_CLOSE


@given(PRICES, PRICES, SIZES, SIDES, MONEY, MONEY)
def test_what_a_close_cost_makes_the_ledger_agree_with_the_wallet(
    entry: Decimal, exit_: Decimal, size: Decimal, side: Side, collateral: Decimal, paid: Decimal
) -> None:
    cost = units.withheld(collateral, entry, exit_, size, side, paid)

    pnl = (exit_ - entry) * size * side.sign - cost
    assert abs(paid - (collateral + pnl)) <= Decimal("0.000001") + abs(pnl) * Decimal("1e-24")


@given(st.integers(0, 2**16), st.integers(0, 255), st.integers(0, 2**256))
def test_a_reference_is_read_as_it_was_written(pair: int, slot: int, trade: int) -> None:
    ref = PositionRef(pair, slot, trade)

    assert PositionRef.parsed(str(ref)) == ref


@pytest.mark.parametrize("text", ["", "1:2", "1:2:3:4", "a:b:c"])
def test_what_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"unpack|literal"):
        PositionRef.parsed(text)


def test_no_bound_is_none() -> None:
    assert units.bound_of(0) is None
    assert units.bound_of(10**18) == 1
