"""`agents`, `follow` and `deployments`: who trades, and who follows."""

from collections.abc import Iterator
from typing import Annotated
from uuid import UUID

import typer

from agent_where_cli import values
from agent_where_cli.answers import Json, items
from agent_where_cli.faults import Usage
from agent_where_cli.options import MANY, AgentId, MaxRows, Venues
from agent_where_cli.session import Session, command
from agent_where_cli.tables import Part, facts, grid, number, prose, text
from agent_where_cli.values import NO_LIMIT, AgentStatus, DeploymentStatus, Names

app = typer.Typer()
agents = typer.Typer(help="Agents: who sends signals.")
deployments = typer.Typer(help="Deployments: who follows an agent, and within which limits.")

Id = Annotated[UUID, typer.Argument(metavar="ID")]
Limit = str | None

_AGENTS = (
    text("id", "id"),
    prose("name", "name"),
    text("venue", "venue"),
    text("status", "status"),
    text("created", "created_at"),
)
_AGENT = (
    text("id", "agent.id"),
    text("name", "agent.name"),
    text("venue", "agent.venue"),
    text("status", "agent.status"),
    text("creator", "agent.creator_wallet"),
    text("profit receiver", "agent.profit_receiver_address"),
    text("weights", "agent.weights"),
    text("created", "agent.created_at"),
)
_DEPLOYMENTS = (
    text("id", "id"),
    text("user", "user_wallet"),
    text("status", "status"),
    text("venues", "venues"),
    number("max notional, USD", "maxNotionalUsd"),
    number("max leverage", "maxLeverage"),
    text("created", "created_at"),
)
_DEPLOYMENT = (
    text("id", "deployment.id"),
    text("agent", "deployment.agent_id"),
    text("user", "deployment.user_wallet"),
    text("status", "deployment.status"),
    text("subscribed", "deployment.sub_active"),
    text("venues", "deployment.venues"),
    text("max notional, USD", "deployment.maxNotionalUsd"),
    text("max leverage", "deployment.maxLeverage"),
    text("created", "deployment.created_at"),
)
_ACCOUNTS = (
    text("venue", "venue"),
    text("account", "account"),
    text("signer", "signer_address"),
    text("approved until", "approved_until"),
)


@command(agents, "list")
def list_agents(
    to: Session,
    *,
    active: Annotated[
        bool, typer.Option("--active", help="Everybody's ACTIVE agents instead of one's own.")
    ] = False,
    limit: MaxRows = MANY,
) -> None:
    """List agents, the newest first."""
    query = {"listed": "active" if active else None}
    to.show_list(
        to.api.pages("/agents", "agents", limit, query),
        lambda body: [grid(_AGENTS, items(body, "agents"))],
    )


@command(agents, "show")
def show_agent(to: Session, agent: Id) -> None:
    """Show an agent."""
    to.show(to.api.get(f"/agents/{agent}"), agent_view)


@command(agents, "create")
def create_agent(
    to: Session,
    name: Annotated[str, typer.Argument(help="What people call it.")],
    venue: Annotated[
        str, typer.Option("--venue", parser=str.upper, metavar="NAME", help="MULTI, or one venue.")
    ],
    receiver: Annotated[str, typer.Option("--receiver", help="Whose the profits are, 0x...")],
    wallet: Annotated[
        str | None, typer.Option("--wallet", help="The creator; the token's unless told.")
    ] = None,
    status: Annotated[
        AgentStatus | None,
        typer.Option("--status", case_sensitive=False, help="DRAFT unless told."),
    ] = None,
) -> None:
    """Create an agent."""
    body = {
        "name": name,
        "venue": venue,
        "creator_wallet": wallet,
        "profit_receiver_address": receiver,
        "status": status.value if status else None,
    }
    to.show(to.api.write("POST", "/agents", values.given(body)), agent_view)


