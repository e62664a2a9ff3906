"""The HTTP API as OpenAPI 3.1, made from the routes and models that serve it.

Loaded only when somebody asks: GET /openapi.json, `make openapi` and the tests.
"""

from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode

from agent_where.callers import Scope
from agent_where.contract.routes import ROUTES
from agent_where.contract.system import OpenApiAnswer
from agent_where.spec.paths import TAGS, operation
from agent_where.spec.responses import shared_failures
from agent_where.spec.schemas import Schema, components, named
from agent_where.venues.registry import SUPPORTED

VERSION = "0.1.0"

_ABOUT = """
Decides which venue trades a signal, trades it there for everybody who follows the agent, and tells
why.

**Requests and answers** are JSON in UTF-8; a body is at most 16 KiB. Money, sizes and prices are
strings in answers, and strings or numbers in requests; of a JSON number what stands behind its
eighteenth decimal place is cut off, a string with more is refused. Times are RFC 3339. A key or a
parameter that is not known is refused by its name.

**Tokens** are JWTs of the configured issuer: `Authorization: Bearer <token>`. Each operation says
which scope it needs. Without `admin` a token reaches what belongs to its wallet: agents by
`creator_wallet`, deployments by `user_wallet`. What belongs to others is answered like what does
not exist, with 404.

**Failures** have one shape: `success` false, a sentence for people, a code for programs, and a
sentence for each fault where there are several.

**Lists** come in pages of at most 100, newest first. `nextCursor` leads to the next page as
`cursor`, as it is; any other is refused.

**More than the schemas say** is understood: venues, sides and actions in any case; an address in
mixed case, if that is its EIP-55 checksum; a sign, an exponent or zeros in front of a number in a
string. Lone surrogates and NUL are refused everywhere.
"""
_SCOPES = {
    Scope.READ: "read what is one's own",
    Scope.WRITE: "change what is one's own",
    Scope.SIGNALS: "send signals of one's own agents",
    Scope.ADMIN: "all of it, for everybody's",
}


@cache
def served() -> OpenApiAnswer:
    """The answer of GET /openapi.json."""
    return OpenApiAnswer(document())


def document() -> dict[str, Any]:
    """The whole document, in a stable order."""
    schemas = components(_models(), SUPPORTED)
    paths: dict[str, Schema] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = operation(route, schemas)
    queries = {named(route.query.__name__) for route in ROUTES if route.has_query}
    return {
        "openapi": "3.1.0",
        "info": _info(),
        "servers": [
            {
                "url": "/{stage}",
                "description": "The host that serves this document",
                "variables": {"stage": {"default": "api", "description": "API Gateway's stage"}},
            }
        ],
        "security": [{"bearer": []}],
        "tags": [{"name": name, "description": about} for name, _, about in TAGS],
        "paths": paths,
        "components": {
            "schemas": {name: each for name, each in schemas.items() if name not in queries},
            "responses": shared_failures(ROUTES),
            "securitySchemes": {"bearer": _bearer()},
        },
    }


def _info() -> Schema:
    return {
        "title": "Agent Where",
        "version": VERSION,
        "summary": "The execution and venue layer of an agent framework",
        "description": _ABOUT.strip(),
        "license": {"name": "MIT", "identifier": "MIT"},
    }


def _bearer() -> Schema:
    told = "; ".join(f"`{scope}`: {meaning}" for scope, meaning in _SCOPES.items())
    about = f"A JWT of the configured issuer, signed with RS256 or ES256. Its scopes: {told}."
    return {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": about}


def _models() -> list[tuple[type[BaseModel], JsonSchemaMode]]:
    """Every model of a request or an answer, once."""
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {}
    for route in ROUTES:
        if route.has_query:
            wanted[route.query, "validation"] = None
        if route.has_body:
            wanted[route.body, "validation"] = None
        wanted[route.answer, "serialization"] = None
    return [*wanted]
