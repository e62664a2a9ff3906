"""What the venue refuses an order for, in its own words.

Two kinds: what the order's own figures show is refused before anything happens and leaves no
trace; what only the account and the book show is refused with a record of the order.
"""

from dataclasses import dataclass
from decimal import Decimal

from local.simulators.hyperliquid import margin
from local.simulators.hyperliquid.figures import ZERO, wire
from local.simulators.hyperliquid.matching import best, would_match
from local.simulators.hyperliquid.orders import Order, Status
from local.simulators.hyperliquid.state import State

MIN_NOTIONAL_USD = Decimal(10)
_LOWEST_OF_MARK = Decimal("0.2")
_HIGHEST_OF_MARK = Decimal(5)


@dataclass(frozen=True)
class Refusal:
    """Why not, and the status the order ends with."""

    text: str
    status: Status


def malformed(state: State, order: Order) -> str | None:
    """What is wrong with the order's own figures; the first such fault refuses a whole batch."""
    coin = order.coin
    if state.markets.is_delisted(coin):
        return "Trading is halted."
    if not order.size and not order.is_position_tpsl:
        return "Order has zero size."
    if not coin.on_lot(order.size):
        return "Order has invalid size."
    if not coin.on_tick(order.limit):
        return "Price must be divisible by tick size."
    if order.trigger is not None:
        if not coin.on_tick(order.trigger.price):
            return "Invalid TP/SL price."
        if not order.reduce_only:
            return "Trigger order is not reduce only."
    reference = order.trigger.price if order.trigger else state.markets.mark(coin)
    if not _LOWEST_OF_MARK * reference < order.limit <= _HIGHEST_OF_MARK * reference:
        return "Order price cannot be more than 80% away from the reference price"
    most = coin.greatest_order_usd(is_market=order.is_immediate)
    if order.size * order.limit > most:
        return f"Order value too large. Max is ${most}."
    return None


def refusal(state: State, order: Order) -> Refusal | None:
    """What the account or the book has against a well-formed order."""
    reasons = _trigger_reasons if order.trigger else _order_reasons
    return reasons(state, order)


def _trigger_reasons(state: State, order: Order) -> Refusal | None:
    assert order.trigger is not None
    if refused := _increases(state, order):
        return refused
    if order.trigger.is_reached(state.markets.mark(order.coin), is_buy=order.is_buy):
        return Refusal("Invalid TP/SL price.", Status.TRIGGER_REJECTED)
    return _too_small(state, order)


def _order_reasons(state: State, order: Order) -> Refusal | None:
    return (
        _increases(state, order)
        or _meets_nothing(state, order)
        or _too_small(state, order)
        or _at_cap(state, order)
        or _over_tier(state, order)
        or _unbacked(state, order)
    )


def _increases(state: State, order: Order) -> Refusal | None:
    """A reduce-only order that is too large is no fault: it is cut to the position."""
    held = state.ledger.account(order.user).size(order.coin)
    if order.reduce_only and order.sign * held >= 0:
        text = "Reduce only order would increase position."
        return Refusal(text, Status.REDUCE_ONLY_REJECTED)
    return None


def _meets_nothing(state: State, order: Order) -> Refusal | None:
    matches = would_match(state, order)
    if order.tif == "Alo" and matches:
        text = f"Post only order would have immediately matched, bbo was {_touch(state, order)}."
        return Refusal(text, Status.POST_ONLY_REJECTED)
    if order.tif == "FrontendMarket" and not matches:
        return Refusal("No liquidity available for market order.", Status.NO_LIQUIDITY_REJECTED)
    if order.is_immediate and not matches:
        text = "Order could not immediately match against any resting orders."
        return Refusal(text, Status.IOC_REJECTED)
    return None


def _touch(state: State, order: Order) -> str:
    bid = best(state, order.coin, is_ask=False)
    ask = best(state, order.coin, is_ask=True)
    return f"{wire(bid.price) if bid else '-'}@{wire(ask.price) if ask else '-'}"


def _too_small(state: State, order: Order) -> Refusal | None:
    """By limit price; what closes a whole position may be worth less."""
    held = abs(state.ledger.account(order.user).size(order.coin))
    closes_all = order.reduce_only and (order.size >= held or order.is_position_tpsl)
    if closes_all or order.size * order.limit >= MIN_NOTIONAL_USD:
        return None
    text = f"Order must have minimum value of ${MIN_NOTIONAL_USD}."
    return Refusal(text, Status.MIN_TRADE_REJECTED)


def opening(held: Decimal, order: Order) -> Decimal:
    """How much of an order would not close anything, in coins."""
    if order.reduce_only:
        return ZERO
    return max(order.size - abs(held), ZERO) if order.sign * held < 0 else order.size


def _at_cap(state: State, order: Order) -> Refusal | None:
    held = state.ledger.account(order.user).size(order.coin)
    if order.coin.name not in state.markets.capped or not opening(held, order):
        return None
    text = "Order would increase open interest while open interest is capped"
    flips = order.sign * held < 0
    return Refusal(text, Status.FLIP_AT_CAP_REJECTED if flips else Status.INCREASE_AT_CAP_REJECTED)


def _over_tier(state: State, order: Order) -> Refusal | None:
    account, coin = state.ledger.account(order.user), order.coin
    held = account.size(coin)
    worth = abs(held + order.sign * order.size) * state.markets.mark(coin)
    if not opening(held, order) or account.leverage(coin).value <= coin.greatest_leverage(worth):
        return None
    text = "Order would cause position to exceed margin tier limit at current leverage"
    return Refusal(text, Status.MAX_POSITION_REJECTED)


def _unbacked(state: State, order: Order) -> Refusal | None:
    """By mark, or by the limit where that is what a resting order would get."""
    account, coin = state.ledger.account(order.user), order.coin
    opens = opening(account.size(coin), order)
    if not opens:
        return None
    mark = state.markets.mark(coin)
    price = min(order.limit, mark) if order.is_buy else max(order.limit, mark)
    needed = opens * price / account.leverage(coin).value
    bound = state.ledger.held_by_orders(account)
    there = margin.spare(account, state.markets.mark, bound)
    there += margin.released(account, coin, mark, order.sign * order.size)
    if needed <= there:
        return None
    return Refusal("Insufficient margin to place order.", Status.MARGIN_REJECTED)
