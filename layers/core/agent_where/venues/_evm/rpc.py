"""JSON-RPC to a node over the shared HTTP client: questions in batches, and raw transactions.

A question may be asked twice, a transaction goes out once a call. What a node says to a broadcast
is never an outcome: words such as "already known" and "nonce too low" are questions to the chain.
"""

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

from pydantic import JsonValue

from agent_where.domain import VenueId
from agent_where.errors import OutcomeUnknown, VenueUnavailable
from agent_where.venues._answers import malformed
from agent_where.venues._evm.limits import CODE, TOO_MANY, CoolDown
from agent_where.venues._http import BadAnswer, HttpFault, JsonHttp, NotSent, reading

logger = logging.getLogger(__name__)

UNKNOWN: Final = "OUTCOME_UNKNOWN"
BROADCAST: Final = "BROADCAST"
"""The node took the transaction, which says nothing of what becomes of it."""

_TRIES: Final = 2
_LIMITED: Final = frozenset({TOO_MANY, -32005})
"""Codes by which nodes say inside a whole answer that they were asked too much."""
_SERVER_FAULT: Final = 500
_EXCERPT: Final = 160


class Question(NamedTuple):
    """A method and its parameters."""

    method: str
    parameters: Sequence[JsonValue]


@dataclass(frozen=True, slots=True)
class Refused:
    """A node's error in place of an answer. `data`: what a reverted call gave back, if anything."""

    code: int
    message: str
    data: bytes | None

    @property
    def is_revert(self) -> bool:
        """Whether the contract refused, and not the node."""
        return self.code == 3 or self.data is not None or self.message.startswith(_REVERTED)


_REVERTED: Final = ("execution reverted", "VM Exception", "vm execution error")

Answer: TypeAlias = "JsonValue | Refused"


