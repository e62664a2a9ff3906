"""What operators and users set: agents, deployments, routing config. One method a change.

Each is one round trip that writes and reads back what stands there now.
"""

from uuid import UUID, uuid4

from agent_where.answers import (
    AgentAnswer,
    AgentView,
    ConfigAnswer,
    DeploymentAnswer,
    DeploymentView,
)
from agent_where.bodies import AgentBody, AgentChange, ConfigBody, DeploymentBody, DeploymentChange
from agent_where.domain import MULTI
from agent_where.errors import BadInput, Conflict
from agent_where.store.connection import Database, Json, Row, Statement
from agent_where.store.statements import sql, statement
from agent_where.store.views import (
    config_answer,
    only_deployment,
    unknown_agent,
    unknown_deployment,
)


class Administration:
    """Writes over one database connection. Raises DatabaseUnavailable besides what is told."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set_config(self, body: ConfigBody) -> ConfigAnswer:
        """Store an agent's config, or the global one, whole.

        Raises:
            UnknownAgent: there is no such agent.
            BadInput: the agent is not MULTI, so nothing would ever read it.
        """
        written, rows = self._database.run_together(
            statement("write_config", **body.model_dump()),
            statement("read_config", agent_id=body.agent_id),
        )
        answer = config_answer(rows, body.agent_id)
        if not written:
            raise BadInput(
                f"agentId: it trades at {rows[0]['agent_venue']}; only a {MULTI} agent is routed",
                code="AGENT_NOT_MULTI",
            )
        return answer

    def delete_config(self, agent_id: UUID) -> ConfigAnswer:
        """Take an agent's own config away; the answer is what applies now. Raises UnknownAgent."""
        _, rows = self._database.run_together(
            statement("delete_config", agent_id=agent_id),
            statement("read_config", agent_id=agent_id),
        )
        return config_answer(rows, agent_id)

    def create_agent(self, body: AgentBody) -> AgentAnswer:
        """Store a new agent."""
        agent_id = uuid4()
        return self._agent(agent_id, (sql("insert_agent"), {"id": agent_id, **body.model_dump()}))

    def change_agent(self, agent_id: UUID, change: AgentChange) -> AgentAnswer:
        """Change what is told of an agent. Raises UnknownAgent."""
        changes = Json(change.changes())
        return self._agent(agent_id, statement("change_agent", id=agent_id, changes=changes))

    def create_deployment(self, agent_id: UUID, body: DeploymentBody) -> DeploymentAnswer:
        """Let a user follow an agent, with an account at each venue.

        Raises:
            UnknownAgent: there is no such agent.
            Conflict: the user follows it already; a second deployment would trade twice.
        """
        deployment_id = uuid4()
        agents, made, rows = self._database.run_together(
            statement("lock_agent", id=agent_id),
            statement(
                "insert_deployment", id=deployment_id, agent_id=agent_id, **body.model_dump()
            ),
            only_deployment(deployment_id),
        )
        if not agents:
            raise unknown_agent(agent_id)
        if not made:
            raise Conflict(
                f"user_wallet {body.user_wallet} follows this agent already: change that"
            )
        return _deployment(rows)

    def change_deployment(self, deployment_id: UUID, change: DeploymentChange) -> DeploymentAnswer:
        """Change what is told of a deployment.

        Raises:
            BadInput: there is no such deployment.
        """
        _, rows = self._database.run_together(
            statement("change_deployment", id=deployment_id, changes=Json(change.changes())),
            only_deployment(deployment_id),
        )
        if not rows:
            raise unknown_deployment(deployment_id)
        return _deployment(rows)

    def _agent(self, agent_id: UUID, write: Statement) -> AgentAnswer:
        _, rows = self._database.run_together(write, statement("read_agent", id=agent_id))
        if not rows:
            raise unknown_agent(agent_id)
        return AgentAnswer(agent=AgentView.model_validate(rows[0]))


def _deployment(rows: list[Row]) -> DeploymentAnswer:
    return DeploymentAnswer(deployment=DeploymentView.model_validate(rows[0]))
