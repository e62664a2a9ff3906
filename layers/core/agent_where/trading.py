"""Putting together what trades: executor, venues and signers. What only reads never loads it."""

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from agent_where import wiring
from agent_where.domain import Mode, VenueId
from agent_where.execution.executor import Executor
from agent_where.pipeline import Deps
from agent_where.settings import ReconcileSettings, RouteExecuteSettings
from agent_where.store.store import Store
from agent_where.venues.base import Venue
from agent_where.venues.registry import (
    SUPPORTED,
    exits,
    holdings,
    live_at,
    live_venue,
    paper_venue,
)

if TYPE_CHECKING:
    from agent_where.execution.signers import Signer, Signers

TradingSettings = RouteExecuteSettings | ReconcileSettings


def deps(settings: TradingSettings) -> Deps:
    """What the pipeline works with. In live mode only what LIVE_VENUES names is supported.

    What is open at another venue is settled, watched and closed there all the same.
    """
    ledger = wiring.store(settings)
    is_live = settings.mode is Mode.LIVE
    supported = live_at(settings) if is_live else SUPPORTED

    @cache
    def executor() -> Executor:
        return Executor(
            ledger,
            cache(lambda venue, mode: _venue(venue, mode, settings, ledger)),
            supported=supported,
            max_age=settings.market_max_age,
            ceiling_usd=settings.max_order_notional_usd,
            signer_of=_signers(settings),
        )

    return Deps(
        store=ledger,
        queues=wiring.queues(settings),
        executor=executor,
        supported=supported,
        mode=settings.mode,
        max_age=settings.market_max_age,
        holdings=lambda venue: holdings(venue, settings) if is_live else None,
        exits=lambda venue: exits(venue, settings) if is_live else None,
    )


def _venue(venue: VenueId, mode: Mode, settings: TradingSettings, ledger: Store) -> Venue:
    if mode is Mode.LIVE:
        return live_venue(venue, settings)
    return paper_venue(
        venue,
        settings,
        lambda account, of: ledger.paper_collateral(
            account, of, settings.paper_starting_balance_usd
        ),
    )


def _signers(settings: TradingSettings) -> "Callable[[str], Signer]":
    """Keys are looked for when something is signed, which on paper is never."""

    @cache
    def signers() -> "Signers":
        from agent_where.execution.signers import Signers  # noqa: PLC0415 loads libsecp256k1

        return Signers(allow_env=settings.database().on_loopback)

    def signer(key_ref: str) -> "Signer":
        return signers().signer(key_ref)

    return signer
