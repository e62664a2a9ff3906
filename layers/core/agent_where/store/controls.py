"""Trading controls: who may trade, set and listed. Where they are obeyed: `control_for`."""

from agent_where.callers import Caller, Reach, Scope
from agent_where.contract.bodies import ControlBody
from agent_where.contract.owned import ControlAnswer, ControlsAnswer, ControlView
from agent_where.contract.queries import ControlsQuery
from agent_where.domain import ControlScope, ControlState
from agent_where.errors import BadInput, Conflict, Forbidden
from agent_where.paging import CONTROLS, page
from agent_where.store.connection import Database
from agent_where.store.statements import sql, statement
from agent_where.store.views import after, unknown_agent, unknown_deployment

CHANGES = 100
"""The most changes that a list tells."""

_OPERATORS = (ControlScope.GLOBAL, ControlScope.VENUE)


class Controls:
    """Controls over one database connection. Raises DatabaseUnavailable besides what is told."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def set(self, caller: Caller, body: ControlBody) -> ControlAnswer:
        """Store a control whole, with its audit row. Lifting a global halt wakes what it held up.

        Raises:
            Forbidden: the scope is an operator's, and the caller is none.
            BadInput: there is no such agent or deployment of the caller's.
            Conflict: an operator stopped it, and the caller is none.
        """
        if body.scope in _OPERATORS and not caller.is_admin:
            raise Forbidden(f"scope: a {body.scope} control needs {Scope.ADMIN}")
        lifted = body.scope is ControlScope.GLOBAL and body.state is not ControlState.HALTED
        rows, *_ = self._database.run_together(
            statement(
                "write_control",
                **body.model_dump(),
                of_id=body.of_id,
                set_by=caller.subject,
                **caller.reach.params(),
            ),
            *([statement("wake_halted")] if lifted else []),
        )
        if not rows:
            raise _unknown(body)
        if rows[0]["state"] is None:
            raise Conflict(
                f"an operator stopped this {body.scope}: only an operator changes that. What is "
                "PAUSED meanwhile stays so, whatever the operator lets go on",
                code="HELD_BY_OPERATOR",
            )
        return ControlAnswer(control=ControlView.model_validate(rows[0]))

    def list(self, reach: Reach, query: ControlsQuery) -> ControlsAnswer:
        """A page of controls, newest first, with the newest changes of what is asked for."""
        row = self._database.run(
            sql("read_controls"),
            scope=query.scope,
            id=query.id,
            at_most_changes=CHANGES,
            **reach.params(),
            **after(query.cursor, query),
        )[0]
        rows, cursor = page(row["controls"], "set_at", of=CONTROLS, limit=query.limit)
        return ControlsAnswer.model_validate(
            {
                "controls": [each["control"] for each in rows],
                "audit": row["audit"],
                "next_cursor": cursor,
            }
        )


def _unknown(body: ControlBody) -> BadInput:
    assert body.of_id is not None, "a global or venue control is always in an operator's reach"
    if body.scope is ControlScope.AGENT:
        return unknown_agent(body.of_id)
    return unknown_deployment(body.of_id)