class Rpc:
    """One node.

    Args:
        url: it may hold an access key: messages name the host alone.
        limit: how often it may be asked.
    """

    def __init__(self, venue: VenueId, url: str, http: JsonHttp, limit: CoolDown) -> None:
        self._venue = venue
        self._url = url
        self._http = http
        self._limit = limit
        self._in_batches = True

    def ask(self, *questions: Question) -> list[Answer]:
        """The answers in the order of the questions, in one trip.

        Raises:
            VenueUnavailable: the node cannot be read.
        """
        if not self._in_batches:
            return [answer for each in questions for answer in self._asked(each)]
        return self._asked(*questions)

    def range_of(self, method: str, *parameters: JsonValue) -> Answer:
        """One answer to a question that may span too much; the node's refusal is an answer then.

        By the same code nodes refuse a range that is too long and who asks too often.
        """
        body = json.dumps(_request(0, Question(method, parameters)), separators=(",", ":"))
        (answer,) = self._told(self._read(body.encode()), 1)
        if isinstance(answer, Refused) and answer.code == TOO_MANY:
            self._refuse_limited(answer)
        return answer

    def one(self, method: str, *parameters: JsonValue) -> JsonValue:
        """One answer. Raises VenueUnavailable, also where the node refuses the question."""
        (answer,) = self.ask(Question(method, parameters))
        return self.given(answer)

    def given(self, answer: Answer) -> JsonValue:
        """An answer that is one. Raises VenueUnavailable where the node refused."""
        if isinstance(answer, Refused):
            raise malformed(self._venue, f"the node says {answer.code} {_plain(answer.message)}")
        return answer

    def broadcast(self, raw: bytes) -> None:
        """Send a signed transaction once.

        Raises:
            VenueUnavailable: nothing left this process.
            OutcomeUnknown: always, otherwise; BROADCAST where the node took it.
        """
        self._limit.check()
        question = Question("eth_sendRawTransaction", ["0x" + raw.hex()])
        body = json.dumps(_request(0, question), separators=(",", ":")).encode()
        try:
            answer = self._http.post(self._url, body)
        except NotSent as fault:
            raise VenueUnavailable(self._venue, str(fault), code="VENUE_UNAVAILABLE") from fault
        except HttpFault as fault:
            raise self._unknown(fault) from fault
        (told,) = self._told(answer, 1)
        if not isinstance(told, Refused):
            raise OutcomeUnknown(self._venue, "broadcast, with no receipt yet", code=BROADCAST)
        if told.code in _LIMITED:
            self._limit.refused()
        detail = f"the node says {told.code} {_plain(told.message)}"
        raise OutcomeUnknown(self._venue, detail, code=UNKNOWN)

    def _asked(self, *questions: Question) -> list[Answer]:
        asked = [_request(number, question) for number, question in enumerate(questions)]
        body = json.dumps(asked if len(asked) > 1 else asked[0], separators=(",", ":")).encode()
        answer = self._read(body)
        if len(asked) > 1 and not isinstance(answer, list):
            return self._one_by_one(questions, answer)
        answers = self._told(answer, len(asked))
        for each in answers:
            self._refuse_limited(each)
        return answers

    def _one_by_one(self, questions: Sequence[Question], answer: object) -> list[Answer]:
        """A node that answers a batch as a whole takes none: from now on it is asked singly."""
        for told in self._rows([answer]).values():
            self._refuse_limited(told)
        logger.warning("%s: the node takes no batches: %s", self._venue, _plain(str(answer)))
        self._in_batches = False
        return self.ask(*questions)

    def _refuse_limited(self, answer: Answer) -> None:
        if isinstance(answer, Refused) and answer.code in _LIMITED:
            self._limit.refused()
            raise VenueUnavailable(self._venue, "the node was asked too much", code=CODE)

    def _unknown(self, fault: HttpFault) -> OutcomeUnknown:
        if isinstance(fault, BadAnswer) and fault.status == TOO_MANY:
            self._limit.refused()
            return OutcomeUnknown(self._venue, str(fault), code=CODE)
        return OutcomeUnknown(self._venue, str(fault), code=UNKNOWN)

    def _read(self, body: bytes) -> object:
        for left in reversed(range(_TRIES)):
            self._limit.check()
            try:
                return self._http.post(self._url, body)
            except BadAnswer as fault:
                if fault.status == TOO_MANY:
                    self._limit.refused()
                if left and fault.status >= _SERVER_FAULT:
                    continue
                with reading(self._venue):
                    raise
            except HttpFault:
                if left:
                    continue
                with reading(self._venue):
                    raise
        raise AssertionError("unreachable: the last try returns or raises")

    def _told(self, answer: object, count: int) -> list[Answer]:
        """Each answer to its question, by its id: a node may give them in any order."""
        told = self._rows(answer if isinstance(answer, list) else [answer])
        if set(told) != set(range(count)):
            raise self._unforeseen(f"{len(told)} answers to {count} questions")
        return [told[number] for number in range(count)]

    def _rows(self, rows: Sequence[object]) -> dict[int, Answer]:
        told: dict[int, Answer] = {}
        for row in rows:
            match row:
                case {"error": {"code": int(code), "message": str(message)} as error, **rest}:
                    told[_number(rest)] = Refused(code, message, _data(error))
                case {"result": result, **rest}:
                    told[_number(rest)] = result
                case _:
                    raise self._unforeseen("neither result nor error")
        return told

    def _unforeseen(self, what: str) -> VenueUnavailable:
        return malformed(self._venue, f"the node gave {what}")


def _request(number: int, question: Question) -> JsonValue:
    return {
        "jsonrpc": "2.0",
        "id": number,
        "method": question.method,
        "params": list(question.parameters),
    }


def _number(row: Mapping[object, object]) -> int:
    number = row.get("id")
    return number if isinstance(number, int) else -1


def _data(error: Mapping[str, object]) -> bytes | None:
    """What a revert gave back; nodes put it flat or one level down."""
    data = error.get("data")
    if isinstance(data, Mapping):
        data = data.get("data")
    if not isinstance(data, str) or not data.startswith("0x"):
        return None
    try:
        return bytes.fromhex(data[2:])
    except ValueError:
        return None


def _plain(words: str) -> str:
    return ascii(words[:_EXCERPT])
