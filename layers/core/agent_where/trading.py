"""Putting together what trades: executor and venues. What only reads never loads it."""

from functools import cache

from agent_where import wiring
from agent_where.domain import VenueId
from agent_where.execution.executor import Executor
from agent_where.pipeline import Deps
from agent_where.settings import ReconcileSettings, RouteExecuteSettings, Trading
from agent_where.store.store import Store
from agent_where.venues.base import Venue
from agent_where.venues.registry import SUPPORTED, paper_venue


def deps(settings: RouteExecuteSettings | ReconcileSettings) -> Deps:
    """What the pipeline works with."""
    ledger = wiring.store(settings)

    @cache
    def executor() -> Executor:
        return Executor(
            ledger,
            lambda venue, _: _venue(venue, settings, ledger),
            supported=SUPPORTED,
            max_age=settings.market_max_age,
            ceiling_usd=settings.max_order_notional_usd,
        )

    return Deps(
        store=ledger,
        queues=wiring.queues(settings),
        executor=executor,
        supported=SUPPORTED,
        mode=settings.mode,
        max_age=settings.market_max_age,
    )


def _venue(venue: VenueId, settings: Trading, ledger: Store) -> Venue:
    return paper_venue(
        venue,
        settings,
        lambda account, of: ledger.paper_collateral(
            account, of, settings.paper_starting_balance_usd
        ),
    )
