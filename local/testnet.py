"""`make testnet`: one LONG and its CLOSE on Hyperliquid's testnet, with the user's own key.

Everything that trades is the project's own: ledger, executor, adapter, signer. Only the queues are
left out, and the database is an embedded one. Real money is out of reach: what is signed is good on
the testnet alone, and a mainnet URL or network is refused before anything starts.

Environment:
    HYPERLIQUID_TESTNET_KEY: the private key of a testnet account with mock USDC, 64 hex digits.
    HYPERLIQUID_API_URL: another testnet server, such as a simulator's.
    TOKEN, USDC, LEVERAGE: what is traded; BTC, 20 and 2 unless told.
    LEDGER: the folder of its ledger; .local/testnet unless told. One ledger for one server.
"""

import os
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from rich.console import Console

from agent_where import pipeline
from agent_where.domain import Mode
from agent_where.errors import AgentWhereError, LeaseHeld
from agent_where.execution.executor import Executor
from agent_where.execution.signers import Signers
from agent_where.messages import SignalMessage
from agent_where.migrations import set_up
from agent_where.parsing import validate
from agent_where.pipeline import Deps
from agent_where.queues import Queues
from agent_where.store.connection import Database, DatabaseSettings
from agent_where.store.records import OrderTicket
from agent_where.store.store import Store
from agent_where.venue_settings import TradedAccess
from agent_where.venues.hyperliquid.markets import VENUE, HyperliquidMarkets
from agent_where.venues.registry import LIVE, live_venue
from local import postgres
from local.environment import ROOT, Home

KEY = "HYPERLIQUID_TESTNET_KEY"
_MAINNET = "api.hyperliquid.xyz"
_PATIENCE_SECONDS = 120
_HOLD_SECONDS = 2


class Refused(Exception):
    """It will not run like this; the message says why."""


class _NoQueues(Queues):
    """Orders are looked for in the database instead."""

    def send_orders(self, orders: Sequence[OrderTicket], *, again: bool = False) -> None:
        """Nothing: `_work` finds them."""


def settings(environment: Mapping[str, str]) -> TradedAccess:
    """Where to trade. Raises Refused where that is, or might be, the mainnet."""
    if environment.get("NETWORK", "testnet") != "testnet":
        raise Refused("NETWORK must be testnet: this command never trades real money")
    if _MAINNET in environment.get("HYPERLIQUID_API_URL", ""):
        raise Refused("HYPERLIQUID_API_URL is the mainnet's: this command never trades there")
    if not environment.get(KEY):
        raise Refused(f"{KEY} must hold the private key of a testnet account with mock USDC")
    return TradedAccess.from_environment({**environment, "NETWORK": "testnet"})


class Session:
    """One user who follows an agent of his own, with his own key."""

    def __init__(self, database: Database, access: TradedAccess) -> None:
        self._database = database
        self._store = Store(database)
        self._signers = Signers(allow_env=True)
        self.account = self._signers.signer(f"env:{KEY}").address
        venue = live_venue(VENUE, access)
        executor = Executor(
            self._store,
            lambda _venue, _mode: venue,
            supported=LIVE,
            max_age=timedelta(minutes=60),
            ceiling_usd=Decimal(1_000),
            signer_of=self._signers.signer,
        )
        self._deps = Deps(
            store=self._store,
            queues=_NoQueues(),
            executor=lambda: executor,
            supported=LIVE,
            mode=Mode.LIVE,
            max_age=timedelta(minutes=60),
        )
        markets = HyperliquidMarkets(
            access.hyperliquid_api_url, timeout_seconds=access.venue_timeout_seconds
        )
        self._store.upsert_markets(VENUE, markets.markets())
        self._agent = self._follow()

    def trade(self, **changes: object) -> Mapping[str, Any]:
        """Send a signal and carry out what comes of it; returns its last order."""
        told = {"signalId": str(uuid4()), "agentId": str(self._agent), **changes}
        message = validate(SignalMessage, told)
        outcome = pipeline.take_signal(message, self._deps)
        if not outcome.orders:
            raise Refused(f"nothing was ordered: {outcome.detail}")
        return self._work(message.signal_id)

    def _work(self, signal_id: UUID) -> Mapping[str, Any]:
        until = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < until:
            order = self._database.run(
                "SELECT * FROM venue_orders WHERE signal_id = :id"
                " ORDER BY attempt DESC, created_at DESC LIMIT 1",
                id=signal_id,
            )[0]
            if order["settled_at"] is not None:
                return order
            with suppress(LeaseHeld):
                pipeline.take_order(order["id"], self._deps)
            time.sleep(0.5)
        raise Refused(f"the order has no end after {_PATIENCE_SECONDS} s: it stays in the ledger")

    def _follow(self) -> UUID:
        agent = uuid4()
        self._database.run(
            "INSERT INTO agents (id, creator_wallet, name, venue, status, profit_receiver_address)"
            " VALUES (:id, :wallet, 'testnet', 'MULTI', 'ACTIVE', :wallet)",
            id=agent,
            wallet=self.account,
        )
        self._database.run(
            "INSERT INTO agent_deployments (agent_id, user_wallet) VALUES (:agent, :wallet)",
            agent=agent,
            wallet=self.account,
        )
        self._database.run(
            "INSERT INTO venue_accounts (account, venue, signer_address, key_ref, approved_until)"
            " VALUES (:account, :venue, :account, :key, now() + interval '1 hour')"
            " ON CONFLICT (account, venue) DO UPDATE SET approved_until = excluded.approved_until",
            account=self.account,
            venue=VENUE,
            key=f"env:{KEY}",
        )
        return agent


@contextmanager
def _database(ledger: Path) -> Iterator[Database]:
    server = postgres.start(Home(ledger).postgres)
    database = Database(DatabaseSettings.from_url(server.dsn()))
    try:
        set_up(database, ROOT / "functions" / "setup" / "migrations", network="testnet")
        yield database
    finally:
        database.close()
        server.stop()


def run(console: Console, environment: Mapping[str, str]) -> None:
    """Open and close. Raises Refused, or what went wrong."""
    access = settings(environment)
    token = environment.get("TOKEN", "BTC")
    size = {
        "type": "fixed-usdc",
        "value": environment.get("USDC", "20"),
        "leverage": environment.get("LEVERAGE", "2"),
    }
    ledger = Path(environment.get("LEDGER") or ROOT / ".local" / "testnet")
    with _database(ledger) as database:
        session = Session(database, access)
        console.print(f"account {session.account} at {access.hyperliquid_api_url}", markup=False)
        for changes in ({"side": "LONG", "sizeModel": size}, {"action": "CLOSE"}):
            order = session.trade(tokenSymbol=token, **changes)
            _tell(console, order)
            if order["status"] != "FILLED":
                raise Refused("it ends here")
            time.sleep(_HOLD_SECONDS)


def _tell(console: Console, order: Mapping[str, Any]) -> None:
    told = f"{order['purpose']} {order['market_name']} {order['side']}: {order['status']}"
    if order["status"] == "FILLED":
        told += f", {order['filled_size']} at {order['average_price']}, fee {order['fee']} USD"
    console.print(f"{told} {order['detail']}".rstrip(), markup=False, highlight=False)


def main() -> int:
    """Run it; returns the process's exit code."""
    console = Console(soft_wrap=True)
    try:
        run(console, os.environ)
    except (Refused, AgentWhereError, postgres.PostgresFailed) as fault:
        console.print(f"testnet: {fault}", markup=False, highlight=False)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
