"""What the read side shows: one method a question, one round trip each."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from agent_where.callers import Reach
from agent_where.contract.decisions import HistoryAnswer
from agent_where.contract.owned import (
    AgentAnswer,
    AgentsAnswer,
    AgentView,
    ConfigAnswer,
    ConfigView,
    DeploymentAnswer,
    DeploymentsAnswer,
    PublicAgentView,
)
from agent_where.contract.queries import (
    AgentsQuery,
    DeploymentsQuery,
    HistoryQuery,
    Listed,
    MarketsQuery,
    PageQuery,
    PositionsQuery,
    StatsQuery,
    TimeWindow,
)
from agent_where.contract.trades import MarketsAnswer, PositionsAnswer, SignalAnswer
from agent_where.errors import BadInput, UnknownAgent
from agent_where.paging import AGENTS, DEPLOYMENTS, HISTORY, POSITIONS, Cursor, page
from agent_where.routing.candidates import RoutingConfig
from agent_where.store.connection import Database, Row, Statement
from agent_where.store.deployments import AskFor, deployment_view, nothing_to_sign
from agent_where.store.statements import sql, statement

TRADE_ROWS = 500
"""The most decisions, orders, fills and positions that one signal is shown with."""

NO_ID = UUID(int=0)
_MARKET_ROWS = 5_000
_BACK = {TimeWindow.HOUR: "1 hour", TimeWindow.DAY: "1 day", TimeWindow.WEEK: "7 days"}


class Views:
    """Reads over one database connection, each within a caller's reach.

    What is out of reach is answered as what does not exist. Raises DatabaseUnavailable besides what
    is told.

    Args:
        ask_for: makes what a user signs, where a key of theirs waits for that.
    """

    def __init__(self, database: Database, ask_for: AskFor = nothing_to_sign) -> None:
        self._database = database
        self._ask_for = ask_for

    def config(self, reach: Reach, agent_id: UUID | None) -> ConfigAnswer:
        """The config that applies to an agent, or the global one. Raises UnknownAgent."""
        return config_answer(self._run("read_config", reach, agent_id=agent_id), agent_id)

    def routing_stats(self, reach: Reach, query: StatsQuery) -> Row:
        """What stats.py makes the statistics of: all first decisions of the window, counted."""
        back = _BACK[query.time_window]
        return self._run("read_stats", reach, back=back, token_symbol=query.token_symbol)[0]

    def history(self, reach: Reach, query: HistoryQuery) -> HistoryAnswer:
        """A page of the audit trail, newest first. Raises BadInput: there is no such signal."""
        told = query.model_dump(include={"signal_id", "token_symbol", "venue"})
        known, found = self._database.run_together(
            statement("sight_signal", id=query.signal_id, **reach.params()),
            statement("read_history", **told, **reach.params(), **after(query.cursor, query)),
        )
        if query.signal_id and not known:
            raise unknown_signal(query.signal_id)
        rows, cursor = page(found, "created_at", of=HISTORY, limit=query.limit)
        decisions = [row["decision"] for row in rows]
        return HistoryAnswer.model_validate({"history": decisions, "next_cursor": cursor})

    def agents(self, reach: Reach, query: AgentsQuery) -> AgentsAnswer:
        """A page of agents, newest first: one's own, or what all may know of the ACTIVE ones."""
        active = query.listed is Listed.ACTIVE
        found = self._run("read_agents", reach, active=active, **after(query.cursor, query))
        rows, cursor = page(found, "created_at", of=AGENTS, limit=query.limit)
        view = PublicAgentView if active else AgentView
        return AgentsAnswer(
            agents=tuple(view.model_validate(row) for row in rows), next_cursor=cursor
        )

    def agent(self, reach: Reach, agent_id: UUID) -> AgentAnswer:
        """One agent, whole or what all may know of it. Raises UnknownAgent."""
        rows = self._run("read_agent", reach, id=agent_id)
        if not rows:
            raise unknown_agent(agent_id)
        view = AgentView if rows[0]["own"] else PublicAgentView
        return AgentAnswer(agent=view.model_validate(rows[0]))

    def deployments(
        self, reach: Reach, agent_id: UUID, query: DeploymentsQuery
    ) -> DeploymentsAnswer:
        """A page of an agent's deployments, newest first. Raises UnknownAgent."""
        known, found = self._database.run_together(
            statement("sight_agent", id=agent_id, **reach.params()),
            statement(
                "read_deployments",
                id=None,
                agent_id=agent_id,
                **reach.params(),
                **after(query.cursor, query),
            ),
        )
        if not known:
            raise unknown_agent(agent_id)
        rows, cursor = page(found, "created_at", of=DEPLOYMENTS, limit=query.limit)
        told = tuple(deployment_view(row, self._ask_for) for row in rows)
        return DeploymentsAnswer(deployments=told, next_cursor=cursor)

    def deployment(self, reach: Reach, deployment_id: UUID) -> DeploymentAnswer:
        """One deployment. Raises BadInput when there is none."""
        rows = self._database.run_together(only_deployment(reach, deployment_id))[0]
        if not rows:
            raise unknown_deployment(deployment_id)
        return DeploymentAnswer(deployment=deployment_view(rows[0], self._ask_for))

    def trade(self, reach: Reach, signal_id: UUID) -> SignalAnswer:
        """A signal with everything that came of it. Raises BadInput when there is none."""
        rows = self._run("read_trade", reach, id=signal_id, at_most=TRADE_ROWS + 1)
        if not rows:
            raise unknown_signal(signal_id)
        lists = {name: found[:TRADE_ROWS] for name, found in rows[0].items() if name != "signal"}
        return SignalAnswer.model_validate(
            {
                "signal": rows[0]["signal"],
                "truncated": any(len(rows[0][name]) > TRADE_ROWS for name in lists),
                **lists,
            }
        )

    def positions(self, reach: Reach, query: PositionsQuery) -> PositionsAnswer:
        """A page of positions, newest first.

        Raises:
            BadInput: there is no such agent or deployment.
        """
        told = query.model_dump(include={"agent_id", "deployment_id", "status"})
        agents, deployments, found = self._database.run_together(
            statement("sight_agent", id=query.agent_id, **reach.params()),
            only_deployment(reach, query.deployment_id or NO_ID),
            statement("read_positions", **told, **reach.params(), **after(query.cursor, query)),
        )
        if query.agent_id and not agents:
            raise unknown_agent(query.agent_id)
        if query.deployment_id and not deployments:
            raise unknown_deployment(query.deployment_id)
        rows, cursor = page(found, "opened_at", of=POSITIONS, limit=query.limit)
        return PositionsAnswer.model_validate({"positions": rows, "next_cursor": cursor})

    def markets(self, query: MarketsQuery) -> MarketsAnswer:
        """Markets as last synced, by token and venue."""
        rows = self._database.run(sql("read_markets"), **query.model_dump(), at_most=_MARKET_ROWS)
        return MarketsAnswer.model_validate({"markets": rows})

    def _run(self, name: str, reach: Reach, /, **params: object) -> list[Row]:
        return self._database.run(sql(name), **reach.params(), **params)


