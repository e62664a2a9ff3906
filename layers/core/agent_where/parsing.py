"""From text to plain data and from plain data to models, every fault named.

What belongs here is the same for every body: JSON that can be stored, and pydantic's faults as
sentences. What a body may hold is said by its model.
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from agent_where.errors import BadInput

MAX_BODY_BYTES = 16_384
M = TypeVar("M", bound=BaseModel)


def parse_object(raw: str) -> dict[str, Any]:
    """A JSON object whose strings can be stored, with its numbers as Decimal.

    Raises:
        BadInput: too large, not JSON, nested too deeply, not an object, a key twice, or a lone
            surrogate or NUL in a string.
    """
    if len(raw.encode("utf-8", "surrogatepass")) > MAX_BODY_BYTES:
        raise BadInput(f"the body is larger than {MAX_BODY_BYTES} bytes", code="BODY_TOO_LARGE")
    try:
        body = json.loads(
            raw, parse_float=Decimal, parse_constant=_no_constant, object_pairs_hook=_no_key_twice
        )
        if not isinstance(body, dict):
            raise BadInput("the body is not a JSON object", code="BAD_JSON")
        _refuse_unstorable(body)
    except RecursionError:
        raise BadInput("the body is nested too deeply", code="BAD_JSON") from None
    except InvalidOperation:
        raise BadInput("a number is out of all range", code="BAD_JSON") from None
    except ValueError as error:
        raise BadInput(f"the body is not JSON: {error}", code="BAD_JSON") from error
    return body


def validate(model: type[M], body: object) -> M:
    """`model` from plain data, every fault named by its field. Raises BadInput."""
    try:
        return model.model_validate(body, by_alias=True, by_name=False)
    except ValidationError as error:
        faults = [_sentence(fault) for fault in error.errors(include_url=False)]
        raise BadInput(f"bad input: {'; '.join(faults)}", details=faults) from error


def _sentence(fault: Any) -> str:  # noqa: ANN401 pydantic's ErrorDetails is a TypedDict without a public name
    where = ".".join(str(part) for part in fault["loc"])
    what = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "extra_forbidden":
        what = "unknown key"
    return f"{where}: {what}" if where else str(what)


def _no_constant(name: str) -> Decimal:
    raise ValueError(f"{name} is not a JSON number")


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return body


def _refuse_unstorable(value: object, path: str = "") -> None:
    if isinstance(value, str) and not is_storable(value):
        raise BadInput(
            f"{path or 'a key'}: a lone surrogate or NUL cannot be stored", code="BAD_TEXT"
        )
    if isinstance(value, dict):
        for key, item in value.items():
            _refuse_unstorable(key)
            _refuse_unstorable(item, f"{path}.{key}".lstrip("."))
    if isinstance(value, list):
        for index, item in enumerate(value):
            _refuse_unstorable(item, f"{path}[{index}]")


def is_storable(text: str) -> bool:
    """Whether PostgreSQL can hold it: no lone surrogate, no NUL."""
    return "\x00" not in text and not any("\ud800" <= char <= "\udfff" for char in text)
