"""What a body demands beyond its single fields, and the shapes of failures, as JSON Schema.

The same rules stand as validators beside the models; a test holds the two against each other.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from agent_where.contract.operations import FAILURES
from agent_where.domain import MULTI, TRADABLE_VENUES, SizeType
from agent_where.spec.numbers import number
from agent_where.values import UUID_SCHEMA

_OF_FAILURE: Mapping[str, Any] = {
    "success": {"type": "boolean", "const": False, "description": "False in every failure."},
    "error": {"type": "string", "minLength": 1, "description": "One sentence for people."},
}
FAILURE: Mapping[str, Any] = {
    "type": "object",
    "description": "Every failure, whatever its status.",
    "properties": {
        **_OF_FAILURE,
        "code": {
            "type": "string",
            "enum": sorted(FAILURES.keys() - {"NOT_FIT"}),
            "description": "For programs.",
        },
        "details": {
            "type": "array",
            "items": {"type": "string"},
            "minItems": 1,
            "description": "One sentence for each fault.",
        },
    },
    "required": ["success", "error", "code"],
    "additionalProperties": False,
}
NOT_FIT: Mapping[str, Any] = {
    "type": "object",
    "description": "The system is not fit to trade; it keeps the keys of the good answer.",
    "properties": {
        **_OF_FAILURE,
        "code": {"type": "string", "const": "NOT_FIT", "description": "For programs."},
        "fit": {"type": "boolean", "const": False, "description": "It is not."},
        "checkedAt": {
            "type": "string",
            "format": "date-time",
            "description": "When this was looked at.",
        },
    },
    "required": ["success", "error", "code", "fit", "checkedAt"],
    "additionalProperties": False,
}

_SIZES = {
    "oneOf": [
        {
            "title": "Percent of the free collateral",
            "properties": {
                "type": {"const": SizeType.BALANCE_PERCENTAGE.value},
                "value": number(gt=0, le=100),
            },
        },
        {
            "title": "Collateral in USDC",
            "properties": {"type": {"const": SizeType.FIXED_USDC.value}},
        },
    ]
}
_CONTROLS = {
    "oneOf": [
        {
            "title": "All trading",
            "properties": {"scope": {"const": "global"}, "id": {"type": "null"}},
        },
        {
            "title": "One venue",
            "properties": {
                "scope": {"const": "venue"},
                "id": {"type": "string", "enum": [*TRADABLE_VENUES]},
            },
            "required": ["id"],
        },
        {
            "title": "One agent or deployment",
            "properties": {"scope": {"enum": ["agent", "deployment"]}, "id": {**UUID_SCHEMA}},
            "required": ["id"],
        },
    ]
}


def _opening(side: str, **more: object) -> dict[str, Any]:
    return {
        "title": f"Open a {side}",
        "properties": {
            "action": {"const": "OPEN"},
            "side": {"const": side},
            "sizeModel": {"type": "object"},
            **more,
        },
        "required": ["side", "sizeModel"],
    }


def _gain_of_a_short() -> dict[str, Any]:
    """Less than all of the entry price."""
    gain = number(gt=0, lt=1)
    return {"properties": {"takeProfit": {**gain, "type": [*gain["type"], "null"]}}}


def demands(supported: Iterable[str]) -> Mapping[str, Mapping[str, Any]]:
    """What to add to each schema, by its name. `supported`: the venues that have an adapter."""
    close = {
        "title": "Close",
        "properties": {"action": {"const": "CLOSE"}},
        "required": ["action"],
    }
    venues = [*(venue for venue in TRADABLE_VENUES if venue in supported), MULTI, None]
    return {
        "NewSize": _SIZES,
        "NewControl": _CONTROLS,
        "NewSignal": {
            "oneOf": [_opening("LONG"), _opening("SHORT", riskModel=_gain_of_a_short()), close],
            "properties": {"venue": {"enum": venues}},
        },
        "OpenApi": {
            "properties": {
                "openapi": {
                    "type": "string",
                    "pattern": "^3[.]1[.][0-9]+$",
                    "description": "The version of OpenAPI.",
                }
            },
            "required": ["openapi", "info", "paths", "components"],
        },
    }
