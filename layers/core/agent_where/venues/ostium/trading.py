"""Ostium as a place to trade: a user's orders, called by the key that the user named as delegate.

An order is a transaction of ours that places it and, some seconds later, one of a keeper that fills
or cancels it. Stop-loss and take-profit go with the entry and are the keeper's to carry out.
"""

import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Final

from pydantic import Field

from agent_where.domain import ZERO, Account, Market, Model, Order, Purpose, Quote, Refusal
from agent_where.errors import VenueRejected
from agent_where.venues._evm.chain import Chain, Purse, Reverted, View
from agent_where.venues._evm.limits import CoolDown
from agent_where.venues._evm.logs import Logs
from agent_where.venues._evm.rpc import Rpc
from agent_where.venues._evm.sealing import Unsent
from agent_where.venues._http import JsonHttp
from agent_where.venues.base import Action, ActionKind, FoundExits, Held
from agent_where.venues.ostium import contracts as on
from agent_where.venues.ostium import facts, orders, settlement, units
from agent_where.venues.ostium.exits import KeptPositions
from agent_where.venues.ostium.markets import ORDER_FEE_USD, VENUE
from agent_where.venues.ostium.places import Directory, Places
from agent_where.venues.ostium.prices import MAX_QUOTE_AGE, Prices
from agent_where.venues.ostium.refusals import refusal
from agent_where.venues.ostium.sent import sent

NO_GAS: Final = "NO_GAS"
"""The key's ether does not pay for the transaction."""
FEES_KEPT: Final = 10 * ORDER_FEE_USD
"""What is not staked: each close asks the wallet for an oracle's fee first, also a refunded one."""
APPROVAL_LASTS: Final = timedelta(days=1)
"""A delegate stays one until the user names another, which is asked again each day."""
_ETHER_DIGITS: Final = 18

Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$")]


class Site(Model):
    """Where the venue is and how it is treated; everything is a setting.

    `depth`: blocks on top of what counts as an end. `log_blocks`: the longest range of blocks that
    the node is asked for. `waits`: how long a transaction may be on its way before it is replaced.
    `least_allowance_usd`: from which allowance on an account may trade.
    """

    rpc_url: str
    price_url: str
    chain_id: Annotated[int, Field(gt=0)]
    registry: Address
    depth: Annotated[int, Field(ge=0, le=10_000)] = 20
    log_blocks: Annotated[int, Field(ge=16)] = 9_000
    max_fee_wei: Annotated[int, Field(gt=0)] = 2_000_000_000
    waits: timedelta = timedelta(minutes=2)
    least_allowance_usd: Decimal = Decimal(10)
    max_quote_age: timedelta = MAX_QUOTE_AGE


