"""What schemathesis cannot know of this API: real cursors, and which states end a run.

Loaded by schemathesis itself, in its own process.
"""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import schemathesis
from hypothesis import strategies as st

from agent_where.paging import AGENTS, CONTROLS, DEPLOYMENTS, HISTORY, POSITIONS, Cursor
from agent_where.spec.examples import examples_of

_AT = datetime(2026, 1, 31, 12, tzinfo=UTC)
_KNOWN_AGENT = examples_of("getAgent").id


def _cursors(of: str) -> st.SearchStrategy[str]:
    def told(id_: UUID) -> str:
        return str(Cursor(of=of, at=_AT, id=id_))

    return st.uuids().map(told)


for _list in (AGENTS, CONTROLS, DEPLOYMENTS, HISTORY, POSITIONS):
    schemathesis.openapi.format(f"{_list}-cursor", _cursors(_list))


@schemathesis.hook
def before_call(
    context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]
) -> None:
    """Keeps what is good input from ending the run: all trading halted makes GET /status a 503,
    and the agent of the examples at another venue would have neither config nor signals.
    """
    body = case.body
    if not isinstance(body, dict):
        return
    everything = body.get("scope") == "global" and body.get("state") == "HALTED"
    if case.path == "/controls" and everything:
        case.body = {**body, "state": "CLOSE_ONLY"}
    known = (case.path_parameters or {}).get("id") == _KNOWN_AGENT
    if case.method == "PATCH" and known and isinstance(body.get("venue"), str):
        case.body = {**body, "venue": "MULTI"}
