"""The models of the contract as named JSON Schemas, exact in both directions.

pydantic generates them; here they get the names that clients see, the words, the ranges of numbers
and the rules that a model's validators hold.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaMode, models_json_schema

from agent_where.contract.bodies import Change
from agent_where.spec.keys import word_for
from agent_where.spec.numbers import number
from agent_where.spec.rules import FAILURE, NOT_FIT, demands
from agent_where.spec.words import SCHEMAS

REF = "#/components/schemas/"
_NAMES = {
    "OpenApiAnswer": "OpenApi",
    "PreviewBody": "PreviewRequest",
    "SignalMessage": "NewSignal",
    "TakenIn": "SignalTakenIn",
}
_KEYWORDS = {"ge": "minimum", "le": "maximum"}
Schema = dict[str, Any]
Wanted = Sequence[tuple[type[BaseModel], JsonSchemaMode]]


def named(model: str) -> str:
    """What clients see a model as."""
    if model in _NAMES:
        return _NAMES[model]
    if model.endswith("Body"):
        return f"New{model.removesuffix('Body')}"
    return model.removesuffix("View")


def components(wanted: Wanted, supported: Iterable[str]) -> dict[str, Schema]:
    """The schemas of these models and of all that they hold, by name.

    Args:
        wanted: each with "validation" as a request, "serialization" as an answer.
        supported: the venues that have an adapter.
    """
    made = models_json_schema(list(wanted), ref_template=f"{REF}{{model}}")[1]["$defs"]
    answers = {model.__name__ for model, mode in wanted if mode == "serialization"}
    answers |= {name for name in made if name not in _reached(made, _requests(wanted))}
    changes = {model.__name__ for model, _ in wanted if issubclass(model, Change)}
    schemas = {}
    for model, schema in made.items():
        tidied = _tidied(schema)
        if "properties" in tidied:
            _close(tidied, is_answer=model in answers, is_change=model in changes)
            _tell(tidied, named(model))
        schemas[named(model)] = {"description": SCHEMAS[named(model)], **tidied}
    for name, more in demands(supported).items():
        _add(schemas[name], more)
    return dict(sorted({**schemas, "Failure": {**FAILURE}, "NotFit": {**NOT_FIT}}.items()))


def _requests(wanted: Wanted) -> list[str]:
    return [model.__name__ for model, mode in wanted if mode == "validation"]


def _reached(made: Mapping[str, Schema], names: Iterable[str]) -> set[str]:
    """These and all that they refer to."""
    found: set[str] = set()
    waiting = [*names]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [ref.removeprefix(REF) for ref in _refs(made[name])]
    return found


def _refs(node: object) -> Iterable[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for inner in node.values():
            yield from _refs(inner)
    if isinstance(node, list):
        for inner in node:
            yield from _refs(inner)


def _tidied(node: Any) -> Any:  # noqa: ANN401 any part of a JSON document
    """A schema without generated titles, with ranges of numbers, and with null as a type."""
    if isinstance(node, list):
        return [_tidied(inner) for inner in node]
    if not isinstance(node, dict):
        return node
    if "decimal_places" in node:
        return {**_kept(node, "default"), **number(**node)}
    told: Schema = {
        _KEYWORDS.get(str(key), str(key)): _tidied(inner)
        for key, inner in node.items()
        if not _is_noise(key, inner)
    }
    if isinstance(told.get("$ref"), str):
        told["$ref"] = REF + named(told["$ref"].removeprefix(REF))
    return _with_null(told)


def _is_noise(key: str, inner: object) -> bool:
    """Generated titles, docstrings, and defaults that only say that a key was left out."""
    told = key in ("title", "description") and isinstance(inner, str)
    return told or (key == "default" and (inner is None or isinstance(inner, dict)))


def _kept(node: Schema, *keys: str) -> Schema:
    return {key: node[key] for key in keys if key in node}


def _with_null(node: Schema) -> Schema:
    """`anyOf` something or null as one schema, where that something is not a reference."""
    match node.get("anyOf"):
        case [{"type": kind} as some, {"type": "null"}]:
            kinds = [*kind, "null"] if isinstance(kind, list) else [kind, "null"]
            rest = {key: inner for key, inner in node.items() if key != "anyOf"}
            choice = {"enum": [*some["enum"], None]} if "enum" in some else {}
            return {**some, "type": kinds, **choice, **rest}
    return node


def _close(schema: Schema, *, is_answer: bool, is_change: bool) -> None:
    """No other keys; an answer has all of its own, and a change has no defaults."""
    schema["additionalProperties"] = False
    if is_answer:
        schema["required"] = [*schema["properties"]]
    if is_answer or is_change:
        for inner in schema["properties"].values():
            inner.pop("default", None)


def _tell(schema: Schema, name: str) -> None:
    for key, inner in schema["properties"].items():
        inner["description"] = word_for(name, key)


def _add(schema: Schema, more: Mapping[str, Any]) -> None:
    for key, inner in more.items():
        if key == "properties":
            for name, each in inner.items():
                schema.setdefault(key, {}).setdefault(name, {}).update(each)
        else:
            schema[key] = inner
