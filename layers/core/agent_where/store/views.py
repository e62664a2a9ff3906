"""What the read side shows: one method a question, one round trip each."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from agent_where.answers import (
    AgentAnswer,
    AgentsAnswer,
    AgentView,
    ConfigAnswer,
    ConfigView,
    DeploymentAnswer,
    DeploymentsAnswer,
    DeploymentView,
    MarketsAnswer,
    PositionsAnswer,
    SignalAnswer,
)
from agent_where.bodies import MarketsQuery, PositionsQuery, StatsQuery, TimeWindow
from agent_where.domain import RoutingConfig
from agent_where.errors import BadInput, UnknownAgent
from agent_where.paging import PAGE_ROWS, Cursor, page
from agent_where.store.connection import Database, Row, Statement
from agent_where.store.statements import sql, statement

TRADE_ROWS = 500
"""The most decisions, orders, fills and positions that one signal is shown with."""

_MARKET_ROWS = 5_000
_BACK = {TimeWindow.HOUR: "1 hour", TimeWindow.DAY: "1 day", TimeWindow.WEEK: "7 days"}


class Views:
    """Reads over one database connection. Raises DatabaseUnavailable besides what is told."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def config(self, agent_id: UUID | None) -> ConfigAnswer:
        """The config that applies to an agent, or the global one. Raises UnknownAgent."""
        return config_answer(self._run("read_config", agent_id=agent_id), agent_id)

    def routing_stats(self, query: StatsQuery) -> Row:
        """What stats.py makes the statistics of: all first decisions of the window, counted."""
        back = _BACK[query.time_window]
        return self._run("read_stats", back=back, token_symbol=query.token_symbol)[0]

    def agents(self, after: Cursor | None) -> AgentsAnswer:
        """A page of agents, newest first."""
        rows, cursor = page(self._run("read_agents", **_after(after)), "created_at")
        return AgentsAnswer.model_validate({"agents": rows, "next_cursor": cursor})

    def agent(self, agent_id: UUID) -> AgentAnswer:
        """One agent. Raises UnknownAgent."""
        rows = self._run("read_agent", id=agent_id)
        if not rows:
            raise unknown_agent(agent_id)
        return AgentAnswer(agent=AgentView.model_validate(rows[0]))

    def deployments(self, agent_id: UUID, after: Cursor | None) -> DeploymentsAnswer:
        """A page of an agent's deployments, newest first. Raises UnknownAgent."""
        known, found = self._database.run_together(
            statement("read_agent", id=agent_id),
            statement("read_deployments", id=None, agent_id=agent_id, **_after(after)),
        )
        if not known:
            raise unknown_agent(agent_id)
        rows, cursor = page(found, "created_at")
        return DeploymentsAnswer.model_validate({"deployments": rows, "next_cursor": cursor})

    def deployment(self, deployment_id: UUID) -> DeploymentAnswer:
        """One deployment. Raises BadInput when there is none."""
        rows = self._database.run_together(only_deployment(deployment_id))[0]
        if not rows:
            raise unknown_deployment(deployment_id)
        return DeploymentAnswer(deployment=DeploymentView.model_validate(rows[0]))

    def trade(self, signal_id: UUID) -> SignalAnswer:
        """A signal with everything that came of it. Raises BadInput when there is none."""
        rows = self._run("read_trade", id=signal_id, at_most=TRADE_ROWS + 1)
        if not rows:
            raise BadInput(f"there is no signal {signal_id}", code="UNKNOWN_SIGNAL")
        lists = {name: found[:TRADE_ROWS] for name, found in rows[0].items() if name != "signal"}
        return SignalAnswer.model_validate(
            {
                "signal": rows[0]["signal"],
                "truncated": any(len(rows[0][name]) > TRADE_ROWS for name in lists),
                **lists,
            }
        )

    def positions(self, query: PositionsQuery) -> PositionsAnswer:
        """A page of positions, newest first.

        Raises:
            BadInput: there is no such agent or deployment.
        """
        row = self._run(
            "read_positions",
            agent_id=query.agent_id,
            deployment_id=query.deployment_id,
            status=query.status,
            **_after(query.cursor),
        )[0]
        if query.agent_id and not row["agent_known"]:
            raise unknown_agent(query.agent_id)
        if query.deployment_id and not row["deployment_known"]:
            raise unknown_deployment(query.deployment_id)
        rows, cursor = page(row["positions"], "opened_at")
        return PositionsAnswer.model_validate({"positions": rows, "next_cursor": cursor})

    def markets(self, query: MarketsQuery) -> MarketsAnswer:
        """Markets as last synced, by token and venue."""
        rows = self._run("read_markets", **query.model_dump(), at_most=_MARKET_ROWS)
        return MarketsAnswer.model_validate({"markets": rows})

    def _run(self, name: str, /, **params: object) -> list[Row]:
        return self._database.run(sql(name), **params)


def config_answer(rows: Sequence[Row], agent_id: UUID | None) -> ConfigAnswer:
    """From what `read_config.sql` found. Raises UnknownAgent when it found nothing."""
    if not rows and agent_id is not None:
        raise unknown_agent(agent_id)
    if rows[0]["id"] is None:
        return ConfigAnswer(
            config=ConfigView.model_validate({**RoutingConfig().model_dump(), "is_default": True})
        )
    return ConfigAnswer(config=ConfigView.model_validate(rows[0]))


def only_deployment(deployment_id: UUID) -> Statement:
    """The statement that reads one deployment."""
    return statement("read_deployments", id=deployment_id, agent_id=None, **_after(None))


def unknown_agent(agent_id: UUID) -> UnknownAgent:
    """The error for an agent that does not exist."""
    return UnknownAgent(f"there is no agent {agent_id}")


def unknown_deployment(deployment_id: UUID) -> BadInput:
    """The error for a deployment that does not exist."""
    return BadInput(f"there is no deployment {deployment_id}", code="UNKNOWN_DEPLOYMENT")


def _after(cursor: Cursor | None) -> dict[str, Any]:
    return {
        "after_at": cursor.at if cursor else None,
        "after_id": cursor.id if cursor else None,
        "at_most": PAGE_ROWS + 1,
    }
