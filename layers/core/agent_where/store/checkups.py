"""What the doctor asks the database: a table of checks, one statement each, none that writes.

A check's statement returns what does not add up: its id, since when, a sentence, and how many there
are in all. Not here: what the venues say (matching.py), and the report (doctor.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent_where.domain import Model
from agent_where.store.connection import Database
from agent_where.store.statements import sql

AT_MOST = 50
"""The most rows that one check tells."""


class Weight(StrEnum):
    """A FAULT does not add up, or does not go on; a NOTE is to be known."""

    FAULT = "FAULT"
    NOTE = "NOTE"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that is looked at.

    Args:
        statement: its name, that of `sql/<statement>.sql`.
        title: what a row of it is.
        todo: what to do about one.
    """

    statement: str
    title: str
    todo: str
    weight: Weight = Weight.FAULT

    @property
    def name(self) -> str:
        """What it is called in the report and in docs/runbook.md."""
        return self.statement.removeprefix("doctor_")


class Row(Model):
    """One thing that does not add up."""

    id: str
    since: datetime | None
    detail: str


class Rows(Model):
    """What a check found: the first of `total`."""

    total: int = 0
    rows: tuple[Row, ...] = ()


CHECKS: tuple[Check, ...] = (
    Check(
        "doctor_executed_twice",
        "A signal was executed more than once for one deployment",
        "Halt all trading (controls set global HALTED), close what is too much, and report it: "
        "this must never be",
    ),
    Check(
        "doctor_filled_beyond_order",
        "More of an order was executed than was ordered",
        "Halt the deployment (controls set deployment ID HALTED); compare the order's fills with "
        "the venue's. Its position has the size that was executed: close it if that is too much, "
        "and report it: an order was executed twice",
    ),
    Check(
        "doctor_orders_stuck",
        "An order was sent over 15 minutes ago and its end is not known",
        "Read reconcile's log for the order's id; look it up at the venue by its client order id. "
        "It is never sent anew",
    ),
    Check(
        "doctor_orders_not_carried_out",
        "An order is due for over 15 minutes and was not carried out",
        "Read route_execute's log for the order's id; if nothing is there, see that reconcile runs "
        "and that the order queue is consumed",
    ),
    Check(
        "doctor_orders_held_up",
        "An order is put off for want of something, or an exit is late by more than five minutes",
        "Put right what its detail, or route_execute's log, says is missing: it goes out by itself",
    ),
    Check(
        "doctor_closes_overdue",
        "A position is open 15 minutes after it was to be closed",
        "Read why the last close was refused (docs/runbook.md says what to do about each reason); "
        "meanwhile the user can close it at the venue",
    ),
    Check(
        "doctor_orders_waiting_for_nothing",
        "An order waits for what has ended already",
        "Report it with the order's id; a CLOSE of its agent and token closes what it would have",
    ),
    Check(
        "doctor_signals_undecided",
        "A signal was taken in over 5 minutes ago and is not decided",
        "Read route_execute's log for the signal's id, then the dead letters; reconcile enqueues "
        "it again by itself",
    ),
    Check(
        "doctor_attempts_without_history",
        "A MULTI order has no row of history that says why it went there",
        "Report it with the order's id; history is append-only and is not written by hand",
    ),
    Check(
        "doctor_fills_do_not_sum",
        "A FILLED order's fills are not what it says was executed",
        "Compare the order with the venue's own fills (doctor --venues) and report it",
    ),
    Check(
        "doctor_fills_without_order",
        "A fill has no order that was sent at its venue",
        "Report it with the fill's id: no rule of the database lets it in",
    ),
    Check(
        "doctor_fills_counted_twice",
        "More of an execution is accounted for than there was",
        "Report it with the fill's id; compare the positions it closed with the venue",
    ),
    Check(
        "doctor_late_fills_unbooked",
        "An order was executed after its end, and no position shows it",
        "See that reconcile compares its account; it opens the position as an unexpected one",
    ),
    Check(
        "doctor_entries_without_position",
        "A filled entry has no position of its size",
        "Report it with the order's id; look at what the account holds at the venue",
    ),
    Check(
        "doctor_positions_differ",
        "A position does not show what its fills and closures come to",
        "Report it with the position's id; the fills are right, the position is not",
    ),
    Check(
        "doctor_positions_unexpected",
        "A position was opened by an order that had ended as nothing executed",
        "Close it: agent-where signal close --agent AGENT TOKEN",
    ),
    Check(
        "doctor_markets_unexplained",
        "A venue holds what the ledger does not, and no trade explains it",
        "Run doctor --venues for the account's trades and compare them with the user's own; "
        "it ends by itself once ledger and venue agree",
    ),
    Check(
        "doctor_stops_missing",
        "An open position has no stop-loss, though one was promised",
        "Close it now (agent-where signal close --agent AGENT TOKEN), or place the stop by hand",
    ),
    Check(
        "doctor_positions_unprotected",
        "A live position has no stop-loss at its venue for over five minutes, and what is on its "
        "way does not get through",
        "Read the detail of its STOP_LOSS and CLOSE orders; close it now, by a signal or at the "
        "venue",
    ),
    Check(
        "doctor_bounds_too_large",
        "A bound rests for more than its position has open",
        "Read reconcile's log for the order's id: it has to be taken back and placed anew",
    ),
    Check(
        "doctor_leases_too_long",
        "An account is leased for longer than any worker may",
        "See that the database's clock is right. reconcile gives the lease back at its next run: "
        "see that it runs",
    ),
    Check(
        "doctor_accounts_with_two_keys",
        "Two keys sign for one account, or one key for two accounts",
        "Have the user end the key that is not the account's at the venue; docs/runbook.md says "
        "how for a key that others may have",
    ),
    Check(
        "doctor_figures_stale",
        "reconcile has not run for 5 minutes",
        "Read reconcile's log, and see that its schedule is enabled",
    ),
    Check(
        "doctor_restores_open",
        "The database was restored and is not matched with the venues yet: nothing trades",
        "Say to which moment where that is not known (agent-where restored); decide about fills "
        "without an owner (agent-where unowned list); reconcile's log says what is left",
    ),
    Check(
        "doctor_fills_unowned",
        "An execution at a venue has no owner",
        "Decide: agent-where unowned adopt ID --deployment ID, or agent-where unowned ignore ID",
    ),
    Check(
        "doctor_closes_refused",
        "A CLOSE from before a restore was refused, and what it would have closed is open",
        "Send it again as a new signal if it is still wanted",
    ),
    Check(
        "doctor_trading_stopped",
        "A control stops trading",
        "Lift it when its reason is gone: agent-where controls set SCOPE [ID] ACTIVE",
        Weight.NOTE,
    ),
    Check(
        "doctor_left_as_dust",
        "A position ended with a rest too small to be closed",
        "Nothing has to be done; the user may close the rest by hand",
        Weight.NOTE,
    ),
)
"""Everything that is looked at in the database, the gravest first."""


class Checkups:
    """Asks over one database connection. Raises DatabaseUnavailable, DatabaseRefused."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ask(self, check: Check) -> Rows:
        """What a check finds now, by the database's clock."""
        found = self._database.run(sql(check.statement), at_most=AT_MOST)
        rows = tuple(Row(id=r["id"], since=r["since"], detail=r["detail"]) for r in found)
        return Rows(total=found[0]["total"] if found else 0, rows=rows)


def rows_of(rows: Sequence[Row]) -> Rows:
    """All of them as a check's finding."""
    return Rows(total=len(rows), rows=tuple(rows[:AT_MOST]))
