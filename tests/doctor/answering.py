"""An operator: what they ask, and one who looks at what is shown and says yes to exactly that."""

from datetime import UTC, datetime, timedelta
from typing import Any

from agent_where.operating import operate
from agent_where.redriving import DeadLetters
from agent_where.store.restores import Restores
from tests.netting import NettingWorld

TOLD = {"by": "an operator", "reason": "a test"}
NO_LETTERS = DeadLetters(dead_letters_url="", signals_url="", orders_url="")
_LOOKS_AT = {"accept": "open", "release": "held"}


def ask(world: NettingWorld, **request: Any) -> dict[str, Any]:
    """One request, as it is."""
    return operate(request, world.store.restores, NO_LETTERS)


def restored_to(world: NettingWorld, ago: timedelta = timedelta(hours=1)) -> None:
    """The operator says that the database was restored to so long ago."""
    at = datetime.now(UTC) - ago
    assert ask(world, restored={"at": at.isoformat(), **TOLD})["success"]


def answered(restores: Restores, **request: Any) -> dict[str, Any]:
    """One request of an operator's; what it is told by is what is shown now, unless told."""
    for decision, list_ in _LOOKS_AT.items():
        if decision in request and "token" not in request[decision]:
            shown = operate({list_: {}}, restores, NO_LETTERS)
            token = shown.get("token", "nothing was shown")
            request[decision] = {"token": token, **request[decision]}
    return operate(request, restores, NO_LETTERS)
