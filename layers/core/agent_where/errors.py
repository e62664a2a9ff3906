"""Everything that can go wrong, sorted by what the caller may do next.

::

    AgentWhereError
    ├── BadInput                 the caller's fault: fix it, never retry as it is
    │   ├── UnknownAgent         it names an agent that does not exist
    │   ├── UnknownOrder         it names an order that does not exist
    │   ├── Conflict             it contradicts what is already stored
    │   ├── Unauthorized         nobody vouches for the caller, or no longer
    │   └── Forbidden            the caller may not do this, whatever it names
    ├── BadSetting               the operator's fault: the process cannot work like this
    ├── Unavailable              it may pass: try again later, nothing was decided
    │   ├── DatabaseUnavailable
    │   ├── QueueUnavailable
    │   ├── LeaseHeld            another worker has the account at this moment
    │   ├── Overtaken            what was read kept changing before it could be written
    │   ├── SignerUnavailable    no signature now, so nothing was stored or sent
    │   └── NotFit               the system could not trade when it was looked at
    ├── DatabaseRefused          the server's own error: a rule of the ledger, or a fault of ours
    └── VenueError
        ├── VenueRejected        refused for good: nothing executed, another venue may be tried
        ├── VenueUnavailable     nothing left this process: the same bytes may go again
        │   └── NotAllTold       less of one account than was asked: others may be asked
        └── OutcomeUnknown       it was sent and no answer came back: ask, never send anew
"""

from collections.abc import Sequence
from datetime import datetime


class AgentWhereError(Exception):
    """The root of all errors that this package raises on purpose."""


class BadInput(AgentWhereError):
    """What came in cannot be used. The message is one sentence that names what is wrong.

    Args:
        message: one sentence for the caller.
        details: one sentence for each bad field, where there are several.
        code: UPPER_SNAKE, for programs.
    """

    code = "BAD_INPUT"

    def __init__(
        self, message: str, *, details: Sequence[str] = (), code: str | None = None
    ) -> None:
        super().__init__(message)
        self.details = tuple(details)
        self.code = code or self.code


class UnknownAgent(BadInput):
    """It names an agent that does not exist."""

    code = "UNKNOWN_AGENT"


class UnknownOrder(BadInput):
    """It names an order that does not exist."""

    code = "UNKNOWN_ORDER"


class Conflict(BadInput):
    """It contradicts what is already stored under the same id."""

    code = "CONFLICT"


class Unauthorized(BadInput):
    """The request comes with no identity that counts, or with one that has expired."""

    code = "UNAUTHORIZED"


class Forbidden(BadInput):
    """The caller is known and may not do this. Never used where it would tell what exists."""

    code = "FORBIDDEN"


class BadSetting(AgentWhereError):
    """A setting is missing or cannot be used; the message names it."""


class Unavailable(AgentWhereError):
    """Something this process needs is away. The same call may succeed later."""


class DatabaseUnavailable(Unavailable):
    """No answer from the database. A write may have happened: every write here may be repeated."""


class QueueUnavailable(Unavailable):
    """The queue did not take a message. What it would have carried is in the database."""


class LeaseHeld(Unavailable):
    """Another worker holds the venue account's lease."""


class Overtaken(Unavailable):
    """What was read changed before what followed from it could be written; nothing was."""


class SignerUnavailable(Unavailable):
    """Whoever holds the key gave no signature. Nothing was stored or sent."""


class NotFit(Unavailable):
    """The system is not fit to trade. Why is the operator's to read.

    Args:
        checked_at: when that was seen, UTC.
    """

    def __init__(self, checked_at: datetime) -> None:
        super().__init__("the system is not fit to trade")
        self.checked_at = checked_at


class DatabaseRefused(AgentWhereError):
    """The database answered with an error of its own, and nothing of the statement was kept.

    Args:
        message: the server's sentence.
        sqlstate: the five characters of PostgreSQL's error code.
        constraint: the violated constraint's name, where there is one.
    """

    def __init__(self, message: str, *, sqlstate: str, constraint: str | None = None) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.constraint = constraint

    @property
    def is_about_the_data(self) -> bool:
        """Whether the data or a rule was at fault, so that the same again is refused again."""
        return self.sqlstate.startswith(("22", "23"))  # the classes of bad values and constraints


class VenueError(AgentWhereError):
    """A venue did not do what was asked."""

    def __init__(self, venue: str, detail: str, *, code: str = "VENUE_REFUSED") -> None:
        super().__init__(f"{venue}: {detail}")
        self.venue = venue
        self.detail = detail
        self.code = code


class VenueRejected(VenueError):
    """The venue refused the order for good; nothing executed and another venue may be tried."""


class VenueUnavailable(VenueError):
    """Nothing reached the venue, or a read failed. The same bytes may go again until expiry."""


class NotAllTold(VenueUnavailable):
    """A venue told less of an account than it was asked: nobody may take a part for the whole.

    Args:
        for_good: it will never tell the rest. Otherwise the same question is answered later.
    """

    def __init__(
        self, venue: str, detail: str, *, for_good: bool, code: str = "NOT_ALL_TOLD"
    ) -> None:
        super().__init__(venue, detail, code=code)
        self.for_good = for_good


class OutcomeUnknown(VenueError):
    """The order was sent and no answer came back. It may have traded: never send it anew."""
