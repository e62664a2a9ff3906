"""A Hyperliquid account as the core sees it: what is free, open, traded, and who may sign."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from agent_where.domain import Purpose, Side
from agent_where.errors import VenueUnavailable
from agent_where.venues.base import AccountFill, Cause
from agent_where.venues.hyperliquid import answers
from agent_where.venues.hyperliquid.account import Accounts
from agent_where.venues.hyperliquid.budget import Budget
from agent_where.venues.hyperliquid.info import Info
from agent_where.venues.hyperliquid.trading import HyperliquidVenue
from agent_where.venues.tally import Tally
from tests.venues.hyperliquid_desk import NOW, USER, Desk, Told, desk, order
from tests.venues.recorded import recorded


@pytest.fixture
def bench() -> Iterator[Desk]:
    with desk() as made:
        yield made


def accounts(told: Mapping[str, object]) -> Accounts:
    info = Info("", Told(told), Budget(1200, clock=lambda: 0.0, tally=Tally()))
    return Accounts(info, lambda: NOW)


def accounts_recorded(name: str) -> Accounts:
    return accounts({"": recorded(f"hyperliquid/{name}.json")})


def test_what_is_free_is_what_could_be_withdrawn(bench: Desk) -> None:
    account = bench.venue.account(order())

    assert account.free_collateral_usd == 10_000


def test_what_positions_bind_is_not_free(bench: Desk) -> None:
    bench.trade(order(size="0.1", leverage="20"))

    free = bench.venue.account(order()).free_collateral_usd

    assert Decimal(9000) < free < Decimal(9700)


@pytest.mark.parametrize("mode", ["unifiedAccount", "portfolioMargin"])
def test_where_balances_are_one_the_free_spot_usdc_is_what_is_free(bench: Desk, mode: str) -> None:
    bench.tell("account", user=USER, mode=mode)

    assert bench.venue.account(order()).free_collateral_usd == 10_000
    bench.trade(order(size="0.1", leverage="20"))
    assert Decimal(9000) < bench.venue.account(order()).free_collateral_usd < Decimal(9700)


@pytest.mark.parametrize("mode", ["default", "disabled", "dexAbstraction"])
def test_elsewhere_spot_usdc_is_not_free_for_perpetuals(bench: Desk, mode: str) -> None:
    bench.tell("deposit", user=USER, usd=500, spot=True)
    bench.tell("account", user=USER, mode=mode)

    assert bench.venue.account(order()).free_collateral_usd == 10_000


def state(withdrawable: str) -> answers.Clearinghouse:
    told = {"withdrawable": withdrawable, "time": 0, "assetPositions": []}
    return answers.Clearinghouse.model_validate(told)


def test_a_mode_that_nobody_knows_is_no_balance() -> None:
    told = accounts({"userAbstraction": "somethingNew"})

    with pytest.raises(VenueUnavailable, match="mode 'somethingNew'"):
        told.trading(USER, state("10"))


def test_less_than_nothing_is_nothing() -> None:
    told = accounts({"userAbstraction": "default"})

    assert told.trading(USER, state("-3")).free_collateral_usd == 0


def test_an_account_pays_its_own_rates(bench: Desk) -> None:
    bench.tell("account", user=USER, taker="0.00035", maker="-0.00001")

    rates = bench.venue.fee_rates(USER)

    assert (rates.taker_bps, rates.maker_bps) == (Decimal("3.5"), Decimal("-0.1"))


def test_a_referral_makes_taking_cheaper() -> None:
    fees = {"userCrossRate": "0.0004", "userAddRate": "0", "activeReferralDiscount": "0.04"}

    assert accounts({"userFees": fees}).fee_rates(USER).taker_bps == Decimal("3.84")


def test_the_recorded_rates_are_those_of_an_account_without_volume() -> None:
    rates = accounts_recorded("info_userFees_testnet_2026-09-18").fee_rates(USER)

    assert (rates.taker_bps, rates.maker_bps) == (Decimal("4.5"), Decimal("1.5"))


def test_mode_and_rates_are_remembered_for_a_while(bench: Desk) -> None:
    for _ in range(2):
        bench.venue.account(order())
        bench.venue.fee_rates(USER)
    assert (bench.requests("userFees"), bench.requests("userAbstraction")) == (1, 1)

    bench.time.pass_seconds(601)
    bench.venue.account(order())
    assert bench.requests("userAbstraction") == 2
    bench.time.pass_seconds(3000)
    bench.venue.fee_rates(USER)
    assert bench.requests("userFees") == 2


def test_an_account_that_the_venue_does_not_know_has_nothing_free(bench: Desk) -> None:
    nobody = order().model_copy(update={"account": "0x" + "00" * 20})

    assert bench.venue.account(nobody).free_collateral_usd == 0


def test_positions_are_told_in_tokens(bench: Desk) -> None:
    bench.tell("price", coin="kPEPE", price="0.004")
    limit = str(Decimal("0.00000404"))
    bench.trade(order(coin="kPEPE", size="5000000", limit=limit, leverage="10"))
    bench.trade(order(side=Side.SHORT, limit="59400"))

    btc, pepe = sorted(bench.venue.positions(USER), key=lambda held: held.token_symbol)

    assert (pepe.token_symbol, pepe.market_name, pepe.side) == ("PEPE", "kPEPE/USD", Side.LONG)
    assert pepe.size == 5_000_000
    assert pepe.entry_price is not None
    assert Decimal("0.000004") <= pepe.entry_price <= Decimal(limit)
    assert (btc.side, btc.size, btc.leverage, btc.is_cross) == (
        Side.SHORT,
        Decimal("0.01"),
        20,
        True,
    )


def test_the_recorded_positions_are_three_shorts() -> None:
    held = accounts_recorded("info_clearinghouseState_short_2026-06").positions(USER)

    assert [(each.token_symbol, each.side, each.size) for each in held] == [
        ("BTC", Side.SHORT, Decimal("56.27938")),
        ("HYPE", Side.SHORT, Decimal(592)),
        ("PUMP", Side.SHORT, Decimal(3900000)),
    ]


def test_the_recorded_fills_open_and_close() -> None:
    opened, closed = accounts_recorded("info_userFillsByTime_testnet_2025-08-22").fills(USER, NOW)

    assert (opened.side, opened.direction) == (Side.LONG, "Open Long")
    assert opened.closed_pnl_usd == 0
    assert (closed.side, closed.direction) == (Side.SHORT, "Close Long")
    assert closed.closed_pnl_usd == Decimal("-0.00925")
    assert closed.held_before == opened.fill.size == Decimal("0.0025")
    assert opened.fill.venue_fill_id == "37907159219:1070455675927460"
    assert opened.client_order_id is None
    assert opened.cause is Cause.ORDER


def test_a_stop_that_fired_a_hand_and_a_liquidation_can_be_told_apart(bench: Desk) -> None:
    bench.trade(order(size="0.03"))
    stop = order(Purpose.STOP_LOSS, Side.SHORT, size="0.01", trigger="59000")
    bench.trade(stop)
    bench.time.pass_seconds(1)
    bench.tell("price", coin="BTC", price="58900")
    bench.time.pass_seconds(1)
    bench.tell("trade", user=USER, coin="BTC", buy=False, size="0.01", reduceOnly=True)
    bench.time.pass_seconds(1)
    bench.tell("liquidate", user=USER, coin="BTC")

    _, fired, by_hand, liquidated = bench.venue.fills(USER, NOW)

    def told(fill: AccountFill) -> tuple[str | None, Cause, Decimal]:
        return fill.client_order_id, fill.cause, fill.held_before

    assert told(fired) == (f"0x{stop.id.hex}", Cause.ORDER, Decimal("0.03"))
    assert told(by_hand) == (None, Cause.ORDER, Decimal("0.02"))
    assert told(liquidated) == (None, Cause.LIQUIDATION, Decimal("0.01"))
    assert all(fill.closed_pnl_usd < 0 for fill in (fired, by_hand, liquidated))


def test_only_trades_from_then_on_are_told(bench: Desk) -> None:
    bench.trade(order())
    bench.time.pass_seconds(5)
    bench.trade(order())

    assert len(bench.venue.fills(USER, NOW)) == 2
    assert len(bench.venue.fills(USER, NOW + timedelta(seconds=1))) == 1


@pytest.mark.parametrize(
    ("row", "cause"),
    [
        ({"dir": "Auto-Deleveraging"}, Cause.DELEVERAGING),
        ({"dir": "Settlement"}, Cause.SETTLEMENT),
        ({"dir": "Liquidated Isolated Long"}, Cause.LIQUIDATION),
        ({"dir": "Close Long", "liquidation": {"liquidatedUser": USER}}, Cause.LIQUIDATION),
        ({"dir": "Open Short", "liquidation": {"liquidatedUser": "0xother"}}, Cause.ORDER),
        ({"dir": "币\x00"}, Cause.ORDER),
        ({}, Cause.ORDER),
    ],
)
def test_why_a_trade_happened(row: dict[str, object], cause: Cause) -> None:
    whole = {
        "coin": "BTC",
        "px": "1",
        "sz": "1",
        "side": "A",
        "time": 1,
        "startPosition": "1",
        "oid": 1,
        "tid": 1,
        "fee": "0",
        **row,
    }
    coins = enumerate(("@107", "PURR/USDC", "xyz:GOLD"), start=2)
    elsewhere = [{**whole, "coin": coin, "oid": oid} for oid, coin in coins]

    (told,) = accounts({"": [whole, *elsewhere]}).fills(USER, NOW)

    assert told.cause is cause
    assert told.direction.isascii()
    assert told.direction.isprintable()


def test_an_approval_lasts_until_it_is_told_to(bench: Desk) -> None:
    until = bench.venue.approval(USER, bench.key.address.upper().replace("0X", "0x"))

    assert until is not None
    assert until > NOW
    assert bench.venue.approval(USER, USER) is None


def test_the_recorded_approvals_are_read() -> None:
    told = accounts_recorded("info_extraAgents_2025-09-04")

    until = told.approval(USER, "0xc06e6617005c1888aeb8b3017fe00f82b7b84fc0")

    assert until == datetime(2026, 2, 15, 16, 47, 48, 515_000, tzinfo=UTC)
    assert told.approval(USER, USER) is None


def test_nothing_is_asked_before_it_is_used() -> None:
    venue = HyperliquidVenue(
        "mainnet", "http://127.0.0.1:1", timeout_seconds=0.1, clock=lambda: NOW
    )

    with pytest.raises(VenueUnavailable, match="no connection"):
        venue.positions(USER)
