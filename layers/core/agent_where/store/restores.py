"""What a restore of the database needs: its epoch, and executions that the ledger has forgotten.

One method a statement. What an execution without an owner is, is decided in matching.py and by
people.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple, Self
from uuid import UUID

from agent_where.callers import EVERYTHING
from agent_where.domain import ControlScope, ControlState, Model
from agent_where.store.books import AccountAt, HeldPosition
from agent_where.store.connection import Database, Json, Statement
from agent_where.store.statements import sql, statement
from agent_where.venues.base import AccountFill

HELD = "held since the database was restored"
"""Begins the reason of each control by which a restore holds a deployment back."""


class OpenRestore(Model):
    """How far back the open restores reach, and when the last of them was told.

    `last_run_at`: when reconcile last ran before the first of them was told; None: never.
    `moment_unknown`: setup noticed the last of them, and nobody has said to which moment it was.
    `undecided`: executions without an owner. `unsettled`: live orders whose end is not known.
    """

    restored_to: datetime | None
    last_run_at: datetime | None = None
    told_at: datetime
    now: datetime
    moment_unknown: bool
    undecided: int
    unsettled: int


class Server(Model):
    """Where a database is: what it is reached by, and PostgreSQL's timeline, None: not to be read.

    A server that began from a backup at a moment has a higher timeline than the one it stands for,
    and mostly another host; a failover to a standby that shares the storage keeps both.
    """

    host: str
    timeline: int | None

    def is_another_than(self, known: Self) -> bool:
        """Whether this is not where `known` was; what cannot be read says nothing."""
        is_told = self.timeline is not None and known.timeline is not None
        return self.host != known.host or (is_told and self.timeline != known.timeline)

    def __str__(self) -> str:
        told = "that cannot be read" if self.timeline is None else str(self.timeline)
        return f"{self.host}, timeline {told}"


class ToMatch(NamedTuple):
    """An account to ask its venue about. `is_matched`: only what waits for a decision is open."""

    of: AccountAt
    is_matched: bool


class LedgerMarket(Model):
    """A market where an account has positions, the oldest first. `size_step` None: not known."""

    name: str
    size_step: Decimal | None
    positions: tuple[HeldPosition, ...]


class LedgerFill(Model):
    """An execution that the ledger has, `size` in base units."""

    venue_fill_id: str
    order_id: UUID
    size: Decimal
    at: datetime


class Ledger(Model):
    """What the ledger has of an account, by the database's clock.

    `decided`: the ids of executions of which a person has said whose they are.
    """

    now: datetime
    markets: tuple[LedgerMarket, ...]
    fills: tuple[LedgerFill, ...]
    decided: frozenset[str] = frozenset()


class Restores:
    """Over one database connection. Raises DatabaseUnavailable, and DatabaseRefused where told."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def begin(self, restored_to: datetime, told_by: str, reason: str) -> dict[str, Any]:
        """Begin an epoch, halt all trading and hold every deployment back, as an operator does.

        Who left or was stopped since is not known to be: each deployment is let go on knowingly.
        Returns the epoch's row, and how many are `held` now that were not.

        Raises:
            DatabaseRefused: a restore leads to the past.
        """
        hold = statement("hold_deployments", reason=f"{HELD}: {reason}", set_by=told_by)
        beginning = _beginning(restored_to, told_by, reason)
        rows, _, held = self._database.run_together(*beginning, hold)
        return {**rows[0], "held": len(held)}

    def begin_unknown(self, at: Server, told_by: str, reason: str) -> None:
        """The same to a moment that nobody has told, and know the server from now on."""
        noted = statement("note_server", **at.model_dump())
        self._database.run_together(*_beginning(None, told_by, reason), noted)

    def note_server(self, at: Server) -> None:
        """Know the server from now on."""
        self._database.run(sql("note_server"), **at.model_dump())

    def known_server(self) -> Server | None:
        """Where this database was found last; None: that was never kept."""
        rows = self._database.run(sql("read_known_server"))
        return Server.model_validate(rows[0]) if rows else None

    def timeline(self) -> int:
        """The one that the server writes on at this moment.

        Raises:
            DatabaseRefused: it writes none, being a standby, or does not tell this role.
        """
        return int(self._database.run(sql("read_timeline"))[0]["timeline"])

    def open(self) -> OpenRestore | None:
        """What the open restores come to; None: there is none."""
        rows = self._database.run(sql("read_restore"))
        return OpenRestore.model_validate(rows[0]) if rows else None

    def accept(self, found: OpenRestore, accepted_by: str, what: Sequence[str]) -> bool:
        """End them by the word of somebody who answers for `what` was not matched. False as `end`.

        One that was told after `found` was read stays open.
        """
        return self._end(found, accepted_by, list(what))

    def end(self, matched: OpenRestore) -> bool:
        """End the restores that were open when `matched` was read, and were matched since.

        False: none of them is open, or executions wait for a decision.
        """
        return self._end(matched, accepted_by=None, accepted=None)

    def _end(self, found: OpenRestore, accepted_by: str | None, accepted: list[str] | None) -> bool:
        told = {"told_at": found.told_at, "accepted_by": accepted_by, "accepted": accepted}
        ended, _ = self._database.run_together(
            statement("end_restore", **told), statement("wake_halted")
        )
        return bool(ended)

    def held(self, at_most: int) -> list[dict[str, Any]]:
        """Deployments that restores hold back.

        Each row has how many there are in `total`, and when the last restore was told in `epoch`.
        """
        rows = self._database.run(sql("read_held"), held=HELD, at_most=at_most)
        return [dict(row) for row in rows]

    def release(
        self,
        seen: Sequence[UUID],
        leave: Sequence[UUID],
        decided_by: str,
        reason: str,
        *,
        epoch: datetime,
    ) -> int | None:
        """Let those that were seen go on, but for those that are left. Returns how many went.

        What is left stays as it is by the operator's own word: no later release lets it go.

        Args:
            epoch: of the last restore when they were seen. None is returned where another was told,
                or where none of them is held any more.
        """
        told = {"reason": reason, "set_by": decided_by, "held": HELD, "epoch": epoch}
        ids = {"seen": [str(each) for each in seen], "leave": [str(each) for each in leave]}
        _, rows = self._database.run_together(
            statement("lock_controls", seen=ids["seen"]), statement("release_held", **told, **ids)
        )
        return sum(row["state"] == "ACTIVE" for row in rows) if rows else None

    def accounts(self) -> list[AccountAt]:
        """Every account that is, or was, traded for real."""
        return [AccountAt(**row) for row in self._database.run(sql("read_live_accounts"))]

    def to_match(self) -> list[ToMatch]:
        """Those of them to ask about: not matched since the last restore, in any order.

        After them those that are, where executions wait for a decision: they may be accounted for
        by now.
        """
        rows = self._database.run(sql("accounts_to_match"))
        return [ToMatch(AccountAt(r["account"], r["venue"]), r["is_matched"]) for r in rows]

    def unmatched(self) -> list[AccountAt]:
        """Those of them that were not matched since the last restore, in any order."""
        return [each.of for each in self.to_match() if not each.is_matched]

    def asked(self) -> list[AccountAt]:
        """Those of which the venue has told what it ever will since the last restore."""
        return [AccountAt(**row) for row in self._database.run(sql("accounts_asked"))]

    def mark_asked(self, of: Sequence[AccountAt], found: OpenRestore) -> None:
        """Keep that the venue has told what it ever will of them since `found` was told."""
        if of:
            accounts = Json([each._asdict() for each in of])
            self._database.run(sql("mark_asked"), accounts=accounts, told_at=found.told_at)

    def last_run(self) -> datetime | None:
        """When reconcile last ran in what was restored, as far as that is known; None: never."""
        at: datetime | None = self._database.run(sql("read_last_run"))[0]["at"]
        return at

    def matched(self, of: AccountAt, found: OpenRestore) -> None:
        """All executions of this account that `found` asks for are known here."""
        self._database.run(sql("mark_matched"), **of._asdict(), told_at=found.told_at)

    def ledger(self, of: AccountAt, since: datetime) -> Ledger:
        """What the ledger has of an account, executions from then on."""
        rows = self._database.run(sql("read_ledger"), **of._asdict(), since=since)
        return Ledger.model_validate(rows[0])

    def keep(self, of: AccountAt, unowned: Sequence[AccountFill], explained: Sequence[str]) -> int:
        """Store executions without an owner; those that have one by now need no decision.

        Returns how many were new.
        """
        kept, _ = self._database.run_together(
            statement("keep_unowned", **of._asdict(), fills=Json([_told(f) for f in unowned])),
            statement("explain_unowned", venue=of.venue, fills=list(explained)),
        )
        return len(kept)

    def unowned(self, at_most: int) -> list[dict[str, Any]]:
        """Executions without an owner, those to be decided first, with who might own them."""
        return [dict(row) for row in self._database.run(sql("read_unowned"), at_most=at_most)]

    def ignore(self, fill: UUID, decided_by: str, reason: str) -> bool:
        """It is none of ours. False: there is none of that id that waits for a decision."""
        told = {"id": fill, "decided_by": decided_by, "reason": reason}
        return bool(self._database.run(sql("ignore_unowned"), **told))

    def adopt(self, fill: UUID, deployment: UUID, decided_by: str, reason: str) -> UUID:
        """It was ours, with the others of its order: returns the unexpected position they opened.

        Raises:
            DatabaseRefused: it opened nothing, the deployment does not trade for its account, or a
                worker has the account now.
        """
        told = {"id": fill, "deployment_id": deployment, "decided_by": decided_by, "reason": reason}
        adopted, _ = self._database.run_together(
            statement("adopt_unowned", **told), statement("doubt_adopted", id=fill)
        )
        return UUID(str(adopted[0]["position_id"]))


def _beginning(restored_to: datetime | None, told_by: str, reason: str) -> list[Statement]:
    """An epoch and the halt of all trading."""
    halt = statement(
        "write_control",
        scope=ControlScope.GLOBAL,
        id=None,
        of_id=None,
        state=ControlState.HALTED,
        reason=f"the database was restored: {reason}",
        set_by=told_by,
        **EVERYTHING.params(),
    )
    told = {"restored_to": restored_to, "told_by": told_by, "reason": reason}
    return [statement("begin_restore", **told), halt]


def _told(trade: AccountFill) -> dict[str, Any]:
    named = trade.model_dump(
        include={"market_name", "token_symbol", "side", "held_before", "venue_ref"}
        | {"client_order_id"}
    )
    return named | trade.fill.model_dump()
