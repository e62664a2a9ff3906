"""Hyperliquid as a place to trade: what to sign, what its answers mean, how orders ended.

Accounts are named by the user's own address. Whose key signs is the executor's business, and so is
storing what was signed before it is sent. One instance a process: it keeps to the venue's limits.
"""

import json
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from agent_where.domain import ZERO, Account, Market, Order, Purpose, Quote, Settled
from agent_where.errors import VenueUnavailable
from agent_where.venues._http import JsonHttp
from agent_where.venues.base import AccountFill, Action, ActionKind, Standing
from agent_where.venues.hyperliquid import answers, orders, settlement, units, wire
from agent_where.venues.hyperliquid.account import (
    Accounts,
    FeeRates,
    OpenPosition,
)
from agent_where.venues.hyperliquid.budget import VENUE_WEIGHT_PER_MINUTE, Budget
from agent_where.venues.hyperliquid.exchange import Exchange
from agent_where.venues.hyperliquid.ids import client_order_id
from agent_where.venues.hyperliquid.info import Info
from agent_where.venues.hyperliquid.markets import VENUE
from agent_where.venues.hyperliquid.recent import Recent
from agent_where.venues.hyperliquid.refusals import Meaning
from agent_where.venues.hyperliquid.replies import OK, Admitted
from agent_where.venues.hyperliquid.signing import Network
from agent_where.venues.tally import Tally

MAX_QUOTE_AGE: Final = timedelta(seconds=10)
_STATE_LASTS: Final = timedelta(seconds=5)
_SETTING_LASTS: Final = timedelta(seconds=30)
_ANSWER_LASTS: Final = timedelta(hours=1)
_GONE: Final = (OK, Meaning.NOTHING_TO_CANCEL)
"""What the venue says of a cancel after which there is nothing more to cancel."""


