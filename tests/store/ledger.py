"""Writes into the order ledger as a worker would, in plain SQL: the rules are the database's."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID, uuid4

import pytest

from agent_where.errors import DatabaseRefused
from agent_where.store.connection import Database, Statement

ENDS = ("FILLED", "REJECTED", "EXPIRED")
STATUSES = ("PLANNED", "SENT", "ACCEPTED", *ENDS)
SIZE = Decimal("0.5")
PRICE = Decimal(60_000)

PLAN = """
INSERT INTO venue_orders (id, signal_id, deployment_id, position_id, purpose, leg, attempt,
                          after_order_id, venue, account, mode, token_symbol, market_name, side,
                          reduce_only, leverage, trigger_price, status, due_at)
VALUES (:id, :signal_id, :deployment_id, :position_id, :purpose, :leg, :attempt,
        :after_order_id, :venue, :account, :mode, 'BTC', 'BTC', :side,
        :reduce_only, 3, :trigger_price, :status, now())
"""
SENT = """
UPDATE venue_orders
SET status = 'SENT', sent_at = now(), sent_under = :token, collateral_usd = 100, size = :size,
    limit_price = :price
WHERE id = :id
"""
STORE_ACTION = """
INSERT INTO venue_actions (order_id, kind, signer_address, nonce, payload, expires_at, send_count)
VALUES (:id, :kind, :signer, :nonce, :payload, now() + interval '30 seconds', :send_count)
"""
STORE_FILL = """
INSERT INTO venue_fills (order_id, venue, venue_fill_id, size, price, fee, at)
VALUES (:id, :venue, :fill, :size, :price, 1, now())
"""
TO_STATUS = """
UPDATE venue_orders
SET status = :status,
    settled_at = CASE WHEN :status IN ('FILLED', 'REJECTED', 'EXPIRED') THEN now() END,
    refusal = CASE WHEN :status = 'REJECTED' THEN 'VENUE_REFUSED' END,
    detail = 'as the test wants it',
    filled_size = CASE WHEN :status = 'FILLED' THEN CAST(:size AS numeric) END,
    average_price = CASE WHEN :status = 'FILLED' THEN CAST(:price AS numeric) END,
    fee = CASE WHEN :status = 'FILLED' THEN 1 END
WHERE id = :id
"""
OPEN_POSITION = """
INSERT INTO positions (id, deployment_id, signal_id, venue, token_symbol, side, qty, entry_price,
                       mode, account, leverage, open_qty)
SELECT position_id, deployment_id, signal_id, venue, token_symbol, side, filled_size, average_price,
       mode, account, leverage, filled_size
