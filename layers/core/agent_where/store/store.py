"""Everything the system says to its database: one method a statement, one .sql file each.

Not here: what the rows mean (records.py), and how a statement travels (connection.py). Several
statements that belong together go in one round trip and one transaction.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from agent_where.callers import Reach
from agent_where.domain import Market, Order, Purpose, Settled, VenueId
from agent_where.errors import DatabaseRefused, Overtaken
from agent_where.messages import SignalMessage
from agent_where.routing.decision import Decision
from agent_where.store import statements
from agent_where.store.actions import Actions
from agent_where.store.comparisons import Comparisons
from agent_where.store.connection import Database, Json, Row, Statement
from agent_where.store.market_rows import market_to_row
from agent_where.store.plans import Ending, Failover, NextExit, PlannedClose, PlannedEntry, Told
from agent_where.store.records import (
    OpenOrder,
    OrderFile,
    OrderTicket,
    SignalFile,
    SignalTicket,
    order_file,
    signal_file,
)
from agent_where.store.restores import Restores
from agent_where.store.statements import signal_params, sql, statement, tickets
from agent_where.store.upkeep import Upkeep
from agent_where.venues.base import Action

_NO_SUCH_TABLE = "42P01"


class Store:
    """The ledger, the signals and the markets, over one database connection."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self.actions = Actions(database)
        self.comparisons = Comparisons(database)
        self.restores = Restores(database)
        self.upkeep = Upkeep(database)

    def network(self) -> str | None:
        """The network that setup recorded; None before setup."""
        try:
            rows = self._run("read_network")
        except DatabaseRefused as error:
            if error.sqlstate == _NO_SUCH_TABLE:
                return None
            raise
        return str(rows[0]["network"]) if rows else None

    # Signals

    def agent_venue(self, agent_id: UUID, reach: Reach) -> VenueId | None:
        """Where an agent trades: a venue, or MULTI. None: there is no such agent in reach."""
        rows = self._run("read_agent_venue", id=agent_id, **reach.params())
        return str(rows[0]["venue"]) if rows else None

    def insert_signal(self, message: SignalMessage) -> SignalFile | None:
        """Store a signal once, and read it as it stands. None: its agent does not exist."""
        *_, rows = self._database.run_together(
            statement("insert_signal", **signal_params(message)),
            statement("read_signal", id=message.signal_id),
        )
        return signal_file(rows[0]) if rows else None

    def read_signal(self, signal_id: UUID) -> SignalFile | None:
        """A signal that already stands in the database."""
        rows = self._run("read_signal", id=signal_id)
        return signal_file(rows[0]) if rows else None

    def rename_token(self, signal_id: UUID, token_symbol: str) -> SignalFile | None:
        """Put an undecided signal under its canonical token, and read it again."""
        *_, rows = self._database.run_together(
            statement("rename_token", id=signal_id, token_symbol=token_symbol),
            statement("read_signal", id=signal_id),
        )
        return signal_file(rows[0]) if rows else None

    def leave_signal(self, signal_id: UUID) -> None:
        """A signal that is not ours to trade: reconcile shall not look for it."""
        self._run("leave_signal", id=signal_id)

    def decide_signal(
        self,
        decision: Decision,
        told: Sequence[Told],
        orders: Sequence[PlannedEntry],
        skipped_reason: str | None,
    ) -> bool:
        """Write an OPEN's decision and its PLANNED orders. False: it was decided before."""
        rows = self._run(
            "decide_signal",
            id=decision.signal_id,
            selected_venue=decision.selected.venue if decision.selected else None,
            skipped_reason=skipped_reason,
            history=Json([vars(each) for each in told]),
            orders=Json([vars(each) for each in orders]),
        )
        return bool(rows)

    def decide_close(
        self, signal_id: UUID, orders: Sequence[PlannedClose], skipped_reason: str | None
    ) -> bool:
        """Write a CLOSE's orders and supersede what was not sent yet.

        False: it was decided before, or what is held is no longer what `orders` close; the caller
        reads again.
        """
        *_, rows = self._database.run_together(
            statement("lock_agent_token", id=signal_id),
            statement(
                "decide_close",
                id=signal_id,
                listed=[each.exposure_key for each in orders],
                orders=Json([vars(each) for each in orders]),
                skipped_reason=skipped_reason,
            ),
        )
        return bool(rows)

    def enqueue_lost_signals(self, at_most: int) -> list[SignalTicket]:
        """Undecided signals that no message seems to carry."""
        rows = self._run("enqueue_lost_signals", at_most=at_most)
        return [
            SignalTicket(id=row["id"], agent_id=row["agent_id"], again=row["enqueue_count"])
            for row in rows
        ]

    def mark_not_enqueued(self, signal_ids: Sequence[UUID]) -> None:
        """The queue did not take these: the next reconcile sends them, unless decided by then."""
        self._run("mark_not_enqueued", ids=list(signal_ids))

    # Orders

    def begin_order(self, order_id: UUID, token: UUID, lease_seconds: int) -> OrderFile | None:
        """Take the lease of the order's account if it is free, and read the order's file."""
        *_, rows = self._database.run_together(
            statement("take_lease", id=order_id, token=token, seconds=lease_seconds),
            statement("read_order", id=order_id, token=token),
        )
        return order_file(rows[0]) if rows else None

    def read_order(self, order_id: UUID, token: UUID) -> OrderFile | None:
        """The order's file as it stands now, under the lease of `token`."""
        rows = self._run("read_order", id=order_id, token=token)
        return order_file(rows[0]) if rows else None

    def release_lease(self, order: Order, token: UUID) -> None:
        """Give the account's lease back."""
        self._run("release_lease", account=order.account, venue=order.venue, token=token)

    def mark_sent(
        self, order: Order, action: Action, token: UUID, ceiling_usd: Decimal | None
    ) -> bool:
        """Store the sized order and its exact bytes as SENT. False: send nothing.

        `ceiling_usd`: the most notional that any entry may have.
        """
        *_, rows = self._database.run_together(
            statement("share_agent_token", id=order.id),
            statement(
                "mark_sent",
                id=order.id,
                token=token,
                collateral_usd=order.collateral_usd,
                size=order.size,
                limit_price=order.limit_price,
                detail=order.detail,
                ceiling_usd=ceiling_usd,
                **statements.action_params(action),
            ),
        )
        return bool(rows)

    def accept_order(self, order: Order, venue_ref: str | None) -> None:
        """The venue has the order, under that name, and will end it later."""
        self._run("accept_order", id=order.id, venue_ref=venue_ref)

    def end_filled(
        self, order: Order, settled: Settled, ending: Ending, token: UUID
    ) -> list[OrderTicket]:
        """All that an order's fills entail. Returns the orders that are due because of it."""
        follows = statements.opened if order.purpose is Purpose.ENTRY else statements.reduced
        return self._ended(
            order,
            token,
            "end_filled",
            statement(
                "insert_fills",
                id=order.id,
                fills=Json([fill.model_dump() for fill in settled.fills]),
            ),
            statement("end_filled", id=order.id, detail=settled.detail),
            *follows(order, settled, ending),
        )

    def end_without_fills(
        self,
        order: Order,
        settled: Settled,
        token: UUID,
        *,
        failover: Failover | None = None,
        next_exit: NextExit | None = None,
    ) -> list[OrderTicket]:
        """REJECTED or EXPIRED, and what follows from it. Returns the orders that are due now."""
        return self._ended(
            order,
            token,
            "end_without_fills",
            statement("end_without_fills", **statements.end_params(order, settled)),
            *statements.failover(order, failover),
            *statements.next_exit(order, next_exit),
            *statements.dusted(order),
        )

    def _ended(self, order: Order, token: UUID, end: str, *parts: Statement) -> list[OrderTicket]:
        """Run what belongs to an order's end; `end` names the part that must find it unended."""
        answers = self._database.run_together(
            statement("share_agent_token", id=order.id),
            *parts,
            statement("wake_waiting", id=order.id),
            statement("release_lease", account=order.account, venue=order.venue, token=token),
        )
        ended = answers[1 + [text for text, _ in parts].index(sql(end))]
        if not ended:
            raise Overtaken(f"order {order.id} did not stand as {order.status} any more")
        return [ticket for rows in answers for ticket in tickets(rows)]

    def enqueue_due_orders(self, at_most: int) -> list[OrderTicket]:
        """PLANNED orders that are due and that no message seems to carry."""
        return tickets(self._run("enqueue_due_orders", at_most=at_most))

    def unsettled_orders(self, older_than_seconds: int, at_most: int) -> list[OpenOrder]:
        """Orders sent a while ago that have not ended; those that rest at the venue come last."""
        rows = self._run("unsettled_orders", older_than_seconds=older_than_seconds, at_most=at_most)
        return [OpenOrder(id=row["id"], resting=row["resting"]) for row in rows]

    def paper_collateral(
        self, account: str, venue: VenueId, starting_balance_usd: Decimal
    ) -> Decimal:
        """What a paper account has free, in USD; below zero after heavy losses."""
        told = {"account": account, "venue": venue, "starting_balance_usd": starting_balance_usd}
        return Decimal(self._run("paper_collateral", **told)[0]["free_collateral_usd"])

    # Markets

    def upsert_markets(
        self, venue: VenueId, markets: Sequence[Market]
    ) -> tuple[Mapping[str, Any], list[OrderTicket]]:
        """One sync of a venue: its counts, and the paper exits whose price was reached."""
        counts, triggered = self._database.run_together(
            statement(
                "upsert_markets",
                venue=venue,
                markets=Json([market_to_row(market) for market in markets]),
            ),
            statement("trigger_exits"),
        )
        return counts[0], tickets(triggered)

    def sum_decisions(self) -> bool:
        """Sum more decisions for the statistics. False: all that can be are."""
        return bool(self._run("sum_decisions")[0]["more"])

    def _run(self, name: str, /, **params: object) -> list[Row]:
        return self._database.run(sql(name), **params)
