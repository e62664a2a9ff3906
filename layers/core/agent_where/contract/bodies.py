"""What comes in over HTTP besides signals and query strings: bodies, parsed once, strictly.

Keys are the contract's own and no others; a PATCH carries only what is to change. The signal itself
is in messages.py, query strings are in queries.py.
"""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Self
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from agent_where.domain import (
    MULTI,
    TRADABLE_VENUES,
    ControlScope,
    ControlState,
    Side,
    VenueId,
)
from agent_where.messages import Body
from agent_where.routing.strategies import STRATEGIES
from agent_where.values import (
    NOT_BLANK_PATTERN,
    TEXT_PATTERN,
    Address,
    Id,
    Number,
    TokenSymbol,
    VenueName,
    is_uuid,
    upper,
)


def _not_blank(text: str) -> str:
    if not text.strip():
        raise ValueError("it is blank")
    return text


def _each_once(venues: tuple[VenueId, ...]) -> tuple[VenueId, ...]:
    if not venues:
        raise ValueError("at least one venue is needed")
    if MULTI in venues:
        raise ValueError(f"MULTI is no venue to trade at; these are {', '.join(TRADABLE_VENUES)}")
    if len(set(venues)) != len(venues):
        raise ValueError("a venue stands in it twice")
    return venues


def _known_strategy(name: str) -> str:
    if name not in STRATEGIES:
        raise ValueError(f"unknown strategy; known are {', '.join(STRATEGIES)}")
    return name


def _one_spelling(id_: str) -> str:
    return id_.lower() if is_uuid(id_) else id_.upper()


def _whole(value: object) -> object:
    """JSON knows one kind of number: 5.0 is as whole as 5."""
    if isinstance(value, Decimal) and value.adjusted() < 6 and value % 1 == 0:
        return int(value)
    return value


def _text(at_most: int, pattern: str) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", "maxLength": at_most, "pattern": pattern})


AgentName = Annotated[
    str,
    Field(max_length=100),
    AfterValidator(_not_blank),
    _text(100, NOT_BLANK_PATTERN),
]
Reason = Annotated[
    str,
    Field(max_length=500),
    AfterValidator(_not_blank),
    _text(500, NOT_BLANK_PATTERN),
]
ControlId = Annotated[
    str,
    Field(max_length=64),
    AfterValidator(_one_spelling),
    _text(64, TEXT_PATTERN),
]
Venues = Annotated[
    tuple[VenueName, ...],
    Field(max_length=20),
    AfterValidator(_each_once),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"type": "string", "enum": [*TRADABLE_VENUES]},
            "minItems": 1,
            "maxItems": len(TRADABLE_VENUES),
            "uniqueItems": True,
        }
    ),
]
Strategy = Annotated[
    str,
    AfterValidator(_known_strategy),
    WithJsonSchema({"type": "string", "enum": [*STRATEGIES]}),
]
Switch = Annotated[bool, Field(strict=True)]
Weight = Annotated[int, BeforeValidator(_whole), Field(strict=True, ge=-32_768, le=32_767)]
Weights = Annotated[tuple[Weight, ...], Field(max_length=100)]
MaxNotionalUsd = Annotated[Number, Field(gt=0)]
MaxLeverage = Annotated[Number, Field(ge=1, le=1000)]


class AgentStatus(StrEnum):
    """Only an ACTIVE agent's signals open anything."""

    DRAFT = "DRAFT"
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


class DeploymentStatus(StrEnum):
    """Only an ACTIVE deployment takes part in what its agent opens."""

    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"


class NoBody(Body):
    """What takes no body."""


class Strict(Body):
    """camelCase keys, in that spelling alone."""

    model_config = ConfigDict(populate_by_name=False)


class RowBody(Body):
    """Keys as the columns are called."""

    model_config = ConfigDict(alias_generator=None)


class Change(RowBody):
    """A PATCH. A field's default only stands for "not told": `changes` never holds it."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    @model_validator(mode="after")
    def something_is_told(self) -> Self:
        if not self.model_fields_set:
            known = ", ".join(
                field.alias or name for name, field in self.__class__.model_fields.items()
            )
            raise ValueError(f"nothing is to change; it may hold {known}")
        return self

    def changes(self) -> Mapping[str, object]:
        """What is to change, by column; None takes a limit away."""
        return self.model_dump(include=self.model_fields_set)


class ConfigBody(Strict):
    """POST /venue-routing/config. No `agentId`: the global row."""

    agent_id: Id | None = None
    venue_priority: Venues
    routing_strategy: Strategy = "FIRST_AVAILABLE"
    failover_enabled: Switch = True


class AgentBody(RowBody):
    """POST /agents. No `creator_wallet`: the token's."""

    name: AgentName
    venue: VenueName
    creator_wallet: Address | None = None
    profit_receiver_address: Address
    weights: Weights = ()
    status: AgentStatus = AgentStatus.DRAFT


class AgentChange(Change):
    """PATCH /agents/{id}. Whose agent it is never changes."""

    name: AgentName = ""
    venue: VenueName = ""
    profit_receiver_address: Address = ""
    weights: Weights = ()
    status: AgentStatus = AgentStatus.DRAFT


class DeploymentBody(RowBody):
    """POST /agents/{id}/deployments: `user_wallet` follows the agent, at these venues.

    No `user_wallet`: the token's.
    """

    venues: Venues
    user_wallet: Address | None = None
    max_notional_usd: MaxNotionalUsd | None = Field(default=None, alias="maxNotionalUsd")
    max_leverage: MaxLeverage | None = Field(default=None, alias="maxLeverage")


class DeploymentChange(Change):
    """PATCH /deployments/{id}. Null takes a limit away."""

    venues: Venues = ()
    status: DeploymentStatus = DeploymentStatus.ACTIVE
    max_notional_usd: MaxNotionalUsd | None = Field(default=None, alias="maxNotionalUsd")
    max_leverage: MaxLeverage | None = Field(default=None, alias="maxLeverage")


class ControlBody(Strict):
    """PUT /controls. `id`: the venue's name, or the id of the agent or deployment."""

    scope: ControlScope
    id: ControlId | None = None
    state: ControlState
    reason: Reason

    @model_validator(mode="after")
    def the_scope_has_its_id(self) -> Self:
        match self.scope:
            case ControlScope.GLOBAL if self.id is not None:
                raise ValueError("id: a global control has none")
            case ControlScope.VENUE if self.id not in TRADABLE_VENUES:
                raise ValueError(f"id: one of {', '.join(TRADABLE_VENUES)} is needed")
            case ControlScope.AGENT | ControlScope.DEPLOYMENT if not is_uuid(self.id or ""):
                raise ValueError(f"id: the {self.scope}'s UUID is needed")
        return self

    @property
    def of_id(self) -> UUID | None:
        """The agent's or deployment's."""
        return UUID(self.id) if self.id and is_uuid(self.id) else None


class PreviewBody(Strict):
    """POST /venue-routing/preview. `notional_usd` None: the size is not looked at."""

    agent_id: Id | None = None
    token_symbol: TokenSymbol
    side: Annotated[Side, BeforeValidator(upper)]
    notional_usd: Annotated[Number, Field(gt=0, le=1_000_000_000)] | None = None
