"""Parameters as PostgreSQL's text format, made before anything is written to the connection.

What a parameter becomes: None, bool, int, str, Decimal, UUID, aware datetime, bytes and enums are
themselves; a list or tuple is an array; a dict is JSON; `Json(value)` is JSON whatever the value,
so that a list can be JSON too. Inside JSON a Decimal is a string (money never passes through a
float), so are a UUID and a datetime (ISO 8601). A float is refused everywhere.

Two kinds of refusal: BadInput for what data can bring along (a lone surrogate, a NUL character, a
Decimal that is not finite), TypeError for what only code can (an unknown type, a naive datetime).
Both name the parameter.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from types import MappingProxyType, NoneType
from typing import Any
from uuid import UUID

from agent_where.errors import BadInput


@dataclass(frozen=True, slots=True)
class Json:
    """A parameter that is JSON, also when its value is a list, a string or a number."""

    value: Any  # any tree of the types above


_JSON = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def encode(name: str, value: object) -> bytes | None:
    """One parameter's text, or None for NULL.

    Raises:
        BadInput: the data cannot be stored; the message names the parameter.
        TypeError: the code passed a type that has no meaning here.
    """
    try:
        text = _text(value)
        return None if text is None else _storable(text).encode()
    except BadInput as fault:
        raise BadInput(f"{name}: {fault}") from None
    except TypeError as fault:
        raise TypeError(f"parameter {name!r}: {fault}") from None
    except RecursionError:
        raise BadInput(f"{name}: nested too deeply") from None


def _text(value: object) -> str | None:
    write = _EXACTLY.get(type(value))  # most values, without a walk through the patterns
    if write is not None:
        return write(value)
    match value:
        case None:
            return None
        case Json():
            return _json(value.value)
        case Enum():
            return _text(value.value)
        case list() | tuple():
            return "{" + ",".join(_element(item) for item in value) + "}"
        case Mapping():
            return _json(value)
        case _:
            return _scalar(value)


def _scalar(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str() | int() | UUID():
            return str(value)
        case Decimal():
            return _finite(value)
        case datetime():
            return _utc(value)
        case bytes() | bytearray():
            return "\\x" + value.hex()
        case _:
            raise TypeError(f"a {type(value).__name__} cannot be a parameter")


def _element(item: object) -> str:
    if isinstance(item, list | tuple):
        return _text(item) or ""
    text = _text(item)
    if text is None:
        return "NULL"
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _json(value: object) -> str:
    return _JSON.encode(_plain(value))


def _plain(value: object) -> object:
    kind = type(value)
    if kind is str:
        return _storable(value)  # type: ignore[arg-type] # it is one
    if kind in _JSON_AS_IT_IS:
        return value
    match value:
        case Enum():
            return _plain(value.value)
        case Json():
            return _plain(value.value)
        case None | bool() | int():
            return value
        case str():
            return _storable(value)
        case Mapping():
            return {_key(key): _plain(item) for key, item in value.items()}
        case list() | tuple():
            return [_plain(item) for item in value]
        case bytes() | bytearray():
            raise TypeError(f"{type(value).__name__} cannot be JSON")
        case _:
            return _scalar(value)


def _key(key: object) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a {type(key).__name__} cannot be a key in JSON")
    return _storable(key.value if isinstance(key, Enum) else key)


def _storable(text: str) -> str:
    if "\0" in text:
        raise BadInput("text must not hold a NUL character")
    if not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text):
        raise BadInput("text must not hold half of a surrogate pair")
    return text


def _finite(number: Decimal) -> str:
    if not number.is_finite():
        raise BadInput(f"{number} is not a finite number")
    return str(number)


def _utc(moment: datetime) -> str:
    if moment.tzinfo is None:
        raise TypeError("a datetime without a time zone cannot be a parameter")
    return moment.astimezone(UTC).isoformat()


_EXACTLY: Mapping[type, Callable[[Any], str]] = MappingProxyType(
    {str: str, int: str, UUID: str, Decimal: _finite, datetime: _utc}
)
_JSON_AS_IT_IS = frozenset({NoneType, bool, int})