FROM venue_orders WHERE id = :id
"""


class Ledger:
    """A database, and one agent with one deployment that trades for one account."""

    def __init__(self, database: Database) -> None:
        self.db = database
        self.account = f"0x{uuid4().hex}"
        self.agent = self.new_agent()
        self.deployment = self.new_deployment(self.agent)
        self.signal = self.new_signal()
        database.run(
            "INSERT INTO venue_accounts (account, venue) "
            "VALUES (:account, 'HYPERLIQUID'), (:account, 'OSTIUM')",
            account=self.account,
        )

    def new_agent(self) -> UUID:
        agent = uuid4()
        self.db.run(
            "INSERT INTO agents (id, creator_wallet, name, venue, profit_receiver_address) "
            "VALUES (:id, '0xc', 'a test agent', 'MULTI', '0xp')",
            id=agent,
        )
        return agent

    def new_deployment(self, agent: UUID) -> UUID:
        deployment = uuid4()
        self.db.run(
            "INSERT INTO agent_deployments (id, agent_id, user_wallet) VALUES (:id, :agent, '0xu')",
            id=deployment,
            agent=agent,
        )
        return deployment

    def new_signal(self, *, agent: UUID | None = None) -> UUID:
        signal = uuid4()
        self.db.run(
            "INSERT INTO signals (id, agent_id, token_symbol, venue, side, received_at) "
            "VALUES (:id, :agent, 'BTC', 'MULTI', 'LONG', now())",
            id=signal,
            agent=agent or self.agent,
        )
        return signal

    def new_signer(self, venue: str = "HYPERLIQUID") -> str:
        """Give the account at the venue a signer, and return its address."""
        signer = f"0x{uuid4().hex}"
        self.db.run(
            "UPDATE venue_accounts SET signer_address = :s WHERE account = :a AND venue = :v",
            s=signer,
            a=self.account,
            v=venue,
        )
        return signer

    def planned(self, **different: Any) -> Statement:
        """The statement that inserts an entry."""
        values: dict[str, Any] = {
            "id": uuid4(),
            "signal_id": self.signal,
            "deployment_id": self.deployment,
            "position_id": uuid4(),
            "purpose": "ENTRY",
            "leg": "ENTRY",
            "attempt": 1,
            "after_order_id": None,
            "venue": "HYPERLIQUID",
            "account": self.account,
            "mode": "PAPER",
            "side": "LONG",
            "trigger_price": None,
            "status": "PLANNED",
        } | different
        values.setdefault("reduce_only", values["purpose"] != "ENTRY")
        return PLAN, values

    def plan(self, **different: Any) -> UUID:
        """Insert a PLANNED entry, and return its id."""
        order = uuid4()
        self.db.run_together(self.planned(id=order, **different))
        return order

    def lease(self, order: UUID, *, seconds: int = 60) -> UUID:
        """Take the lease of the order's account, whoever holds it, and return its token."""
        token = uuid4()
        free = "UPDATE venue_accounts SET lease_token = NULL, lease_until = NULL WHERE account = :a"
        take = (
            "UPDATE venue_accounts SET lease_token = :token, "
            "lease_until = clock_timestamp() + make_interval(secs => :seconds) "
            "WHERE (account, venue) = (SELECT account, venue FROM venue_orders WHERE id = :id)"
        )
        self.db.run_together(
            (free, {"a": self.account}), (take, {"token": token, "seconds": seconds, "id": order})
        )
        return token

    def action(self, order: UUID, **different: Any) -> Statement:
        """The statement that stores an action."""
        values: dict[str, Any] = {
            "id": order,
            "kind": "ORDER",
            "signer": None,
            "nonce": None,
            "payload": b"exactly this",
            "send_count": 1,
        }
        return STORE_ACTION, values | different

    def send(self, order: UUID, *, size: Decimal = SIZE, **different: Any) -> None:
        """PLANNED to SENT under the lease, with the ORDER action, in one transaction."""
        token = self.lease(order)
        sent = (SENT, {"id": order, "token": token, "size": size, "price": PRICE})
        self.db.run_together(sent, self.action(order, **different))

    def fill(self, order: UUID, size: Decimal = SIZE, **different: Any) -> Statement:
        """The statement that stores a fill."""
        values: dict[str, Any] = {
            "id": order,
            "venue": "HYPERLIQUID",
            "fill": f"{order}/{uuid4()}",
            "size": size,
            "price": PRICE,
        }
        return STORE_FILL, values | different

    def become(self, order: UUID, status: str, **different: Any) -> Statement:
        """The statement that moves an order to a status with everything the status needs."""
        return TO_STATUS, {"id": order, "status": status, "size": SIZE, "price": PRICE} | different

    def bring_to(self, status: str, **different: Any) -> UUID:
        """A new order that has got to this status the allowed way."""
        order = self.plan(**different)
        if status != "PLANNED":
            self.send(order)
        match status:
            case "FILLED":
                self.db.run_together(self.fill(order), self.become(order, status))
            case "ACCEPTED" | "REJECTED" | "EXPIRED":
                self.db.run_together(self.become(order, status))
        return order

    def open_position(self) -> tuple[UUID, UUID]:
        """A filled entry and its position: the ids of both."""
        position = uuid4()
        order = self.bring_to("FILLED", position_id=position)
        self.db.run(OPEN_POSITION, id=order)
        return order, position

    def plan_exit(self, position: UUID, **different: Any) -> UUID:
        """A PLANNED CLOSE of a LONG position."""
        exit_ = {"purpose": "CLOSE", "leg": f"CLOSE:{uuid4()}", "side": "SHORT"}
        return self.plan(position_id=position, **(exit_ | different))

    def status(self, order: UUID) -> str:
        rows = self.db.run("SELECT status FROM venue_orders WHERE id = :id", id=order)
        return str(rows[0]["status"])


@contextmanager
def refused(sentence: str, *, constraint: str | None = None) -> Iterator[None]:
    """The database refuses what is tried in here, in words that match the pattern."""
    with pytest.raises(DatabaseRefused, match=sentence) as refusal:
        yield
    if constraint is not None:
        assert refusal.value.constraint == constraint
