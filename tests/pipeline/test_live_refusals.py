"""What a simulated Hyperliquid refuses, or does in part: the ledger's word for it, and its own."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from agent_where.domain import Order, OrderStatus
from agent_where.venues.base import Action, Standing
from agent_where.venues.hyperliquid.signing import Network
from agent_where.venues.hyperliquid.trading import HyperliquidVenue
from tests.live_world import USER, LiveWorld, live_world


@pytest.fixture
def live(database_dsn: str) -> Iterator[LiveWorld]:
    with live_world(database_dsn) as made:
        yield made


class Meanwhile(HyperliquidVenue):
    """Something happens at the venue right before an order gets there, once."""

    def __init__(
        self, live: LiveWorld, happens: Callable[[], object], network: Network = "mainnet"
    ) -> None:
        super().__init__(network, live.url, **live.terms)
        self.happens: Callable[[], object] | None = happens

    def send(self, order: Order, action: Action) -> Standing:
        if self.happens and action.kind == "ORDER":
            happens, self.happens = self.happens, None
            happens()
        return super().send(order, action)


def nothing() -> None:
    """Happens."""


def far_away(live: LiveWorld) -> Callable[[], Any]:
    return lambda: live.tell("price", coin="BTC", price="63000")


def used_up(live: LiveWorld) -> Callable[[], Any]:
    live.tell("price", coin="ETH", price="2000")
    return lambda: live.tell("trade", user=USER, coin="ETH", buy=True, size="15")


def forgotten(live: LiveWorld) -> Callable[[], Any]:
    return lambda: live.tell("forget")


def capped(live: LiveWorld) -> Callable[[], Any]:
    return lambda: live.tell("cap", coin="BTC", capped=True)


def spent(live: LiveWorld) -> Callable[[], Any]:
    return lambda: live.tell("account", user=USER, requestsUsed=1_000_000)


@pytest.mark.parametrize(
    ("meanwhile", "refusal", "words"),
    [
        (far_away, "VENUE_REFUSED", "Order could not immediately match against any resting orders"),
        (used_up, "NO_COLLATERAL", "Insufficient margin to place order"),
        (forgotten, "VENUE_REFUSED", "does not exist"),
        (capped, "VENUE_REFUSED", "open interest"),
        (spent, "REQUESTS_USED_UP", "Too many cumulative requests sent"),
    ],
)
def test_an_entry_that_is_refused_ends_in_the_venue_s_words(
    live: LiveWorld,
    meanwhile: Callable[[LiveWorld], Callable[[], Any]],
    refusal: str,
    words: str,
) -> None:
    agent = live.live(usd=2_000)
    live.venues["HYPERLIQUID"] = Meanwhile(live, meanwhile(live))

    live.open(agent, sizeModel={"type": "fixed-usdc", "value": "800", "leverage": "3"})
    live.come_to_rest()

    order = live.order()
    assert (order["status"], order["refusal"]) == (OrderStatus.REJECTED, refusal)
    assert words in order["detail"]
    assert live.positions() == []


def test_the_wrong_network_s_signature_is_a_stranger_s(live: LiveWorld) -> None:
    agent = live.live(leverage="20")
    live.venues["HYPERLIQUID"] = Meanwhile(live, nothing, network="testnet")

    live.open(agent, sizeModel={"type": "fixed-usdc", "value": "100", "leverage": "20"})
    live.come_to_rest()

    order = live.order()
    assert order["status"] == OrderStatus.REJECTED
    assert "does not exist" in order["detail"]
    assert live.books()["fills"] == []


def test_a_part_that_filled_is_the_position(live: LiveWorld) -> None:
    agent = live.live()
    live.tell("depth", coin="BTC", sizes=["0.002"])

    live.open(agent)
    live.come_to_rest()

    order = live.order()
    (position,) = live.positions()
    assert (order["status"], order["filled_size"]) == (OrderStatus.FILLED, Decimal("0.002"))
    assert "filled 0.002 of" in order["detail"]
    assert position["open_qty"] == live.held() == Decimal("0.002")


def test_a_close_in_parts_goes_on_until_nothing_is_left(live: LiveWorld) -> None:
    agent = live.live()
    live.open(agent)
    live.come_to_rest()
    live.clock.pass_seconds(2)
    live.tell("depth", coin="BTC", sizes=["0.002"])

    live.close(agent)
    live.come_to_rest()
    (position,) = live.positions()
    assert position["status"] == "OPEN"
    assert position["open_qty"] == live.held()
    live.tell("depth", coin="BTC", sizes=None)
    live.try_again()

    (position,) = live.positions()
    assert position["status"] == "CLOSED"
    assert live.held() == 0


def test_a_close_that_would_increase_is_refused_and_tried_again(live: LiveWorld) -> None:
    """The user closed it by hand, unseen; comparing books that, and here nothing does."""
    agent = live.live()
    live.open(agent)
    live.come_to_rest()
    size = str(live.held())
    live.venues["HYPERLIQUID"] = Meanwhile(
        live, lambda: live.tell("trade", user=USER, coin="BTC", buy=False, size=size)
    )

    live.close(agent)
    live.come_to_rest()

    first, second = (row for row in live.orders() if row["purpose"] == "CLOSE")
    assert first["status"] == OrderStatus.REJECTED
    assert "Reduce only order would increase position" in first["detail"]
    assert second["status"] == OrderStatus.PLANNED
    assert live.held() == 0


def test_an_account_without_money_is_refused_before_anything_is_signed(live: LiveWorld) -> None:
    agent = live.live(usd=1)

    live.open(agent)
    live.come_to_rest()

    order = live.order()
    assert (order["status"], order["refusal"]) == (OrderStatus.REJECTED, "BELOW_MIN_POSITION")
    assert live.rows("SELECT FROM venue_actions") == []
