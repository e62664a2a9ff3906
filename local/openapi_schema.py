"""JSON Schemas as HTML: what a value may be in one line, and what an object holds as a list."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

REF = "#/components/schemas/"
Schema = Mapping[str, Any]
_BOUNDS = {
    "minimum": "at least {}",
    "exclusiveMinimum": "over {}",
    "maximum": "at most {}",
    "exclusiveMaximum": "under {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "minItems": "at least {}",
    "maxItems": "at most {}",
    "minProperties": "at least {} key",
}


def code(text: object) -> str:
    """Text as code; what is not a string as JSON."""
    return f"<code>{escape(text if isinstance(text, str) else json.dumps(text))}</code>"


def named(ref: str) -> str:
    """The name at the end of a reference."""
    return ref.rsplit("/", 1)[1]


def link(ref: str) -> str:
    """A link to a schema of the page."""
    name = escape(named(ref))
    return f'<a href="#schema-{name}">{name}</a>'


def kind(schema: Schema) -> str:
    """What a value may be, in one line."""
    if "$ref" in schema:
        return link(schema["$ref"])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema and "properties" not in schema:
            return " or ".join(kind(each) for each in schema[several])
    if "const" in schema:
        return code(schema["const"])
    if "enum" in schema:
        return ", ".join(code(each) for each in schema["enum"])
    return f"{_type(schema)}{_limits(schema)}"


def body(schema: Schema) -> str:
    """What a schema of the page holds: its keys, its words, or a line."""
    parts = []
    if "properties" in schema:
        whole = schema["properties"].keys() == set(schema.get("required", []))
        parts.append("<p>Every key is there.</p>" if whole else "")
        items = "".join(_items(schema, marks=not whole))
        parts.append(f'<ul class="keys">{items}</ul>')
    elif "enum" in schema or schema.get("type") != "object":
        parts.append(f"<p>{kind(schema)}</p>")
    if "oneOf" in schema and "properties" in schema:
        cases = "".join(f"<li>{_case(each)}</li>" for each in schema["oneOf"])
        parts.append(f'<p>and one of these:</p><ul class="cases">{cases}</ul>')
    return "".join(parts)


def _items(schema: Schema, *, marks: bool) -> Iterator[str]:
    required = schema.get("required", []) if marks else []
    for name, inner in schema["properties"].items():
        must = ' <span class="must">required</span>' if name in required else ""
        about = f'<div class="about">{inline(inner["description"])}</div>'
        default = f", {code(inner['default'])} unless told" if "default" in inner else ""
        yield (
            f'<li><span class="key">{escape(name)}</span>{must} '
            f'<span class="kind">{kind(inner)}{default}</span>{about}</li>'
        )


def _case(case: Schema) -> str:
    told = [f"<strong>{escape(case['title'])}</strong>"]
    told += [
        f"{code(name)} {_inner(inner)}"
        for name, inner in case["properties"].items()
        if inner != {"type": "object"}
    ]
    if "required" in case:
        told.append(f"needs {', '.join(code(name) for name in case['required'])}")
    return "; ".join(told)


def _inner(schema: Schema) -> str:
    if "properties" in schema:
        inner = (f"{code(name)} {kind(each)}" for name, each in schema["properties"].items())
        return f"with {', '.join(inner)}"
    return kind(schema)


def _type(schema: Schema) -> str:
    told = schema.get("type", "any")
    kinds = told if isinstance(told, list) else [told]
    words = [_word(each, schema) for each in kinds]
    return " or ".join(words)


def _word(each: str, schema: Schema) -> str:
    match each:
        case "array":
            unique = ", each once" if schema.get("uniqueItems") else ""
            return f"list of {kind(schema['items'])}{unique}"
        case "object" if isinstance(schema.get("additionalProperties"), dict):
            names = schema.get("propertyNames", {}).get("enum")
            keys = f" by {', '.join(code(name) for name in names)}" if names else " by name"
            return f"{kind(schema['additionalProperties'])}{keys}"
        case "string" if "number" in schema["type"]:
            return "the same as a string"
        case "string" if "format" in schema:
            return f"string, {escape(schema['format'])}"
    return each


def _limits(schema: Schema) -> str:
    told = [words.format(_plain(schema[name])) for name, words in _BOUNDS.items() if name in schema]
    is_number = "number" in schema.get("type", "")
    if "pattern" in schema and "format" not in schema and not is_number:
        told.append(f'<span class="pattern">{code(schema["pattern"])}</span>')
    return f"; {', '.join(told)}" if told else ""


def _plain(bound: float) -> str:
    return f"{bound:,}" if isinstance(bound, int) else str(bound)


def inline(text: str) -> str:
    """A line of text with its `code` and **strong** marked up."""
    out = []
    for index, part in enumerate(text.split("`")):
        out.append(code(part) if index % 2 else _strong(escape(part)))
    return "".join(out)


def _strong(text: str) -> str:
    parts = text.split("**")
    return "".join(
        f"<strong>{part}</strong>" if index % 2 else part for index, part in enumerate(parts)
    )
