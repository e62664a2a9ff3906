"""A worker that dies around one of its statements, and the same scenario with a death at each."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from agent_where.store.connection import Database, DatabaseSettings, Row, Statement
from local.postgres import Postgres
from tests.conftest import fresh_database
from tests.failing_venues import Died


class Crashing(Database):
    """A connection whose worker dies at one of its statements, counted from 1; 0 is never.

    Args:
        after: whether the statement was still carried out.
        stays_dead: whether none goes through from then on.
    """

    def __init__(self, dsn: str, *, dies_at: int, after: bool, stays_dead: bool = False) -> None:
        super().__init__(DatabaseSettings.from_url(dsn))
        self.calls = 0
        self._dies_at = dies_at
        self._after = after
        self._stays_dead = stays_dead

    def run_together(self, *statements: Statement) -> list[list[Row]]:
        self.calls += 1
        is_over = self._stays_dead and 0 < self._dies_at < self.calls
        if is_over or (self.calls == self._dies_at and not self._after):
            raise Died
        answer = super().run_together(*statements)
        if self.calls == self._dies_at:
            raise Died
        return answer


Scenario = Callable[[str, Crashing], object]
"""From a database's DSN and its first worker's connection to what it all ended in."""


class Life(Protocol):
    """A scenario that has begun, with a first worker that may die."""

    def run(self) -> None: ...

    def dispose(self) -> None: ...


L = TypeVar("L", bound=Life)


def scenario_of(begin: Callable[[str, Crashing], L], judge: Callable[[L], object]) -> Scenario:
    """A life from its beginning to what is judged of it."""

    def scenario(dsn: str, first: Crashing) -> object:
        life = begin(dsn, first)
        life.run()
        found = judge(life)
        life.dispose()
        return found

    return scenario


def lived(
    postgres: Postgres,
    template: str,
    scenario: Scenario,
    *,
    dies_at: int,
    after: bool,
    stays_dead: bool = False,
) -> tuple[int, object]:
    """How many statements the first worker came to, and what it all ended in."""
    with fresh_database(postgres, template=template) as dsn:
        first = Crashing(dsn, dies_at=dies_at, after=after, stays_dead=stays_dead)
        found = scenario(dsn, first)
    return first.calls, found


def wrong_ends(
    postgres: Postgres,
    template: str,
    scenario: Scenario,
    statements: int,
    *,
    right: object,
    after: bool,
    stays_dead: bool = False,
) -> dict[int, object]:
    """Where a death at each statement in turn leads to another end than the right one."""
    ends = {
        number: lived(
            postgres, template, scenario, dies_at=number, after=after, stays_dead=stays_dead
        )[1]
        for number in range(1, statements + 1)
    }
    return {number: found for number, found in ends.items() if found != right}