class HyperliquidVenue:
    """The main dex. Nothing is asked before it is used.

    Args:
        network: what signatures are for, whatever the URL is.
        url: the API's base.
        timeout_seconds: for each answer.
        clock: aware UTC.
        http: None is a client of its own.
        weight_per_minute: the most this process may use of the venue's limit.
        tally: counts what the venue said that an operator should know; None: nobody asks.
        max_quote_age: how old a book may be.
        monotonic: seconds, for the limit.
    """

    id = VENUE
    takes_bounds = False

    def __init__(
        self,
        network: Network,
        url: str,
        *,
        timeout_seconds: float,
        clock: Callable[[], datetime],
        http: JsonHttp | None = None,
        weight_per_minute: int = VENUE_WEIGHT_PER_MINUTE,
        tally: Tally | None = None,
        max_quote_age: timedelta = MAX_QUOTE_AGE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        pool = http or JsonHttp.within(timeout_seconds)
        tally = tally or Tally()
        budget = Budget(weight_per_minute, clock=monotonic, tally=tally)
        self._network: Network = network
        self._clock = clock
        self._max_quote_age = max_quote_age
        self._info = Info(url, pool, budget)
        self._exchange = Exchange(url, pool, budget, tally)
        self._accounts = Accounts(self._info, clock)
        self._settlement = settlement.Settlement(self._info, network)
        self._newest_ms = 0
        self._states: Recent[UUID, answers.Clearinghouse] = Recent(_STATE_LASTS, clock)
        self._settings: Recent[tuple[str, int], answers.Leverage] = Recent(_SETTING_LASTS, clock)
        self._admitted: Recent[UUID, Admitted] = Recent(_ANSWER_LASTS, clock)

    def quote(self, market: Market, now: datetime) -> Quote:
        """The best bid and offer. Raises VenueUnavailable: none, or too old.

        A book is as old as it is behind `now`, or behind the newest that the venue told here.
        """
        coin = units.coin_of(market.name)
        book = self._info.book(coin)
        self._refuse_stale(book, now)
        bids, asks = book.levels
        if not bids or not asks:
            raise _no_quote(f"the book of {coin} has no {'asks' if bids else 'bids'}")
        bid, ask = max(level.price for level in bids), min(level.price for level in asks)
        if bid > ask:
            raise _no_quote(f"the book of {coin} is crossed, {bid:f} over {ask:f}")
        return Quote(
            bid=bid / market.multiplier,
            ask=ask / market.multiplier,
            at=answers.time_of(book.time),
        )

    def account(self, order: Order) -> Account:
        """What the order's account has free. Raises VenueUnavailable."""
        state = self._state(order)
        self._states.put(order.id, state)
        return self._accounts.trading(order.account, state)

    def next_action(self, order: Order, market: Market, quote: Quote) -> orders.Unsent:
        """The leverage where an entry needs another, else the order itself.

        Raises:
            VenueRejected: it cannot be said, or would be refused in any case.
            VenueUnavailable: the account could not be read.
        """
        state = self._states.take(order.id) or self._state(order)
        position = state.of(units.coin_of(market.name))
        held = position.size if position else ZERO
        if order.purpose is Purpose.CLOSE:
            return self._order(orders.close(order, market, quote, held))
        if order.purpose is not Purpose.ENTRY:
            return self._order(orders.trigger(order, market, held))
        said = orders.entry(order, market, quote, held)
        change = self._leverage_change(order, market, position)
        return change or self._order(said)

    def cancel(self, order: Order, actions: Sequence[Action] = ()) -> orders.Unsent | None:
        """What takes a resting order back. None: it ends without being asked to, or was taken back.

        Args:
            actions: what was stored for it; where they are given, nothing has to be read.

        Raises:
            VenueUnavailable: the market's id could not be read.
        """
        if order.purpose not in (Purpose.TAKE_PROFIT, Purpose.STOP_LOSS):
            return None
        if any(each.kind is ActionKind.CANCEL and each.outcome in _GONE for each in actions):
            return None
        asset = settlement.asset_in(actions)
        if asset is None:
            asset = self._info.asset(units.coin_of(order.market_name)).asset_id
        action = wire.cancel_by_client_id(asset, client_order_id(order.id))
        return orders.Unsent(ActionKind.CANCEL, action, self._network)

    def send(self, order: Order, action: Action) -> Standing:
        """Send stored bytes once. An order's fills are read by `settle`; of any other action that
        was carried out the detail is OK.

        Raises:
            VenueRejected: refused in words that the venue documents.
            VenueUnavailable: nothing left this process.
            OutcomeUnknown: it may have been carried out; NONCE_USED where its nonce was before.
        """
        told = self._exchange.send(action)
        if action.kind is ActionKind.LEVERAGE:
            self._keep_setting(order, action)
        if action.kind is not ActionKind.ORDER:
            return Standing(detail=OK)
        self._admitted.put(order.id, told)
        ref = None if told.order_id is None else str(told.order_id)
        return Standing(venue_ref=ref, detail=_told(order, told))

    def settle(
        self, order: Order, actions: Sequence[Action]
    ) -> Settled | Standing | orders.Unsent | None:
        """How an order ended that was sent earlier, or what to send to find out.

        Raises:
            VenueUnavailable: the venue cannot be asked.
            OutcomeUnknown: there are no stored bytes of an order.
        """
        told = settlement.sent(order, actions, self._admitted.get(order.id))
        return self._settlement.settle(told, self._clock())

    def fee_rates(self, account: str) -> FeeRates:
        """What an account itself pays. Raises VenueUnavailable."""
        return self._accounts.fee_rates(account)

    def positions(self, account: str) -> Sequence[OpenPosition]:
        """Everything an account has open here, whoever opened it. Raises VenueUnavailable."""
        return self._accounts.positions(account)

    def fills(self, account: str, since: datetime) -> Sequence[AccountFill]:
        """Every trade of an account from then on, oldest first. As `Holdings` has it."""
        return self._accounts.fills(account, since)

    def approval(self, account: str, signer_address: str) -> datetime | None:
        """Until when a key may trade for an account. None: it may not. Raises VenueUnavailable."""
        return self._accounts.approval(account, signer_address)

    def _state(self, order: Order) -> answers.Clearinghouse:
        state = self._info.clearinghouse(order.account)
        self._newest_ms = max(self._newest_ms, state.time)
        return state

    def _refuse_stale(self, book: answers.Book, now: datetime) -> None:
        self._newest_ms = max(self._newest_ms, book.time)
        newest = max(answers.time_of(self._newest_ms), now)
        age = newest - answers.time_of(book.time)
        if age > self._max_quote_age:
            raise _no_quote(f"the book of {book.coin} is {age.total_seconds():.0f} s old")

    def _leverage_change(
        self, order: Order, market: Market, position: answers.Held | None
    ) -> orders.Unsent | None:
        wanted, coin = orders.leverage_wanted(order, market), units.coin_of(market.name)
        current = self._settings.get((order.account, orders.asset_of(market)))
        if current is None and position is not None:
            current = position.leverage
        current = current or self._info.leverage(order.account, coin)
        if current.value == wanted:
            return None
        isolated = current.is_cross and self._info.asset(coin).is_isolated_only
        action = orders.leverage_change(market, wanted, current, isolated=isolated)
        return orders.Unsent(ActionKind.LEVERAGE, action, self._network, lasts=orders.EXPIRES_AFTER)

    def _keep_setting(self, order: Order, action: Action) -> None:
        """A look-up may be late to know what was just set."""
        said = json.loads(action.payload)["action"]
        kind = "cross" if said["isCross"] else "isolated"
        setting = answers.Leverage.model_validate({"type": kind, "value": said["leverage"]})
        self._settings.put((order.account, said["asset"]), setting)

    def _order(self, action: wire.WireAction) -> orders.Unsent:
        return orders.Unsent(ActionKind.ORDER, action, self._network, lasts=orders.EXPIRES_AFTER)


def _told(order: Order, told: Admitted) -> str:
    if told.filled is None or told.average_price is None:
        return "waits for its trigger" if order.purpose is not Purpose.ENTRY else "rests"
    multiplier = units.multiplier_of(units.coin_of(order.market_name))
    return f"filled {told.filled * multiplier:f} at {told.average_price / multiplier:f}"


def _no_quote(detail: str) -> VenueUnavailable:
    return VenueUnavailable(VENUE, detail, code="VENUE_UNAVAILABLE")
