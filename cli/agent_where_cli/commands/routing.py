"""`config`, `stats`, `history` and `preview`: which venue trades, and why."""

from collections.abc import Iterator, Mapping
from typing import Annotated
from uuid import UUID

import typer

from agent_where_cli import values
from agent_where_cli.answers import Json, fields, items
from agent_where_cli.options import (
    MANY,
    AgentId,
    LongOrShort,
    MaxRows,
    OfAgent,
    OfToken,
    OfVenue,
    Token,
)
from agent_where_cli.session import Session, command
from agent_where_cli.tables import Part, facts, grid, number, prose, text
from agent_where_cli.values import Names, Window

CONFIG = "/venue-routing/config"

app = typer.Typer()
config = typer.Typer(help="Which venues an agent trades at, in which order.")

_CONFIG = (
    text("priority", "config.venue_priority"),
    text("strategy", "config.routing_strategy"),
    text("failover", "config.failover_enabled"),
    text("agent", "config.agent_id"),
    text("built-in default", "config.isDefault"),
    text("created", "config.created_at"),
    text("updated", "config.updated_at"),
    text("id", "config.id"),
)
_STATS = (
    text("window", "timeWindow"),
    number("decisions", "stats.total"),
    number("routed, %", "stats.successRate"),
    number("failovers", "stats.failovers"),
    number("average, ms", "stats.avgRoutingTimeMs"),
    number("p50, ms", "stats.p50RoutingTimeMs"),
    number("p99, ms", "stats.p99RoutingTimeMs"),
)
_RECENT = (
    text("at", "createdAt"),
    text("token", "tokenSymbol"),
    text("venue", "selectedVenue"),
    number("ms", "routingDurationMs"),
    prose("reason", "routingReason"),
)
_HISTORY = (
    text("at", "createdAt"),
    text("signal", "signalId"),
    text("token", "tokenSymbol"),
    text("asked", "requestedVenue"),
    text("venue", "selectedVenue"),
    number("attempt", "attempt"),
    number("ms", "routingDurationMs"),
    text("strategy", "strategy"),
    prose("available", "venueAvailability"),
    prose("reason", "routingReason"),
)
_DECISION = (
    text("token", "decision.tokenSymbol"),
    text("asked", "decision.requestedVenue"),
    text("venue", "decision.selectedVenue"),
    text("reason", "decision.routingReason"),
    text("strategy", "decision.strategy"),
    text("failover", "decision.failoverEnabled"),
    text("config", "decision.configId"),
    text("skipped", "decision.skippedReason"),
)
_CANDIDATES = (
    text("venue", "venue"),
    text("refused", "refusal"),
    number("score", "score"),
    text("market", "market.name"),
    number("price, USD", "market.priceUsd"),
    number("fee, bps", "market.takerFeeBps"),
    number("max leverage", "market.maxLeverage"),
    number("least, USD", "market.minNotionalUsd"),
    text("synced", "market.lastSynced"),
    text("control", "control"),
    prose("detail", "detail"),
)


@command(config, "get")
def get_config(to: Session, agent: OfAgent = None) -> None:
    """Show the config that applies to an agent, or the global one."""
    to.show(to.api.get(CONFIG, {"agentId": agent}), config_view)


@command(config, "set")
def set_config(
    to: Session,
    *,
    priority: Annotated[
        Names,
        typer.Option(
            "--priority",
            parser=values.venues,
            metavar="NAME,NAME",
            help="Venues, the preferred first.",
        ),
    ],
    agent: OfAgent = None,
    strategy: Annotated[
        str, typer.Option("--strategy", help="How the venues are ranked.")
    ] = "FIRST_AVAILABLE",
    failover: Annotated[
        bool,
        typer.Option("--failover/--no-failover", help="Try the next venue when one refuses."),
    ] = True,
) -> None:
    """Set an agent's config, or without --agent the global one (needs admin)."""
    body = {
        "agentId": str(agent) if agent else None,
        "venuePriority": list(priority),
        "routingStrategy": strategy.upper(),
        "failoverEnabled": failover,
    }
    to.show(to.api.write("POST", CONFIG, values.given(body)), config_view)


@command(config, "delete")
def delete_config(to: Session, agent: AgentId) -> None:
    """Delete an agent's own config; shows the one it inherits."""
    to.show(to.api.write("DELETE", f"{CONFIG}?agentId={agent}"), config_view)


@command(app, "stats")
def stats(
    to: Session,
    window: Annotated[Window, typer.Option("--window", help="How far back.")] = Window.DAY,
    token: OfToken = None,
) -> None:
    """Show what was decided lately: counts, times and the newest decisions."""
    query = {"timeWindow": window.value, "tokenSymbol": token}
    to.show(to.api.get("/venue-routing/stats", query), stats_view)


@command(app, "history")
def history(
    to: Session,
    signal: Annotated[UUID | None, typer.Option("--signal", help="Only this signal's.")] = None,
    token: OfToken = None,
    venue: OfVenue = None,
    limit: MaxRows = MANY,
) -> None:
    """List decisions, the newest first."""
    query = {"signalId": signal, "tokenSymbol": token, "venue": venue}
    to.show_list(
        to.api.pages("/venue-routing/history", "history", limit, query),
        lambda body: [grid(_HISTORY, items(body, "history"))],
    )


@command(app, "preview")
def preview(
    to: Session,
    token: Token,
    side: LongOrShort,
    agent: OfAgent = None,
    notional: Annotated[
        str | None,
        typer.Option(
            "--notional", parser=values.number, metavar="USD", help="The size to judge by."
        ),
    ] = None,
) -> None:
    """Show the decision that a signal would get now; nothing is written."""
    body = {
        "agentId": str(agent) if agent else None,
        "tokenSymbol": token,
        "side": side.value,
        "notionalUsd": notional,
    }
    to.show(to.api.ask("/venue-routing/preview", values.given(body)), preview_view)


def config_view(body: Json) -> Iterator[Part]:
    """One config."""
    yield facts(_CONFIG, body)


def stats_view(body: Json) -> Iterator[Part]:
    """Figures, then by venue, by token, and the newest decisions."""
    yield grid(_STATS, [body])
    by_venue = fields(body, "stats.byVenue")
    rows = [{"venue": venue, "total": total} for venue, total in by_venue.items()]
    yield grid((text("venue", "venue"), number("decisions", "total")), rows, "By venue")
    yield _by_token(fields(body, "stats.byToken"))
    yield grid(_RECENT, items(body, "recentRouting"), "Newest")


def preview_view(body: Json) -> Iterator[Part]:
    """The decision, then what was thought of each venue."""
    yield facts(_DECISION, body)
    yield grid(_CANDIDATES, items(body, "decision.candidates"), "Candidates")


def _by_token(by_token: Mapping[str, object]) -> Part:
    """A column for each venue that any token has."""
    venues = dict.fromkeys(venue for told in by_token.values() for venue in fields(told, "venues"))
    columns = (text("token", "token"), number("decisions", "told.total"))
    rows = [{"token": token, "told": told} for token, told in by_token.items()]
    each = (number(venue, f"told.venues.{venue}") for venue in venues)
    return grid((*columns, *each), rows, "By token")
