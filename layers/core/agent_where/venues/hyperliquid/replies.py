"""What the exchange endpoint's answer to one action means: pure, and by the action's kind.

Three ends and no more: the venue has it, the venue refused it in words it documents, or nobody
knows. An answer of a shape that is not foreseen for the action is never a refusal.
"""

import logging
import reprlib
from decimal import Decimal
from typing import Final

from pydantic import Field, TypeAdapter, ValidationError

from agent_where.domain import Model
from agent_where.errors import OutcomeUnknown, VenueRejected
from agent_where.venues._answers import Figure, Part
from agent_where.venues.base import ActionKind
from agent_where.venues.hyperliquid.answers import Whole, plain
from agent_where.venues.hyperliquid.markets import VENUE
from agent_where.venues.hyperliquid.refusals import Meaning, Reading, reading_of

logger = logging.getLogger(__name__)

OK: Final = "OK"
"""The outcome of an action that did what it was for, and is no order."""
UNKNOWN: Final = "OUTCOME_UNKNOWN"
USED_UP: Final = "REQUESTS_USED_UP"
"""The account may send no more until it has traded more: nothing but an operator helps."""
_USED_UP_WORDS: Final = "Too many cumulative requests sent"


class Admitted(Model):
    """The venue has it. An order's id is told, unless it waits for its trigger.

    `filled` is how much of an order that is over was executed, in the venue's unit.
    """

    order_id: int | None = None
    filled: Decimal | None = None
    average_price: Decimal | None = None


class _Resting(Part):
    order_id: Whole = Field(alias="oid")


class _Filled(Part):
    order_id: Whole = Field(alias="oid")
    size: Figure = Field(alias="totalSz", gt=0)
    price: Figure = Field(alias="avgPx", gt=0)


_RESTING: Final = TypeAdapter(_Resting)
_FILLED: Final = TypeAdapter(_Filled)


def admitted(kind: ActionKind, answer: object) -> Admitted:
    """What became of an action, by a whole JSON answer with status 200.

    Raises:
        VenueRejected: the venue refused it in words it documents.
        OutcomeUnknown: anything else.
    """
    match kind, answer:
        case _, {"status": "err", "response": str(words)}:
            raise refusal(kind, words)
        case (
            ActionKind.ORDER,
            {"status": "ok", "response": {"type": "order", "data": {"statuses": [status]}}},
        ):
            return _order(status)
        case (
            ActionKind.CANCEL,
            {"status": "ok", "response": {"type": "cancel", "data": {"statuses": [status]}}},
        ):
            return _cancel(status)
        case (
            ActionKind.LEVERAGE | ActionKind.NOOP,
            {"status": "ok", "response": {"type": "default"}},
        ):
            return Admitted()
        case _:
            raise unforeseen(answer)


def refusal(kind: ActionKind, words: str) -> VenueRejected | OutcomeUnknown:
    """The error for the venue's words: a refusal where they are documented as one."""
    reading = reading_of(words)
    match reading:
        case Reading(meaning=Meaning.NONCE_USED):
            return OutcomeUnknown(VENUE, plain(words), code=Meaning.NONCE_USED)
        case Reading(meaning=Meaning.NOTHING_TO_CANCEL) if kind is ActionKind.CANCEL:
            return VenueRejected(VENUE, plain(words), code=Meaning.NOTHING_TO_CANCEL)
        case Reading(meaning=Meaning.REFUSED | Meaning.REFUSED_FOR_NOW):
            return _refused(reading, words)
        case _:
            return OutcomeUnknown(VENUE, f"unknown words: {plain(words)}", code=UNKNOWN)


def unforeseen(answer: object) -> OutcomeUnknown:
    """The error for an answer that the venue does not document."""
    return OutcomeUnknown(VENUE, f"unforeseen answer: {plain(reprlib.repr(answer))}", code=UNKNOWN)


def _refused(reading: Reading, words: str) -> VenueRejected:
    if reading.alarms:
        logger.error("%s refused what it should not have to: %s", VENUE, plain(words))
    code = USED_UP if words.startswith(_USED_UP_WORDS) else reading.code
    return VenueRejected(VENUE, plain(words), code=code)


def _order(status: object) -> Admitted:
    try:
        match status:
            case {"filled": told}:
                filled = _FILLED.validate_python(told)
                return Admitted(
                    order_id=filled.order_id, filled=filled.size, average_price=filled.price
                )
            case {"resting": told}:
                return Admitted(order_id=_RESTING.validate_python(told).order_id)
            case "waitingForTrigger" | "waitingForFill":
                return Admitted()
            case {"error": str(words)}:
                raise refusal(ActionKind.ORDER, words)
            case _:
                raise unforeseen(status)
    except ValidationError as fault:
        raise unforeseen(status) from fault


def _cancel(status: object) -> Admitted:
    match status:
        case "success":
            return Admitted()
        case {"error": str(words)}:
            raise refusal(ActionKind.CANCEL, words)
        case _:
            raise unforeseen(status)
