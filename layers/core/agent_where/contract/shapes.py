"""What all answers have in common: rows by their columns' names or in camelCase, money as strings.

Config, agents and deployments keep their columns' names, as the contract has them; everything else
is camelCase. Money, sizes and prices are strings in plain digits; times are UTC with a Z. What a
model does not name never leaves: no key, no payload, no lease.

The words that a column may hold are documented where the database does not enforce them, and are
not checked on the way out: a row that an older system wrote is told as it is.
"""

from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from pydantic.alias_generators import to_camel

from agent_where.domain import MULTI, TRADABLE_VENUES, Refusal, Side


def plain(number: Decimal) -> str:
    """All digits and none too many: no exponent, no trailing zeros."""
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def words(*known: str) -> WithJsonSchema:
    """Documents a string as one of these."""
    return WithJsonSchema({"type": "string", "enum": [*known]})


def _by_venue(shape: str) -> WithJsonSchema:
    """Documents an object with a key for each venue."""
    minimum = {"minimum": 0} if shape == "integer" else {}
    return WithJsonSchema(
        {
            "type": "object",
            "propertyNames": {"enum": [*TRADABLE_VENUES]},
            "additionalProperties": {"type": shape, **minimum},
        }
    )


Amount = Annotated[
    Decimal,
    PlainSerializer(plain, return_type=str),
    WithJsonSchema({"type": "string", "format": "decimal", "pattern": "^-?[0-9]+([.][0-9]+)?$"}),
]
Count = Annotated[int, Field(ge=0)]
Figure = Annotated[int | float, WithJsonSchema({"type": "number", "minimum": 0})]
"""A time in milliseconds or a share in percent; never money."""

Venue = Annotated[str, words(*TRADABLE_VENUES, MULTI)]
TradableVenue = Annotated[str, words(*TRADABLE_VENUES)]
CountByVenue = Annotated[dict[str, Count], _by_venue("integer")]
FlagByVenue = Annotated[dict[str, bool], _by_venue("boolean")]
SideWord = Annotated[str, words(*Side)]
RefusalWord = Annotated[str, words(*Refusal)]


class RowView(BaseModel):
    """A row under its columns' names."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True, defer_build=True)


class View(RowView):
    """A row, or a part of one, under camelCase names."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class Answer(View):
    """A whole body."""

    success: Literal[True] = True
