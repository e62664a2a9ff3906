"""Sizing: whatever comes out fits the account, the venue's grid and the signal's bounds."""

from decimal import Decimal, localcontext

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from agent_where.domain import Account, Market, Quote, Refusal, Side, SizeModel, SizeType
from agent_where.execution.sizing import (
    Limits,
    Sized,
    limit_price,
    size_entry,
    size_exit,
    trigger_price,
)
from agent_where.rounding import on_grid
from agent_where.routing.checks import Refused
from tests.unit.shapes import market, quote

NO_LIMITS = Limits()
EXACT = 120  # digits enough to recompute any of these figures without rounding


def decimals(low: str, high: str, places: int) -> st.SearchStrategy[Decimal]:
    return st.decimals(Decimal(low), Decimal(high), places=places)


sides = st.sampled_from(Side)
prices = st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent),
    st.integers(1, 999_999),
    st.integers(-12, 1),
)
sizes = st.one_of(
    st.builds(
        SizeModel,
        type=st.just(SizeType.FIXED_USDC),
        value=decimals("0.01", "1000000", 2),
        leverage=decimals("1", "100", 1),
    ),
    st.builds(
        SizeModel,
        type=st.just(SizeType.BALANCE_PERCENTAGE),
        value=decimals("0.01", "100", 2),
        leverage=decimals("1", "100", 1),
    ),
)
slippages = decimals("0.0001", "0.5", 4)
balances = decimals("-100", "1000000", 6)
markets = st.builds(
    market,
    taker_fee_bps=decimals("0", "100", 2),
    order_fee_usd=st.sampled_from([Decimal(0), Decimal("0.1"), Decimal(1)]),
    size_step=st.integers(-8, 3).map(lambda exponent: Decimal(1).scaleb(exponent)),
    min_notional_usd=st.sampled_from([Decimal(0), Decimal(5), Decimal(10)]),
)


def quoted(price: Decimal, spread_bps: int = 4) -> Quote:
    half = price * spread_bps / 20_000
    return quote(price - half, price + half)


@given(size=sizes, side=sides, slippage=slippages, market=markets, price=prices, free=balances)
def test_an_entry_never_costs_more_than_is_free_even_at_its_limit(
    *,
    size: SizeModel,
    side: Side,
    slippage: Decimal,
    market: Market,
    price: Decimal,
    free: Decimal,
) -> None:
    quote = quoted(price)

    sized = size_entry(size, side, slippage, market, quote, free, NO_LIMITS)

    if isinstance(sized, Refused):
        return
    with localcontext(prec=EXACT):
        for at in (quote.price_for(side), sized.limit_price):
            margin = sized.size * at / size.leverage
            taker_fee = sized.size * at * market.taker_fee_bps / 10_000
            assert margin + taker_fee + market.order_fee_usd <= free


@given(size=sizes, side=sides, slippage=slippages, market=markets, price=prices, free=balances)
def test_an_entry_is_on_the_grid_and_no_larger_than_wanted(
    *,
    size: SizeModel,
    side: Side,
    slippage: Decimal,
    market: Market,
    price: Decimal,
    free: Decimal,
) -> None:
    quote = quoted(price)

    sized = size_entry(size, side, slippage, market, quote, free, NO_LIMITS)

    if isinstance(sized, Refused):
        assert sized.code in (Refusal.NO_COLLATERAL, Refusal.BELOW_MIN_POSITION)
        return
    wanted = size.value if size.type is SizeType.FIXED_USDC else free * size.value / 100
    notional = sized.size * quote.price_for(side)
    with localcontext(prec=EXACT):
        assert sized.size % market.size_step == 0
    assert sized.collateral_usd <= wanted
    assert sized.collateral_usd == sized.collateral_usd.quantize(Decimal("0.01"))
    assert market.min_notional_usd <= notional <= sized.collateral_usd * size.leverage
    assert bool(sized.note) == (
        sized.collateral_usd < wanted.quantize(Decimal("0.01"), "ROUND_DOWN")
    )


@given(sizes, sides, st.integers(0, 6), prices, decimals("100", "1000000", 2))
def test_a_market_of_a_thousand_tokens_a_unit_trades_the_same_money(
    size: SizeModel, side: Side, venue_decimals: int, venue_price: Decimal, free: Decimal
) -> None:
    """What the venue calls kPEPE and an unscaled twin: same notional, same pnl, size times 1000."""
    step = Decimal(1).scaleb(-venue_decimals)
    unscaled = market(size_step=step)
    scaled = market(size_step=step * 1000, multiplier=1000)
    slippage = Decimal("0.01")

    plain = size_entry(size, side, slippage, unscaled, quoted(venue_price), free, NO_LIMITS)
    kilo = size_entry(size, side, slippage, scaled, quoted(venue_price / 1000), free, NO_LIMITS)

    if isinstance(plain, Refused) or isinstance(kilo, Refused):
        assert isinstance(plain, Refused)
        assert isinstance(kilo, Refused)
        assert plain.code == kilo.code
        return
    assert kilo.size == plain.size * 1000
    assert kilo.collateral_usd == plain.collateral_usd
    assert kilo.limit_price * 1000 == plain.limit_price
    assert kilo.size % 1000 == 0 or venue_decimals > 0
    moved = venue_price / 10
    assert kilo.size * (moved / 1000) == plain.size * moved


