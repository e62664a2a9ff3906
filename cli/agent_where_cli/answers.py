"""The API's answers as JSON: read without losing a digit, looked into without trusting a shape.

Numbers with a fraction are Decimal; a key that is missing is None wherever it is looked for.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from http import HTTPStatus
from typing import NoReturn

Json = Mapping[str, object]
_MOST_DETAILS = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the API, a JSON object.

    Args:
        raw: exactly as it came.
    """

    status: int
    raw: bytes
    body: Json

    @property
    def sentence(self) -> str:
        """What went wrong, from `error`, `details`, the status and `code`."""
        told = str(self.body.get("error") or self.body.get("message") or _phrase(self.status))
        details = [str(each) for each in items(self.body, "details")[:_MOST_DETAILS]]
        more = "; ".join(each for each in details if each not in told)
        code = self.body.get("code")
        where = f"{self.status} {code}" if code else str(self.status)
        return f"{told}{f': {more}' if more else ''} ({where})"


def parse(raw: bytes) -> Json | None:
    """The JSON object that these bytes are; None when they are anything else."""
    try:
        told = json.loads(raw, parse_float=Decimal, parse_constant=_no_number)
    except (ValueError, ArithmeticError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def written(value: object) -> str:
    """JSON of what `parse` reads, every number with the digits it came with."""
    match value:
        case Decimal():
            return str(value)
        case Mapping():
            told = (f"{json.dumps(str(key))}:{written(each)}" for key, each in value.items())
            return f"{{{','.join(told)}}}"
        case list():
            return f"[{','.join(written(each) for each in value)}]"
        case _:
            return json.dumps(value, ensure_ascii=False)


def at(value: object, path: str) -> object:
    """What stands at a path such as `market.venue`; None where any part of it is missing."""
    for key in path.split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(key)
    return value


def items(value: object, path: str) -> Sequence[object]:
    """The list at a path; empty where there is none."""
    found = at(value, path)
    return found if isinstance(found, list) else []


def fields(value: object, path: str) -> Json:
    """The object at a path; empty where there is none."""
    found = at(value, path)
    return found if isinstance(found, Mapping) else {}


def _phrase(status: int) -> str:
    known = {each.value: each.phrase for each in HTTPStatus}
    return f"the API answered {known.get(status, 'what has no name')}"


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")
