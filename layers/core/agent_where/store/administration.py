"""What operators and users set: agents, deployments, routing config. One method a change.

Each is one round trip that writes and reads back what stands there now.
"""

from uuid import UUID, uuid4

from agent_where.callers import Caller, Reach, Scope
from agent_where.contract.bodies import (
    AgentBody,
    AgentChange,
    ConfigBody,
    DeploymentBody,
    DeploymentChange,
)
from agent_where.contract.owned import (
    AgentAnswer,
    AgentView,
    ConfigAnswer,
    DeploymentAnswer,
)
from agent_where.domain import MULTI
from agent_where.errors import BadInput, Conflict, Forbidden
from agent_where.store.connection import Database, Json, Row, Statement
from agent_where.store.deployments import AskFor, deployment_view, nothing_to_sign
from agent_where.store.statements import sql, statement
from agent_where.store.views import (
    config_answer,
    only_deployment,
    unknown_agent,
    unknown_deployment,
)


class Administration:
    """Writes over one database connection, each within its caller's reach.

    What is out of reach is answered as what does not exist. Raises DatabaseUnavailable besides what
    is told.

    Args:
        ask_for: makes what a user signs, where a key of theirs waits for that.
    """

    def __init__(self, database: Database, ask_for: AskFor = nothing_to_sign) -> None:
        self._database = database
        self._ask_for = ask_for

    def set_config(self, caller: Caller, body: ConfigBody) -> ConfigAnswer:
        """Store an agent's config, or the global one, whole.

        Raises:
            Forbidden: the global one is an admin's.
            UnknownAgent: there is no such agent.
            BadInput: the agent is not MULTI, so nothing would ever read it.
        """
        if body.agent_id is None and not caller.is_admin:
            raise Forbidden(f"without agentId it is everybody's config: that needs {Scope.ADMIN}")
        reach = caller.reach.params()
        written, rows = self._database.run_together(
            statement("write_config", **body.model_dump(), **reach),
            statement("read_config", agent_id=body.agent_id, **reach),
        )
        answer = config_answer(rows, body.agent_id)
        if not written:
            raise BadInput(
                f"agentId: it trades at {rows[0]['agent_venue']}; only a {MULTI} agent is routed",
                code="AGENT_NOT_MULTI",
            )
        return answer

    def delete_config(self, reach: Reach, agent_id: UUID) -> ConfigAnswer:
        """Take an agent's own config away; the answer is what applies now. Raises UnknownAgent."""
        _, rows = self._database.run_together(
            statement("delete_config", agent_id=agent_id, **reach.params()),
            statement("read_config", agent_id=agent_id, **reach.params()),
        )
        return config_answer(rows, agent_id)

    def create_agent(self, caller: Caller, body: AgentBody) -> AgentAnswer:
        """Store a new agent. Raises Forbidden: it would be another's."""
        wallet = caller.wallet_for(body.creator_wallet, "creator_wallet")
        agent_id = uuid4()
        told = {**body.model_dump(), "id": agent_id, "creator_wallet": wallet}
        return self._agent(caller.reach, agent_id, (sql("insert_agent"), told))

    def change_agent(self, reach: Reach, agent_id: UUID, change: AgentChange) -> AgentAnswer:
        """Change what is told of an agent. Raises UnknownAgent."""
        write = statement(
            "change_agent", id=agent_id, changes=Json(change.changes()), **reach.params()
        )
        return self._agent(reach, agent_id, write)

    def create_deployment(
        self, caller: Caller, agent_id: UUID, body: DeploymentBody
    ) -> DeploymentAnswer:
        """Let a user follow an agent, with an account at each venue.

        Raises:
            Forbidden: it would be another's.
            UnknownAgent: there is no such agent, or it is not the caller's and not ACTIVE.
            Conflict: the user follows it already; a second deployment would trade twice.
        """
        user_wallet = caller.wallet_for(body.user_wallet, "user_wallet")
        reach, deployment_id = caller.reach, uuid4()
        told = {**body.model_dump(), "id": deployment_id, "user_wallet": user_wallet}
        agents, made, rows = self._database.run_together(
            statement("lock_agent", id=agent_id, **reach.params()),
            statement("insert_deployment", agent_id=agent_id, **told, **reach.params()),
            only_deployment(reach, deployment_id),
        )
        if not agents:
            raise unknown_agent(agent_id)
        if not made:
            raise Conflict(f"user_wallet {user_wallet} follows this agent already: change that")
        return self._deployment(rows)

    def change_deployment(
        self, reach: Reach, deployment_id: UUID, change: DeploymentChange
    ) -> DeploymentAnswer:
        """Change what is told of a deployment.

        Raises:
            BadInput: there is no such deployment.
        """
        changes = Json(change.changes())
        _, rows = self._database.run_together(
            statement("change_deployment", id=deployment_id, changes=changes, **reach.params()),
            only_deployment(reach, deployment_id),
        )
        if not rows or not rows[0]["own"]:
            raise unknown_deployment(deployment_id)
        return self._deployment(rows)

    def _agent(self, reach: Reach, agent_id: UUID, write: Statement) -> AgentAnswer:
        read = statement("read_agent", id=agent_id, **reach.params())
        _, rows = self._database.run_together(write, read)
        if not rows or not rows[0]["own"]:
            raise unknown_agent(agent_id)
        return AgentAnswer(agent=AgentView.model_validate(rows[0]))

    def _deployment(self, rows: list[Row]) -> DeploymentAnswer:
        return DeploymentAnswer(deployment=deployment_view(rows[0], self._ask_for))
