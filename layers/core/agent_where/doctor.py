"""Everything that does not add up, each with what to do: a report that changes nothing.

What it looks at in the database is a table (store/checkups.py), and so is how what the venues did
may differ from it (differences.py). Every check ends, whatever is away or slow: what cannot be
asked, or not in time, is a finding.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import ConfigDict
from pydantic.alias_generators import to_camel

from agent_where.differences import DIFFERENCES
from agent_where.domain import Model, VenueId
from agent_where.errors import AgentWhereError, DatabaseRefused, QueueUnavailable
from agent_where.matching import Matched
from agent_where.queues import Queues
from agent_where.restoring import looked_at
from agent_where.store.books import AccountAt
from agent_where.store.checkups import CHECKS, Check, Checkups, Row, Rows, Weight, rows_of
from agent_where.store.comparisons import Comparisons
from agent_where.store.restores import Restores
from agent_where.venues.base import Exits, Holdings

LOOKS_BACK = timedelta(days=1)
"""How far back the venues' executions are looked at, unless told."""

DEAD_LETTERS = "dead_letters"
VENUES = "venues_not_asked"
UNTOLD = "venues_that_do_not_tell"
NO_TIME = "no time was left to ask"


class _Told(Model):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Examined(_Told):
    """One check. `rows` are the first of `count`; `todo` is empty where it is `ok`."""

    name: str
    title: str
    weight: Weight
    ok: bool
    count: int
    todo: str
    rows: tuple[Row, ...]


class Diagnosis(_Told):
    """All of them. `sound`: nothing that weighs as a FAULT was found."""

    success: bool = True
    sound: bool
    checked_at: datetime
    venues_since: datetime | None
    checks: tuple[Examined, ...]

    def as_json(self) -> dict[str, Any]:
        """As it is answered."""
        return self.model_dump(mode="json", by_alias=True)


@dataclass(frozen=True)
class Instruments:
    """What the doctor looks with.

    `holdings`, `exits`: of a venue; without either it cannot be asked.
    """

    checkups: Checkups
    restores: Restores
    books: Comparisons
    queues: Queues
    holdings: Callable[[VenueId], Holdings | None]
    exits: Callable[[VenueId], Exits | None]


def diagnose(
    look: Instruments,
    *,
    venues_since: datetime | None = None,
    seconds: float = math.inf,
    clock: Callable[[], float] = time.monotonic,
) -> Diagnosis:
    """Look at everything; with `venues_since` also at what the venues did from then on.

    Args:
        seconds: nothing more is asked after them; what was not asked yet is told as such.
    """
    until = clock() + seconds

    def is_time() -> bool:
        return clock() < until

    checks = [_asked(look.checkups, check, is_time) for check in CHECKS]
    checks.append(_dead_letters(look.queues))
    if venues_since is not None:
        checks += _venues(look, venues_since, is_time)
    return Diagnosis(
        sound=all(each.ok or each.weight is Weight.NOTE for each in checks),
        checked_at=datetime.now(UTC),
        venues_since=venues_since,
        checks=tuple(checks),
    )


def _asked(checkups: Checkups, check: Check, is_time: Callable[[], bool]) -> Examined:
    if not is_time():
        return _unasked(
            check, NO_TIME, "Run it again, or read the database's own figures: it is slow"
        )
    try:
        found = checkups.ask(check)
    except DatabaseRefused as error:
        return _unasked(check, f"the database refused to tell: {error}", "Run setup")
    except AgentWhereError as error:
        return _unasked(
            check, str(error), "See that the database is reachable, and not too slow for it"
        )
    return _examined(check.name, check.title, check.todo, found, check.weight)


def _unasked(check: Check, why: str, todo: str) -> Examined:
    row = Row(id=check.name, since=None, detail=why)
    return _examined(check.name, check.title, todo, rows_of([row]), Weight.FAULT)


def _examined(
    name: str, title: str, todo: str, found: Rows, weight: Weight = Weight.FAULT
) -> Examined:
    return Examined(
        name=name,
        title=title,
        weight=weight,
        ok=not found.total,
        count=found.total,
        todo=todo if found.total else "",
        rows=found.rows,
    )


def _dead_letters(queues: Queues) -> Examined:
    title = "Messages that can never succeed"
    todo = "Read their reasons (agent-where redrive), and send back what can succeed now"
    try:
        count = queues.depths().get("deadLetters", 0)
    except QueueUnavailable as error:
        row = Row(id=DEAD_LETTERS, since=None, detail=str(error))
        return _examined(DEAD_LETTERS, title, "See that the queue is reachable", rows_of([row]))
    rows = (Row(id=DEAD_LETTERS, since=None, detail=f"{count} messages"),) if count else ()
    return _examined(DEAD_LETTERS, title, todo, Rows(total=count, rows=rows))


def _venues(look: Instruments, since: datetime, is_time: Callable[[], bool]) -> Iterator[Examined]:
    seen, unasked, untold = list[tuple[AccountAt, Matched]](), list[Row](), list[Row]()
    try:
        accounts = look.restores.accounts()
    except AgentWhereError as error:
        accounts = []
        unasked.append(Row(id="accounts", since=None, detail=str(error)))
    for of in accounts:
        holdings = look.holdings(of.venue)
        if holdings is None:
            is_single = look.exits(of.venue) is not None
            why = f"at {of.venue}" if is_single else f"{of.venue} cannot be asked"
            (untold if is_single else unasked).append(Row(id=of.account, since=None, detail=why))
            continue
        if not is_time():
            unasked.append(Row(id=of.account, since=None, detail=f"{of.venue}: {NO_TIME}"))
            continue
        try:
            seen.append((of, looked_at(of, holdings, look.restores, look.books, since)))
        except AgentWhereError as error:
            unasked.append(Row(id=of.account, since=None, detail=str(error)))
    for each in DIFFERENCES:
        rows = sorted((row for of, found in seen for row in each.of(of, found)), key=_by_time)
        yield _examined(each.name, each.title, each.todo, rows_of(rows), each.weight)
    todo = "Run it again when the venue answers, or since later; see that its settings are there"
    title = "A venue was not asked about an account that trades for real"
    yield _examined(VENUES, title, todo, rows_of(unasked))
    todo = "After a restore compare by hand and answer for it; else reconcile watches what is open"
    title = "An account at a venue that tells of single positions, not of what was executed"
    yield _examined(UNTOLD, title, todo, rows_of(untold), Weight.NOTE)


def _by_time(row: Row) -> datetime:
    """What has no time first: it is as things stand now."""
    return row.since or datetime.min.replace(tzinfo=UTC)


NAMES = (
    *(check.name for check in CHECKS),
    DEAD_LETTERS,
    *(each.name for each in DIFFERENCES),
    VENUES,
    UNTOLD,
)
"""What every check is called; docs/runbook.md says more of each."""
