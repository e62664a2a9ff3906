"""The values that requests are made of, each with what it may be: ids, numbers, symbols, addresses.

What belongs here is one value, whatever body it stands in. The bodies are in messages.py (the
signal) and contract/ (everything else). A value's JSON schema allows nothing that the code refuses;
where the code is more generous (any case, a sign, an exponent), openapi.py says so.
"""

import re
from datetime import datetime
from decimal import ROUND_DOWN, Context, Decimal
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field, WithJsonSchema

from agent_where.domain import MULTI, TRADABLE_VENUES, VenueId
from agent_where.errors import BadInput
from agent_where.symbols import canonical

UUID_SCHEMA = {
    "type": "string",
    "format": "uuid",
    "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$",
}
TIME_SCHEMA = {
    "type": "string",
    "format": "date-time",
    "pattern": "^(19[7-9][0-9]|[2-8][0-9]{3}|9000)-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])"
    "T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]{1,9})?"
    "(Z|[+-]([01][0-9]|2[0-3]):[0-5][0-9])$",
}
_SPACE = r"\u0009-\u000d\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
TEXT_PATTERN = r"^[^\u0000]*$"
"""What PostgreSQL can hold."""
NOT_BLANK_PATTERN = rf"^[^\u0000]*[^\u0000{_SPACE}][^\u0000]*$"
"""Such text with more in it than what Python takes for white space."""

DECIMAL_PLACES = 18
_WHOLE_DIGITS = 12

_UUID = re.compile(UUID_SCHEMA["pattern"])
_TIME = re.compile(TIME_SCHEMA["pattern"])
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_FIRST_YEAR, _LAST_YEAR = 1970, 9000
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def is_uuid(text: str) -> bool:
    """Whether it is a UUID as everybody writes them, with its hyphens and nothing around it."""
    return _UUID.fullmatch(text) is not None


def _canonical_id(value: object) -> object:
    if isinstance(value, UUID) or (isinstance(value, str) and is_uuid(value)):
        return value
    raise ValueError("a UUID is needed, 32 hex digits with its hyphens")


def _address(text: str) -> str:
    if not _ADDRESS.fullmatch(text):
        raise ValueError("an address is 0x and 40 hex digits")
    digits = text[2:]
    if digits not in (digits.lower(), digits.upper()) and not _has_its_checksum(text):
        raise ValueError("its capitals are no EIP-55 checksum: it may be mistyped")
    return text


def _has_its_checksum(address: str) -> bool:
    from eth_utils.address import is_checksum_address  # noqa: PLC0415 it is slow to load

    return is_checksum_address(address)


def upper(value: object) -> object:
    """In upper case, where it is text."""
    return value.upper() if isinstance(value, str) else value


def _known_venue(value: object) -> object:
    name = upper(value)
    if not str(value).isascii() or name not in (*TRADABLE_VENUES, MULTI):
        raise ValueError(f"unknown venue; known are {', '.join((*TRADABLE_VENUES, MULTI))}")
    return name


def _symbol(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return canonical(value)
    except BadInput as error:
        raise ValueError(str(error)) from error


def _plain_number(value: object) -> object:
    if isinstance(value, str) and not _NUMBER.fullmatch(value):
        raise ValueError(f"{value[:40]!a} is not a number")
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal | float):
        raise ValueError("a number or a string that holds one is needed")  # noqa: TRY004 pydantic tells ValueErrors
    if isinstance(value, float):
        value = Decimal(str(value))
    return _cut(value) if isinstance(value, Decimal) else value


def _cut(number: Decimal) -> Decimal:
    """A JSON number without what binary arithmetic put behind its eighteenth place.

    A string says what is meant and keeps every digit, so that one with too many is refused.
    """
    exponent = number.as_tuple().exponent
    too_long = isinstance(exponent, int) and exponent < -DECIMAL_PLACES
    if not too_long or number.adjusted() >= _WHOLE_DIGITS:
        return number
    places = Decimal(1).scaleb(-DECIMAL_PLACES)
    return number.quantize(places, ROUND_DOWN, Context(prec=_WHOLE_DIGITS + DECIMAL_PLACES))


def _written_time(value: object) -> object:
    if isinstance(value, datetime) or (isinstance(value, str) and _TIME.fullmatch(value)):
        return value
    raise ValueError(
        f"a time as in RFC 3339 is needed, {_FIRST_YEAR} to {_LAST_YEAR}: 2026-01-31T12:00:00Z"
    )


def _within_the_calendar(time: datetime) -> datetime:
    """Far enough from its ends that minutes and time zones can be added."""
    if not _FIRST_YEAR <= time.year <= _LAST_YEAR:
        raise ValueError(f"the year must be {_FIRST_YEAR} to {_LAST_YEAR}")
    return time


Time = Annotated[
    AwareDatetime,
    BeforeValidator(_written_time),
    AfterValidator(_within_the_calendar),
    WithJsonSchema(TIME_SCHEMA),
]
Number = Annotated[
    Decimal,
    BeforeValidator(_plain_number),
    Field(
        allow_inf_nan=False,
        max_digits=_WHOLE_DIGITS + DECIMAL_PLACES,
        decimal_places=DECIMAL_PLACES,
    ),
]
VenueName = Annotated[
    VenueId,
    BeforeValidator(_known_venue),
    WithJsonSchema({"type": "string", "enum": [*TRADABLE_VENUES, MULTI]}),
]
TokenSymbol = Annotated[
    str,
    BeforeValidator(_symbol),
    WithJsonSchema(
        {"type": "string", "pattern": r"^[\t-\r ]*[A-Za-z0-9][A-Za-z0-9._-]{0,31}[\t-\r ]*$"}
    ),
]
Id = Annotated[UUID, BeforeValidator(_canonical_id), WithJsonSchema(UUID_SCHEMA)]
Address = Annotated[
    str,
    AfterValidator(_address),
    WithJsonSchema({"type": "string", "pattern": "^0x([0-9a-f]{40}|[0-9A-F]{40})$"}),
]
"""An EVM address: in one case throughout, or with its EIP-55 checksum."""
