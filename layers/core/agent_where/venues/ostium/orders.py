"""What to call for an order: pure, from the order, its market, its quote and what the chain says.

Stakes and slippage are rounded down, so that nobody pays more or trades worse than was asked. What
the venue would refuse in any case is VenueRejected before a byte is signed.
"""

from decimal import Decimal
from typing import Final

from agent_where.domain import ZERO, Market, Order, Quote, Refusal
from agent_where.errors import VenueRejected
from agent_where.venues.ostium import contracts as on
from agent_where.venues.ostium import units
from agent_where.venues.ostium.contracts import Trade
from agent_where.venues.ostium.facts import CloseFacts, EntryFacts, Open, Standing
from agent_where.venues.ostium.markets import VENUE
from agent_where.venues.ostium.refusals import OPEN_INTEREST_CAPPED, PAUSED
from agent_where.venues.ostium.units import PositionRef

MIN_STAKE_USDC: Final = 5_000_000
"""The least stake, in units of USDC: a rule of the venue's own interface, not of its contract."""
TOO_LARGE: Final = "ORDER_TOO_LARGE"

_MARKET_ORDER: Final = 0
_NO_RETRY: Final = False
_NO_BUILDER: Final = ("0x" + "0" * 40, 0)
_MOST_ENTRY_SLIPPAGE: Final = 9_999
_MOST_CLOSE_SLIPPAGE: Final = 10_000
_WHOLE: Final = units.FULL_CLOSE - 1
"""From so much of a trade on, in hundredths of a percent, all of it is closed."""


def pair_of(market: Market) -> int:
    """The market's pair. Raises VenueRejected where it has none."""
    if market.index is None:
        raise _refused(Refusal.NOT_LISTED, f"{market.name} has no index")
    return market.index


def signer_of(order: Order) -> str:
    """Whose key trades for the account. Raises VenueRejected."""
    if order.signer_address is None:
        raise _refused(Refusal.NOT_APPROVED, f"account {order.account} has no key")
    return order.signer_address.lower()


def ref_of(order: Order) -> PositionRef:
    """The position that a close is of. Raises VenueRejected."""
    try:
        return PositionRef.parsed(order.position_ref or "")
    except ValueError:
        detail = f"{order.position_ref!a} names no trade"
        raise _refused(Refusal.NOTHING_TO_CLOSE, detail) from None


def entry(order: Order, market: Market, quote: Quote, facts: EntryFacts) -> bytes:
    """The call that opens a trade.

    Raises:
        VenueRejected: the venue is paused, the key may not trade, or the order cannot be said.
    """
    if facts.standing.is_paused:
        raise _refused(PAUSED, "the contracts are paused")
    _refuse_stranger(order, facts.standing)
    if not facts.is_listed:
        raise _refused(Refusal.NOT_LISTED, f"the contracts do not list {market.name}")
    stake = _stake(order, market, facts)
    _refuse_capped(order, market, quote, facts)
    trade = Trade(
        collateral=stake,
        open_price=units.price(quote.mid),
        take_profit=units.price(order.take_profit or ZERO),
        stop_loss=units.price(order.stop_loss or ZERO),
        trader=signer_of(order),  # ignored: the contract takes the delegator for the trader
        leverage=_leverage(order, market),
        pair=pair_of(market),
        slot=0,
        is_buy=order.side.sign > 0,
        is_day_trade=False,
    )
    slippage = _slippage(order, quote, _MOST_ENTRY_SLIPPAGE)
    return delegated(order, on.OPEN_TRADE.call(trade, _NO_BUILDER, _MARKET_ORDER, slippage))


def close(order: Order, quote: Quote, facts: CloseFacts) -> bytes:
    """The call that closes a trade, as far as the order goes. Errors as `entry`."""
    ref = ref_of(order)
    _refuse_stranger(order, facts.standing)
    if facts.held.trade_id != ref.trade_id or not facts.held.size:
        detail = f"trade {ref.trade_id} is not open at {ref.pair}:{ref.slot} any more"
        raise _refused(Refusal.NOTHING_TO_CLOSE, detail)
    if facts.standing.usable < facts.standing.oracle_fee:
        detail = (
            f"{units.usd_of(facts.standing.usable):f} USDC with allowance does not pay the "
            f"{units.usd_of(facts.standing.oracle_fee):f} that a close asks for"
        )
        raise _refused(Refusal.NO_COLLATERAL, detail)
    call = on.CLOSE_TRADE.call(
        ref.pair,
        ref.slot,
        _share(order, facts.held),
        units.price(quote.mid),
        _slippage(order, quote, _MOST_CLOSE_SLIPPAGE),
    )
    return delegated(order, call)


