"""What the router would decide now: by the code that decides, on the same figures; read only."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from agent_where.callers import Reach
from agent_where.contract.bodies import PreviewBody
from agent_where.contract.decisions import PreviewAnswer, PreviewView
from agent_where.domain import MULTI, SignalAction, SizeType, VenueId
from agent_where.errors import BadInput, UnknownAgent
from agent_where.planning import Entries, decide, tell
from agent_where.store.previews import Previews
from agent_where.store.store import Store

_NOBODY = UUID(int=0)


@dataclass(frozen=True)
class Previewing:
    """What a preview works with. `supported`: the venues that have an adapter."""

    store: Store
    previews: Previews
    supported: frozenset[VenueId]
    max_age: timedelta


def preview(body: PreviewBody, reach: Reach, deps: Previewing) -> PreviewAnswer:
    """The decision that such a signal would get, had it come in now.

    Without an agent the global config decides, among all venues. It tells of the venues alone:
    not who follows, nor what an account could carry.

    Raises:
        UnknownAgent: there is no such agent in reach.
        BadInput: the agent's venue has no adapter, so that nobody here would trade for it.
    """
    venue = _venue(body.agent_id, reach, deps)
    file = deps.previews.file(_imagined(body, venue))
    decision = decide(file, deps.supported, deps.max_age)
    told = vars(tell(decision, Entries(), 0)[0])
    named = {"token_symbol": decision.token_symbol, "requested_venue": decision.requested_venue}
    return PreviewAnswer(decision=PreviewView.model_validate({**told, **named}))


def _venue(agent_id: UUID | None, reach: Reach, deps: Previewing) -> VenueId:
    if agent_id is None:
        return MULTI
    venue = deps.store.agent_venue(agent_id, reach)
    if venue is None:
        raise UnknownAgent(f"agentId: there is no agent {agent_id}")
    if venue not in (MULTI, *deps.supported):
        raise BadInput(
            f"agentId: it trades at {venue}, which is not supported yet", code="VENUE_NOT_SUPPORTED"
        )
    return venue


def _imagined(body: PreviewBody, venue: VenueId) -> dict[str, object]:
    """The signal's row. A size that is not told is a share of an account that nobody looks at."""
    size: dict[str, object] = {"type": SizeType.BALANCE_PERCENTAGE, "value": 1}
    if body.notional_usd is not None:
        size = {"type": SizeType.FIXED_USDC, "value": body.notional_usd}
    return {
        "id": uuid4(),
        "agent_id": body.agent_id or _NOBODY,
        "token_symbol": body.token_symbol,
        "venue": venue,
        "requested_venue": venue,
        "action": SignalAction.OPEN,
        "side": body.side,
        "size_model": size,
    }
