"""Routes as OpenAPI operations: parameters, bodies, good answers and what they lead to."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent_where.contract.operations import Operation
from agent_where.spec.examples import Examples, examples_of
from agent_where.spec.responses import JSON, failures_of
from agent_where.spec.schemas import REF, Schema, named
from agent_where.values import UUID_SCHEMA

TAGS: Sequence[tuple[str, str, str]] = (
    ("Routing", "/venue-routing", "Which venue trades what, and why."),
    ("Agents", "/agents", "Whose signals are traded, and who follows them."),
    ("Deployments", "/deployments", "One user following one agent."),
    ("Signals", "/signals", "What an agent wants traded, and what came of it."),
    ("Positions", "/positions", "What is held, and was."),
    ("Markets", "/venue-markets", "What can be traded where."),
    ("Controls", "/controls", "What trading is allowed."),
    ("System", "/", "How the system itself is."),
)
"""Name, where its paths begin, and what it is; the first that fits a path counts."""

_LINKS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "createAgent": {
        "getAgent": ("id", "/agent/id"),
        "changeAgent": ("id", "/agent/id"),
        "follow": ("id", "/agent/id"),
        "getDeployments": ("id", "/agent/id"),
    },
    "follow": {
        "getDeployment": ("id", "/deployment/id"),
        "changeDeployment": ("id", "/deployment/id"),
    },
    "sendSignal": {"getSignal": ("id", "/signalId"), "getHistory": ("signalId", "/signalId")},
}
"""What an answer leads to: the operation, its parameter, and where its value stands."""

AnyOperation = Operation[Any, Any, Any]


def operation(route: AnyOperation, schemas: Mapping[str, Schema]) -> Schema:
    """One route. `schemas`: all of them by name, those of the queries too."""
    examples = examples_of(route.name)
    needs = f"Needs the scope `{route.scope}`." if route.scope else "Needs no token."
    told: Schema = {
        "operationId": route.name,
        "tags": [next(name for name, path, _ in TAGS if route.path.startswith(path))],
        "summary": route.summary,
        "description": f"{route.description}\n\n{needs}".strip(),
        "security": [{"bearer": [str(route.scope)]}] if route.scope else [],
    }
    if route.scope:
        told["x-required-scope"] = str(route.scope)
    if parameters := [*_parameters(route, examples, schemas)]:
        told["parameters"] = parameters
    if route.has_body:
        content = _content(named(route.body.__name__), examples.requests)
        told["requestBody"] = {"required": True, "content": {JSON: content}}
    told["responses"] = {
        str(route.status.value): _good(route, examples, schemas),
        **failures_of(route),
    }
    return told


def _parameters(
    route: AnyOperation, examples: Examples, schemas: Mapping[str, Schema]
) -> Iterator[Schema]:
    if route.has_id:
        yield {
            "name": "id",
            "in": "path",
            "required": True,
            "description": f"The {route.path.split('/')[1].removesuffix('s')}'s id.",
            "schema": {**UUID_SCHEMA},
            "example": examples.id,
        }
    query = schemas[named(route.query.__name__)] if route.has_query else {"properties": {}}
    for name, schema in query["properties"].items():
        yield {
            "name": name,
            "in": "query",
            "required": name in query.get("required", []),
            "description": schema["description"],
            "schema": _never_null(schema),
            "example": examples.query[name],
        }


def _never_null(schema: Schema) -> Schema:
    """A parameter is there or not; it is never null."""
    told = {key: inner for key, inner in schema.items() if key != "description"}
    match told:
        case {"anyOf": [some, {"type": "null"}]}:
            return {**some}
        case {"type": [kind, "null"]}:
            told["type"] = kind
    if "enum" in told:
        told["enum"] = [word for word in told["enum"] if word is not None]
    return told


def _content(schema: str, examples: Mapping[str, Any]) -> Schema:
    told: Schema = {"schema": {"$ref": f"{REF}{schema}"}}
    if examples:
        told["examples"] = {
            _key(title): {"summary": title, "value": value} for title, value in examples.items()
        }
    return told


def _key(title: str) -> str:
    return title.replace("'", "").replace(" ", "-")


def _good(route: AnyOperation, examples: Examples, schemas: Mapping[str, Schema]) -> Schema:
    name = named(route.answer.__name__)
    told: Schema = {
        "description": schemas[name]["description"],
        "content": {JSON: _content(name, examples.answers)},
    }
    if links := _LINKS.get(route.name):
        told["links"] = {
            target: {"operationId": target, "parameters": {parameter: f"$response.body#{where}"}}
            for target, (parameter, where) in links.items()
        }
    return told
