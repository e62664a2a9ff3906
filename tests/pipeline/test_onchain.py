"""Orders that are transactions: counted nonces, the same bytes again, keepers that fill later."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from uuid import UUID, uuid4

import pytest

from agent_where.domain import OrderStatus, Purpose, Side
from agent_where.errors import LeaseHeld, VenueUnavailable
from agent_where.store.connection import Database, DatabaseSettings
from agent_where.store.store import Store
from agent_where.venues.base import Action, ActionKind
from tests.netting import NettingVenue
from tests.onchain import ORACLE_FEE, OnchainWorld

AT_ONCE = 20
RISK = {"stopLoss": "0.05", "takeProfit": "0.10"}


@pytest.fixture
def world(database_dsn: str) -> Iterator[OnchainWorld]:
    made = OnchainWorld(database_dsn)
    yield made
    made.dispose()


def test_bounds_go_with_the_entry_and_the_position_has_what_the_venue_confirmed(
    world: OnchainWorld,
) -> None:
    _, agent = world.trader()

    position = world.buy(agent, riskModel=RISK)

    assert (position["stop_loss"], position["take_profit"]) == (Decimal(95), Decimal(110))
    assert position["venue_ref"] in world.chain.trades
    assert [row["purpose"] for row in world.orders()] == ["ENTRY"]
    world.minutes_pass(5)
    assert world.store.upkeep.write_figures({})["positionsUnprotected"] == 0


def test_a_position_is_closed_under_the_venues_own_name_for_it(world: OnchainWorld) -> None:
    wallet, agent = world.trader()
    position = world.buy(agent)

    world.close(agent, "XAU")
    world.work()

    closing = world.place.seen[-1]
    assert closing.purpose is Purpose.CLOSE
    assert closing.position_ref == position["venue_ref"]
    assert closing.signer_address == f"key{wallet}"
    assert world.chain.trades == {}
    assert world.position(position["id"])["status"] == "CLOSED"
    assert world.closures() == []


def test_a_transaction_is_stored_with_its_hash_and_read_back_with_it(world: OnchainWorld) -> None:
    _, agent = world.trader()
    world.buy(agent)

    (stored,) = world.actions()
    file = world.store.read_order(stored["order_id"], uuid4())

    assert file is not None
    assert [each.tx_hash for each in file.actions] == [stored["tx_hash"]]
    assert stored["tx_hash"].startswith("0x")
    assert stored["nonce"] == 0


def test_orders_of_one_wallet_at_once_take_consecutive_nonces(
    world: OnchainWorld, database_dsn: str
) -> None:
    world.listed()
    wallet = world.user()
    for _ in range(AT_ONCE):
        world.open(world.follower(wallet), "XAU")
    orders = [row["id"] for row in world.orders()]

    def carry_out(order: UUID) -> OrderStatus:
        own = world.another_worker(Database(DatabaseSettings.from_url(database_dsn)))
        try:
            while True:
                try:
                    return own.executor().execute(order).status
                except (LeaseHeld, VenueUnavailable):
                    continue
        finally:
            own.dispose()

    with ThreadPoolExecutor(AT_ONCE) as pool:
        ends = list(pool.map(carry_out, orders))

    assert set(ends) == {OrderStatus.FILLED}
    assert sorted(row["nonce"] for row in world.actions()) == list(range(AT_ONCE))
    assert len(world.chain.executed) == len(set(world.chain.executed)) == AT_ONCE
    assert world.account_row(wallet)["last_nonce"] == AT_ONCE - 1


def test_of_many_that_store_the_same_nonce_one_does(world: OnchainWorld, database_dsn: str) -> None:
    wallet, agent = world.trader()
    world.chain.keeper = "silent"
    world.open(agent, "XAU")
    world.work()
    order = world.store.read_order(world.order()["id"], uuid4())
    assert order is not None
    token = uuid4()
    world.rows(
        "UPDATE venue_accounts SET lease_token = :token, lease_until = now() + interval '1 minute'",
        token=token,
    )

    def store(number: int) -> bool:
        database = Database(DatabaseSettings.from_url(database_dsn, lock_timeout_ms=20_000))
        action = Action(
            kind=ActionKind.TIMEOUT,
            payload=str(number).encode(),
            nonce=1,
            signer_address=f"key{wallet}",
            is_counted=True,
        )
        stored = Store(database).actions.store(order.order, action, token)
        database.close()
        return stored

    with ThreadPoolExecutor(AT_ONCE) as pool:
        stored = list(pool.map(store, range(AT_ONCE)))

    assert stored.count(True) == 1
    assert [row["nonce"] for row in world.actions()] == [0, 1]
    assert world.account_row(wallet)["last_nonce"] == 1


def test_a_nonce_that_a_stranger_used_is_passed_over(world: OnchainWorld) -> None:
    wallet, agent = world.trader()
    world.buy(agent)
    world.chain.stranger(f"key{wallet}", 3)

    world.buy(agent)

    assert [row["nonce"] for row in world.actions()] == [0, 4]


def test_a_node_that_lags_lets_nothing_be_sent_until_it_has_caught_up(world: OnchainWorld) -> None:
    _, agent = world.trader()
    world.buy(agent)
    world.chain.lag = 1
    world.open(agent, "XAU")
    ticket = world.queues.orders[0]

    with pytest.raises(VenueUnavailable, match=r"0x\w+ with nonce 0 of key\w+ has no receipt"):
        world.executor().execute(ticket.id)
    assert len(world.actions()) == 1
    world.chain.lag = 0
    world.work()

    assert [row["nonce"] for row in world.actions()] == [0, 1]
    assert len(world.chain.trades) == 2


def test_no_nonce_is_given_while_a_lower_one_has_no_receipt(world: OnchainWorld) -> None:
    _, agent = world.trader()
    world.chain.mines = False
    world.open(agent, "XAU")
    world.open(agent, "XAU")
    first, second = world.queues.orders

    world.executor().execute(first.id)
    with pytest.raises(VenueUnavailable, match="nonce 0"):
        world.executor().execute(second.id)
    world.chain.mines = True
    world.chain.mine()
    world.queues.orders.popleft()
    world.work()
    world.reconcile()

    assert {row["status"] for row in world.orders()} == {"FILLED"}
    assert [row["nonce"] for row in world.actions()] == [0, 1]


def test_a_simulation_that_fails_leaves_no_gap(world: OnchainWorld) -> None:
    wallet, agent = world.trader()
    world.place.reverts = "BelowMinLevPos"
    world.open(agent, "XAU")
    (refused,) = world.work()
    world.place.reverts = None

    world.buy(agent)

    assert refused.status is OrderStatus.REJECTED
    assert [row["nonce"] for row in world.actions()] == [0]
    assert world.account_row(wallet)["last_nonce"] == 0


def test_what_was_dropped_is_sent_again_as_the_same_bytes(world: OnchainWorld) -> None:
    _, agent = world.trader()
    world.place.at_sending = ["dropped"]

    world.buy(agent)

    (stored,) = world.actions()
    assert stored["send_count"] == 2
    assert world.chain.sent == [stored["payload"]]


def test_what_could_not_leave_is_sent_again_as_the_same_bytes(world: OnchainWorld) -> None:
    _, agent = world.trader()
    world.place.at_sending = ["unreachable"] * 9
    world.open(agent, "XAU")
    (outcome,) = world.work()
    assert outcome.status is OrderStatus.SENT
    world.place.at_sending = []

    world.reconcile()
    world.reconcile()

    assert world.order()["status"] == "FILLED"
    (stored,) = world.actions()
    assert world.chain.sent == [stored["payload"]]


def test_a_refusal_of_a_repeat_ends_nothing(world: OnchainWorld) -> None:
    """The first sending arrived, the node lost it from view, and says of the second: too low."""
    wallet, agent = world.trader()
    world.chain.mines = False
    world.place.at_sending = ["lost"]
    world.open(agent, "XAU")
    sent = world.queues.orders.popleft()
    world.executor().execute(sent.id)
    held = world.chain.pending.pop((f"key{wallet}", 0))
    world.chain.used[f"key{wallet}"], world.chain.lag = 1, 1

    world.reconcile()
    assert world.order()["status"] in ("SENT", "ACCEPTED")
    world.chain.used[f"key{wallet}"], world.chain.lag = 0, 0
    world.chain.pending[f"key{wallet}", 0] = held
    world.chain.mine()
    world.reconcile()

    assert world.order()["status"] == "FILLED"
    assert len(world.chain.executed) == 1
    assert len(set(world.chain.sent)) == 1


def test_a_lost_answer_is_asked_about_and_nothing_is_sent_twice(world: OnchainWorld) -> None:
    _, agent = world.trader()
    world.place.at_sending = ["lost"]

    world.buy(agent)

    assert len(world.chain.sent) == 1
    assert len(world.chain.trades) == 1


def test_a_stuck_transaction_is_replaced_under_its_own_nonce(world: OnchainWorld) -> None:
    wallet, agent = world.trader()
    world.chain.mines = False
    world.open(agent, "XAU")
    world.work()
    world.place.replaces = True
    world.reconcile()
    world.chain.mine()

    world.reconcile()
    world.chain.mines = True
    position = world.buy(agent)

    assert [(row["kind"], row["nonce"]) for row in world.actions()] == [
        ("ORDER", 0),
        ("REPLACE", 0),
        ("ORDER", 1),
    ]
    replaced = world.orders()[0]
    assert replaced["status"] == "EXPIRED"
    assert "has no receipt" in replaced["detail"]
    assert position["status"] == "OPEN"
    assert world.account_row(wallet)["last_nonce"] == 1


def test_a_keeper_that_never_answers_is_timed_out_with_a_nonce_of_its_own(
    world: OnchainWorld,
) -> None:
    _, agent = world.trader()
    world.chain.keeper = "silent"
    world.open(agent, "XAU")
    world.work()
    assert world.order()["status"] == "ACCEPTED"
    world.place.times_out = True

    world.reconcile()

    order = world.order()
    assert (order["status"], order["fee"]) == ("REJECTED", None)
    assert [(row["kind"], row["nonce"]) for row in world.actions()] == [
        ("ORDER", 0),
        ("TIMEOUT", 1),
    ]


def test_an_entry_that_the_keeper_cancels_is_refused_and_has_cost_its_fee(
    world: OnchainWorld,
) -> None:
    _, agent = world.trader()
    world.chain.keeper = "cancel"
    world.open(agent, "XAU")

    (outcome,) = world.work()

    order = world.order()
    assert outcome.status is OrderStatus.REJECTED
    assert (order["fee"], order["filled_size"]) == (ORACLE_FEE, None)
    assert world.positions() == []


def test_a_close_that_the_keeper_cancels_is_tried_again_and_its_fee_counts(
    world: OnchainWorld,
) -> None:
    _, agent = world.trader()
    position = world.buy(agent)
    world.chain.keeper = "cancel"
    world.close(agent, "XAU")
    world.work()
    world.chain.keeper = "fill"

    world.come_due()

    closed = world.position(position["id"])
    assert closed["status"] == "CLOSED"
    assert closed["fees_usd"] == 3 * ORACLE_FEE
    assert closed["pnl"] == -3 * ORACLE_FEE


def test_two_orders_of_one_wallet_both_trade_however_late_the_keeper_is(
    world: OnchainWorld,
) -> None:
    _, agent = world.trader()
    world.chain.keeper = "silent"
    world.open(agent, "XAU")
    world.open(agent, "XAU")
    world.work()
    world.chain.keeper = "fill"
    world.chain.answer()

    world.reconcile()

    assert {row["status"] for row in world.orders()} == {"FILLED"}
    assert len(world.positions()) == len(world.chain.trades) == 2


@pytest.mark.parametrize("first", ["OSTIUM", "HYPERLIQUID"])
def test_what_one_venue_refuses_is_traded_once_at_the_other(database_dsn: str, first: str) -> None:
    """On a chain the keeper cancels it seconds after it was taken, and that has cost a fee."""
    netting = NettingVenue()
    world = OnchainWorld(database_dsn, elsewhere=netting)
    wallet = both(world, netting)
    agent = world.agent()
    world.follow(agent, wallet)
    second = "OSTIUM" if first == "HYPERLIQUID" else "HYPERLIQUID"
    world.config(agent, [first, second])
    if first == "OSTIUM":
        world.chain.keeper = "cancel"
    else:
        netting.by_hand(wallet, "XAU/USD", Side.SHORT, "1")  # it nets, so a LONG would close that

    world.open(agent, "XAU")
    world.work()

    refused, filled = world.orders()
    assert (refused["venue"], refused["status"]) == (first, "REJECTED")
    assert (filled["venue"], filled["status"]) == (second, "FILLED")
    (position,) = world.positions()
    fee = ORACLE_FEE if first == "OSTIUM" else 0
    assert (refused["fee"] or 0) == fee
    assert position["fees_usd"] == filled["fee"] + fee
    world.dispose()


def both(world: OnchainWorld, netting: NettingVenue) -> str:
    """A wallet whose keys are approved at both venues, where one token is listed."""
    world.listed()
    wallet = world.user()
    netting.coins["XAU/USD"], netting.prices["XAU/USD"] = ("XAU", Decimal(1)), world.chain.price
    world.market("HYPERLIQUID", "XAU", price_usd=world.chain.price)
    world.rows(
        "INSERT INTO venue_accounts (account, venue, signer_address, key_ref, approved_until)"
        " VALUES (:account, 'HYPERLIQUID', :signer, :key, now() + interval '90 days')"
        " RETURNING account",
        account=wallet,
        signer=f"key2{wallet}",
        key=f"env:KEY2{wallet}",
    )
    return wallet