@given(sides, slippages, prices)
def test_a_limit_is_within_the_slippage_and_rounded_towards_the_mid(
    side: Side, slippage: Decimal, price: Decimal
) -> None:
    quote = quoted(price)

    limit = limit_price(quote, side, slippage)

    bound = quote.mid * (1 + side.sign * slippage)
    assert (bound - limit) * side.sign >= 0
    assert abs(bound - limit) <= bound * Decimal("1e-11")
    assert len(limit.as_tuple().digits) <= 12


@given(sides, prices, decimals("0.0001", "0.9999", 4))
def test_exits_are_triggered_on_the_side_of_the_entry_where_they_belong(
    side: Side, entry: Decimal, fraction: Decimal
) -> None:
    gain = trigger_price(entry, side, fraction, gains=True)
    loss = trigger_price(entry, side, fraction, gains=False)

    assert (gain - entry) * side.sign > 0 > (loss - entry) * side.sign
    assert loss > 0
    assert abs(abs(gain - entry) - entry * fraction) <= gain * Decimal("1e-11")


@given(decimals("0", "100000", 8), sides, markets, prices)
def test_an_exit_is_on_the_grid_and_never_more_than_is_open(
    open_qty: Decimal, side: Side, market: Market, price: Decimal
) -> None:
    sized = size_exit(open_qty, side, Decimal("0.01"), market, quoted(price))

    if isinstance(sized, Refused):
        assert sized.code is Refusal.DUST
        assert open_qty < market.size_step
        return
    assert open_qty - market.size_step < sized.size <= open_qty
    assert sized.size % market.size_step == 0
    assert sized.collateral_usd == 0


@example(Decimal("1234567890123.456789012345678999"), -18)
@given(decimals("0", "10000000000000", 18), st.integers(-18, 6))
def test_the_grid_never_rounds_up(size: Decimal, exponent: int) -> None:
    step = Decimal(1).scaleb(exponent)

    on = on_grid(size, step)

    with localcontext(prec=EXACT):
        assert size - step < on <= size
        assert on % step == 0


def entry(
    value: str,
    *,
    free: str = "1000",
    kind: SizeType = SizeType.FIXED_USDC,
    leverage: str = "2",
    ceiling: str | None = None,
    **changes: object,
) -> Sized | Refused:
    """LONG at a quote of 99.98 to 100.02, at most one percent off."""
    return size_entry(
        SizeModel(type=kind, value=Decimal(value), leverage=Decimal(leverage)),
        Side.LONG,
        Decimal("0.01"),
        market(**{"size_step": Decimal("0.001"), "taker_fee_bps": Decimal("4.5"), **changes}),
        quote("99.98", "100.02"),
        Account(free_collateral_usd=Decimal(free)).free_collateral_usd,
        Limits(max_notional_usd=None if ceiling is None else Decimal(ceiling)),
    )


def test_a_fixed_stake_is_used_whole() -> None:
    sized = entry("100")

    assert sized == Sized(
        collateral_usd=Decimal(100), size=Decimal("1.999"), limit_price=Decimal(101)
    )


def test_a_percentage_is_of_the_free_collateral() -> None:
    sized = entry("5", kind=SizeType.BALANCE_PERCENTAGE)

    assert isinstance(sized, Sized)
    assert (sized.collateral_usd, sized.size) == (Decimal(50), Decimal("0.999"))


def test_a_stake_over_what_is_free_is_capped_and_told() -> None:
    sized = entry("5000")

    assert isinstance(sized, Sized)
    assert sized.collateral_usd < 1000
    assert sized.note == f"capped from 5000.00 USD to {sized.collateral_usd:.2f} USD of collateral"


@pytest.mark.parametrize(
    ("sized", "code", "told"),
    [
        (entry("100", free="0"), Refusal.NO_COLLATERAL, "0.00 USD free"),
        (entry("100", free="-20"), Refusal.NO_COLLATERAL, "-20.00 USD free"),
        (entry("100", free="0.05", order_fee_usd="0.1"), Refusal.NO_COLLATERAL, "0.05 USD free"),
        (entry("4"), Refusal.BELOW_MIN_POSITION, "under the 10.00 USD"),
        (entry("100", size_step="10"), Refusal.BELOW_MIN_POSITION, "Notional 0.00 USD"),
        (entry("100", ceiling="199"), Refusal.ABOVE_LIMIT, "over the deployment's 199.00 USD"),
    ],
)
def test_what_cannot_be_sized_is_refused_with_its_figures(
    sized: Sized | Refused, code: Refusal, told: str
) -> None:
    assert isinstance(sized, Refused)
    assert sized.code is code
    assert told in sized.detail


def test_a_deployment_s_ceiling_is_inclusive() -> None:
    assert isinstance(entry("100", ceiling="200"), Sized)


def test_what_is_under_the_step_is_dust() -> None:
    small = size_exit(
        Decimal("0.5"), Side.SHORT, Decimal("0.01"), market(size_step=1), quote("1", "1")
    )

    assert small == Refused(
        code=Refusal.DUST, detail="0.5 left is under the size step 1 of market BTC/USD"
    )
