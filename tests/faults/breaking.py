"""What a fault does to the world around a process, and what makes it well again.

To die or to stand still is between the director and the process (lockstep.py).
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from tests.faults import signing
from tests.faults.cuts import Cut
from tests.faults.faulting import VENUE_RULES, Kind
from tests.faults.server import end_sessions, fail_over, turn_read_only
from tests.faults.sqs import LOSE, REFUSE
from tests.faults.stage import Stage

Recovery = tuple[str, Callable[[], object]]
"""What ends a fault that lasts: in words, and as work."""
_CUTS: Mapping[Kind, Cut] = MappingProxyType(
    {
        Kind.CUT_BEFORE: Cut.BEFORE,
        Kind.CUT_HALFWAY: Cut.HALFWAY,
        Kind.LOSE_ANSWER: Cut.ANSWER,
    }
)
_SIGNER_FAULTS: Mapping[Kind, str] = MappingProxyType(
    {
        Kind.SIGNER_FAILS: signing.FAIL,
        Kind.SIGNER_DOWN: signing.FAIL,
        Kind.SIGNER_LOSES: signing.LOSE,
        Kind.SIGNER_DENIES: signing.DENY,
    }
)
QUEUE_FAULTS: Mapping[Kind, str] = MappingProxyType(
    {Kind.QUEUE_REFUSES: REFUSE, Kind.QUEUE_LOSES: LOSE}
)
"""What a call of a queue meets, and each try of it: between them the director lets others move."""


def strike(stage: Stage, kind: Kind, venue: Callable[[], str]) -> Recovery | None:
    """Break it. None: it strikes once, or is over when the process has moved on.

    Args:
        venue: says which one the process is about to ask; called where the fault is a venue's.
    """
    house = stage.house
    match kind:
        case Kind.DATABASE_AWAY | Kind.FAILOVER | Kind.READ_ONLY | Kind.POOL_FULL:
            return _fail_server(stage, kind)
        case Kind.SIGNER_DOWN | Kind.SIGNER_DENIES:
            house.keys.lasting = _SIGNER_FAULTS[kind]
            return "the signer is back", partial(setattr, house.keys, "lasting", None)
        case Kind.VENUE_DOWN:
            stage.tell(venue(), "fail", mode="503")
            return f"{venue()} is back", partial(stage.tell, venue(), "fail", mode=None)
        case Kind.LOCKED:
            stage.lock()
        case Kind.SIGNER_FAILS | Kind.SIGNER_LOSES:
            house.keys.fault = _SIGNER_FAULTS[kind]
        case Kind.CUT_BEFORE | Kind.CUT_HALFWAY | Kind.LOSE_ANSWER:
            house.server.line.next_cut = _CUTS[kind]
        case Kind.QUEUE_REFUSES | Kind.QUEUE_LOSES:
            pass
        case _:
            stage.tell(venue(), "fail", times=1, **VENUE_RULES[kind])
    return None


def let_go(stage: Stage) -> None:
    """What was broken for one move of one process, and did not meet it, is over."""
    stage.house.queues.fault = None
    stage.house.keys.fault = None
    stage.house.server.line.next_cut = None
    stage.unlock()


def _fail_server(stage: Stage, kind: Kind) -> Recovery:
    line = stage.house.server.line
    match kind:
        case Kind.FAILOVER:
            line.close()
            end_sessions(stage)
            return "the database is at a new address", partial(fail_over, stage)
        case Kind.READ_ONLY:
            turn_read_only(stage)
            return "the database is at a new address", partial(fail_over, stage)
        case Kind.POOL_FULL:
            stage.fill_pool()
            return "the pool has room", stage.empty_pool
        case _:
            line.go_away()
            return "the database is back", line.come_back
