"""Live trading on a chain, whole: the real adapter, wired by its settings, on a chain of our own.

A user approves with the transactions that the deployment shows, a signal trades, a keeper fills it,
and what keepers and users do later is booked.
"""

import logging
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from eth_account import Account

from agent_where import trading, wiring
from agent_where.callers import EVERYTHING
from agent_where.contract.bodies import DeploymentBody
from agent_where.contract.owned import DeploymentView
from agent_where.domain import Mode
from agent_where.onboarding import Tended
from agent_where.parsing import validate
from agent_where.reconciling import reconcile
from agent_where.settings import ReconcileSettings, StatsApiSettings
from agent_where.store.administration import Administration
from agent_where.venues.ostium.markets import OstiumMarkets
from local.chain.keeper import CancelReason
from local.chain.venue import LocalVenue
from tests.handlers.conftest import counted_connections
from tests.handlers.gateway import OPERATOR
from tests.onchain import AtOnce
from tests.venues.ostium_local import key, running, set_price, tell
from tests.world import World

BTC = "BTCUSD"
RISK = {"stopLoss": "0.05", "takeProfit": "0.10", "maxSlippage": "0.02"}


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalVenue]:
    with running(tmp_path_factory.mktemp("chain")) as place:
        place.node.ask("evm_setIntervalMining", 1)
        yield place


class Desk(World):
    """A user and the installation that trades for them, wired as a function is."""

    def __init__(self, dsn: str, place: LocalVenue, agent_key: str) -> None:
        super().__init__(dsn)
        self.place = place
        self.user_key = key()
        self.agent_key = agent_key
        self.agent_address = str(Account.from_key(agent_key).address).lower()
        self.user = str(Account.from_key(self.user_key).address).lower()
        self.settings = ReconcileSettings.from_environment(self.environment())
        self.reading = StatsApiSettings.from_environment(self.environment())
        self.store = AtOnce(self.database)
        self.deps = replace(trading.deps(self.settings), store=self.store, queues=self.queues)
        markets = OstiumMarkets(place.subgraph_url, place.market_url, timeout_seconds=5)
        self.store.upsert_markets("OSTIUM", markets.markets())

    def environment(self) -> dict[str, str]:
        return {
            "DATABASE_URL": self.dsn,
            "EXECUTION_MODE": "live",
            "LIVE_VENUES": "OSTIUM",
            "MAX_ORDER_NOTIONAL_USD": "100000",
            "SIGNER_KEY_REF": "env:AGENT_KEY",
            "OSTIUM_RPC_URL": self.place.rpc_url,
            "OSTIUM_PRICE_URL": self.place.market_url,
            "OSTIUM_CHAIN_ID": str(self.place.chain_id),
            "OSTIUM_REGISTRY_ADDRESS": self.place.registry,
            "OSTIUM_TRADING_ADDRESS": self.place.trading,
            "OSTIUM_STORAGE_ADDRESS": self.place.trading_storage,
            "OSTIUM_USDC_ADDRESS": self.place.usdc,
            "OSTIUM_CONFIRMATIONS": "1",
        }

    # Onboarding

    def follows(self, agent: UUID) -> DeploymentView:
        body = validate(DeploymentBody, {"venues": ["OSTIUM"], "user_wallet": self.user})
        made = Administration(self.database).create_deployment(OPERATOR, agent, body)
        wiring.onboarding(self.settings).complete(made, EVERYTHING)
        return self.shown(made.deployment.id)

    def shown(self, deployment: UUID) -> DeploymentView:
        return wiring.views(self.reading).deployment(EVERYTHING, deployment).deployment

    def approves(self, deployment: DeploymentView) -> None:
        """Send what the deployment shows from the user's wallet."""
        (account,) = deployment.accounts
        assert account.approval is not None
        for asked in account.approval.transactions:
            self._send(asked.to, asked.data, asked.chain_id)

    def tend(self) -> Tended:
        """A minute later."""
        self.rows(
            "UPDATE venue_accounts SET approval_checked_at = approval_checked_at"
            " - interval '2 hours' RETURNING account"
        )
        return wiring.tending(self.settings).tend(seconds=30)

    def ready(self) -> UUID:
        """An agent that trades for the user, who has approved."""
        self.place.fund(self.user, usdc=1_000)
        self.place.fund(self.agent_address, eth=1)
        agent = self.agent("OSTIUM")
        self.approves(self.follows(agent))
        self.tend()
        return agent

    def _send(self, to: str, data: str, chain_id: int) -> None:
        node, user = self.place.node, Account.from_key(self.user_key)
        node.ask("anvil_setBalance", user.address, hex(10**18))
        signed = user.sign_transaction(
            {
                "to": bytes.fromhex(to.removeprefix("0x")),
                "data": data,
                "value": 0,
                "gas": 1_000_000,
                "maxFeePerGas": 2_000_000_000,
                "maxPriorityFeePerGas": 0,
                "nonce": node.number("eth_getTransactionCount", user.address, "pending"),
                "chainId": chain_id,
                "type": 2,
            }
        )
        sent = str(node.ask("eth_sendRawTransaction", f"0x{bytes(signed.raw_transaction).hex()}"))
        assert node.receipt(sent)["status"] == "0x1"

    # Trading

    def opened(self, agent: UUID, **changes: Any) -> dict[str, Any]:
        """The newest position after an OPEN."""
        self.open(agent, "BTC", riskModel=RISK, **changes)
        self.come_to_rest()
        return dict(self.positions()[-1])

    def come_to_rest(self) -> None:
        """Carry out what there is, and reconcile until nothing is under way."""
        for _ in range(20):
            self.work()
            if not reconcile(self.deps, seconds=30).still_open and not self.queues.orders:
                return
            self.place.mine()
        raise AssertionError(self.orders())

    def reconcile_until(self, status: str) -> dict[str, Any]:
        """The newest position, once it stands so."""
        for _ in range(20):
            self.place.mine(2)
            reconcile(self.deps, seconds=30)
            self.work()
            if self.positions()[-1]["status"] == status:
                return dict(self.positions()[-1])
        raise AssertionError(self.positions())

    def trades_there(self) -> int:
        storage = self.place.deployed.trading_storage
        return sum(int(storage.read("openTradesCount", self.user, pair)) for pair in range(3))


