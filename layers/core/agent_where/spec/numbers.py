"""Numbers of requests as JSON Schema: in range, as JSON numbers or as strings of plain digits.

A string may also hold a sign, an exponent or zeros in front; the schema leaves those out, so that
it needs no arithmetic.
"""

import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

_ZERO = "0[.][0-9]{0,17}[1-9]0*"
_REST = "([.][0-9]{1,18}0*)?"

_STRINGS: Mapping[str, str] = MappingProxyType(
    {
        "gt 0": f"^({_ZERO}|[1-9][0-9]{{0,11}}{_REST})$",
        "gt 0, le 1000000000": f"^({_ZERO}|[1-9][0-9]{{0,8}}{_REST}|10{{9}}([.]0+)?)$",
        "gt 0, le 100": f"^({_ZERO}|[1-9][0-9]?{_REST}|100([.]0+)?)$",
        "gt 0, lt 1": f"^{_ZERO}$",
        "gt 0, le 0.5": "^0[.](0[0-9]{0,16}[1-9]0*|[1-4]([0-9]{0,16}[1-9])?0*|50*)$",
        "ge 1, le 1000": f"^([1-9][0-9]{{0,2}}{_REST}|1000([.]0+)?)$",
    }
)
"""Each range that a request has, as a pattern: at most eighteen decimal places, zeros aside."""

_BOUNDS = ("gt", "ge", "lt", "le")
_KEYWORDS = {
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
}
_WHOLE_DIGITS = 12
_LEAST = 1e-18


def number(**bounds: object) -> dict[str, Any]:
    """The schema of a number within `gt`, `ge`, `lt` and `le`.

    Raises:
        KeyError: the range has no pattern yet.
    """
    told = {name: str(bounds[name]) for name in _BOUNDS if bounds.get(name) is not None}
    limits = {_KEYWORDS[name]: json.loads(bound) for name, bound in told.items() if name != "gt"}
    if "gt" in told:
        limits["minimum"] = _LEAST  # every range begins at 0 or 1
    if not {"maximum", "exclusiveMaximum"} & limits.keys():
        limits["exclusiveMaximum"] = 10**_WHOLE_DIGITS
    pattern = _STRINGS[", ".join(f"{name} {bound}" for name, bound in told.items())]
    return {"type": ["number", "string"], **limits, "pattern": pattern}