@command(agents, "set")
def set_agent(
    to: Session,
    agent: Id,
    status: Annotated[
        AgentStatus | None,
        typer.Option("--status", case_sensitive=False, help="Only ACTIVE ones open anything."),
    ] = None,
    name: Annotated[str | None, typer.Option("--name", help="What people call it.")] = None,
    venue: Annotated[
        str | None,
        typer.Option("--venue", parser=str.upper, metavar="NAME", help="MULTI, or one venue."),
    ] = None,
    receiver: Annotated[
        str | None, typer.Option("--receiver", help="Whose the profits are, 0x...")
    ] = None,
) -> None:
    """Change an agent."""
    body = {
        "name": name,
        "venue": venue,
        "profit_receiver_address": receiver,
        "status": status.value if status else None,
    }
    to.show(to.api.write("PATCH", f"/agents/{agent}", _changes(body)), agent_view)


@command(app, "follow")
def follow(
    to: Session,
    agent: Annotated[UUID, typer.Argument(metavar="AGENT", help="The agent's id.")],
    venues: Venues,
    wallet: Annotated[
        str | None, typer.Option("--wallet", help="Who follows; the token's unless told.")
    ] = None,
    max_notional: Annotated[
        str | None,
        typer.Option(
            "--max-notional", parser=values.number, metavar="USD", help="The most of one position."
        ),
    ] = None,
    max_leverage: Annotated[
        str | None,
        typer.Option(
            "--max-leverage",
            parser=values.number,
            metavar="TIMES",
            help="The most of one position.",
        ),
    ] = None,
) -> None:
    """Follow an agent: its signals trade for the wallet from now on."""
    body = {
        "venues": list(venues),
        "user_wallet": wallet,
        "maxNotionalUsd": max_notional,
        "maxLeverage": max_leverage,
    }
    path = f"/agents/{agent}/deployments"
    to.show(to.api.write("POST", path, values.given(body)), deployment_view)


@command(deployments, "list")
def list_deployments(to: Session, agent: AgentId, limit: MaxRows = MANY) -> None:
    """List who follows an agent, the newest first."""
    to.show_list(
        to.api.pages(f"/agents/{agent}/deployments", "deployments", limit),
        lambda body: [grid(_DEPLOYMENTS, items(body, "deployments"))],
    )


@command(deployments, "show")
def show_deployment(to: Session, deployment: Id) -> None:
    """Show a deployment with its accounts."""
    to.show(to.api.get(f"/deployments/{deployment}"), deployment_view)


@command(deployments, "set")
def set_deployment(
    to: Session,
    deployment: Id,
    status: Annotated[
        DeploymentStatus | None,
        typer.Option("--status", case_sensitive=False, help="PAUSED ones open nothing."),
    ] = None,
    venues: Annotated[
        Names | None,
        typer.Option("--venues", parser=values.venues, metavar="NAME,NAME", help="Where to trade."),
    ] = None,
    max_notional: Annotated[
        str | None,
        typer.Option("--max-notional", parser=values.limit, metavar="USD|none", help="The most."),
    ] = None,
    max_leverage: Annotated[
        str | None,
        typer.Option("--max-leverage", parser=values.limit, metavar="TIMES|none", help="The most."),
    ] = None,
) -> None:
    """Change a deployment; `none` takes a limit away."""
    body = {
        "status": status.value if status else None,
        "venues": list(venues) if venues else None,
        "maxNotionalUsd": max_notional,
        "maxLeverage": max_leverage,
    }
    changes = {key: None if value == NO_LIMIT else value for key, value in _changes(body).items()}
    to.show(to.api.write("PATCH", f"/deployments/{deployment}", changes), deployment_view)


def agent_view(body: Json) -> Iterator[Part]:
    """One agent."""
    yield facts(_AGENT, body)


def deployment_view(body: Json) -> Iterator[Part]:
    """One deployment and its accounts."""
    yield facts(_DEPLOYMENT, body)
    yield grid(_ACCOUNTS, items(body, "deployment.accounts"), "Accounts")


def _changes(body: Json) -> Json:
    """The same for a change. Raises Usage where nothing is left."""
    told = values.given(body)
    if not told:
        raise Usage("Nothing is to change: give at least one option.")
    return told