def config_answer(rows: Sequence[Row], agent_id: UUID | None) -> ConfigAnswer:
    """From what `read_config.sql` found. Raises UnknownAgent when it found nothing."""
    if not rows and agent_id is not None:
        raise unknown_agent(agent_id)
    if rows[0]["id"] is None:
        return ConfigAnswer(
            config=ConfigView.model_validate({**RoutingConfig().model_dump(), "is_default": True})
        )
    told = {name: value for name, value in rows[0].items() if value is not None}
    return ConfigAnswer(config=ConfigView.model_validate({**RoutingConfig().model_dump(), **told}))


def only_deployment(reach: Reach, deployment_id: UUID) -> Statement:
    """The statement that reads one deployment."""
    params = {**reach.params(), **after(None, PageQuery())}
    return statement("read_deployments", id=deployment_id, agent_id=None, **params)


def unknown_agent(agent_id: UUID) -> UnknownAgent:
    """The error for an agent that does not exist."""
    return UnknownAgent(f"there is no agent {agent_id}")


def unknown_deployment(deployment_id: UUID) -> BadInput:
    """The error for a deployment that does not exist."""
    return BadInput(f"there is no deployment {deployment_id}", code="UNKNOWN_DEPLOYMENT")


def unknown_signal(signal_id: UUID) -> BadInput:
    """The error for a signal that does not exist."""
    return BadInput(f"there is no signal {signal_id}", code="UNKNOWN_SIGNAL")


def after(cursor: Cursor | None, query: PageQuery) -> dict[str, Any]:
    """What the statement of a page takes besides its filters."""
    return {
        "after_at": cursor.at if cursor else None,
        "after_id": cursor.id if cursor else None,
        "at_most": query.limit + 1,
    }