def timeout(order: Order, order_id: int, *, opens: bool) -> bytes:
    """The call that takes an order back which no keeper answered."""
    call = on.OPEN_TIMEOUT.call(order_id) if opens else on.CLOSE_TIMEOUT.call(order_id, _NO_RETRY)
    return delegated(order, call)


def delegated(order: Order, call: bytes) -> bytes:
    """A call made for the order's account by its delegate."""
    return on.DELEGATED.call(order.account.lower(), call)


def _stake(order: Order, market: Market, facts: EntryFacts) -> int:
    collateral, fee = _told(order.collateral_usd), facts.standing.oracle_fee
    stake = units.opened_with(collateral, order.leverage, market.taker_fee_bps, fee)
    notional = units.usdc(collateral) * units.leverage(order.leverage) // 100
    if stake < MIN_STAKE_USDC or notional < facts.min_notional:
        detail = (
            f"a stake of {units.usd_of(stake):f} USDC, {units.usd_of(notional):f} in all, is under "
            f"the {units.usd_of(MIN_STAKE_USDC):f} and {units.usd_of(facts.min_notional):f} of "
            f"market {market.name}"
        )
        raise _refused(Refusal.BELOW_MIN_POSITION, detail)
    if stake > facts.max_collateral:
        most = units.usd_of(facts.max_collateral)
        detail = f"a stake of {units.usd_of(stake):f} USDC is over the {most:f} of one trade"
        raise _refused(TOO_LARGE, detail)
    if stake + fee > facts.standing.usable:
        usable = units.usd_of(facts.standing.usable)
        detail = (
            f"{usable:f} USDC with allowance does not carry {units.usd_of(stake):f} "
            f"and the {units.usd_of(fee):f} of a close"
        )
        raise _refused(Refusal.NO_COLLATERAL, detail)
    return stake


def _refuse_capped(order: Order, market: Market, quote: Quote, facts: EntryFacts) -> None:
    after = (units.size_of(facts.interest) + _told(order.size)) * quote.mid
    limit = units.usd_of(facts.max_interest)
    if after > limit:
        detail = (
            f"open interest on the {order.side} side of {market.name} would be {after:.0f} USD, "
            f"over its {limit:.0f}"
        )
        raise _refused(OPEN_INTEREST_CAPPED, detail)


def _refuse_stranger(order: Order, standing: Standing) -> None:
    if standing.is_done:
        raise _refused(PAUSED, "the contracts are shut down")
    signer = signer_of(order)
    if standing.delegate.lower() != signer:
        detail = f"account {order.account} lets {standing.delegate} trade, and not {signer}"
        raise _refused(Refusal.NOT_APPROVED, detail)


def _leverage(order: Order, market: Market) -> int:
    if order.leverage > market.max_leverage:
        detail = f"{order.leverage:f} is over the {market.max_leverage:f} of market {market.name}"
        raise _refused(Refusal.ABOVE_MAX_LEVERAGE, detail)
    return units.leverage(order.leverage)


def _slippage(order: Order, quote: Quote, most: int) -> int:
    limit = _told(order.limit_price)
    bps = units.slippage(limit, quote.mid, order.side)
    if bps < 1:
        detail = f"a limit of {limit:f} leaves not one bp from the price of {quote.mid:f}"
        raise _refused(Refusal.VENUE_REFUSED, detail)
    return min(bps, most)


def _share(order: Order, held: Open) -> int:
    share = units.share(_told(order.size), units.size_of(held.size))
    if share < 1:
        detail = f"{order.size:f} is under a hundredth of a percent of what is open"
        raise _refused(Refusal.DUST, detail)
    return units.FULL_CLOSE if share >= _WHOLE else share


def _told(figure: Decimal | None) -> Decimal:
    """A figure that sizing has filled in."""
    if figure is None or figure <= ZERO:
        raise _refused(Refusal.BAD_SIGNAL, "the order was not sized")
    return figure


def _refused(code: str, detail: str) -> VenueRejected:
    return VenueRejected(VENUE, detail, code=code)