@pytest.fixture
def desk(database_dsn: str, chain: LocalVenue, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    agent_key = key()
    monkeypatch.setenv("AGENT_KEY", agent_key)
    wiring.forget()
    with counted_connections(monkeypatch):
        made = Desk(database_dsn, chain, agent_key)
        yield made
        made.dispose()
    wiring.forget()
    tell(chain, "reset")
    chain.keeper.fill()
    set_price(chain, None)


def test_a_user_approves_what_is_shown_and_the_key_then_trades(desk: Desk) -> None:
    desk.place.fund(desk.user, usdc=1_000)
    desk.place.fund(desk.agent_address, eth=1)
    agent = desk.agent("OSTIUM")
    deployment = desk.follows(agent)
    desk.open(agent, "BTC")
    (before,) = desk.work()

    desk.approves(deployment)
    desk.tend()
    position = desk.opened(agent)

    assert "no key is approved" in before.detail
    (account,) = desk.shown(deployment.id).accounts
    assert account.approval is None
    assert account.approved_until is not None
    assert position["status"] == "OPEN"
    assert position["mode"] == Mode.LIVE
    assert position["stop_loss"] < position["entry_price"] < position["take_profit"]
    assert desk.trades_there() == 1


def test_a_close_sells_the_position_under_the_next_nonce(desk: Desk) -> None:
    agent = desk.ready()
    desk.opened(agent)

    desk.close(agent, "BTC")
    desk.come_to_rest()

    (position,) = desk.positions()
    assert (position["status"], position["closed_by"]) == ("CLOSED", "SIGNAL")
    assert desk.trades_there() == 0
    nonces = [row["nonce"] for row in desk.rows("SELECT nonce FROM venue_actions ORDER BY nonce")]
    assert nonces == [0, 1]
    assert desk.rows("SELECT 1 FROM venue_closures") == []


def test_an_allowance_that_is_too_small_for_entries_still_lets_a_position_close(desk: Desk) -> None:
    agent = desk.ready()
    desk.opened(agent)
    desk.place.approve(desk.user_key, usdc=9)
    desk.tend()

    desk.close(agent, "BTC")
    desk.come_to_rest()

    assert [row["status"] for row in desk.positions()] == ["CLOSED"]
    assert desk.trades_there() == 0


def test_a_stop_that_the_keeper_carried_out_is_booked(desk: Desk) -> None:
    agent = desk.ready()
    opened = desk.opened(agent)
    set_price(desk.place, str(opened["entry_price"] * Decimal("0.9")))

    position = desk.reconcile_until("CLOSED")

    assert (position["closed_by"], position["exit_reason"]) == ("TRIGGER", "STOP_LOSS")
    assert position["pnl"] < 0
    assert desk.trades_there() == 0


def test_an_open_that_the_keeper_cancels_costs_its_fee_and_the_next_one_trades(desk: Desk) -> None:
    agent = desk.ready()
    desk.place.keeper.cancel(CancelReason.SLIPPAGE)
    desk.open(agent, "BTC")
    desk.come_to_rest()
    refused = desk.orders()[-1]
    desk.place.keeper.fill()

    position = desk.opened(agent)

    assert refused["status"] == "REJECTED"
    assert refused["fee"] == Decimal("0.1")
    assert "SLIPPAGE" in refused["detail"]
    assert position["status"] == "OPEN"
    assert desk.trades_there() == 1


def test_two_orders_of_one_wallet_at_once_both_trade_once(desk: Desk) -> None:
    agent = desk.ready()
    desk.open(agent, "BTC")
    desk.open(agent, "BTC")

    desk.come_to_rest()

    assert [row["status"] for row in desk.orders()] == ["FILLED", "FILLED"]
    assert desk.trades_there() == 2


def test_where_gas_has_run_out_the_order_is_refused_and_the_key_is_counted(desk: Desk) -> None:
    agent = desk.ready()
    desk.place.node.ask("anvil_setBalance", desk.agent_address, "0x0")

    desk.open(agent, "BTC")
    desk.come_to_rest()
    desk.tend()

    assert desk.orders()[-1]["refusal"] == "NO_GAS"
    assert desk.store.upkeep.write_figures({})["signersLowOnGas"] == 1


@pytest.mark.parametrize("processed", [True, False], ids=["it arrived", "it never arrived"])
def test_a_broadcast_without_an_answer_trades_once(desk: Desk, *, processed: bool) -> None:
    """The ledger's part: what never arrived is sent again as it is, and counted."""
    agent = desk.ready()
    rule = {"mode": "drop", "type": "eth_sendRawTransaction", "times": 1}
    tell(desk.place, "fail", processed=processed, **rule)

    desk.opened(agent)

    (stored,) = desk.rows("SELECT send_count, nonce FROM venue_actions")
    assert (stored["nonce"], stored["send_count"]) == (0, 1 if processed else 2)
    assert [row["status"] for row in desk.orders()] == ["FILLED"]
    assert desk.trades_there() == 1


def test_a_nonce_that_a_stranger_used_is_passed_over_and_the_next_order_trades(desk: Desk) -> None:
    agent = desk.ready()
    desk.place.call(desk.agent_key, desk.place.deployed.usdc, "approve", desk.user, 1)

    desk.opened(agent)

    assert [row["nonce"] for row in desk.rows("SELECT nonce FROM venue_actions")] == [1]
    assert desk.trades_there() == 1


def test_no_log_of_onboarding_and_trading_holds_a_key_a_transaction_or_a_login(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        agent = desk.ready()
        desk.opened(agent)
        desk.close(agent, "BTC")
        desk.come_to_rest()

    signed = [bytes(row["payload"]) for row in desk.rows("SELECT payload FROM venue_actions")]
    secrets = {desk.agent_key, desk.user_key, str(urlsplit(desk.dsn).password)}
    secrets |= {each.decode(errors="ignore") for each in signed} | {each.hex() for each in signed}
    assert len(signed) == 2
    assert caplog.records
    assert [secret for secret in secrets if secret.removeprefix("0x") in caplog.text] == []
