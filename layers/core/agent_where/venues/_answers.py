"""What the adapters' parsers share: bounded figures, names that can be asked for, one market each.

Parsers are pure but for the log: an answer goes in, markets come out, or VenueUnavailable says
which part of the answer is not what the venue documents. Keys they do not know are ignored.
"""

import logging
from collections.abc import Iterable
from decimal import Decimal
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from agent_where.domain import Market, VenueId
from agent_where.errors import VenueUnavailable
from agent_where.symbols import SYMBOL

logger = logging.getLogger(__name__)

Figure = Annotated[Decimal, Field(allow_inf_nan=False, max_digits=60, decimal_places=30)]
"""A number of the venue's, in the venue's unit, short enough for any column."""

Text = Annotated[str, Field(pattern=r"^[ -~]{1,64}$")]
"""A word to be stored: printable ASCII."""

_Shape = TypeVar("_Shape")


class Part(BaseModel):
    """A piece of a venue's answer: only the keys that are used, under the venue's names."""

    model_config = ConfigDict(frozen=True, extra="ignore")


def shaped(venue: VenueId, shape: TypeAdapter[_Shape], answer: object) -> _Shape:
    """The answer as `shape`. Raises VenueUnavailable, naming the first thing that does not fit."""
    try:
        return shape.validate_python(answer)
    except ValidationError as fault:
        first = fault.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "the answer"
        raise malformed(venue, f"{where}: {first['msg']}") from fault


def malformed(venue: VenueId, what: str) -> VenueUnavailable:
    """The error for an answer that is not the venue's documented shape."""
    return VenueUnavailable(venue, f"unforeseen answer: {what}", code="VENUE_UNAVAILABLE")


def can_be_asked_for(token: str) -> bool:
    """Whether a signal could name the token: other markets are of no use, and are left out."""
    return SYMBOL.fullmatch(token) is not None


def one_per_token(markets: Iterable[Market]) -> tuple[Market, ...]:
    """At most one market a token: active before inactive, then the one listed first.

    The rest is logged: the tables of tokens want a line for it.
    """
    kept: dict[str, Market] = {}
    for market in markets:
        other = kept.get(market.token_symbol)
        if other is None:
            kept[market.token_symbol] = market
            continue
        better, worse = (
            (other, market) if other.is_active or not market.is_active else (market, other)
        )
        kept[market.token_symbol] = better
        logger.warning(
            "%s: %s and %s are both %s; the second is left out",
            market.venue,
            better.name,
            worse.name,
            market.token_symbol,
        )
    return tuple(kept.values())