class OstiumVenue:
    """The venue. Nothing is asked before it is used.

    Args:
        timeout_seconds: for each answer.
        clock: aware UTC.
        http: None is a client of its own.
        monotonic: seconds, for cool-downs.
    """

    id = VENUE
    takes_bounds = True

    def __init__(
        self,
        site: Site,
        *,
        timeout_seconds: float,
        clock: Callable[[], datetime],
        http: JsonHttp | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        pool = http or JsonHttp.within(timeout_seconds)
        node = CoolDown(VENUE, "the node", clock=monotonic)
        feed = CoolDown(VENUE, "the price service", clock=monotonic)
        self._rpc = Rpc(VENUE, site.rpc_url, pool, node)
        self._chain = Chain(VENUE, self._rpc, site.chain_id, max_fee_wei=site.max_fee_wei)
        logs = Logs(VENUE, self._rpc, most_blocks=site.log_blocks)
        self._directory = Directory(self._chain, site.registry, clock)
        self._prices = Prices(site.price_url, pool, feed, max_age=site.max_quote_age)
        self._settlement = settlement.Settlement(
            self._chain, logs, depth=site.depth, waits=site.waits
        )
        self._kept = KeptPositions(self._chain, logs, depth=site.depth)
        self._site = site
        self._clock = clock

    def quote(self, market: Market, now: datetime) -> Quote:
        """The market's bid and ask.

        Raises:
            VenueRejected: the market is closed.
            VenueUnavailable: no price, or none that is fresh.
        """
        return self._prices.quote(market, now)

    def account(self, order: Order) -> Account:
        """The USDC that an entry of the order's account may cost. Raises VenueUnavailable."""
        balance, allowance = self._usdc(self._directory.places(), order.account.lower())
        free = units.usd_of(min(balance, allowance)) - FEES_KEPT
        return Account(free_collateral_usd=max(free, ZERO))

    def next_action(self, order: Order, market: Market, quote: Quote) -> Unsent:
        """The order as a transaction, simulated.

        Raises:
            VenueRejected: it cannot be said, or would be refused; nothing was spent.
            VenueUnavailable: the chain could not be read, or gas is too dear.
        """
        places, signer = self._directory.places(), orders.signer_of(order)
        purse, data = self._call(order, market, quote, places, signer)
        gas = self._chain.simulate(signer, places.trading, data)
        if isinstance(gas, Reverted):
            code, detail = refusal(gas)
            raise VenueRejected(VENUE, detail, code=code)
        fees = self._chain.fees(purse.head, is_exit=order.purpose is Purpose.CLOSE)
        if purse.wei < gas * fees.most:
            detail = f"{signer} has {purse.wei} wei, and the gas may cost {gas * fees.most}"
            raise VenueRejected(VENUE, detail, code=NO_GAS)
        return Unsent(
            venue=VENUE,
            kind=ActionKind.ORDER,
            chain_id=self._site.chain_id,
            to=places.trading,
            data=data,
            gas=gas,
            fees=fees,
            signer_address=signer,
            waits=self._site.waits,
            sequence=purse.next_nonce,
        )

    def cancel(self, order: Order, actions: Sequence[Action] = ()) -> None:
        """Nothing rests here: a market order ends by itself, or is taken back by `settle`."""

    def send(self, order: Order, action: Action) -> None:  # noqa: ARG002 as every venue is told
        """Broadcast stored bytes once. What becomes of them is `settle`'s to say.

        Raises:
            VenueUnavailable: nothing left this process.
            OutcomeUnknown: always, otherwise; BROADCAST where the node took it.
        """
        self._rpc.broadcast(action.payload)

    def settle(self, order: Order, actions: Sequence[Action]) -> settlement.Next:
        """How an order ended that was sent earlier, or what to send to find out.

        Raises:
            VenueUnavailable: the chain could not be read.
            OutcomeUnknown: there are no stored bytes of an order.
        """
        return self._settlement.settle(
            sent(order, actions), self._directory.places(), self._clock()
        )

    def exits(self, account: str, held: Sequence[Held], since: int | None) -> FoundExits:
        """What became of positions, orders of ours included; the cursor is a block's number.

        Raises:
            VenueUnavailable: it could not be read.
        """
        return self._kept.exits(account, held, self._directory.places(), since)

    def approval(self, account: str, signer_address: str) -> datetime | None:
        """Until when a key may trade for an account. None: it may not. Raises VenueUnavailable.

        It is the account's delegate, and the venue may take some of the account's USDC. Neither
        ends by itself, so it is good until it should be looked at again.
        """
        places, trader = self._directory.places(), account.lower()
        (delegate,), (allowance,) = self._chain.views(
            View(places.trading, on.DELEGATIONS, (trader,)),
            View(places.usdc, on.ALLOWANCE, (trader, places.storage)),
        )
        is_approved = (
            str(delegate).lower() == signer_address.lower()
            and units.usd_of(allowance) >= self._site.least_allowance_usd
        )
        return self._clock() + APPROVAL_LASTS if is_approved else None

    def gas(self, signer_address: str) -> Decimal:
        """What a key has to pay for gas with, in ether. Raises VenueUnavailable."""
        return Decimal(self._chain.balance(signer_address)).scaleb(-_ETHER_DIGITS)

    def _call(
        self, order: Order, market: Market, quote: Quote, places: Places, signer: str
    ) -> tuple[Purse, bytes]:
        trader = order.account.lower()
        if order.purpose is Purpose.ENTRY:
            pair = orders.pair_of(market)
            purse, told = facts.for_entry(
                self._chain, places, trader=trader, signer=signer, pair=pair, side=order.side
            )
            return purse, orders.entry(order, market, quote, told)
        if order.purpose is Purpose.CLOSE:
            ref = orders.ref_of(order)
            purse, held = facts.for_close(
                self._chain, places, trader=trader, signer=signer, ref=ref
            )
            return purse, orders.close(order, quote, held)
        detail = f"a {order.purpose} goes with its entry here"
        raise VenueRejected(VENUE, detail, code=Refusal.VENUE_REFUSED)

    def _usdc(self, places: Places, trader: str) -> tuple[int, int]:
        (balance,), (allowance,) = self._chain.views(
            View(places.usdc, on.BALANCE_OF, (trader,)),
            View(places.usdc, on.ALLOWANCE, (trader, places.storage)),
        )
        return balance, allowance
